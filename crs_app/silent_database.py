"""A database machine that answers nothing at all: no power, or a network that drops everything.

Nothing is refused then, and libpq and the system would wait for minutes. ``BOUNDS`` ends a
connection that is silent, and ``OneTry`` lets one request of a process find out whether the machine
is back, while the others are answered with 503 at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import psycopg

CONNECTED_WITHIN_S: Final = 5
SILENT_AT_MOST_S: Final = 10
BOUNDS: Final[Mapping[str, Any]] = {
    "connect_timeout": CONNECTED_WITHIN_S,
    "keepalives_idle": SILENT_AT_MOST_S // 2,
    "keepalives_interval": 2,
    "tcp_user_timeout": SILENT_AT_MOST_S * 1000,
}
"""Parameters of libpq (PostgreSQL 18, section 32.1.2); a local socket ignores all but the first.

A statement that takes long is not silent: the machine of the database confirms each packet.
"""


class OneTry:
    """Tries to connect to one database; after a silent one only one thread tries at a time."""

    def __init__(self) -> None:
        self._is_silent = False
        self._trying = threading.Lock()

    @contextmanager
    def begin(self) -> Iterator[None]:
        """Context manager in which the connection is opened.

        :raises psycopg.OperationalError: where the database was silent and another thread tries.
        """
        if not self._is_silent:
            with self._noting():
                yield
            return
        if not self._trying.acquire(blocking=False):
            raise psycopg.OperationalError("the database is silent, and another thread tries")
        try:
            with self._noting():
                yield
        finally:
            self._trying.release()

    @contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.ConnectionTimeout:
            self._is_silent = True
            raise
        except psycopg.Error:  # a refusal is an answer
            self._is_silent = False
            raise
        self._is_silent = False
