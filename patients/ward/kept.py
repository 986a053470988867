"""The cache of this process of what the board shows of open courses, each kept by its stamp.

Many screens poll the board of a ward, and in a minute few of its courses change. Each request reads
the stamps of all courses, and then only the courses whose stamp has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from grading.engine.times import moved
from grading.systems import HEADLINE
from patients.display.assessment import was_assessed
from patients.display.text import day_of
from patients.queries.board import OpenCourse
from patients.queries.board_facts import BoardFacts, read_board_facts
from patients.queries.grades import GradeInterval
from patients.queries.reviews import (
    SIGNED_AGAIN_AFTER,
    Run,
    SignOff,
    read_reviews_of_courses,
)
from patients.review.panel import sign_off_state
from patients.review.sign_off import review_periods
from patients.ward.row import BoardCourse, BoardRow, board_row
from patients.ward.trend import start_of_trend

COURSES_AT_MOST: Final = 4000
KEPT_AT_MOST: Final = timedelta(minutes=10)
"""How long a course is kept at most: a change that no stamp shows is on the board by then."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A course as it was read at ``read_at``; it holds up to ``until``."""

    stamp: tuple[object, ...]
    day: date
    read_at: datetime
    until: datetime
    charted: BoardCourse

    def holds(self, course: OpenCourse, now: datetime, day: date) -> bool:
        return self.stamp == course.stamp and self.day == day and self.read_at <= now < self.until


_kept: Final[dict[UUID, _Kept]] = {}


def rows_of(courses: Sequence[OpenCourse], now: datetime) -> list[BoardRow]:
    """Return the rows of ``courses`` at ``now``, by two statements for those that have changed."""
    day = day_of(now)
    found = {
        course.course_id: kept.charted
        for course in courses
        if (kept := _kept.get(course.course_id)) is not None and kept.holds(course, now, day)
    }
    missing = [course for course in courses if course.course_id not in found]
    for course, kept in zip(missing, _read(missing, now, day), strict=True):
        _kept.pop(course.course_id, None)  # in order of reading: the oldest are dropped first
        _kept[course.course_id] = kept
        found[course.course_id] = kept.charted
    for oldest in list(_kept)[: max(0, len(_kept) - COURSES_AT_MOST)]:
        _kept.pop(oldest, None)
    return [board_row(course, found[course.course_id], now) for course in courses]


def _read(courses: Sequence[OpenCourse], now: datetime, day: date) -> Iterable[_Kept]:
    ids = [course.course_id for course in courses]
    facts = read_board_facts(ids, now, HEADLINE)
    reviews = read_reviews_of_courses(ids, HEADLINE, now)
    for course in courses:
        runs, sign_offs = reviews.get(course.course_id, ([], []))
        of_course = facts[course.course_id]
        until = _holds_until(of_course, sign_offs, now)
        yield _Kept(course.stamp, day, now, until, _charted(of_course, runs, sign_offs, now))


def _holds_until(facts: BoardFacts, sign_offs: Iterable[SignOff], now: datetime) -> datetime:
    """Return when time alone changes a row: by a grade, or by what waits for a sign-off."""
    instants = [moved(now, KEPT_AT_MOST), *(period.start for period in facts.periods)]
    instants += [period.end for period in facts.periods if period.end is not None]
    instants += [moved(one.recorded_at, SIGNED_AGAIN_AFTER) for one in sign_offs]
    return min((at for at in instants if at > now), default=now)


def _charted(
    facts: BoardFacts, runs: Sequence[Run], sign_offs: Sequence[SignOff], now: datetime
) -> BoardCourse:
    """Return what a row needs of a course; of the runs before the present period only these."""
    present = facts.periods[0].start if facts.periods else None
    earlier = [
        GradeInterval(run.start, _earlier(run.end, present), run.grade)
        for run in runs
        if present is None or run.start < present
    ]
    needed_from = min([start_of_trend(now), *(dose.at for dose in facts.doses)])
    return BoardCourse(
        facts,
        [one for one in earlier if one.end is None or one.end > needed_from],
        max((one.grade for one in earlier), default=None),
        sign_off_state(
            review_periods(runs, sign_offs, now),
            lambda piece: was_assessed(piece.grade, piece.end, facts.assessed_since),
        ),
    )


def _earlier(end: datetime | None, present: datetime | None) -> datetime | None:
    return end if present is None else present if end is None else min(end, present)
