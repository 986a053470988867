"""Compare two histories of grades, and say where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple


class GradeAndBound(NamedTuple):
    """Grade and bound; both None where nothing is graded."""

    grade: int | None
    at_most: int | None


_UNGRADED = GradeAndBound(None, None)


class GradedInterval(NamedTuple):
    """Grade and bound over [``start``, ``end``); ``end`` None is open.

    ``why`` are the sentences of the criteria that decide the grade.
    """

    start: datetime
    end: datetime | None
    graded: GradeAndBound
    why: tuple[str, ...] = ()


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
    before: Sequence[GradedInterval], after: Sequence[GradedInterval], since: datetime
) -> list[GradeDifference]:
    """Return, from ``since`` on and in order, where grade or bound differ."""
    starts = {interval.start for interval in (*before, *after)}
    ends = {interval.end for interval in (*before, *after) if interval.end is not None}
    instants = sorted({since, *(at for at in starts | ends if at > since)})
    found: list[GradeDifference] = []
    for at, until in zip(instants, [*instants[1:], None], strict=True):
        was, would_be = _interval_at(before, at), _interval_at(after, at)
        graded = [_UNGRADED if one is None else one.graded for one in (was, would_be)]
        if graded[0] == graded[1]:
            continue
        last = found[-1] if found else None
        if last is not None and (last.end, last.before, last.after) == (at, *graded):
            found[-1] = last._replace(end=until)
            continue
        found.append(GradeDifference(at, until, graded[0], graded[1]))
    return found


def explain(
    before: Sequence[GradedInterval], after: Sequence[GradedInterval], since: datetime
) -> list[ExplainedDifference]:
    """Return the differences of ``compare``, each with its sentences where it begins."""
    return [
        ExplainedDifference(*one, _why_at(before, one.start), _why_at(after, one.start))
        for one in compare(before, after, since)
    ]


def _why_at(intervals: Iterable[GradedInterval], at: datetime) -> tuple[str, ...]:
    interval = _interval_at(intervals, at)
    return () if interval is None else interval.why


def _interval_at(intervals: Iterable[GradedInterval], at: datetime) -> GradedInterval | None:
    for interval in intervals:
        if interval.start <= at and (interval.end is None or at < interval.end):
            return interval
    return None
