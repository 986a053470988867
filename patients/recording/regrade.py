"""Regrade a course from its last checkpoint, and compare the result with the stored history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from grading.engine.periods import Period
from grading.service import Regraded, regrade
from grading.systems import HEADLINE
from patients.models import Course
from patients.queries.entries import (
    EntryRow,
    SplitEntries,
    course_facts,
    parse_entries,
    split_by_use,
)
from patients.queries.grades import GradePeriodRow
from patients.queries.policies import PolicyPeriod, policy_periods_for
from patients.queries.snapshot import SaveSnapshot, read_for_save
from patients.recording.write import HistoryChanges

BEFORE_EVERYTHING: Final = datetime.min.replace(tzinfo=UTC)
AFTER_EVERYTHING: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class GradeChange:
    """The grade went from ``before`` to ``after`` at ``at`` (clinical time), by ``findings``.

    ``findings_before`` are those of the period before it, which had the same policy where
    ``same_policy``.
    """

    at: datetime
    before: int
    after: int
    findings: Mapping[str, Any] = field(default_factory=dict, compare=False)
    findings_before: Mapping[str, Any] = field(default_factory=dict, compare=False)
    at_most: int = field(default=0, compare=False)
    same_policy: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class HistoryDiff:
    """The history before and after an act, from the first instant at which they can differ."""

    before: Sequence[GradePeriodRow]
    after: Sequence[GradePeriodRow]

    @property
    def closed(self) -> list[GradePeriodRow]:
        """The stored rows that the history after the act no longer has."""
        kept = {row.id for row in self.after}
        return [row for row in self.before if row.id not in kept]

    @property
    def opened(self) -> list[GradePeriodRow]:
        """The rows of the history after the act that are not stored yet."""
        return [row for row in self.after if row.id is None]

    def changes(self, now: datetime) -> tuple[GradeChange, ...]:
        """Return the changes of grade up to ``now`` that the act adds to the history."""
        known = set(_changes(self.before))
        return tuple(c for c in _changes(self.after) if c.at <= now and c not in known)

    def keeps_changes(self, now: datetime) -> bool:
        """Return whether all earlier changes of grade up to ``now`` keep their findings."""
        findings = {change: change.findings for change in _changes(self.after)}
        return all(findings.get(c) == c.findings for c in _changes(self.before) if c.at <= now)

    def latest_change_before(self, now: datetime) -> datetime | None:
        """Return when the grade changed last, up to ``now``, in the history before the act."""
        return max((c.at for c in _changes(self.before) if c.at <= now), default=None)

    def grade_before(self, now: datetime) -> int | None:
        """Return the grade at ``now`` before the act; None where nothing was graded."""
        return _grade_at(self.before, now)


@dataclass(frozen=True, slots=True)
class CourseRegrade:
    """A regraded course, the entries it was graded from, and what it changes in the history."""

    regraded: Regraded
    entries: SplitEntries
    diff: HistoryDiff
    changes: HistoryChanges


def regrade_course(
    course: Course,
    snapshot: SaveSnapshot,
    rows: Sequence[EntryRow],
    decided: Sequence[PolicyPeriod],
    now: datetime,
) -> CourseRegrade:
    """Regrade ``course`` from the resume point of ``snapshot`` with ``rows`` in force.

    ``decided`` are policies that an act adds to those decided before.
    """
    policy_periods = policy_periods_for(course, [*snapshot.decided, *decided])
    regraded, entries = regrade_from_checkpoint(course, snapshot, rows, policy_periods, now)
    diff = compare_history(snapshot, regraded, policy_periods)
    return CourseRegrade(regraded, entries, diff, _history_changes(snapshot, regraded, diff))


def regrade_from_checkpoint(
    course: Course,
    snapshot: SaveSnapshot,
    rows: Sequence[EntryRow],
    policy_periods: Sequence[PolicyPeriod],
    now: datetime,
) -> tuple[Regraded, SplitEntries]:
    """Grade the course from its resume point; return that and ``rows`` split by their use."""
    resume = snapshot.resume
    entries = split_by_use(course, rows, after=resume.at if resume else None)
    facts = course_facts(course, policy_periods)
    in_force = parse_entries(entries.in_force)
    return regrade(facts, in_force, resume=resume, now=now, system=HEADLINE), entries


def compare_history(
    snapshot: SaveSnapshot, regraded: Regraded, policy_periods: Sequence[PolicyPeriod]
) -> HistoryDiff:
    """Compare the stored periods of ``snapshot`` with what was regraded from its resume point.

    A stored row that means the same as a regraded one stays.
    """
    stored = snapshot.periods
    resumed_at = snapshot.resume.at if snapshot.resume else None
    wanted = [_row(one, policy_periods[one.policy].version_id) for one in regraded.periods]
    if stored and resumed_at is not None and stored[0].start <= resumed_at:
        # Of the period open at the resume point only the end can change.
        wanted.insert(0, stored[0]._replace(id=None, end=regraded.continuing_until))
    by_start = {row.start: row for row in stored}
    return HistoryDiff(stored, [_stored_or_new(row, by_start.get(row.start)) for row in wanted])


def _stored_or_new(row: GradePeriodRow, stored: GradePeriodRow | None) -> GradePeriodRow:
    return stored if stored is not None and stored.means_the_same_as(row) else row


def _row(period: Period, policy_id: int) -> GradePeriodRow:
    return GradePeriodRow(
        None,
        period.start,
        period.end,
        period.grade,
        period.at_most,
        period.findings_json(),
        period.version,
        policy_id,
    )


def _history_changes(
    snapshot: SaveSnapshot, regraded: Regraded, diff: HistoryDiff
) -> HistoryChanges:
    """Return what to write; the new checkpoints replace those after the resume point."""
    resumed_at = snapshot.resume.at if snapshot.resume else BEFORE_EVERYTHING
    has_later = snapshot.last_checkpoint_at is not None and snapshot.last_checkpoint_at > resumed_at
    dropped_after = resumed_at if has_later else None
    return HistoryChanges(HEADLINE, diff.closed, diff.opened, regraded.checkpoints, dropped_after)


def _changes(periods: Sequence[GradePeriodRow]) -> list[GradeChange]:
    return [
        GradeChange(
            later.start,
            earlier.grade,
            later.grade,
            later.findings,
            earlier.findings,
            later.at_most,
            later.policy_id == earlier.policy_id,
        )
        for earlier, later in pairwise(periods)
        if earlier.grade != later.grade
    ]


def _grade_at(periods: Iterable[GradePeriodRow], instant: datetime) -> int | None:
    for period in periods:
        if period.start <= instant and (period.end is None or instant < period.end):
            return period.grade
    return None


@dataclass(frozen=True, slots=True)
class PolicyPreview:
    """The history that a decision would bring: ``periods`` after ``resumed_at`` (None: all).

    The stored period open at ``resumed_at`` would end at ``continuing_until`` (None: never).
    """

    resumed_at: datetime | None
    continuing_until: datetime | None
    periods: tuple[Period, ...]


def preview_regrade(course: Course, decided: Sequence[PolicyPeriod]) -> PolicyPreview:
    """Regrade ``course`` with the policy periods ``decided`` added; store nothing."""
    changed_at = min(one.valid_from for one in decided)
    snapshot = read_for_save(course, HEADLINE, form_id=uuid.uuid4(), changed_at=changed_at)
    policy_periods = policy_periods_for(course, [*snapshot.decided, *decided])
    regraded, _ = regrade_from_checkpoint(
        course, snapshot, snapshot.entries, policy_periods, snapshot.clock
    )
    resumed_at = snapshot.resume.at if snapshot.resume else None
    return PolicyPreview(resumed_at, regraded.continuing_until, regraded.periods)
