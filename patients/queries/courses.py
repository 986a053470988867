"""Read a course with its patient and policy, and lists of courses."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models import DateTimeField, Func, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.module_loading import import_string

from crs_app.accounts.models import User, Ward
from patients.models import ChartingAct, Course, Move, Transfer
from patients.queries.access import in_reach_of

_LAST_RECORDED_AT: Final = Subquery(
    ChartingAct.objects.filter(course=OuterRef("pk"))
    .order_by("-recorded_at")
    .values("recorded_at")[:1]
)
_CLOCK: Final = Func(function="clock_timestamp", output_field=DateTimeField())


def read_course(course_id: uuid.UUID) -> Course:
    """Return the course with its patient, policy and the times of its clocks, by one statement.

    The setting COURSE_READER names a function that replaces ``read_course_by_orm``; None keeps it.

    Raises Course.DoesNotExist where there is no such course.
    """
    return _reader(settings.COURSE_READER)(course_id)


def read_course_by_orm(course_id: uuid.UUID) -> Course:
    """Read the course as ``read_course`` does, by a query of the model."""
    courses = Course.objects.select_related("patient", "policy")
    return _with_clocks(courses.annotate(latest=_LAST_RECORDED_AT, clock=_CLOCK).get(pk=course_id))


def read_with_clocks(courses: QuerySet[Course]) -> list[Course]:
    """Read ``courses`` with the times of their clocks, as ``read_course`` has them."""
    found = courses.annotate(latest=_LAST_RECORDED_AT, clock=_CLOCK)
    return [_with_clocks(course) for course in found]


def _with_clocks(course: Course) -> Course:
    course.last_recorded_at = vars(course).pop("latest")
    course.database_clock = vars(course).pop("clock")
    return course


def now_for(course: Course) -> datetime:
    """Return the time at which a page shows ``course``: now, or when it was charted last.

    A clock that was set back would leave what was charted last in the future, and not on the page.
    """
    return max(timezone.now(), course.last_recorded_at or course.admitted_at)


@cache
def _reader(path: str | None) -> Callable[[uuid.UUID], Course]:
    reader: Callable[[uuid.UUID], Course] = import_string(path) if path else read_course_by_orm
    return reader


class Closing(NamedTuple):
    """When, why and by whom a course was closed."""

    at: datetime
    reason: str
    author: str


def read_closing(course: Course) -> Closing | None:
    """Read how ``course`` was closed; None where it is open, without a statement."""
    if course.ended_at is None:
        return None
    ends = Transfer.objects.filter(course=course, what=Move.ENDED).select_related("recorded_by")
    last = ends.order_by("-recorded_at").first()
    if last is None:
        return Closing(course.ended_at, "", "")
    return Closing(last.at, last.reason, last.recorded_by.display_name)


def courses_following_site() -> QuerySet[Course]:
    """Query the open courses that follow the site's policy, with their patient and policy."""
    following = Course.objects.filter(ended_at=None, keeps_own_policy=False)
    return following.select_related("patient", "policy").order_by("pk")


def courses_with_own_policy() -> QuerySet[Course]:
    """Query the open courses that no decision of the site touches."""
    return Course.objects.filter(ended_at=None, keeps_own_policy=True)


def courses_by_place(reader: User | None = None) -> QuerySet[Course]:
    """Query the open courses that ``reader`` may open by ward and bed, with patient and policy.

    None reads all.
    """
    courses = Course.objects.filter(in_reach_of(reader), ended_at=None)
    courses = courses.select_related("patient", "policy")
    return courses.order_by("ward", "bed", "pk")


def ward_names(reader: User | None = None) -> QuerySet[Course, str]:
    """Query the names of the wards that a course in reach of ``reader`` is or was on, in order."""
    courses = Course.objects.filter(in_reach_of(reader)).order_by("ward")
    return courses.values_list("ward", flat=True).distinct()


def open_ward_names() -> QuerySet[Ward, str]:
    """Query the names of the wards that take patients, in order."""
    return Ward.objects.filter(is_open=True).order_by("name").values_list("name", flat=True)


SQL_CLOCKS: Final = """
SELECT clock_timestamp(), (
    SELECT max(last.recorded_at) FROM patients_course AS course, LATERAL (
        SELECT recorded_at FROM patients_chartingact
        WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1
    ) AS last WHERE course.ended_at IS NULL
)
"""
