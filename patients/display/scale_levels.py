"""Grades of another scale over time: from when to when, what it could be, what is not assessed.

A grade 0 is shown as one only where enough was charted to know it: for a scale of CRS what Lee's
grade 0 needs, for ICANS an ICE, or a CAPD in its place, that could be done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from grading.engine.entries import Capd, Entry, Ice
from grading.engine.facts import CourseFacts
from grading.engine.policy import Policy
from patients.display.assessment import first_assessed_at
from patients.display.ice_due import tool_of
from patients.display.scales import NOT_ASSESSED
from patients.queries.scales import ICANS, CourseScales, Scale, ScaleAnswer, ScalePeriod


def is_icans(scale: Scale) -> bool:
    """Return whether ``scale`` grades neurotoxicity: it is never merged with CRS."""
    return scale.key == ICANS


class AssessedFrom(NamedTuple):
    """From ``at`` on a grade 0 is known, or is not known any more."""

    at: datetime
    is_known: bool


class Assessments(NamedTuple):
    """When a grade 0 was known, in order of time: by a scale of CRS, and by ICANS."""

    crs: Sequence[AssessedFrom]
    icans: Sequence[AssessedFrom]

    def of(self, scale: Scale) -> Sequence[AssessedFrom]:
        return self.icans if is_icans(scale) else self.crs


class ScaleLevel(NamedTuple):
    """A time in which a scale shows the same; ``end`` None is open.

    ``grade`` None: not assessed. ``at_most`` is the highest grade that is not ruled out.
    """

    start: datetime
    end: datetime | None
    grade: int | None
    at_most: int

    @property
    def could_be(self) -> int | None:
        """The higher grade that is possible; None where nothing unknown could raise it."""
        return self.at_most if self.at_most > (self.grade or 0) else None

    @property
    def text(self) -> str:
        return level_text(self.grade, self.could_be)


def level_text(grade: int | None, could_be: int | None) -> str:
    """Return a grade in words: "2", "1, could be 4", "not assessed, could be 4"."""
    known = NOT_ASSESSED if grade is None else str(grade)
    return known if could_be is None else f"{known}, could be {could_be}"


def assessments_of(
    entries: Iterable[Entry],
    facts: CourseFacts,
    policy: Policy,
    until: datetime,
    *,
    assessed_since: datetime | None = None,
) -> Assessments:
    """Return when a grade 0 was known by ``entries`` up to ``until``, in the engine's order.

    ``assessed_since`` is from when on Lee's grade 0 is known, where that was read already.
    """
    every = [one for one in entries if one.at <= until]
    since = assessed_since or first_assessed_at(every, facts.infused_at)
    tool = tool_of(facts.age_in_completed_years, facts.developmental_delay, policy)
    done = [
        AssessedFrom(one.at, one.performed)
        for one in every
        if isinstance(one, Ice | Capd) and one.kind == tool and one.at >= facts.infused_at
    ]
    return Assessments([] if since is None else [AssessedFrom(since, is_known=True)], done)


def is_known_at(steps: Sequence[AssessedFrom], at: datetime) -> bool:
    """Return whether a grade 0 was known at an instant."""
    latest = [step for step in steps if step.at <= at]
    return bool(latest) and latest[-1].is_known


def levels_of(answer: ScaleAnswer, steps: Sequence[AssessedFrom]) -> list[ScaleLevel]:
    """Return what a scale shows over time, up to its instant; the last one is open if it holds."""
    pieces = (level for level, _ in pieces_of(answer, steps))
    levels: list[ScaleLevel] = []
    for (grade, at_most), group in groupby(pieces, key=lambda one: (one.grade, one.at_most)):
        together = list(group)
        levels.append(ScaleLevel(together[0].start, together[-1].end, grade, at_most))
    return levels


def pieces_of(
    answer: ScaleAnswer, steps: Sequence[AssessedFrom]
) -> Iterator[tuple[ScaleLevel, ScalePeriod]]:
    """Yield each period, divided where a grade 0 becomes known or unknown."""
    for period in _open(answer):
        for level in _pieces(period, steps):
            yield level, period


def _open(answer: ScaleAnswer) -> Iterator[ScalePeriod]:
    """Yield the periods; the one that holds at the instant of the answer has no end."""
    yield from answer.periods[:-1]
    if answer.periods:
        last = answer.periods[-1]
        yield last if answer.current is None else last._replace(end=None)


def _pieces(period: ScalePeriod, steps: Sequence[AssessedFrom]) -> Iterator[ScaleLevel]:
    """Yield a period, divided where a grade 0 becomes known or unknown."""
    if period.grade != 0:
        yield ScaleLevel(period.start, period.end, period.grade, period.at_most)
        return
    within = [
        step.at
        for step in steps
        if period.start < step.at and (period.end is None or step.at < period.end)
    ]
    begins = [period.start, *sorted(set(within))]
    for start, end in zip(begins, [*begins[1:], period.end], strict=True):
        grade = 0 if is_known_at(steps, start) else None
        yield ScaleLevel(start, end, grade, period.at_most)


def shown_levels(
    scales: CourseScales, assessments: Assessments
) -> list[tuple[Scale, list[ScaleLevel]]]:
    """Return each scale with what it shows over time."""
    return [
        (answer.scale, levels_of(answer, assessments.of(answer.scale))) for answer in scales.answers
    ]
