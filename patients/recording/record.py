"""Record one act of charting and regrade its course, in one transaction.

An observation is never stored without its grade: where grading fails, nothing is stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Final

from django.db import connection, transaction

from grading.service import RULESET_VERSION, Regraded, Standing
from patients.models import ChartingAct, Course, CoursePolicy, Entry, EntryKind, LaboratoryLimits
from patients.queries.entries import EntryRow, SplitEntries
from patients.queries.grades import period_rows_known_at
from patients.queries.laboratory import (
    ReportedLimits,
    age_in_years,
    group_of,
    limits_for_group,
    read_latest_limits,
)
from patients.queries.policies import PolicyPeriod, policy_periods_for
from patients.queries.snapshot import SaveSnapshot, read_for_save
from patients.recording.inputs import FormReusedError, NewEntry, ReplacedAlreadyError, Submission
from patients.recording.regrade import (
    GradeChange,
    HistoryDiff,
    apply_new_entries,
    compare_history,
    history_changes,
    regrade_from_checkpoint,
)
from patients.recording.write import write_act

_COURSE_QUEUES: Final = tuple(Lock() for _ in range(64))


def course_queue(course_id: uuid.UUID) -> Lock:
    """What a thread holds from before its transaction until after it.

    The lock of the course in the database alone keeps writers apart; this only keeps them from all
    waiting there. Of each process one waits for that lock and takes it the moment it is free; the
    others cost nothing meanwhile. Two courses may share a turn: their writers wait a save longer.
    A thread takes one turn at most, and none while it holds the lock of a course.
    """
    return _COURSE_QUEUES[course_id.int % len(_COURSE_QUEUES)]


_BEFORE_EVERYTHING: Final = datetime.min.replace(tzinfo=UTC)
_AFTER_EVERYTHING: Final = datetime.max.replace(tzinfo=UTC)
_ONE_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """What an act put on the chart and what that changed.

    ``standing`` is where the course stands at ``now``; ``grade_changes`` are those that the act
    brought into the history, each with the findings that it begins, and ``keeps_changes`` says that
    it left those as they were that were there before; ``in_force`` are the entries read
    for it, those before the last checkpoint not among them, ``for_guidance`` those that guidance
    needs; ``repeated`` says that the same form had been recorded before.
    """

    course: Course
    act: ChartingAct
    entries: tuple[Entry, ...]
    now: datetime
    standing: Standing
    grade_before: int | None
    grade_changes: tuple[GradeChange, ...]
    keeps_changes: bool
    in_force: list[EntryRow]
    for_guidance: list[EntryRow]
    repeated: bool = False


def record_entries(
    course: Course, drafts: Sequence[NewEntry], sending: Submission
) -> RecordingResult:
    """Record one act of charting and regrade the course from the earliest instant it touches.

    Sent again under the same ``form_id``, answers as before and records nothing. Raises
    ReplacedAlreadyError where someone else has corrected or retracted the entry meanwhile, and
    FormReusedError where the form was saved before with other contents. Raises RuntimeError inside
    a transaction: one that holds a course's lock must not wait for a turn.
    """
    with course_queue(course.pk), transaction.atomic(durable=True):
        lock_course(course.pk)
        return append_act(course, drafts, sending)


def correct_entry(
    entry: Entry, at: datetime, body: Mapping[str, Any], sending: Submission
) -> RecordingResult:
    """Record what ``entry`` should have said; ``sending.answers`` holds the reason."""
    return record_entries(
        entry.course, [NewEntry(entry.kind, at, body, replaces=entry.pk)], sending
    )


def retract_entry(entry: Entry, sending: Submission) -> RecordingResult:
    """Record that ``entry`` was entered in error; ``sending.answers`` holds the reason."""
    taken_back = NewEntry(EntryKind.RETRACTION, entry.at, {}, replaces=entry.pk)
    return record_entries(entry.course, [taken_back], sending)


def end_course(course: Course, at: datetime) -> None:
    """Take the course off the ward board; what is charted stays and can be added to."""
    Course.objects.filter(pk=course.pk).update(ended_at=at)


def lock_course(course_id: uuid.UUID) -> None:
    """Wait for whoever writes to this course; others' foreign keys to it are not kept waiting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM patients_course WHERE id = %s FOR NO KEY UPDATE", [course_id])
        if not cursor.rowcount:
            raise Course.DoesNotExist


def append_act(
    course: Course,
    drafts: Sequence[NewEntry],
    sending: Submission,
    decided: Sequence[PolicyPeriod] = (),
) -> RecordingResult:
    """The inner step of ``record``, for a caller who holds the course's lock.

    ``decided`` are policies that the course is graded under from now on, each from its own time.
    """
    replaced = _replaced(drafts)
    moment = read_for_save(
        course,
        form_id=sending.form_id,
        changed_at=min((_earliest(drafts, replaced), *(one.valid_from for one in decided))),
        recorded_at=sending.recorded_at,
        ruleset_version=RULESET_VERSION,
    )
    if moment.seen_act is not None:
        return _replayed(course, moment, moment.seen_act, sending)
    for entry in replaced:
        if hasattr(entry, "replaced_by"):
            raise ReplacedAlreadyError(entry.replaced_by)
    act, entries = _act(course, moment, drafts, sending)
    rulings = policy_periods_for(course, [*moment.decided, *decided])
    rows = apply_new_entries(moment.entries, entries)
    regraded, read = regrade_from_checkpoint(course, moment.resume, rows, act.recorded_at, rulings)
    difference = compare_history(
        moment.periods,
        resumed_at=moment.resume.at if moment.resume else None,
        continuing_until=regraded.continuing_until,
        periods=regraded.periods,
        rulings=rulings,
    )
    write_act(act, entries, history_changes(moment, regraded, difference))
    _store_policy_periods(act, decided)
    if sending.limits:
        _store_limits(course, act, sending.limits)
    return _result(course, act, entries, regraded, difference, read)


