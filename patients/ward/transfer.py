"""Record a move, an end or a reopening of a course, with author and time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

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
        super().__init__("This form was sent before with other contents: open the page anew.")


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """What happens at ``at``; ``seen`` is the ``location_token`` of the page that it was said on.

    ``ward`` and ``bed`` go with a move; an end and its undoing leave them.
    """

    what: Move
    at: datetime
    seen: str
    ward: str = ""
    bed: str = ""
    reason: str = ""


def location_token(course: Course) -> str:
    """Stands for where a course is, and whether it is on the board."""
    words = repr((course.ward, course.bed, course.ended_at))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


@transaction.atomic
def record_transfer(course: Course, moving: TransferRequest, sending: Submission) -> Transfer:
    """Record where the course goes and take it there; the grade does not rest on it.

    Sent again under the same ``form_id``, answers as before and records nothing. Raises
    MovedMeanwhileError where someone else moved it since the page was shown, and
    TransferReusedError where the form was sent before with other contents.
    """
    lock_course(course.pk)
    now = Course.objects.get(pk=course.pk)
    ward, bed = (moving.ward, moving.bed) if moving.what is Move.MOVED else (now.ward, now.bed)
    said = {"what": moving.what.value, "reason": moving.reason}
    before = Transfer.objects.filter(course=course, form_id=sending.form_id).first()
    if before is not None:
        if {name: getattr(before, name) for name in said} != said or (
            moving.what is Move.MOVED and (before.to_ward, before.to_bed) != (ward, bed)
        ):
            raise TransferReusedError
        return before
    if location_token(now) != moving.seen:
        raise MovedMeanwhileError(now, _last_author(now))
    moved = Transfer.objects.create(
        course=course,
        form_id=sending.form_id,
        from_ward=now.ward,
        from_bed=now.bed,
        to_ward=ward,
        to_bed=bed,
        at=moving.at,
        recorded_at=timezone.now(),
        recorded_by=sending.by,
        **said,
    )
    _apply(now, moving, ward, bed)
    return moved


def _apply(course: Course, moving: TransferRequest, ward: str, bed: str) -> None:
    course.ward, course.bed = ward, bed
    if moving.what is Move.ENDED:
        course.ended_at = moving.at
    elif moving.what is Move.REOPENED:
        course.ended_at = None
    course.save(update_fields=["ward", "bed", "ended_at"])


def _last_author(course: Course) -> str:
    last = course.transfers.select_related("recorded_by").order_by("-recorded_at").first()
    return last.recorded_by.display_name if last is not None else ""
