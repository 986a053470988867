"""Public interface of grading: the history of a course from its entries, and its status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from grading.engine.analytes import Analyte
from grading.engine.checkpoint import Checkpoint, ResumePoint, restore_state
from grading.engine.entries import BaselineFacts, Entry, Vitals
from grading.engine.facts import Baseline, CourseFacts
from grading.engine.fold import fold, in_order, project
from grading.engine.grading_system import GradingSystem
from grading.engine.periods import Opening, Period, tile
from grading.engine.policy import Policy
from grading.engine.state import CourseState
from grading.engine.status import CurrentStatus, Excluded
from grading.engine.trace import Trace, trace
from grading.engine.units import minutes
from grading.engine.vocabulary import VITAL_SIGN, Attribution
from grading.systems import HEADLINE

__all__ = [
    "CHECKPOINT_EVERY",
    "Checkpoint",
    "CourseFacts",
    "CurrentStatus",
    "Excluded",
    "GradingSystem",
    "Regraded",
    "ResumePoint",
    "Trace",
    "regrade",
    "status_at",
    "trace_of",
]

CHECKPOINT_EVERY: Final = 20
"""Entries between two checkpoints: what a late save may have to read again."""
_REREADS_AT_MOST: Final = 8
_LVEF: Final = f"lab.{Analyte.LVEF}"


@dataclass(frozen=True, slots=True)
class Regraded:
    """A course's history from the resume point on (from the infusion, where there was none).

    ``periods`` are those that start after the resume point and run to the end of time;
    ``continuing_until`` is where the period open at the resume point now ends (None: never).
    ``ended_at`` is when a death not due to CRS ended the grading.
    """

    periods: tuple[Period, ...]
    checkpoints: tuple[Checkpoint, ...]
    continuing_until: datetime | None
    ended_at: datetime | None
    status: CurrentStatus | None


def regrade(
    facts: CourseFacts,
    entries: Iterable[Entry],
    *,
    resume: ResumePoint | None = None,
    now: datetime | None = None,
    system: GradingSystem = HEADLINE,
) -> Regraded:
    """Grade a course by ``system`` from ``resume`` on, or from the start.

    With ``now`` the result has the status at that instant too.

    ``entries`` are those in force: all of them, or with ``resume`` those after its instant and
    every baseline entry. The caller promises that the baselines have not changed since the resume
    point was saved. Raises ValueError where ``now`` lies before it, or
    where another system made it.
    """
    if now is not None:
        return status_at(facts, entries, now, resume=resume, system=system)[0]
    state, graded = _at_the_start(facts, entries, resume, system)
    return _finish(state, graded, _Run(), None)


def status_at(
    facts: CourseFacts,
    entries: Iterable[Entry],
    now: datetime,
    *,
    resume: ResumePoint | None = None,
    system: GradingSystem = HEADLINE,
) -> tuple[Regraded, CurrentStatus]:
    """``regrade``, and the status at ``now``."""
    if resume is not None and now < resume.at:
        raise ValueError("cannot show a course at an instant before its resume point")
    state, graded = _at_the_start(facts, entries, resume, system)
    past = [entry for entry in graded if entry.at <= now]
    run = _Run()
    run.over(state, past)
    run.openings += state.advance(now, ())
    status = status_of(state, now)
    return _finish(state, graded[len(past) :], run, status), status


def trace_of(
    facts: CourseFacts,
    entries: Iterable[Entry],
    until: datetime,
    *,
    system: GradingSystem = HEADLINE,
) -> Trace:
    """Return the values that grading had from the infusion up to ``until``.

    ``entries`` are as for ``regrade``.
    """
    state, graded = _at_the_start(facts, entries, None, system)
    return trace(state, graded, until)


def _checkpoint_after(following: int) -> int:
    """Entries until the next checkpoint; more where many follow, which a resume reads as well.

    Of all that a resumed regrade reads, at most an eighth lies before what has changed.
    """
    return max(CHECKPOINT_EVERY, following // (_REREADS_AT_MOST + 1))


@dataclass(slots=True)
class _Run:
    """What a fold has brought so far."""

    openings: list[Opening] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def over(self, state: CourseState, entries: list[Entry]) -> None:
        openings, checkpoints = fold(state, entries, checkpoint_after=_checkpoint_after)
        self.openings += openings
        self.checkpoints += checkpoints


def _finish(
    state: CourseState, later: list[Entry], run: _Run, status: CurrentStatus | None
) -> Regraded:
    run.over(state, later)
    openings = [*run.openings, *project(state)]
    death = state.death
    ended_at = death.at if death is not None and not death.counts else None
    return Regraded(
        periods=tuple(tile(openings, state.system)),
        checkpoints=tuple(run.checkpoints),
        continuing_until=openings[0].at if openings else ended_at,
        ended_at=ended_at,
        status=status,
    )


def _at_the_start(
    facts: CourseFacts,
    entries: Iterable[Entry],
    resume: ResumePoint | None,
    system: GradingSystem,
) -> tuple[CourseState, list[Entry]]:
    graded, baseline = _with_baseline(facts, entries)
    if resume is None:
        return CourseState.at_start(facts, baseline, system), graded
    return restore_state(resume, facts, baseline, system), graded


def _with_baseline(facts: CourseFacts, entries: Iterable[Entry]) -> tuple[list[Entry], Baseline]:
    every = list(entries)
    baselines = [entry for entry in every if isinstance(entry, BaselineFacts)]
    graded = [e for e in every if not isinstance(e, BaselineFacts)] if baselines else every
    return in_order(graded), facts.baseline.with_entries(baselines)


def status_of(state: CourseState, now: datetime) -> CurrentStatus:
    """Return the status of ``state``, which was advanced to ``now``."""
    if not state.begun or state.is_over:
        return _status_outside_grading(state, now)
    grade, at_most = state.shown[:2] if state.shown is not None else (0, 0)
    found = state.findings(now).in_words
    return CurrentStatus(
        at=now,
        grade=grade,
        at_most=at_most,
        criteria=found.criteria,
        unknown=found.unknown,
        excluded=tuple(_excluded(state)),
        upcoming=_upcoming(state),
        latest=dict(state.latest),
        stale=_stale(state, now),
        weight_kg=state.weight_kg,
        policy=state.policy,
    )


def _upcoming(state: CourseState) -> tuple[Period, ...]:
    if not state.changes_by_itself:
        return ()
    openings = [o for o in project(state.copied()) if not o.by_policy_alone]
    return tuple(tile(openings, state.system))


def _status_outside_grading(state: CourseState, now: datetime) -> CurrentStatus:
    """Before the infusion, and after a death."""
    death = state.opening_of_death() if state.is_over else None
    return CurrentStatus(
        at=now,
        grade=death.grade if death else None,
        at_most=death.at_most if death else None,
        criteria=death.found.in_words.criteria if death else (),
        latest=dict(state.latest),
        weight_kg=state.weight_kg,
        ended=state.is_over,
        policy=state.policy,
    )


def _excluded(state: CourseState) -> Iterable[Excluded]:
    for key, entry in sorted(state.latest.items()):
        attribution = entry.attribution_of(key) if isinstance(entry, Vitals) else entry.attribution
        if attribution is Attribution.OTHER:
            yield Excluded(key, entry.id)


def _stale(state: CourseState, now: datetime) -> frozenset[str]:
    policy = state.policy
    return frozenset(
        key
        for key, entry in state.latest.items()
        if (age := stale_after_minutes(key, policy)) is not None and now - entry.at > minutes(age)
    )


def stale_after_minutes(key: str, policy: Policy) -> int | None:
    """After how long the value of a thing is shown as stale; None: it does not age."""
    if key in VITAL_SIGN:
        return policy.stale_after_vitals_minutes
    if key == "oxygen":
        return policy.stale_after_oxygen_minutes
    if key.startswith("vasopressor."):
        return policy.stale_after_vasopressor_minutes
    if key == _LVEF:
        return policy.stale_after_lvef_minutes
    return policy.stale_after_laboratory_minutes if key.startswith("lab.") else None
