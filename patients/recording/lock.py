"""Lock a course against other writers, and read it again where its identity was corrected.

Nobody waits without end. The database bounds the wait for the row (crs_app/time_limits.py), and the
queue of this module the wait of the threads behind it, so that a transaction that somebody forgot
stops one course for seconds and no other page.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Lock
from typing import Final
from weakref import WeakValueDictionary

from django.db import OperationalError, connection

from crs_app.metrics.counts import turn_wait_seconds, waited_in_vain
from crs_app.outages import LOCK_NOT_AVAILABLE, WaitedTooLongError, sqlstate_of
from crs_app.second_machine import SQL_NEEDED, refusing_without
from patients.models import Course
from patients.queries.courses import read_course_by_orm

ONE_TURN_AT_MOST_S: Final = 2.0
"""How long the others wait behind one thread; a save takes some hundredths of a second."""
_ALL_TURNS_AT_MOST_S: Final = 5.0


class _Queue:
    """The turns of one course in this process.

    ``begun`` is when the present one began; ``is_stuck``: the last waited too long for the row.
    """

    def __init__(self) -> None:
        self.turn = Lock()
        self.begun = time.monotonic()
        self.is_stuck = False

    def take_turn(self) -> bool:
        """Wait for a turn; return whether it came.

        A thread does not wait where the present turn has lasted too long, or the last one ended by
        waiting too long for the row.
        """
        last = time.monotonic() + _ALL_TURNS_AT_MOST_S
        while not self.turn.acquire(timeout=self._patience_s(last)):
            if self._patience_s(last) == 0:
                return False
        self.begun = time.monotonic()
        return True

    def _patience_s(self, last: float) -> float:
        if self.is_stuck:
            return 0
        return max(0.0, min(self.begun + ONE_TURN_AT_MOST_S, last) - time.monotonic())


_QUEUES: Final[WeakValueDictionary[uuid.UUID, _Queue]] = WeakValueDictionary()
_QUEUES_LOCK: Final = Lock()


@contextmanager
def course_queue(course_id: uuid.UUID) -> Iterator[None]:
    """Take a turn at a course: only one thread of a process waits for the row lock.

    The row lock alone keeps writers apart; the queue keeps the other threads from waiting with a
    connection each. A thread takes one turn at most, none while it holds a course's lock. Raises
    WaitedTooLongError where no turn comes.
    """
    with _QUEUES_LOCK:
        queue = _QUEUES.get(course_id)
        if queue is None:
            queue = _QUEUES[course_id] = _Queue()
    asked = time.monotonic()
    if not queue.take_turn():
        waited_in_vain.labels("turn").inc()
        raise WaitedTooLongError
    turn_wait_seconds.observe(time.monotonic() - asked)
    try:
        yield
    except WaitedTooLongError:
        queue.is_stuck = True
        raise
    else:
        queue.is_stuck = False
    finally:
        queue.turn.release()


_SQL_LOCK: Final = "SELECT identity_version, ended_at FROM patients_course WHERE id = %s"
SQL_LOCK_TO_READ: Final = f"{_SQL_LOCK} FOR NO KEY UPDATE"
SQL_LOCK: Final = f"{_SQL_LOCK} AND {SQL_NEEDED} FOR NO KEY UPDATE"


def lock_course(course: Course, *, to_read: bool = False) -> datetime | None:
    """Lock the course's row until the transaction ends; foreign keys to it are not blocked.

    Returns when the course was closed, None where it is open. Where identity, infusion or product
    were corrected since ``course`` was read, it is read again: it must be graded by what is true
    now. ``to_read``: the transaction stores nothing.

    Raises Course.DoesNotExist, SecondMachineAwayError where the act needs a standby and none
    answers, and WaitedTooLongError where another transaction keeps the lock: the transaction then
    stores nothing.
    """
    with connection.cursor() as cursor, refusing_without():
        try:
            cursor.execute(SQL_LOCK_TO_READ if to_read else SQL_LOCK, [course.pk])
        except OperationalError as error:
            if sqlstate_of(error) == LOCK_NOT_AVAILABLE:
                waited_in_vain.labels("lock").inc()
                raise WaitedTooLongError from error
            raise
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
