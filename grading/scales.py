"""Public interface of the other scales: what each answers, when that changes, why they differ.

Read-only: computed from the same entries as the grade and shown with it, never stored as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from grading.engine.chart import Chart
from grading.engine.checkpoint import ResumePoint, restore_state
from grading.engine.differences import Assessed, Difference, Pattern, between, differences, patterns
from grading.engine.entries import BaselineFacts, Entry
from grading.engine.facts import CourseFacts
from grading.engine.fold import FOR_EVER, in_order
from grading.engine.periods import Explained
from grading.engine.policy import Policy
from grading.engine.scale import Assessment, Scale, ScalePeriod
from grading.engine.scale_fold import (
    ScaleHistory,
    advance,
    fold_scales,
    note_all,
    project_scales,
)
from grading.engine.state import CourseState
from grading.engine.systems import SCALES
from grading.engine.systems.lee_2014 import LEE_2014, LEE_SCALE

__all__ = [
    "ALL",
    "BY_KEY",
    "SCALES",
    "SHOWN",
    "CourseScales",
    "Difference",
    "Pattern",
    "Scale",
    "ScaleAnswer",
    "ScalePeriod",
    "grade_scales",
    "holds_other_scales",
    "scales_from_now",
    "scales_named",
]

ALL: Final = "all"
BY_KEY: Final = {scale.key: scale for scale in SCALES}
SHOWN: Final = SCALES[:2]
"""ASTCT and ICANS: always shown with the grade; the others are those of papers."""


def scales_named(names: str | Iterable[str]) -> tuple[Scale, ...]:
    """Return the scales of these keys, in the order of display; ``all`` is every one.

    A text holds keys between commas. Raises ValueError with the keys that there are.
    """
    keys = names.split(",") if isinstance(names, str) else list(names)
    wanted = {key.strip() for key in keys}
    if wanted == {ALL}:
        return SCALES
    unknown = sorted(wanted - BY_KEY.keys())
    if unknown:
        raise ValueError(f"no scale {', '.join(unknown)}; expected {ALL} or {', '.join(BY_KEY)}")
    return tuple(scale for scale in SCALES if scale.key in wanted)


@dataclass(frozen=True, slots=True)
class ScaleAnswer:
    """What one scale says up to an instant, and what the clock alone will change after it.

    ``periods`` run up to the instant, the last one open; ``projected`` follow, the last one
    without an end. ``current`` is None where nothing is graded. ``waived_by`` is the treatment for
    which ASTCT asks for no fever at the instant, where that alone lets the rest count. ``shown`` is
    ``current`` with its criteria and unknowns in words as of the instant, not as of its start.
    """

    scale: Scale
    periods: tuple[ScalePeriod, ...]
    projected: tuple[ScalePeriod, ...]
    current: ScalePeriod | None
    waived_by: Explained | None = None
    shown: ScalePeriod | None = None

    @property
    def grade(self) -> int | None:
        return None if self.current is None else self.current.grade

    @property
    def at_most(self) -> int | None:
        return None if self.current is None else self.current.at_most

    def as_json(self) -> dict[str, Any]:
        has_gate = self.scale.gate is not None
        waived = {} if self.waived_by is None else {"waived_by": self.waived_by.evidence[0]}
        return {
            "current": {"grade": self.grade, "at_most": self.at_most},
            **waived,
            "periods": [
                *(_period_json(one, projected=False, has_gate=has_gate) for one in self.periods),
                *(_period_json(one, projected=True, has_gate=has_gate) for one in self.projected),
            ],
        }


@dataclass(frozen=True, slots=True)
class CourseScales:
    """What the scales say of a course at ``now``, and why each differs from Lee's grade there.

    ``lee`` is Lee's own assessment at that instant, to compare with, and ``policy`` the one in
    force there. ``compared`` says why the two scales differ that were asked to be compared with one
    another; Lee may be one of them.
    """

    now: datetime
    answers: tuple[ScaleAnswer, ...]
    lee: Assessment | None
    differ: tuple[Difference, ...]
    patterns: tuple[Pattern, ...]
    policy: Policy
    compared: tuple[Difference, ...] = ()

    def _parameters(self, scale: Scale) -> dict[str, Any]:
        values = self.policy.all_values()
        return {name: values[name] for name in scale.parameters}

    def of(self, key: str) -> ScaleAnswer:
        return next(answer for answer in self.answers if answer.scale.key == key)

    def as_json(self) -> dict[str, Any]:
        return {
            "scales": {
                answer.scale.key: {**answer.as_json(), "parameters": self._parameters(answer.scale)}
                for answer in self.answers
            },
            "differ": [one.as_json() for one in self.differ],
        }


def holds_other_scales(resume: ResumePoint) -> bool:
    """Return whether a checkpoint holds what other scales ask, so that they can resume there."""
    return resume.holds_other_scales


def grade_scales(
    facts: CourseFacts,
    entries: Iterable[Entry],
    now: datetime,
    scales: Sequence[Scale] = SHOWN,
    *,
    resume: ResumePoint | None = None,
    compare: tuple[str, str] | None = None,
) -> CourseScales:
    """Grade a course by ``scales`` up to ``now``.

    ``entries`` are those in force: all of them, or with ``resume`` those after its instant and
    every baseline entry. The periods begin at the infusion, or at the resume point. ``compare`` has
    the keys of two scales, of ``scales`` or Lee's, to compare with one another. Raises ValueError
    where the resume point does not hold what the scales ask (``holds_other_scales``).
    """
    state, graded = _start(facts, entries, now, resume)
    histories = fold_scales(state, graded, scales, begun=None if resume is None else resume.at)
    if now < facts.infused_at:
        return CourseScales(now, _nothing_graded(scales), None, (), (), state.policy)
    chart = _chart_at(state, now, histories)
    lee, differ, shown, compared = _compared(chart, scales, compare)
    policy = state.policy
    answers = _answers(state, chart, histories, now)
    return CourseScales(now, answers, lee, differ, shown, policy, compared)


def scales_from_now(
    facts: CourseFacts,
    entries: Iterable[Entry],
    now: datetime,
    scales: Sequence[Scale] = SHOWN,
    *,
    resume: ResumePoint | None = None,
) -> tuple[ScaleAnswer, ...]:
    """Return what ``scales`` say at ``now`` and what the clock alone changes after it.

    The arguments are those of ``grade_scales``. No period begins before ``now``, for the scales are
    asked there and not at each entry.
    """
    state, graded = _start(facts, entries, now, resume)
    fold_scales(state, graded, ())
    if now < facts.infused_at:
        return _nothing_graded(scales)
    chart = _chart_at(state, now, ())
    histories = [ScaleHistory(scale) for scale in scales]
    note_all(state, chart.at, histories)
    return _answers(state, chart, histories, now)


def _start(
    facts: CourseFacts, entries: Iterable[Entry], now: datetime, resume: ResumePoint | None
) -> tuple[CourseState, list[Entry]]:
    """Return the state to fold from, and the entries to fold up to ``now``, in order."""
    every = list(entries)
    baselines = [entry for entry in every if isinstance(entry, BaselineFacts)]
    graded = [e for e in in_order(every) if e.at <= now and not isinstance(e, BaselineFacts)]
    baseline = facts.baseline.with_entries(baselines)
    if resume is None:
        return CourseState.at_start(facts, baseline, LEE_2014), graded
    return restore_state(resume, facts, baseline, LEE_2014), graded


def _nothing_graded(scales: Sequence[Scale]) -> tuple[ScaleAnswer, ...]:
    return tuple(ScaleAnswer(scale, (), (), None) for scale in scales)


def _chart_at(state: CourseState, now: datetime, histories: Sequence[ScaleHistory]) -> Chart:
    """Let the clock run to ``now``; return the chart there, or at the death before it."""
    if not state.is_over:
        advance(state, now, (), histories)
    return Chart(state, state.death.at if state.death is not None else now)


def _answers(
    state: CourseState, chart: Chart, histories: Sequence[ScaleHistory], now: datetime
) -> tuple[ScaleAnswer, ...]:
    """Return the answer of each history at the instant of ``chart``, with what the clock brings."""
    waived = [history.scale.waived_by(chart) for history in histories]
    in_words = [_in_words(chart, history) for history in histories]
    past = [list(history.periods) for history in histories]
    if not state.is_over:
        project_scales(state, histories, FOR_EVER)
    return tuple(
        replace(_answer(history, periods, now), waived_by=waived_by, shown=words)
        for history, periods, waived_by, words in zip(
            histories, past, waived, in_words, strict=True
        )
    )


_Compared = tuple[
    Assessment | None, tuple[Difference, ...], tuple[Pattern, ...], tuple[Difference, ...]
]


def _compared(chart: Chart, scales: Sequence[Scale], compare: tuple[str, str] | None) -> _Compared:
    lee = LEE_SCALE.assess(chart)
    assessed = [Assessed(LEE_SCALE, lee), *(Assessed(s, s.assess(chart)) for s in scales)]
    pair: list[Difference] = []
    if compare is not None:
        by_key = {one.scale.key: one for one in assessed}
        pair = between(chart, *(by_key[key] for key in compare))
    differ = differences(chart, assessed[0], assessed[1:])
    return lee, differ, patterns(chart, assessed), tuple(pair)


def _in_words(chart: Chart, history: ScaleHistory) -> ScalePeriod | None:
    """Return the period that holds in words as of ``chart``; None where nothing is graded."""
    assessment, scale = history.open, history.scale
    if assessment is None or assessment.grade is None or not history.periods:
        return None
    return history.periods[-1]._replace(
        criteria=scale.criteria(chart, assessment.met),
        unknown=scale.unknowns(chart, assessment),
        withheld=scale.criteria(chart, assessment.withheld),
    )


def _answer(history: ScaleHistory, past: list[ScalePeriod], now: datetime) -> ScaleAnswer:
    current = past[-1] if past and past[-1].end is None else None
    if current is not None:
        past = [*past[:-1], current._replace(end=now)]
    projected = history.periods[len(past) :]
    return ScaleAnswer(history.scale, tuple(past), tuple(projected), current)


def _period_json(period: ScalePeriod, *, projected: bool, has_gate: bool) -> dict[str, Any]:
    words: dict[str, Any] = {
        "from": period.start.astimezone(UTC).isoformat(),
        "to": None if period.end is None else period.end.astimezone(UTC).isoformat(),
        "grade": period.grade,
        "at_most": period.at_most,
        "projected": projected,
        "criteria": [criterion.as_json() for criterion in period.criteria],
        "unknown": [unknown.as_json() for unknown in period.unknown],
    }
    if has_gate:
        words["withheld"] = [criterion.as_json() for criterion in period.withheld]
    return words
