"""Move an entry that was charted on the wrong patient: retract it here, chart it there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from grading.engine.vocabulary import EARLIEST
from patients.models import (
    CONFIRMED,
    MOVED_FROM,
    MOVED_TO,
    REASON,
    Course,
    Entry,
    EntryKind,
    confirmed_of,
)
from patients.queries.laboratory import ReportedLimits, reported_limits_of
from patients.recording.identity import record_identity
from patients.recording.inputs import ConflictError, FormReusedError, NewEntry, Submission
from patients.recording.lock import lock_course
from patients.recording.record import RecordingResult, append_act


class CannotMoveError(ConflictError):
    """The entry cannot be moved; the sentence says why."""


class OtherIdentityError(ConflictError):
    """The identity of one of the two patients is another than the page showed."""

    def __init__(self) -> None:
        super().__init__(
            "Someone has corrected who one of these patients is, or joined or parted records, "
            "since this page was opened. Compare both patients again before you move the entry."
        )


@dataclass(frozen=True, slots=True)
class MoveResult:
    """The two acts of a move: the retraction, and the entry on the other course."""

    retracted: RecordingResult
    charted: RecordingResult


def identities_token(source: Course, target: Course) -> str:
    """Return the optimistic-lock token of who the two patients are whom a page shows."""
    shown = ((one.pk, one.identity_version) for one in (source, target))
    return hashlib.sha256(repr(tuple(shown)).encode()).hexdigest()[:16]


@transaction.atomic(durable=True)
def move_entry(
    entry: Entry,
    target: Course,
    submission: Submission,
    confirmed: Mapping[str, Any],
    *,
    seen: str = "",
) -> MoveResult:
    """Retract ``entry`` on its course and chart it on ``target``, in one transaction.

    The entry keeps its clinical time and its values. ``submission.answers`` has the reason,
    ``confirmed`` the questions that were answered for the other patient. ``seen`` is the
    ``identities_token`` that the page had; "" asks nothing. The same ``form_id`` again is a replay.
    Raises ReplacedAlreadyError where someone else has corrected or retracted the entry meanwhile,
    OtherIdentityError where a patient is another than the page showed, CannotMoveError where one of
    the courses is closed or ``check_can_receive`` refuses, ImpossibleRateError, FormReusedError.
    """
    source = entry.course
    in_order = sorted((source, target), key=lambda one: one.pk)
    closed_at = {course.pk: lock_course(course) for course in in_order}
    before = source.acts.filter(form_id=submission.form_id).first()
    if before is not None and not is_replay(entry, submission):
        raise FormReusedError(before, submission.by)
    if before is None:
        source.ended_at = closed_at[source.pk]
        check_can_leave(source)
        check_same_identities(source, target, seen)
        target.ended_at = closed_at[target.pk]
        check_can_receive(entry, target)
    reason = _because(submission.answers.get("reason", ""))
    retraction = NewEntry(EntryKind.RETRACTION, max(entry.at, EARLIEST), {}, replaces=entry.pk)
    answers_here = {"reason": f"{MOVED_TO}{_named(target)}{reason}"}
    retracted = append_act(source, [retraction], replace(submission, answers=answers_here))
    answers_there = _kept_answers(entry) | {MOVED_FROM: f"{_named(source)}{reason}"}
    if asked := [*answers_there.get(CONFIRMED, ()), *confirmed.get(CONFIRMED, ())]:
        answers_there[CONFIRMED] = asked
    limits: list[ReportedLimits] = []
    if entry.kind == EntryKind.LAB and (reported := reported_limits_of(entry)).laboratory:
        # Limits of normal belong to the result: they are charted with it on the other course.
        answers_there["laboratory"] = reported.laboratory
        limits = [reported]
    new_entry = NewEntry(EntryKind(entry.kind), entry.at, entry.body)
    there = replace(submission, answers=answers_there, limits=limits)
    charted = append_act(target, [new_entry], there)
    if before is None:
        what = "entry moved to another patient"
        record_identity(in_order, submission, what, submission.answers.get("reason", ""))
    return MoveResult(retracted, charted)


def _kept_answers(entry: Entry) -> dict[str, Any]:
    """Return the attribution reason of ``entry`` and the questions that were confirmed for it."""
    original = entry.act.answers
    kept: dict[str, Any] = {REASON: original[REASON]} if REASON in original else {}
    if sentences := confirmed_of(original, entry.place):
        kept[CONFIRMED] = [[0, sentence] for sentence in sentences]
    return kept


def check_can_leave(source: Course) -> None:
    """Raise CannotMoveError where ``source`` is closed: nothing can be retracted on it."""
    if source.ended_at is not None:
        raise CannotMoveError("This course is closed. Reopen it before you move an entry.")


def check_same_identities(source: Course, target: Course, seen: str) -> None:
    """Raise OtherIdentityError unless both patients are who the page showed; "" asks nothing."""
    if seen and seen != identities_token(source, target):
        raise OtherIdentityError


def check_can_receive(entry: Entry, target: Course) -> None:
    """Raise CannotMoveError where ``target`` cannot have any entry of another course."""
    if target.pk == entry.course_id:
        raise CannotMoveError("The entry is on this course already.")
    if target.ended_at is not None:
        raise CannotMoveError("The other course is closed. Reopen it first.")
    if entry.kind == EntryKind.RETRACTION:
        raise CannotMoveError("A retraction cannot be moved.")


def is_replay(entry: Entry, submission: Submission) -> bool:
    """Return whether this form has moved the entry before."""
    acts = entry.course.acts.filter(form_id=submission.form_id, recorded_by=submission.by)
    return acts.filter(request_digest=submission.request_digest).exists()


def _named(course: Course) -> str:
    return f"{course.patient.name}, MRN {course.patient.mrn}"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""
