"""Compare two histories of grades, and say where they differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from patients.display.assessment import was_assessed


class GradeAndBound(NamedTuple):
    """Grade and bound; both None where nothing is graded.

    A grade 0 that was not ``assessed`` is no grade to show.
    """

    grade: int | None
    at_most: int | None
    assessed: bool = True


_UNGRADED = GradeAndBound(None, None)


class GradedInterval(NamedTuple):
    """Grade and bound over [``start``, ``end``); ``end`` None is open.

    ``why`` are the sentences of the criteria that decide the grade.
    """

    start: datetime
    end: datetime | None
    graded: GradeAndBound
    why: tuple[str, ...] = ()


class ComparedHistory(NamedTuple):
    """A history to compare: its intervals in order.

    ``assessed_since`` is the time from which a grade 0 is known, None for never.
    """

    intervals: Sequence[GradedInterval]
    assessed_since: datetime | None

    def at(self, instant: datetime) -> GradeAndBound:
        """Return grade and bound at ``instant``."""
        interval = self.interval_at(instant)
        if interval is None:
            return _UNGRADED
        graded = interval.graded
        return graded._replace(assessed=was_assessed(graded.grade, instant, self.assessed_since))

    def why_at(self, instant: datetime) -> tuple[str, ...]:
        """Return the sentences of the criteria that decide the grade at ``instant``."""
        interval = self.interval_at(instant)
        return () if interval is None else interval.why

    def interval_at(self, instant: datetime) -> GradedInterval | None:
        """Return the interval that ``instant`` is in; None where nothing is graded."""
        for interval in self.intervals:
            if interval.start <= instant and (interval.end is None or instant < interval.end):
                return interval
        return None


class GradeDifference(NamedTuple):
    """From ``start`` to ``end`` a course would have ``after`` instead of ``before``."""

    start: datetime
    end: datetime | None
    before: GradeAndBound
    after: GradeAndBound


class ExplainedDifference(NamedTuple):
    """A ``GradeDifference`` with the sentences of the criteria that decide both grades."""

    start: datetime
    end: datetime | None
    before: GradeAndBound
    after: GradeAndBound
    why_before: tuple[str, ...]
    why_after: tuple[str, ...]

    @property
    def changes_grade(self) -> bool:
        """Whether the grade itself differs, and not its bound alone."""
        return self.before.grade != self.after.grade


def deciding_sentences(findings: Mapping[str, Any], grade: int) -> tuple[str, ...]:
    """Return the sentences of the criteria, as they are stored, that decide ``grade``."""
    return tuple(one["explanation"] for one in findings["criteria"] if one["grade"] == grade)


def compare(
    before: ComparedHistory, after: ComparedHistory, since: datetime
) -> list[GradeDifference]:
    """Return, from ``since`` on and in order, where grade or bound differ."""
    both = (*before.intervals, *after.intervals)
    starts = {interval.start for interval in both}
    ends = {interval.end for interval in both if interval.end is not None}
    instants = sorted({since, *(at for at in starts | ends if at > since)})
    found: list[GradeDifference] = []
    for at, until in zip(instants, [*instants[1:], None], strict=True):
        was, would_be = before.at(at), after.at(at)
        if was[:2] == would_be[:2]:
            continue
        last = found[-1] if found else None
        if last is not None and last.end == at and _say_the_same(last, was, would_be):
            found[-1] = last._replace(end=until)
            continue
        found.append(GradeDifference(at, until, was, would_be))
    return found


def _say_the_same(last: GradeDifference, was: GradeAndBound, would_be: GradeAndBound) -> bool:
    return last.before[:2] == was[:2] and last.after[:2] == would_be[:2]


def explain(
    before: ComparedHistory, after: ComparedHistory, since: datetime
) -> list[ExplainedDifference]:
    """Return the differences of ``compare``, each with its sentences where it begins."""
    return [
        ExplainedDifference(*one, before.why_at(one.start), after.why_at(one.start))
        for one in compare(before, after, since)
    ]
