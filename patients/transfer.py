"""Where a course is: moved, ended and taken up again by one writer, each with who and when."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from patients.models import Course, Move, Transfer
from patients.panels import TimelineRow
from patients.queries.entries import name_of
from patients.recording.inputs import Sending
from patients.recording.record import lock_course
from patients.wording import late_text

TRANSFER: Final = "transfer"
"""The kind of a timeline row that says where the course went."""


class MovedMeanwhileError(Exception):
    """The course is not any more where the page showed it: ``course`` is as it is now."""

    def __init__(self, course: Course, by: str) -> None:
        super().__init__(str(course))
        self.course = course
        self.by = by


class TransferReusedError(Exception):
    """This form was saved before with other contents."""


@dataclass(frozen=True, slots=True)
class Moving:
    """What happens at ``at``; ``seen`` is the ``place_mark`` of the page that it was said on.

    ``ward`` and ``bed`` go with a move; an end and its undoing leave them.
    """

    what: Move
    at: datetime
    seen: str
    ward: str = ""
    bed: str = ""
    reason: str = ""


def place_mark(course: Course) -> str:
    """Stands for where a course is, and whether it is on the board."""
    words = repr((course.ward, course.bed, course.ended_at))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


@transaction.atomic
def transfer(course: Course, moving: Moving, sending: Sending) -> Transfer:
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
    if place_mark(now) != moving.seen:
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
    _take_there(now, moving, ward, bed)
    return moved


def _take_there(course: Course, moving: Moving, ward: str, bed: str) -> None:
    course.ward, course.bed = ward, bed
    if moving.what is Move.ENDED:
        course.ended_at = moving.at
    elif moving.what is Move.REOPENED:
        course.ended_at = None
    course.save(update_fields=["ward", "bed", "ended_at"])


def _last_author(course: Course) -> str:
    last = course.transfers.select_related("recorded_by").order_by("-recorded_at").first()
    return last.recorded_by.display_name if last is not None else ""


MOVES_WITHIN: Final = """
SELECT CAST(json_agg(
    json_build_array(move.id, move.what, json_build_array(move.from_ward, move.from_bed),
        json_build_array(move.to_ward, move.to_bed), move.reason, move.at, move.recorded_at,
        author.username, author.first_name, author.last_name)
    ORDER BY move.at DESC, move.recorded_at DESC
) AS text)
FROM patients_transfer AS move JOIN accounts_user AS author ON author.id = move.recorded_by_id
WHERE move.course_id = %(course)s
    AND move.at >= coalesce({since}, '-infinity') AND move.at < coalesce({until}, 'infinity')
"""
"""As one JSON value: the moves of a course in [since, until), newest first."""
_ALL: Final = MOVES_WITHIN.format(since="NULL::timestamptz", until="NULL::timestamptz")


def transfer_rows(course_id: uuid.UUID) -> list[TimelineRow]:
    """Every move of a course as rows of the timeline, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL, {"course": course_id})
        return transfer_rows_from(cursor.fetchone()[0])


def transfer_rows_from(said: str | None) -> list[TimelineRow]:
    """The moves of ``MOVES_WITHIN`` as rows of the timeline, newest first."""
    rows = []
    for pk, what, before, after, reason, *times, username, first, last in json.loads(said or "[]"):
        at, recorded_at = map(datetime.fromisoformat, times)
        rows.append(
            TimelineRow(
                key=f"transfer-{pk}",
                at=at,
                kind=TRANSFER,
                text=_text(what, place_text(*before), place_text(*after)),
                author=name_of(username, first, last),
                recorded_at=recorded_at,
                late_text=late_text(at, recorded_at),
                note=reason,
            )
        )
    return rows


def transfer_text(move: Transfer) -> str:
    """In words: "Moved from 7B 12 to ICU 3"."""
    return _text(
        move.what,
        place_text(move.from_ward, move.from_bed),
        place_text(move.to_ward, move.to_bed),
    )


def _text(what: str, before: str, after: str) -> str:
    if what == Move.ENDED:
        return f"Course ended on {before}, off the board"
    if what == Move.REOPENED:
        return f"Course taken up again on {after}"
    return f"Moved from {before} to {after}"


def place_text(ward: str, bed: str) -> str:
    return f"{ward} {bed}".strip()
