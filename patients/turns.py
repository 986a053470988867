"""Whose turn it is to write to a course, among the threads of one process."""

from __future__ import annotations

import uuid
from threading import Lock
from typing import Final

_TURNS: Final = tuple(Lock() for _ in range(64))


def turn_at(course_id: uuid.UUID) -> Lock:
    """What a thread holds from before its transaction until after it.

    The lock of the course in the database alone keeps writers apart; this only keeps them from all
    waiting there. Of each process one waits for that lock and takes it the moment it is free; the
    others cost nothing meanwhile. Two courses may share a turn: their writers wait a save longer.
    A thread takes one turn at most, and none while it holds the lock of a course.
    """
    return _TURNS[course_id.int % len(_TURNS)]
