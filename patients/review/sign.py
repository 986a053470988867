"""Record a sign-off, and that a reader has seen a course."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.metrics.counts import note_stored
from grading.systems import HEADLINE
from patients.display.sign_off import span_text, stated_text
from patients.display.text import clock_text
from patients.models import Course, CourseSeen, GradeReview
from patients.queries.courses import now_for, read_course
from patients.queries.reviews import CourseReviews, SignOff, read_course_reviews, read_grade_since
from patients.recording.inputs import ConflictError
from patients.recording.lock import lock_course
from patients.review.sign_off import (
    Piece,
    by_grade,
    graded_until,
    overlaps,
    split_by_sign_off,
    to_sign_at,
)


class SignedMeanwhileError(ConflictError):
    """Conflict: someone else has signed the period after the page was shown."""

    def __init__(self, by: SignOff, now: datetime) -> None:
        super().__init__(
            f"{by.author_name} signed this period at {clock_text(by.recorded_at, now)}: "
            f"{stated_text(by)}."
        )


class GradeChangedError(ConflictError):
    """Conflict: the computed grade of the period is another than the page showed."""

    def __init__(self, grade: int | None, since: datetime, now: datetime) -> None:
        clock = clock_text(since, now)
        changed = (
            f"A part of this period is not graded since {clock}."
            if grade is None
            else f"The grade of this period changed to {grade} at {clock}."
        )
        super().__init__(f"{changed} Look again before you sign.")


class PeriodChangedError(ConflictError):
    """Conflict: the period begins or ends at another time than the page showed."""

    def __init__(self, piece: Piece) -> None:
        span = span_text(piece.start, piece.end, is_open=piece.is_open)
        super().__init__(f"This period changed: it is {span}. Look again before you sign.")


class SignOffReusedError(ConflictError):
    """This form was sent before with other contents, or by another user."""

    def __init__(self, before: GradeReview, by: User) -> None:
        sentence = "This form was already sent with other contents. Reload the page."
        if before.recorded_by_id != by.pk:
            sentence = f"{before.author_name} already sent this form. Reload the page."
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class NewSignOff:
    """A sign-off that is not recorded yet, with what the page showed.

    ``end`` is None where the period went on. ``computed_grade`` is the grade that the page showed,
    ``known_at`` the time up to which it knew the chart, and ``seen`` the optimistic-lock token: the
    key of the latest sign-off of the course that it showed, 0 where there was none.
    """

    start: datetime
    end: datetime | None
    computed_grade: int
    known_at: datetime
    seen: int
    stated_grade: int
    reason: str
    words: str
    form_id: uuid.UUID


@transaction.atomic
def sign(course: Course, new: NewSignOff, by: User) -> GradeReview:
    """Record a sign-off under the lock of the course; no grade depends on it.

    The same ``form_id`` again is a replay: it returns the recorded sign-off. Raises
    SignedMeanwhileError, GradeChangedError and PeriodChangedError where the period is not what the
    page showed any more, and SignOffReusedError.
    """
    lock_course(course)
    before = GradeReview.objects.filter(course=course, form_id=new.form_id).first()
    if before is not None:
        return _replayed(before, new, by)
    course = read_course(course.pk)
    now = now_for(course)
    chart = read_course_reviews(course.pk, HEADLINE, now, entries_until=new.known_at)
    now = max(now, chart.recorded_until or now)
    piece = check_unchanged(course, chart, new, now)
    note_stored(again=False)
    return GradeReview.objects.create(
        course=course,
        form_id=new.form_id,
        system=HEADLINE.key,
        start=piece.start,
        end=piece.end,
        computed_grade=new.computed_grade,
        stated_grade=new.stated_grade,
        reason=new.reason,
        words=new.words,
        known_at=min(new.known_at, now),
        last_entry_id=chart.last_entry_id,
        entry_number=chart.entry_number,
        ruleset_version=HEADLINE.version,
        recorded_at=now,
        recorded_by=by,
        author_name=by.display_name,
        author_role=by.role,
    )


def _replayed(before: GradeReview, new: NewSignOff, by: User) -> GradeReview:
    recorded = (before.start, before.stated_grade, before.reason, before.words)
    sent = (new.start, new.stated_grade, new.reason, new.words)
    if recorded != sent or before.recorded_by_id != by.pk:
        raise SignOffReusedError(before, by)
    note_stored(again=True)
    return before


def check_unchanged(course: Course, chart: CourseReviews, new: NewSignOff, now: datetime) -> Piece:
    """Return the period to sign as it is now; refuse it where it is not as the page showed it."""
    until = graded_until(now, course.ended_at, chart.latest_clinical_at)
    end = until if new.end is None else new.end
    later = [one for one in chart.sign_offs if one.pk > new.seen and overlaps(one, new.start, end)]
    if later:
        raise SignedMeanwhileError(later[0], now)
    goes_on = course.ended_at is None
    pieces = split_by_sign_off(chart.runs, chart.sign_offs, until, goes_on=goes_on)
    _check_grade(course, pieces, new, end, now)
    piece = to_sign_at(pieces, new.start)
    if piece is None or piece.grade is None:
        raise GradeChangedError(None, now, now)
    if piece.start != new.start or _end_shown(piece) != new.end:
        raise PeriodChangedError(piece)
    return piece


def _check_grade(
    course: Course, pieces: Iterable[Piece], new: NewSignOff, end: datetime, now: datetime
) -> None:
    """Refuse where any part of the period has another grade now; the highest is named."""
    differing = [
        piece
        for piece in pieces
        if piece.start < end and new.start < piece.end and piece.grade != new.computed_grade
    ]
    if not differing:
        return
    worst = max(differing, key=by_grade)
    begins = max(worst.start, new.start)
    since = read_grade_since(course.pk, HEADLINE, begins) or now
    raise GradeChangedError(worst.grade, max(since, begins), now)


def _end_shown(piece: Piece) -> datetime | None:
    return None if piece.is_open else piece.end


def mark_seen(course: Course, reader: User, known_at: datetime) -> None:
    """Record that ``reader`` has seen what was recorded of ``course`` up to ``known_at``.

    The same again records nothing more.
    """
    now = timezone.now()
    seen = CourseSeen(course=course, reader=reader, known_at=min(known_at, now), seen_at=now)
    CourseSeen.objects.bulk_create([seen], ignore_conflicts=True)
