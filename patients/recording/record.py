"""Record one act of charting and regrade its course, in one transaction.

An observation is never stored without its grade: where grading fails, nothing is stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.utils import timezone

from crs_app.metrics.counts import note_stored
from grading.engine.vocabulary import AT_MOST_AHEAD, EARLIEST
from grading.service import CurrentStatus, Regraded
from grading.systems import HEADLINE
from patients.models import BY_EMERGENCY, ChartingAct, Course, Entry, EntryKind
from patients.models.charted_times import ONE_TICK
from patients.queries.entries import EntryRow, SplitEntries, entry_row_of
from patients.queries.grades import period_rows_known_at
from patients.queries.policies import PolicyPeriod, policy_periods_for
from patients.queries.snapshot import SaveSnapshot, read_for_save
from patients.recording.inputs import (
    AheadOfClockError,
    CourseClosedError,
    FormReusedError,
    NewEntry,
    ReplacedAlreadyError,
    Submission,
    id_in_form,
)
from patients.recording.laboratory_limits import forget_limits, remember_limits
from patients.recording.lock import course_queue, lock_course
from patients.recording.rates import check_rates
from patients.recording.regrade import (
    AFTER_EVERYTHING,
    BEFORE_EVERYTHING,
    GradeChange,
    HistoryDiff,
    regrade_course,
    regrade_from_checkpoint,
)
from patients.recording.write import replace_checkpoints, write_act, write_policy_periods

_CLOCKS_AGREE: Final = timedelta(seconds=1)
_HALF_A_MINUTE: Final = timedelta(seconds=30)
_JUST_NOW: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """A recorded act, the status of its course after it, and what it changed in the history.

    ``status`` is the status of the course at ``now``. ``grade_changes`` are those that the act
    added to the history; ``keeps_changes``: all earlier ones are as before, the latest of them at
    ``latest_change_before`` (None: none that the act could have changed). ``new_rows`` are
    ``entries`` as a query would read them. ``in_force`` are the entries since the last checkpoint,
    ``for_guidance`` those that guidance needs. ``is_replay``: the same form had been recorded
    before.
    """

    course: Course
    act: ChartingAct
    entries: tuple[Entry, ...]
    new_rows: tuple[EntryRow, ...]
    now: datetime
    status: CurrentStatus
    grade_before: int | None
    grade_changes: tuple[GradeChange, ...]
    keeps_changes: bool
    latest_change_before: datetime | None
    in_force: list[EntryRow]
    for_guidance: list[EntryRow]
    is_replay: bool = False


def record_entries(
    course: Course, new_entries: Sequence[NewEntry], submission: Submission
) -> RecordingResult:
    """Record one act of charting and regrade the course from the earliest instant it touches.

    The same ``form_id`` again is a replay: it answers as before and records nothing.

    Raises ReplacedAlreadyError where someone else has corrected or retracted the entry meanwhile,
    FormReusedError where the form was saved before with other contents or by another user,
    CourseClosedError where the course was closed meanwhile, AheadOfClockError for a typed time
    ahead of the database's clock, ImpossibleRateError where a weight or rate recorded meanwhile
    brings a rate beyond its hard limit, and WaitedTooLongError where the course stays locked.
    Raises RuntimeError inside a transaction: a thread that holds a course's lock must not wait in
    its queue.
    """
    with course_queue(course.pk), transaction.atomic(durable=True):
        ended_at = lock_course(course)
        if new_entries:
            check_open(course, ended_at, submission)
        return append_act(course, new_entries, submission)


def retract_entry(entry: Entry, submission: Submission) -> RecordingResult:
    """Record that ``entry`` was entered in error; ``submission.answers`` holds the reason."""
    at = max(entry.at, EARLIEST)
    retraction = NewEntry(EntryKind.RETRACTION, at, {}, replaces=entry.pk)
    return record_entries(entry.course, [retraction], submission)


def regrade_under_new_version(course: Course, submission: Submission) -> bool:
    """Regrade ``course`` from its infusion; record one act where its history differs.

    Returns whether it differed. The earlier answer stays as known before the act. Where the history
    stays, the checkpoints alone are replaced: those of an earlier version are never resumed from.
    """
    with course_queue(course.pk), transaction.atomic(durable=True):
        lock_course(course)
        snapshot = read_for_save(
            course, HEADLINE, form_id=submission.form_id, changed_at=BEFORE_EVERYTHING
        )
        act, entries = _new_act(course, snapshot, (), submission)
        result = regrade_course(course, snapshot, snapshot.entries, (), act.recorded_at)
        differs = bool(result.diff.closed or result.diff.opened)
        if differs:
            write_act(act, entries, result.changes)
        else:
            replace_checkpoints(course, result.changes)
        return differs


def check_open(course: Course, ended_at: datetime | None, submission: Submission) -> None:
    """Raise CourseClosedError where the course is closed; a form recorded before is a replay."""
    if ended_at is not None and not course.acts.filter(form_id=submission.form_id).exists():
        raise CourseClosedError


def append_act(
    course: Course,
    new_entries: Sequence[NewEntry],
    submission: Submission,
    decided: Sequence[PolicyPeriod] = (),
    *,
    from_start: bool = False,
) -> RecordingResult:
    """Do what ``record_entries`` does, for a caller that has locked the course.

    ``decided`` are policy periods that the act adds to those of the course. ``from_start`` regrades
    from the infusion on, as after a correction of the identity.
    """
    replaced = _replaced(new_entries)
    decided_at = [BEFORE_EVERYTHING] if from_start else [one.valid_from for one in decided]
    snapshot = _read(course, new_entries, replaced, decided_at, submission)
    if snapshot.seen_act is not None:
        return _replayed(course, snapshot, snapshot.seen_act, submission)
    timed = _timed(course, new_entries, snapshot, submission)
    if _earliest(timed, ()) < _earliest(new_entries, ()):
        snapshot = _read(course, timed, replaced, decided_at, submission)
    new_entries = timed
    for entry in replaced:
        if hasattr(entry, "replaced_by"):
            raise ReplacedAlreadyError(entry.replaced_by)
    act, entries = _new_act(course, snapshot, new_entries, submission)
    new_rows = _rows_of(entries, new_entries)
    check_rates(course, snapshot, new_rows, replaced, submission)
    rows = _apply_new_rows(snapshot.entries, new_rows)
    result = regrade_course(course, snapshot, rows, decided, act.recorded_at)
    write_act(act, entries, result.changes)
    write_policy_periods(act, decided)
    if submission.limits:
        remember_limits(course, act, submission.limits)
    forget_limits(replaced)
    note_stored(again=False)
    recorded = _Recorded(act, entries, new_rows)
    return _result(course, recorded, result.regraded, result.diff, result.entries)


def _read(
    course: Course,
    new_entries: Sequence[NewEntry],
    replaced: Sequence[Entry],
    decided_at: Sequence[datetime],
    submission: Submission,
) -> SaveSnapshot:
    changed_at = min((_earliest(new_entries, replaced), *decided_at))
    return read_for_save(
        course,
        HEADLINE,
        form_id=submission.form_id,
        changed_at=changed_at,
        recorded_at=submission.recorded_at,
    )


class _Recorded(NamedTuple):
    """An act with its entries, and these as a query would read them."""

    act: ChartingAct
    entries: tuple[Entry, ...]
    new_rows: tuple[EntryRow, ...]


def _timed(
    course: Course,
    new_entries: Sequence[NewEntry],
    snapshot: SaveSnapshot,
    submission: Submission,
) -> list[NewEntry]:
    """Return the entries, those ``by_clock`` that are about now with the recording time of the act.

    The clocks of application and database may differ, and after a clock was set back the act gets a
    later time than the clock shows. Raises AheadOfClockError for a typed time too far ahead.
    """
    recorded_at = _recording_time(snapshot, submission)
    timed = [
        replace(one, at=_by_clock_of(recorded_at, one.at, course.infused_at))
        if one.by_clock
        else one
        for one in new_entries
    ]
    if any(one.at > recorded_at + AT_MOST_AHEAD for one in timed):
        raise AheadOfClockError(snapshot.clock)
    return timed


def _by_clock_of(recorded_at: datetime, at: datetime, infused_at: datetime) -> datetime:
    """Convert ``at`` from the application's clock to the clock of the act.

    The result is never later than ``recorded_at``. A time of more than two minutes ago, as of a
    form that is sent again, was shown to the user and stays.
    """
    now, moved = timezone.now(), at
    differ = recorded_at - now
    if now - at < _JUST_NOW and abs(differ) >= _CLOCKS_AGREE:
        moved = _to_minute(at + differ + _HALF_A_MINUTE)
    moved = min(moved, _to_minute(recorded_at))
    return max(moved, infused_at) if at >= infused_at else moved


def _to_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _replaced(new_entries: Sequence[NewEntry]) -> list[Entry]:
    ids = [entry.replaces for entry in new_entries if entry.replaces is not None]
    if not ids:
        return []
    chain = ("replaced_by__recorded_by", "replaced_by__act")
    return list(Entry.objects.select_related(*chain).filter(pk__in=ids))


def _earliest(new_entries: Sequence[NewEntry], replaced: Iterable[Entry]) -> datetime:
    """Return the first instant whose grade the act can change; a baseline changes all."""
    touched: list[NewEntry | Entry] = [*new_entries, *replaced]
    if any(entry.kind == EntryKind.BASELINE for entry in touched):
        return BEFORE_EVERYTHING
    return min((entry.at for entry in touched), default=AFTER_EVERYTHING)


def _new_act(
    course: Course,
    snapshot: SaveSnapshot,
    new_entries: Sequence[NewEntry],
    submission: Submission,
) -> tuple[ChartingAct, tuple[Entry, ...]]:
    recorded_at = _recording_time(snapshot, submission)
    act = ChartingAct(
        course=course,
        form_id=submission.form_id,
        recorded_at=recorded_at,
        received_at=snapshot.clock,
        recorded_by=submission.by,
        source=submission.source,
        answers=_kept_answers(submission),
        request_digest=submission.request_digest,
        author_name=submission.by.display_name,
        author_role=submission.by.role,
        message_id=submission.message_id,
    )
    entries = tuple(
        Entry(
            id=entry.id or id_in_form(submission.form_id, course.pk, place),
            course=course,
            kind=entry.kind,
            at=entry.at,
            recorded_at=recorded_at,
            recorded_by=submission.by,
            act=act,
            place=place,
            replaces_id=entry.replaces,
            body=dict(entry.body),
        )
        for place, entry in enumerate(new_entries)
    )
    return act, entries


def _kept_answers(submission: Submission) -> dict[str, Any]:
    """Return what the act keeps of its form, marked where it was made by emergency access."""
    mark = {BY_EMERGENCY: True} if submission.by_emergency else {}
    return {**submission.answers, **mark}


def _recording_time(snapshot: SaveSnapshot, submission: Submission) -> datetime:
    """Return the recording time of an act: now, or just after the last one of its course."""
    recorded_at = submission.recorded_at or snapshot.clock
    if snapshot.last_recorded_at is None or recorded_at > snapshot.last_recorded_at:
        return recorded_at
    if submission.recorded_at is not None:
        raise ValueError("an import records in the order of its recording times")
    return snapshot.last_recorded_at + ONE_TICK


def _rows_of(entries: Sequence[Entry], new_entries: Sequence[NewEntry]) -> tuple[EntryRow, ...]:
    """Return the rows of ``entries`` as a query would read them.

    An entry that its form has parsed keeps that, with the id and times that were recorded.
    """
    rows = []
    for entry, new in zip(entries, new_entries, strict=True):
        row = entry_row_of(entry)
        if new.parsed is not None:
            parsed = replace(
                new.parsed,
                id=str(entry.pk),
                at=row.at,
                recorded_at=row.recorded_at,
                replaces=None if entry.replaces_id is None else str(entry.replaces_id),
            )
            row = row._replace(parsed=parsed)
        rows.append(row)
    return tuple(rows)


def _apply_new_rows(rows: Sequence[EntryRow], new_rows: Sequence[EntryRow]) -> list[EntryRow]:
    """Return the rows in force after an act: ``rows`` without the replaced ones, and the new."""
    replaced = {row.replaces_id for row in new_rows}
    new = [row for row in new_rows if row.kind != EntryKind.RETRACTION and row.pk not in replaced]
    # The sort is stable: new rows were recorded last and follow all others of their instant.
    kept = [row for row in rows if row.pk not in replaced]
    return sorted([*kept, *new], key=lambda row: row.at)


def _replayed(
    course: Course, snapshot: SaveSnapshot, act_id: uuid.UUID, submission: Submission
) -> RecordingResult:
    """Return the result of a form that was recorded before, with the present status."""
    act = ChartingAct.objects.select_related("recorded_by").get(pk=act_id)
    entries = tuple(act.entries.select_related("recorded_by", "act").order_by("place"))
    is_same = act.request_digest == submission.request_digest
    if not is_same or act.recorded_by_id != submission.by.pk:
        raise FormReusedError(act, submission.by)
    diff = HistoryDiff(
        period_rows_known_at(course, HEADLINE, act.recorded_at - ONE_TICK),
        period_rows_known_at(course, HEADLINE, act.recorded_at),
    )
    now = max(snapshot.clock, act.recorded_at)
    policy_periods = policy_periods_for(course, snapshot.decided)
    regraded, read = regrade_from_checkpoint(
        course, snapshot, snapshot.entries, policy_periods, now
    )
    note_stored(again=True)
    recorded = _Recorded(act, entries, tuple(entry_row_of(entry) for entry in entries))
    return _result(course, recorded, regraded, diff, read, now=now)


def _result(
    course: Course,
    recorded: _Recorded,
    regraded: Regraded,
    diff: HistoryDiff,
    read: SplitEntries,
    *,
    now: datetime | None = None,
) -> RecordingResult:
    """Build the result; ``now`` is the time of its status for a replay, else None."""
    act = recorded.act
    if regraded.status is None:
        raise ValueError("a course was regraded without a time for its status")
    return RecordingResult(
        course=course,
        act=act,
        entries=recorded.entries,
        new_rows=recorded.new_rows,
        now=now or act.recorded_at,
        status=regraded.status,
        grade_before=diff.grade_before(act.recorded_at),
        grade_changes=diff.changes(act.recorded_at),
        keeps_changes=diff.keeps_changes(act.recorded_at),
        latest_change_before=diff.latest_change_before(act.recorded_at),
        in_force=read.in_force,
        for_guidance=read.for_guidance,
        is_replay=now is not None,
    )