def _replaced(drafts: Sequence[NewEntry]) -> list[Entry]:
    named = [draft.replaces for draft in drafts if draft.replaces is not None]
    if not named:
        return []
    chain = ("replaced_by__recorded_by", "replaced_by__act")
    return list(Entry.objects.select_related(*chain).filter(pk__in=named))


def _earliest(drafts: Sequence[NewEntry], replaced: Iterable[Entry]) -> datetime:
    """The first instant whose grade the act can change; a baseline holds for the whole course."""
    touched: list[NewEntry | Entry] = [*drafts, *replaced]
    if any(entry.kind == EntryKind.BASELINE for entry in touched):
        return _BEFORE_EVERYTHING
    return min((entry.at for entry in touched), default=_AFTER_EVERYTHING)


def _act(
    course: Course, moment: SaveSnapshot, drafts: Sequence[NewEntry], sending: Submission
) -> tuple[ChartingAct, tuple[Entry, ...]]:
    recorded_at = sending.recorded_at or moment.clock
    if moment.last_recorded_at is not None and recorded_at <= moment.last_recorded_at:
        if sending.recorded_at is not None:
            raise ValueError("an import records in the order of its recording times")
        recorded_at = moment.last_recorded_at + _ONE_TICK
    act = ChartingAct(
        course=course,
        form_id=sending.form_id,
        recorded_at=recorded_at,
        received_at=moment.clock,
        recorded_by=sending.by,
        source=sending.source,
        answers=dict(sending.answers),
        request_digest=sending.request_digest,
    )
    entries = tuple(
        Entry(
            id=draft.id,
            course=course,
            kind=draft.kind,
            at=draft.at,
            recorded_at=recorded_at,
            recorded_by=sending.by,
            act=act,
            place=place,
            replaces_id=draft.replaces,
            body=dict(draft.body),
        )
        for place, draft in enumerate(drafts)
    )
    return act, entries


def _store_policy_periods(act: ChartingAct, decided: Sequence[PolicyPeriod]) -> None:
    if decided:
        CoursePolicy.objects.bulk_create(
            CoursePolicy(
                course_id=act.course_id,
                act=act,
                version_id=ruling.version_id,
                valid_from=ruling.valid_from,
                site_policy_id=ruling.site_policy_id,
            )
            for ruling in decided
        )


def _store_limits(course: Course, act: ChartingAct, given: Sequence[ReportedLimits]) -> None:
    """Remember those limits that differ from what is remembered for this patient's group."""
    group = group_of(course, act.recorded_at)
    remembered = {
        (one.laboratory, one.analyte, one.unit): one
        for one in limits_for_group(read_latest_limits(), group)
    }
    LaboratoryLimits.objects.bulk_create(
        LaboratoryLimits(
            act=act,
            laboratory=one.laboratory,
            analyte=one.analyte,
            unit=one.unit,
            sex=group.sex,
            is_child=group.is_child,
            age_years=age_in_years(course, act.recorded_at),
            lower=one.lower,
            upper=one.upper,
            recorded_at=act.recorded_at,
            recorded_by_id=act.recorded_by_id,
        )
        for one in given
        if one.says_more_than(remembered.get((one.laboratory, one.analyte, one.unit)))
    )


def _replayed(
    course: Course, moment: SaveSnapshot, act_id: uuid.UUID, sending: Submission
) -> RecordingResult:
    """The answer to a form that was recorded before, as the chart stands now."""
    act = ChartingAct.objects.get(pk=act_id)
    entries = tuple(act.entries.select_related("recorded_by", "act").order_by("place"))
    if act.request_digest != sending.request_digest:
        raise FormReusedError(act)
    difference = HistoryDiff(
        period_rows_known_at(course, act.recorded_at - _ONE_TICK),
        period_rows_known_at(course, act.recorded_at),
    )
    now = max(moment.clock, act.recorded_at)
    rulings = policy_periods_for(course, moment.decided)
    regraded, read = regrade_from_checkpoint(course, moment.resume, moment.entries, now, rulings)
    return _result(course, act, entries, regraded, difference, read, now=now)


def _result(
    course: Course,
    act: ChartingAct,
    entries: tuple[Entry, ...],
    regraded: Regraded,
    difference: HistoryDiff,
    read: SplitEntries,
    *,
    now: datetime | None = None,
) -> RecordingResult:
    if regraded.standing is None:
        raise ValueError("a course was regraded without an instant to stand at")
    return RecordingResult(
        course=course,
        act=act,
        entries=entries,
        now=now or act.recorded_at,
        standing=regraded.standing,
        grade_before=difference.grade_before(act.recorded_at),
        grade_changes=difference.changes(act.recorded_at),
        keeps_changes=difference.keeps_changes(act.recorded_at),
        in_force=read.in_force,
        for_guidance=read.for_guidance,
        repeated=now is not None,
    )
