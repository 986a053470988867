"""Take the second machine out, so that saves go on without it, and put it back."""

from __future__ import annotations

import getpass
import logging
import os
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg
from django.db import connection
from psycopg import sql

from crs_app.operations.programs import Address, OperationsError
from crs_app.record.models import EventKind
from crs_app.record.write import record_event

_LOG: Final = logging.getLogger("crs_app.operations")
_SEEN_WITHIN_S: Final = 10
_NAMES: Final = "SELECT current_setting('synchronous_standby_names')"
_FOLLOWING: Final = """
SELECT application_name, state, sync_state, coalesce(extract(epoch FROM replay_lag), 0)::float
FROM pg_stat_replication ORDER BY application_name
"""


def describe(keeper: Address) -> list[str]:
    """Return in sentences whether saves wait for a standby, and which ones follow."""
    with keeper.connect() as there:
        names = _on_primary(there)
        found = there.execute(_FOLLOWING).fetchall()
    needed = f"Saves wait for: {names}." if names else "Saves wait for no second machine."
    lines = [
        f"{name}: {state}, {'confirms saves' if sync in ('sync', 'quorum') else 'confirms nothing'}"
        f", {lag:.3f} s behind."
        for name, state, sync, lag in found
    ]
    return [needed, *(lines or ["No standby is connected."])]


def take_out(reason: str, keeper: Address) -> str:
    """Let saves go on without a second machine, those that wait too; return the name that it had.

    The change is recorded with ``reason`` and logged.

    :raises OperationsError: where none is needed, or the site uses another server.
    """
    with keeper.connect() as there:
        names = _on_primary(there)
        if not names:
            raise OperationsError("Saves wait for no second machine. Nothing was changed.")
        _write_names(there, "")
    _wait_until_site_shows("")
    _record("taken out", names, reason)
    return names


def put_back(names: str, reason: str, keeper: Address) -> None:
    """Let saves wait again for the standbys that ``names`` lists, which must follow.

    ``names`` is in the form of PostgreSQL's ``synchronous_standby_names``.

    :raises OperationsError: where none of them follows: every save would be refused. Nothing is
        then changed.
    """
    with keeper.connect() as there:
        before = _on_primary(there)
        found = there.execute(_FOLLOWING).fetchall()
        if not any(name in names and state == "streaming" for name, state, *_ in found):
            follow = ", ".join(f"{name} ({state})" for name, state, *_ in found) or "none"
            raise OperationsError(
                f"No standby of {names} follows this server (following: {follow}). With it every "
                "save would be refused. Nothing was changed."
            )
        _write_names(there, names)
        try:
            _wait(lambda: any(row[2] in ("sync", "quorum") for row in there.execute(_FOLLOWING)))
        except OperationsError:
            _write_names(there, before)
            raise
    _wait_until_site_shows(names)
    _record("put back", names, reason)


def _on_primary(there: psycopg.Connection[Any]) -> str:
    """Return the standbys that saves wait for; raise OperationsError on a standby."""
    row: Any = there.execute(f"{_NAMES}, pg_is_in_recovery()").fetchone()
    if row[1]:
        raise OperationsError(
            "CRS_KEEPER_DATABASE_URL leads to a standby. Name the first machine, or promote this "
            "one (`pg_ctl promote`) where the first one is gone."
        )
    return str(row[0])


def _write_names(there: psycopg.Connection[Any], names: str) -> None:
    there.execute(
        sql.SQL("ALTER SYSTEM SET synchronous_standby_names = {}").format(sql.Literal(names))
    )
    there.execute("SELECT pg_reload_conf()")


def _wait_until_site_shows(names: str) -> None:
    def shows() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_NAMES)
            return bool(cursor.fetchone()[0] == names)

    try:
        _wait(shows)
    except OperationsError as error:
        raise OperationsError(
            "The server was changed, but the one that the site uses was not: compare "
            "DATABASE_URL and CRS_KEEPER_DATABASE_URL."
        ) from error


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SEEN_WITHIN_S
    while not done():
        if time.monotonic() > deadline:
            raise OperationsError("The server does not show the change. Look at its log.")
        time.sleep(0.1)


def _record(what: str, names: str, reason: str) -> None:
    try:
        operator = getpass.getuser()
    except (KeyError, OSError):  # a container whose account has no name
        operator = f"account {os.getuid()}"
    _LOG.warning("The second machine (%s) was %s by %s", names, what, operator)
    details = {"second machine": names, "was": what, "by": operator}
    record_event(EventKind.SECOND_MACHINE, by=None, purpose=reason, details=details)
