"""Whether the site can serve, found by a look at the database apart from the site.

The look has a short-lived connection of its own with bounds of its own: neither a pool that is used
up nor a kept connection that died decides it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from crs_app.bounded_waits import NotAnsweredError, bound, waits
from crs_app.operations.last_runs import LAST_BACKUP, LAST_RECORD_SENT, LAST_VERIFY
from patients.queries.courses import SQL_CLOCKS

ANSWERS_WITHIN_S: Final = 2
CLOCKS_AGREE: Final = timedelta(minutes=1)
DISK_FREE_AT_LEAST: Final = 0.10
BACKUP_AT_MOST: Final = timedelta(hours=26)
"""A nightly backup is late after one night and two hours."""
VERIFY_AT_MOST: Final = timedelta(hours=26)
RECORD_SENT_AT_MOST: Final = timedelta(hours=1)
_STARTING: Final = (
    "starting up", "in recovery mode", "shutting down", "not yet accepting", "not accepting",
)  # fmt: skip
_FULL: Final = ("too many", "connection slots are reserved")
_SECOND_MACHINE: Final = """
SELECT second_machine_state(), current_setting('synchronous_standby_names'), pg_is_in_recovery(),
    (SELECT extract(epoch FROM delay)::float FROM second_machine_replay())
"""
_WAITING_FOR_DISK: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE usename = current_user AND state = 'active' AND state_change < now() - interval '3 seconds'
    AND lower(wait_event) IN ('walsync', 'walwrite')
"""
"""Statements whose COMMIT waits for the log to be on the disk; a disk takes milliseconds."""
_MIGRATIONS: Final = "SELECT app, name FROM django_migrations"


class Status(StrEnum):
    """What a check found; ``ATTENTION`` is for an operator, and the site serves on."""

    OK = "ok"
    ATTENTION = "attention"
    FAILED = "failed"
    NOT_KNOWN = "not known"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its status, a sentence, and figures with their units in their names."""

    name: str
    status: Status
    words: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Readiness:
    """All checks; ``failure`` says in few words why the site cannot serve, "" where it can."""

    failure: str
    checks: tuple[Check, ...]

    @property
    def wrong_clocks(self) -> list[str]:
        """The sentences about clocks that differ, or were set back."""
        wrong = (one for one in self.checks if one.status is Status.ATTENTION)
        return [one.words for one in wrong if one.name in ("clock_skew", "last_entry")]

    @property
    def needs_attention(self) -> bool:
        """Whether an operator must look, while the site serves."""
        return any(one.status is Status.ATTENTION for one in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return the body of /readyz."""
        checks = {
            one.name: {"status": one.status.value, "words": one.words, **one.figures}
            for one in self.checks
        }
        status = "failed" if self.failure else "attention" if self.needs_attention else "ok"
        return {"status": status, "failure": self.failure or None, "checks": checks}


def look(connect: Callable[[], psycopg.Connection[Any]] | None = None) -> Readiness:
    """Look at database, clocks, disk, backup and verification; it takes seconds at most.

    ``connect`` makes the connection of the look, None: ``connect_briefly``.
    """
    failure, of_database = _look_at_database(connect or connect_briefly)
    if not failure and waits.leave_one_thread():
        failure = f"{waits.long()} requests wait for an answer of the database"
        of_database[0] = Check("database", Status.FAILED, failure, {})
    return Readiness(
        failure,
        (
            *of_database,
            _disk(),
            _last("backup", LAST_BACKUP, BACKUP_AT_MOST),
            _last("verify", LAST_VERIFY, VERIFY_AT_MOST),
            *_record_sent(),
        ),
    )


