"""Regrade a course from its last checkpoint, and compare the result with the stored history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from grading.engine.periods import Period
from grading.service import RULESET_VERSION, Regraded, ResumePoint, regrade
from patients.models import Course, Entry, EntryKind
from patients.queries.entries import (
    EntryRow,
    SplitEntries,
    course_facts,
    entry_row_of,
    parse_entries,
    split_by_use,
)
from patients.queries.grades import GradePeriodRow
from patients.queries.policies import PolicyPeriod, policy_periods_for
from patients.queries.snapshot import SaveSnapshot, read_for_save
from patients.recording.write import HistoryChanges


@dataclass(frozen=True, slots=True)
class GradeChange:
    """The grade went from ``before`` to ``after`` at ``at`` (clinical time), by ``findings``."""

    at: datetime
    before: int
    after: int
    findings: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class HistoryDiff:
    """A history before an act and after it, from the first instant at which they can differ."""

    before: Sequence[GradePeriodRow]
    after: Sequence[GradePeriodRow]

    @property
    def closed(self) -> list[GradePeriodRow]:
        """The rows that hold no more."""
        stays = {row.id for row in self.after}
        return [row for row in self.before if row.id not in stays]

    @property
    def opened(self) -> list[GradePeriodRow]:
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


def compare_history(
    before: Sequence[GradePeriodRow],
    *,
    resumed_at: datetime | None,
    continuing_until: datetime | None,
    periods: Iterable[Period],
    rulings: Sequence[PolicyPeriod],
) -> HistoryDiff:
    """A stored history beside what was regraded.

    ``before`` is stored of it for ``resumed_at`` and later; ``rulings`` are those it was graded
    under. Rows that say the same stay as they are stored.
    """
    wanted = [_row(period, rulings[period.policy].version_id) for period in periods]
    if before and resumed_at is not None and before[0].start <= resumed_at:
        # Open at the resume point: only its end can have changed.
        wanted.insert(0, before[0]._replace(id=None, end=continuing_until))
    stored = {row.start: row for row in before}
    return HistoryDiff(before, [row.unless_said_by(stored.get(row.start)) for row in wanted])


def _row(period: Period, version_id: int) -> GradePeriodRow:
    return GradePeriodRow(
        None,
        period.start,
        period.end,
        period.grade,
        period.at_most,
        period.findings_json(),
        RULESET_VERSION,
        version_id,
    )


def _changes(periods: Sequence[GradePeriodRow]) -> list[GradeChange]:
    return [
        GradeChange(later.start, earlier.grade, later.grade, later.findings)
        for earlier, later in pairwise(periods)
        if earlier.grade != later.grade
    ]


def _grade_at(periods: Iterable[GradePeriodRow], instant: datetime) -> int | None:
    for period in periods:
        if period.start <= instant and (period.end is None or instant < period.end):
            return period.grade
    return None


BEFORE_EVERYTHING: Final = datetime.min.replace(tzinfo=UTC)


def apply_new_entries(rows: Sequence[EntryRow], entries: Sequence[Entry]) -> list[EntryRow]:
    """``rows`` in force before an act, and after it: as they would be read again."""
    replaced = {entry.replaces_id for entry in entries}
    new = [
        entry_row_of(entry)
        for entry in entries
        if entry.kind != EntryKind.RETRACTION and entry.pk not in replaced
    ]
    # What is new was recorded last: it follows whatever has its instant.
    stay = [row for row in rows if row.pk not in replaced]
    return sorted([*stay, *new], key=lambda row: row.at)


def regrade_from_checkpoint(
    course: Course,
    resume: ResumePoint | None,
    rows: Sequence[EntryRow],
    now: datetime,
    rulings: Sequence[PolicyPeriod],
) -> tuple[Regraded, SplitEntries]:
    """The course graded from its resume point on, and which of ``rows`` that and guidance need."""
    read = split_by_use(course, rows, after=resume.at if resume else None)
    facts = course_facts(course, rulings)
    return regrade(facts, parse_entries(read.in_force), resume=resume, now=now), read


def history_changes(
    moment: SaveSnapshot, regraded: Regraded, difference: HistoryDiff
) -> HistoryChanges:
    """What ``regraded`` changes; its checkpoints take the place of those after the resume point."""
    resumed_at = moment.resume.at if moment.resume else BEFORE_EVERYTHING
    has_later = moment.last_checkpoint_at is not None and moment.last_checkpoint_at > resumed_at
    dropped_after = resumed_at if has_later else None
    return HistoryChanges(difference.closed, difference.opened, regraded.checkpoints, dropped_after)


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """``periods`` after ``resumed_at`` (None: all); the one open there goes on until then."""

    resumed_at: datetime | None
    continuing_until: datetime | None
    periods: tuple[Period, ...]


def preview_regrade(course: Course, decided: Sequence[PolicyPeriod]) -> PolicyPreview:
    """What an act would regrade that decided ``decided``; stores nothing."""
    moment = read_for_save(
        course,
        form_id=uuid.uuid4(),
        changed_at=min(one.valid_from for one in decided),
        recorded_at=None,
        ruleset_version=RULESET_VERSION,
    )
    rulings = policy_periods_for(course, [*moment.decided, *decided])
    regraded, _ = regrade_from_checkpoint(
        course, moment.resume, moment.entries, moment.clock, rulings
    )
    resumed_at = moment.resume.at if moment.resume else None
    return PolicyPreview(resumed_at, regraded.continuing_until, regraded.periods)
