"""The stored history of grades: what a regrade changes in it, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from grading.engine.periods import Period
from grading.engine.systems.lee_2014 import RULESET_VERSION
from patients.queries.grades import StoredPeriod
from patients.queries.policies import Ruling


@dataclass(frozen=True, slots=True)
class GradeChange:
    """The grade went from ``before`` to ``after`` at ``at`` (clinical time), by ``findings``."""

    at: datetime
    before: int
    after: int
    findings: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """A history before an act and after it, from the first instant at which they can differ."""

    before: Sequence[StoredPeriod]
    after: Sequence[StoredPeriod]

    @property
    def closed(self) -> list[StoredPeriod]:
        """The rows that hold no more."""
        stays = {row.id for row in self.after}
        return [row for row in self.before if row.id not in stays]

    @property
    def opened(self) -> list[StoredPeriod]:
        """The rows that are not stored yet."""
        return [row for row in self.after if row.id is None]

    def changes(self, now: datetime) -> tuple[GradeChange, ...]:
        """The changes of grade up to ``now`` that the act brought into the history."""
        known = set(_changes(self.before))
        return tuple(c for c in _changes(self.after) if c.at <= now and c not in known)

    def keeps_changes(self, now: datetime) -> bool:
        """Whether each change of grade up to ``now`` that was there before reads as it did."""
        told = {change: change.findings for change in _changes(self.after)}
        return all(told.get(c) == c.findings for c in _changes(self.before) if c.at <= now)

    def grade_before(self, now: datetime) -> int | None:
        return _grade_at(self.before, now)


def compared(
    before: Sequence[StoredPeriod],
    *,
    resumed_at: datetime | None,
    continuing_until: datetime | None,
    periods: Iterable[Period],
    rulings: Sequence[Ruling],
) -> Difference:
    """A stored history beside what was regraded.

    ``before`` is stored of it for ``resumed_at`` and later; ``rulings`` are those it was graded
    under. Rows that say the same stay as they are stored.
    """
    wanted = [_row(period, rulings[period.policy].version_id) for period in periods]
    if before and resumed_at is not None and before[0].start <= resumed_at:
        # Open at the resume point: only its end can have changed.
        wanted.insert(0, before[0]._replace(id=None, end=continuing_until))
    stored = {row.start: row for row in before}
    return Difference(before, [row.unless_said_by(stored.get(row.start)) for row in wanted])


def _row(period: Period, version_id: int) -> StoredPeriod:
    return StoredPeriod(
        None,
        period.start,
        period.end,
        period.grade,
        period.at_most,
        period.findings_json(),
        RULESET_VERSION,
        version_id,
    )


def _changes(periods: Sequence[StoredPeriod]) -> list[GradeChange]:
    return [
        GradeChange(later.start, earlier.grade, later.grade, later.findings)
        for earlier, later in pairwise(periods)
        if earlier.grade != later.grade
    ]


def _grade_at(periods: Iterable[StoredPeriod], instant: datetime) -> int | None:
    for period in periods:
        if period.start <= instant and (period.end is None or instant < period.end):
            return period.grade
    return None
