"""Bound the wait for the answer to a statement, on the side of the web process.

A database whose disk hangs, or whose processes are stopped, confirms every packet and answers
nothing: no timeout of PostgreSQL or of TCP ends the wait. Two rules keep a web process alive. A
statement is waited for ``ANSWERED_WITHIN_S``. And one thread stays free to say so: while all others
wait for longer than ``LONG_S``, requests that need the database are refused at once, and where all
wait, the wait that began last ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import psycopg
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout

_RV = TypeVar("_RV")

ANSWERED_WITHIN_S: Final = 35.0
"""Five seconds more than the statement_timeout of the web role (``time_limits``)."""
LONG_S: Final = 4.0
"""Longer than the lock_timeout of the web role: a wait for a row is not counted."""
_LOOKS_EVERY_S: Final = 0.5
_LOOKS: Final = frozenset({"/livez", "/readyz", "/health/", "/metrics"})
"""Addresses that are answered whatever the database does: they bound their own look at it."""


class NotAnsweredError(psycopg.OperationalError):
    """The database took a statement and has not answered; it may still do what was asked."""

    def __init__(self) -> None:
        super().__init__("the database has not answered")


class Waits:
    """The waits of one web process for its database.

    ``are_bounded`` is for processes that serve: a command may wait for hours. ``threads`` is how
    many threads serve requests; with fewer than two there is none to keep free.
    """

    def __init__(self) -> None:
        self.are_bounded = False
        self.threads = 0
        self._begun: dict[int, float] = {}

    def begin(self) -> float:
        """Note that the thread begins to wait; return when."""
        begun = self._begun[threading.get_ident()] = time.monotonic()
        return begun

    def end(self) -> None:
        """Note that the thread does not wait any more."""
        self._begun.pop(threading.get_ident(), None)

    def long(self) -> int:
        """Return how many waits last longer than ``LONG_S``."""
        if not self._begun:
            return 0
        since = time.monotonic() - LONG_S
        return sum(begun <= since for begun in list(self._begun.values()))

    def leave_one_thread(self) -> bool:
        """Return whether one more wait would leave no thread free."""
        return len(self._begun) >= self.threads - 1 > 0 and self.long() >= self.threads - 1

    def is_to_end(self, begun: float) -> bool:
        """Return whether the wait that began at ``begun`` must end."""
        if time.monotonic() - begun >= ANSWERED_WITHIN_S:
            return True
        if self.threads < 2 or self.long() < self.threads:
            return False
        return begun >= max(list(self._begun.values()))


waits: Final = Waits()


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed, with NotAnsweredError, where an answer is late.

    ``answers_within_s`` is a bound of its own, for a look at the database; None for those of
    ``waits``.
    """

    answers_within_s: float | None = None

    def wait(self, gen: PQGen[_RV], interval: float = 0.1, timeout: float | None = None) -> _RV:
        """Wait as psycopg does, within the bounds."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        if self.answers_within_s is not None:
            return self._wait_within(gen, interval, self.answers_within_s)
        begun = waits.begin()
        try:
            while True:
                try:
                    return super().wait(gen, interval, _LOOKS_EVERY_S)
                except _WaitTimeout:
                    if waits.is_to_end(begun):
                        self.close()
                        raise NotAnsweredError from None
        finally:
            waits.end()

    def _wait_within(self, gen: PQGen[_RV], interval: float, seconds: float) -> _RV:
        try:
            return super().wait(gen, interval, seconds)
        except _WaitTimeout:
            self.close()
            raise NotAnsweredError from None


def bound(
    connection: psycopg.Connection[Any], *, answers_within_s: float | None = None
) -> BoundedConnection:
    """Return ``connection`` as a bounded one: Django makes its own by psycopg.connect alone."""
    connection.__class__ = BoundedConnection
    bounded = cast("BoundedConnection", connection)
    bounded.answers_within_s = answers_within_s
    return bounded


def keep_a_thread_free(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that refuses a request where all other threads wait for the database for long."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if waits.leave_one_thread() and request.path not in _LOOKS:
            raise OperationalError("every other thread waits for the database")
        return get_response(request)

    return middleware
