"""Record a move, an end or a reopening of a course, with author and time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from patients.display.signature import signature_of
from patients.display.timeline import place_text
from patients.models import Course, Move, Transfer
from patients.recording.inputs import ConflictError, Submission
from patients.recording.record import lock_course


class MovedMeanwhileError(ConflictError):
    """Someone else has moved ``course`` since the page was shown; ``by`` is "" where unknown."""

    def __init__(self, course: Course, by: str = "") -> None:
        where = place_text(course.ward, course.bed)
        ended = "" if course.ended_at is None else ", and the course is ended"
        who = f" by {by}" if by else ""
        super().__init__(
            f"This was changed meanwhile{who}: the course is on {where} now{ended}. Look again."
        )


class TransferReusedError(ConflictError):
    """This form was saved before with other contents."""

    def __init__(self) -> None:
        super().__init__("This form was already sent with other contents. Reload the page.")


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """Move, end or reopening of a course to be recorded.

    ``seen`` is the ``location_token`` that the page had. ``ward`` and ``bed`` are those of a move;
    an end or a reopening does not change them.
    """

    what: Move
    at: datetime
    seen: str
    ward: str = ""
    bed: str = ""
    reason: str = ""


def location_token(course: Course) -> str:
    """Return the optimistic-lock token of a course's location and of its end."""
    return signature_of(course.ward, course.bed, course.ended_at)


@transaction.atomic
def record_transfer(course: Course, requested: TransferRequest, submission: Submission) -> Transfer:
    """Record a transfer and update the course's location; no grade depends on it.

    A replay under the same ``form_id`` (the idempotency key) returns the recorded transfer and
    records nothing. Raises MovedMeanwhileError where someone else moved the course after the page
    was shown, and TransferReusedError where the form was sent before with other contents.
    """
    lock_course(course)
    current = Course.objects.get(pk=course.pk)
    ward, bed = (
        (requested.ward, requested.bed)
        if requested.what is Move.MOVED
        else (current.ward, current.bed)
    )
    facts = {"what": requested.what.value, "reason": requested.reason}
    before = Transfer.objects.filter(course=course, form_id=submission.form_id).first()
    if before is not None:
        if {name: getattr(before, name) for name in facts} != facts or (
            requested.what is Move.MOVED and (before.to_ward, before.to_bed) != (ward, bed)
        ):
            raise TransferReusedError
        return before
    if location_token(current) != requested.seen:
        raise MovedMeanwhileError(current, _last_author(current))
    moved = Transfer.objects.create(
        course=course,
        form_id=submission.form_id,
        from_ward=current.ward,
        from_bed=current.bed,
        to_ward=ward,
        to_bed=bed,
        at=requested.at,
        recorded_at=timezone.now(),
        recorded_by=submission.by,
        **facts,
    )
    _apply(current, requested, ward, bed)
    return moved


def _apply(course: Course, requested: TransferRequest, ward: str, bed: str) -> None:
    course.ward, course.bed = ward, bed
    if requested.what is Move.ENDED:
        course.ended_at = requested.at
    elif requested.what is Move.REOPENED:
        course.ended_at = None
    course.save(update_fields=["ward", "bed", "ended_at"])


def _last_author(course: Course) -> str:
    last = course.transfers.select_related("recorded_by").order_by("-recorded_at").first()
    return last.recorded_by.display_name if last is not None else ""
