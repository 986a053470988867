"""Read a course with its patient and policy, and lists of courses."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from patients.models import Course, Move, Transfer


def read_course(course_id: uuid.UUID) -> Course:
    """Return the course with its patient and policy, by one statement.

    The setting COURSE_READER names a function that replaces ``read_course_by_orm``; None keeps it.

    :raises Course.DoesNotExist: where there is no such course.
    """
    return _reader(settings.COURSE_READER)(course_id)


def read_course_by_orm(course_id: uuid.UUID) -> Course:
    """Read the course as ``read_course`` does, by a query of the model."""
    course: Course = Course.objects.select_related("patient", "policy").get(pk=course_id)
    return course


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


def courses_by_place() -> QuerySet[Course]:
    """Query the open courses by ward and bed, with their patient and policy."""
    courses = Course.objects.filter(ended_at=None).select_related("patient", "policy")
    return courses.order_by("ward", "bed", "pk")


def ward_names() -> QuerySet[Course, str]:
    """Query the names of all wards that a course is or was on last, in order."""
    return Course.objects.order_by("ward").values_list("ward", flat=True).distinct()
