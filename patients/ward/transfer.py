"""Record a move, an end or a reopening of a course, with author and time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import User, Ward
from crs_app.accounts.wards import check_takes_patients, lock_ward
from crs_app.metrics.counts import note_stored
from patients.display.places import place_text
from patients.display.signature import signature_of
from patients.models import ActSource, Course, Move, Transfer
from patients.queries.courses import now_for
from patients.queries.policies import lock_site_policy, policy_periods_to_follow
from patients.queries.wards import find_ward_then_or_now
from patients.recording.inputs import ConflictError, Submission
from patients.recording.lock import lock_course
from patients.recording.record import append_act
from patients.recording.wards import locked_ward


class MovedMeanwhileError(ConflictError):
    """Someone moved, closed or reopened ``course``, or renamed its ward, after the page was shown.

    Of moves only that of a ward that was renamed has a reason, which says so.
    """

    def __init__(self, course: Course) -> None:
        last = course.transfers.select_related("recorded_by").order_by("-recorded_at").first()
        who = last.recorded_by.display_name if last is not None else "Someone"
        where = place_text(course.ward, course.bed)
        if course.ended_at is not None:
            happened = f"closed the course ({where})"
        elif last is not None and last.what == Move.REOPENED:
            happened = f"reopened the course ({where})"
        else:
            happened = f"moved the patient to {where}"
        sentence = f"{who} {happened}."
        if last is not None and last.what == Move.MOVED and last.reason:
            sentence = f"{last.reason}."
        super().__init__(f"{sentence} Please check and try again.")


class TransferReusedError(ConflictError):
    """This form was saved before, with other contents or by another user."""

    def __init__(self, before: Transfer, by: User) -> None:
        other = before.recorded_by
        if other.pk == by.pk:
            sentence = "You already sent this form with other contents. Reload the page."
        else:
            sentence = f"{other.display_name} already sent this form. Reload the page."
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """Move, end or reopening of a course to be recorded.

    ``seen`` is the ``location_token`` that the page had. ``ward`` and ``bed`` are those of a move;
    an end or a reopening does not change them. ``is_timed``: the time was typed, and is not the
    time at which the form was sent.
    """

    what: Move
    at: datetime
    seen: str
    ward: str = ""
    bed: str = ""
    reason: str = ""
    is_timed: bool = False


def location_token(course: Course) -> str:
    """Return the optimistic-lock token of a course's location and of its end."""
    return signature_of(course.ward, course.bed, course.ended_at)


def can_still_be(course: Course, what: Move, seen: str) -> bool:
    """Return whether nobody moved ``course`` since the page was shown, and ``what`` is possible."""
    impossible = Move.REOPENED if course.ended_at is None else Move.ENDED
    return what is not impossible and seen == location_token(course)


@transaction.atomic
def record_transfer(course: Course, requested: TransferRequest, submission: Submission) -> Transfer:
    """Record a transfer and update the course's location.

    No grade depends on it, but that a reopened course follows what the site decided meanwhile.
    A replay under the same ``form_id`` (the idempotency key) returns the recorded transfer and
    records nothing. Raises MovedMeanwhileError where someone else moved, closed or reopened the
    course after the page was shown, and TransferReusedError where the form was sent before with
    other contents or by another user. Raises WardClosedError where the ward is closed.
    """
    # The ward and the policy are locked before the course, as by a renaming and by a decision.
    on_ward = _lock_ward(course, requested)
    if requested.what is Move.REOPENED:
        lock_site_policy()
    lock_course(course)
    current = Course.objects.get(pk=course.pk)
    bed = requested.bed if requested.what is Move.MOVED else current.bed
    sent_before = Transfer.objects.filter(course=course, form_id=submission.form_id)
    before = sent_before.select_related("recorded_by").first()
    if before is not None:
        is_same = _is_same(before, requested, on_ward, bed)
        if not is_same or before.recorded_by_id != submission.by.pk:
            raise TransferReusedError(before, submission.by)
        note_stored(again=True)
        return before
    if not can_still_be(current, requested.what, requested.seen):
        raise MovedMeanwhileError(current)
    if on_ward is not None:
        check_takes_patients(on_ward)
    moved = Transfer.objects.create(
        course=course,
        form_id=submission.form_id,
        from_ward=current.ward,
        from_bed=current.bed,
        to_ward=current.ward if on_ward is None else on_ward.name,
        to_bed=bed,
        at=requested.at,
        recorded_at=timezone.now(),
        recorded_by=submission.by,
        by_emergency=submission.by_emergency,
        what=requested.what.value,
        reason=requested.reason,
    )
    _apply(current, requested, on_ward, bed)
    if requested.what is Move.REOPENED:
        _follow_site(course, submission)
    note_stored(again=False)
    return moved


def _is_same(before: Transfer, requested: TransferRequest, on_ward: Ward | None, bed: str) -> bool:
    """Return whether ``before`` is what is requested; a move leads to ``bed`` of ``on_ward``."""
    return (
        (before.what, before.reason) == (requested.what.value, requested.reason)
        and (
            requested.what is not Move.MOVED
            or (before.to_bed == bed and on_ward == find_ward_then_or_now(before.to_ward))
        )
        and (before.at == requested.at or not requested.is_timed)
    )


def _lock_ward(course: Course, requested: TransferRequest) -> Ward | None:
    """Lock the ward where the patient will be; None for an end.

    A course returns to its own ward, which may have another name by now.
    """
    if requested.what is Move.ENDED:
        return None
    if requested.what is Move.REOPENED:
        return lock_ward(course.on_ward)
    return locked_ward(requested.ward)


def _follow_site(course: Course, submission: Submission) -> None:
    """Grade a reopened course from now on by what the site decided while it was closed."""
    decided = policy_periods_to_follow(course, now_for(course))
    if decided:
        answers = {"reason": "Reopened: graded by the site policy from now on"}
        append_act(
            course, (), replace(submission, source=ActSource.POLICY, answers=answers), decided
        )


def _apply(course: Course, requested: TransferRequest, ward: Ward | None, bed: str) -> None:
    if ward is not None:
        course.on_ward, course.ward = ward, ward.name
    course.bed = bed
    if requested.what is Move.ENDED:
        course.ended_at = requested.at
    elif requested.what is Move.REOPENED:
        course.ended_at = None
    course.save(update_fields=["ward", "on_ward", "bed", "ended_at"])
