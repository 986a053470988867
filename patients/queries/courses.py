"""Read a course with its patient and policy."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from patients.models import Course


def read_course(course_id: uuid.UUID) -> Course:
    """Return the course with its patient and policy, by one statement.

    The setting COURSE_READER names another function that does the same; None is this module's.

    :raises Course.DoesNotExist: where there is no such course.
    """
    return _reader(settings.COURSE_READER)(course_id)


def read_course_by_orm(course_id: uuid.UUID) -> Course:
    """Do what ``read_course`` says by a query of the model."""
    course: Course = Course.objects.select_related("patient", "policy").get(pk=course_id)
    return course


@cache
def _reader(path: str | None) -> Callable[[uuid.UUID], Course]:
    reader: Callable[[uuid.UUID], Course] = import_string(path) if path else read_course_by_orm
    return reader