def _look_at_database(
    connect: Callable[[], psycopg.Connection[Any]],
) -> tuple[str, list[Check]]:
    names = ("migrations", "clock_skew", "last_entry", "second_machine")
    unknown = [_not_known(name) for name in names]
    try:
        with connect() as connection:
            connection.execute(f"SET LOCAL statement_timeout = '{ANSWERS_WITHIN_S}s'")
            answers = _database(connection)
            missing = _migrations_missing(connection)
            if missing:
                words = f"database is not migrated: {missing} to apply"
                migrations = Check("migrations", Status.FAILED, words, {"missing": missing})
                return words, [answers, migrations, *unknown[1:]]
            migrated = Check("migrations", Status.OK, "every migration is applied", {"missing": 0})
            return "", [answers, migrated, *_clocks(connection), _second_machine(connection)]
    except psycopg.errors.QueryCanceled:
        words = "the database answers slowly"
        return "", [Check("database", Status.ATTENTION, words, {}), *unknown]
    except NotAnsweredError:
        words = "the database takes connections and does not answer"
        return words, [Check("database", Status.FAILED, words, {}), *unknown]
    except psycopg.Error as error:
        if _says(error, _FULL):
            words = "every connection of the database is in use"
            return "", [Check("database", Status.ATTENTION, words, {}), *unknown]
        words = "database is starting" if _says(error, _STARTING) else "no database"
        return words, [Check("database", Status.FAILED, words, {}), *unknown]


def _database(connection: psycopg.Connection[Any]) -> Check:
    """Return that the database answers, and whether a pooler stands before it unnamed."""
    row: Any = connection.execute("SELECT pg_backend_pid()").fetchone()
    if row[0] != connection.info.backend_pid and not settings.POOLER:
        words = "DATABASE_URL leads to a pooler, and CRS_POOLER is not set"
        return Check("database", Status.ATTENTION, words, {})
    saves: Any = connection.execute(_WAITING_FOR_DISK).fetchone()
    if saves[0]:
        words = "the disk of the database does not answer: what is saved waits for it"
        return Check("database", Status.ATTENTION, words, {"waiting_for_disk": saves[0]})
    return Check("database", Status.OK, "the database answers", {})


def _not_known(name: str) -> Check:
    return Check(name, Status.NOT_KNOWN, f"{name}: the database does not say", {})


def _clocks(connection: psycopg.Connection[Any]) -> list[Check]:
    """Compare the clocks; of the last entry nothing is known while somebody locks its tables."""
    row: Any = connection.execute("SELECT clock_timestamp()").fetchone()
    skew = _skew(timezone.now() - row[0])
    try:
        with connection.transaction():
            row = connection.execute(SQL_CLOCKS).fetchone()
    except psycopg.errors.QueryCanceled:
        return [skew, _not_known("last_entry")]
    return [skew, _last_entry(*row)]


def _second_machine(connection: psycopg.Connection[Any]) -> Check:
    """Return whether saves wait for a standby, and whether one answers."""
    try:
        with connection.transaction():
            row: Any = connection.execute(_SECOND_MACHINE).fetchone()
    except psycopg.errors.QueryCanceled:
        return _not_known("second_machine")
    state, needed, is_standby, delay_s = row
    wanted = settings.SYNCHRONOUS_STANDBY
    figures = {"waits_for": needed, "state": state, "replay_delay_s": delay_s}
    status = Status.ATTENTION
    if is_standby:
        words = "this database is a standby that was not promoted: every save is refused"
    elif state == "not needed" and wanted:
        words = f"{wanted} is taken out: what is saved is on this machine alone"
    elif state == "not needed":
        status, words = Status.OK, "saves wait for no second machine"
    elif state == "confirms" and not wanted:
        words = "saves wait for a second machine, and CRS_SYNCHRONOUS_STANDBY names none"
    elif state == "confirms":
        status, words = Status.OK, "the second machine confirms each save"
    elif state == "not known":
        words = "the owner of the tables needs the role pg_read_all_stats"
    else:
        words = "the second machine does not answer: every save is refused"
    return Check("second_machine", status, words, figures)


def connect_briefly(**others: Any) -> psycopg.Connection[Any]:
    """Return a new connection in its first transaction, as the site connects.

    ``others`` are further parameters of libpq.
    """
    wrapper = connections["default"]
    parts = wrapper.get_connection_params()
    kept = {
        name: value
        for name, value in parts.items()
        if name not in ("cursor_factory", "context", "server_side_binding", "prepare_threshold")
    }
    bounds = {"connect_timeout": ANSWERS_WITHIN_S, "tcp_user_timeout": ANSWERS_WITHIN_S * 1000}
    connection = psycopg.connect(**{**kept, **bounds, "prepare_threshold": None}, **others)
    # After the statement_timeout of a look.
    return bound(connection, answers_within_s=ANSWERS_WITHIN_S + 0.5)


