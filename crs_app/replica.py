"""Read a page from a standby, where one is named, and say how old what it shows is.

Only views that ``may_read_replica`` decorates do: the board, the wall, and lists of courses for
review. Everything else of a request, its session and what is recorded of it, stays on the first
machine. Whatever is wrong with the standby, the page is read from the first machine.
"""

from __future__ import annotations

import functools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, TypeVar

from django.conf import settings
from django.db import DatabaseError, Error, connection, connections
from django.http import HttpRequest, HttpResponseBase

from crs_app.outages import in_one_line, may_be_repeated

REPLICA: Final = "replica"
"""The name of the standby in the setting DATABASES."""
AT_MOST_OLD: Final = timedelta(seconds=60)
"""A standby that is further behind is not read."""
CATCHES_UP_WITHIN_S: Final = 0.2
NOT_ASKED_AGAIN_FOR_S: Final = 10.0
SAVED: Final = "crs-saved"
"""Cookie of a browser that has sent a form in the last minute."""
_LOG: Final = logging.getLogger("crs_app.replica")
_POSITION: Final = "pg_wal_lsn_diff({}, '0/0')::bigint"
_WRITTEN: Final = f"""
SELECT clock_timestamp(), CASE WHEN NOT pg_is_in_recovery()
    THEN {_POSITION.format("pg_current_wal_lsn()")} END
"""
_REPLAYED: Final = f"""
SELECT {_POSITION.format("pg_last_wal_replay_lsn()")}, pg_last_xact_replay_timestamp()
WHERE pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver)
"""  # noqa: S608 - constants

_V = TypeVar("_V", bound=Callable[..., HttpResponseBase])


@dataclass(frozen=True, slots=True)
class AsOf:
    """Up to when a page shows everything, and how long ago that was, in whole seconds."""

    at: datetime
    age_s: int


class _ReplicaAwayError(Exception):
    """The standby cannot be read: it is away, receives nothing, or was promoted."""


class _Positions:
    """Positions of the log of the first machine, each with the time of its reading."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, datetime]] = deque(maxlen=600)
        self._lock = Lock()

    def note(self, position: int, at: datetime) -> None:
        with self._lock:
            self._seen.append((position, at))

    def latest_up_to(self, position: int) -> datetime | None:
        """Return the latest time at which the log stood at ``position`` or before it."""
        with self._lock:
            return max((at for seen, at in self._seen if seen <= position), default=None)


_positions: Final = _Positions()
_away_until: list[float] = [0.0]


def may_read_replica(view: _V) -> _V:
    """Decorate a view that only reads: it may be answered from the standby.

    ``request.as_of`` is an AsOf where the page is old, and None where it shows everything.
    """

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.as_of = None  # type: ignore[attr-defined]  # for the templates
        if REPLICA not in connections or time.monotonic() < _away_until[0]:
            return view(request, *args, **kwargs)
        try:
            as_of = _age_of_replica()
            if as_of is None or (as_of.age_s <= AT_MOST_OLD.seconds and not _has_saved(request)):
                request.as_of = as_of  # type: ignore[attr-defined]
                with _reading_replica():
                    return view(request, *args, **kwargs)
        except _ReplicaAwayError as error:
            _note_away(error)
        except Error as error:
            if not may_be_repeated(error):
                raise
            _note_away(error)
        request.as_of = None  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return answer  # type: ignore[return-value]


def note_saves(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware by which a browser that has just sent a form is never shown an older page."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method == "POST" and REPLICA in connections:
            response.set_cookie(
                _cookie_name(), "yes", max_age=AT_MOST_OLD, secure=settings.SESSION_COOKIE_SECURE,
                httponly=True, samesite="Strict",
            )  # fmt: skip
        return response

    return middleware


def _cookie_name() -> str:
    return f"{'__Host-' if settings.SESSION_COOKIE_SECURE else ''}{SAVED}"


def _has_saved(request: HttpRequest) -> bool:
    return _cookie_name() in request.COOKIES


def _age_of_replica() -> AsOf | None:
    """Return how old the standby is; None where it has all that is stored by now.

    The positions of both machines in the write-ahead log are compared, and the standby gets a short
    time to catch up. If it does not, its age is counted from when the first machine was last at the
    standby's position. The time of the last replayed commit would be wrong: it grows old while
    nothing is written, though the standby has everything.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WRITTEN)
        now, written = cursor.fetchone()
    if written is None:
        raise _ReplicaAwayError("the database itself is a standby")
    _positions.note(written, now)
    deadline = time.monotonic() + CATCHES_UP_WITHIN_S
    while True:
        replayed, committed_at = _replayed()
        if replayed >= written:
            return None
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    known = [at for at in (_positions.latest_up_to(replayed), committed_at) if at is not None]
    if not known:
        raise _ReplicaAwayError("its age is not known")
    at = min(max(known), now)
    return AsOf(at, max(1, int((now - at).total_seconds())))


def _replayed() -> tuple[int, datetime | None]:
    try:
        with connections[REPLICA].cursor() as cursor:
            cursor.execute(_REPLAYED)
            found = cursor.fetchone()
    except DatabaseError as error:
        raise _ReplicaAwayError(in_one_line(error)) from error
    if found is None:
        raise _ReplicaAwayError("it follows no first machine")
    return found[0], found[1]


@contextmanager
def _reading_replica() -> Iterator[None]:
    """Let every statement of this thread go to the standby."""
    first = connections["default"]
    connections["default"] = connections[REPLICA]
    try:
        yield
    finally:
        connections["default"] = first


def _note_away(error: Exception) -> None:
    """Ask the standby again only after a while: a connection that does not come takes seconds."""
    _away_until[0] = time.monotonic() + NOT_ASKED_AGAIN_FOR_S
    connections[REPLICA].close()
    words = str(error) if isinstance(error, _ReplicaAwayError) else in_one_line(error)
    _LOG.warning("The replica is not read for %d s: %s", NOT_ASKED_AGAIN_FOR_S, words)
