"""Lock a course against other writers, and read it again where its identity was corrected."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from django.db import connection

from patients.models import Course
from patients.queries.courses import read_course_by_orm

_COURSE_QUEUES: Final = tuple(Lock() for _ in range(64))


def course_queue(course_id: uuid.UUID) -> Lock:
    """In-process queue per course: only one thread of a process waits for the row lock.

    The row lock alone keeps writers apart; this saves the other threads' waiting connections. Two
    courses may share a queue. A thread takes one queue at most, and none while it holds the lock
    of a course.
    """
    return _COURSE_QUEUES[course_id.int % len(_COURSE_QUEUES)]


def lock_course(course: Course) -> datetime | None:
    """Lock the course's row until the transaction ends; foreign keys to it are not blocked.

    Returns when the course was closed, None where it is open. Where identity, infusion or product
    were corrected since ``course`` was read, it is read again: it must be graded by what is true
    now. Raises Course.DoesNotExist.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT identity_version, ended_at FROM patients_course"
            " WHERE id = %s FOR NO KEY UPDATE",
            [course.pk],
        )
        locked = cursor.fetchone()
    if locked is None:
        raise Course.DoesNotExist
    version, ended_at = locked
    if version != course.identity_version:
        _read_again(course)
    return None if ended_at is None else ended_at.astimezone(UTC)


def _read_again(course: Course) -> None:
    current = read_course_by_orm(course.pk)
    for each in Course._meta.concrete_fields:
        setattr(course, each.attname, getattr(current, each.attname))
    course.patient, course.policy = current.patient, current.policy