def _says(error: psycopg.Error, texts: tuple[str, ...]) -> bool:
    """Return whether the server refused with one of ``texts``; a refusal has no other code here."""
    return any(text in str(error) for text in texts)


def _migrations_missing(connection: psycopg.Connection[Any]) -> int:
    try:
        with connection.transaction():
            applied = set(connection.execute(_MIGRATIONS).fetchall())
    except psycopg.errors.UndefinedTable:
        applied = set()
    return len(_migrations_on_disk() - applied)


@cache
def _migrations_on_disk() -> frozenset[tuple[str, str]]:
    """Return application and name of every migration that must be applied."""
    loader = MigrationLoader(None)
    replaced = {old for one in loader.disk_migrations.values() for old in one.replaces}
    return frozenset(set(loader.disk_migrations) - replaced)


def _skew(ahead: timedelta) -> Check:
    figures = {"application_ahead_s": round(ahead.total_seconds(), 3)}
    if abs(ahead) <= CLOCKS_AGREE:
        return Check("clock_skew", Status.OK, "the clocks agree", figures)
    how = "ahead of" if ahead > timedelta(0) else "behind"
    words = f"application's clock is {_minutes(ahead)} {how} the database's"
    return Check("clock_skew", Status.ATTENTION, words, figures)


def _last_entry(clock: datetime, last_recorded_at: datetime | None) -> Check:
    if last_recorded_at is None:
        return Check("last_entry", Status.OK, "nothing is recorded in an open course", {})
    ahead = last_recorded_at - clock
    figures = {"clock_behind_last_entry_s": max(0.0, round(ahead.total_seconds(), 3))}
    if ahead <= CLOCKS_AGREE:
        return Check("last_entry", Status.OK, "the last entry is not ahead of the clock", figures)
    words = f"clock is {_minutes(ahead)} behind the last entry"
    return Check("last_entry", Status.ATTENTION, words, figures)


def _minutes(span: timedelta) -> str:
    return f"{round(abs(span) / timedelta(minutes=1))} min"


def _disk() -> Check:
    """Look at the disk of the site's own files, where the local database is too."""
    try:
        disk = shutil.disk_usage(_existing(settings.OPERATIONS_DIR))
    except OSError:
        return Check("disk", Status.NOT_KNOWN, "the disk cannot be read", {})
    share = disk.free / disk.total if disk.total else 0.0
    figures = {"free_bytes": disk.free, "free_percent": round(share * 100, 1)}
    if share < DISK_FREE_AT_LEAST:
        words = f"only {share:.0%} of the disk is free"
        return Check("disk", Status.ATTENTION, words, figures)
    return Check("disk", Status.OK, "the disk has space", figures)


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.exists())


def _record_sent() -> tuple[Check, ...]:
    """Return when the record was sent to another machine, where the site names one."""
    if settings.LOG_SERVER is None:
        return ()
    return (_last("record_sent", LAST_RECORD_SENT, RECORD_SENT_AT_MOST),)


def _last(name: str, file: str, at_most: timedelta) -> Check:
    """Return when ``name`` ended last, from the file that it leaves.

    The place of a backup stays out: anybody may ask.
    """
    path = settings.OPERATIONS_DIR / file
    try:
        left = json.loads(path.read_text("utf-8"))
        at = datetime.fromisoformat(left["at"])
        age = datetime.now(UTC) - at
    except FileNotFoundError:
        return Check(f"last_{name}", Status.NEVER, f"last {name}: never", {"at": None})
    except (OSError, ValueError, KeyError, TypeError):
        words = f"last {name}: {file} cannot be read"
        return Check(f"last_{name}", Status.ATTENTION, words, {"at": None})
    figures: dict[str, Any] = {"at": left["at"], "age_s": round(age.total_seconds())}
    found = left.get("figures")
    if isinstance(found, dict):
        figures["figures"] = {key: value for key, value in found.items() if key != "file"}
    words = f"last {name}: {age / timedelta(hours=1):.0f} h ago"
    status = Status.ATTENTION if age > at_most else Status.OK
    if age < -CLOCKS_AGREE:
        status, words = Status.ATTENTION, f"last {name}: noted {_minutes(age)} ahead of the clock"
    elif figures.get("figures", {}).get("faults"):
        status, words = Status.ATTENTION, f"{words}, and it found faults"
    return Check(f"last_{name}", status, words, figures)
