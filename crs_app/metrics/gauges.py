"""What /metrics looks at when it is asked: database, clocks, disk, other systems, last runs.

The look has connections of its own, and a request waits for it ``LOOKED_WITHIN_S`` at most.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from crs_app import VERSION
from crs_app.readiness import Check, Readiness, Status, connect_briefly, look
from patients.queries.watched import SQL_SYSTEMS, SQL_WAITING

LOOKED_WITHIN_S: Final = 1.5
_ONE_READING_MS: Final = 700
_SQL_SERVER: Final = """
SELECT (SELECT sum(numbackends) FROM pg_stat_database)::int,
    current_setting('max_connections')::int,
    (SELECT count(*) FROM pg_locks WHERE NOT granted),
    (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(waitstart)), 0)::float8
        FROM pg_locks WHERE NOT granted),
    (SELECT failed_count FROM pg_stat_archiver)
"""
_FIGURES: Final = {
    ("clock_skew", "application_ahead_s"): (
        "crs_clock_application_ahead_seconds", "Clock of the application before the database's."),
    ("last_entry", "clock_behind_last_entry_s"): (
        "crs_clock_behind_last_entry_seconds", "How far the clock was set back."),
    ("disk", "free_bytes"): ("crs_disk_free_bytes", "Free space of the disk of the web machine."),
    ("disk", "free_percent"): ("crs_disk_free_percent", "The same, in percent."),
    ("migrations", "missing"): ("crs_migrations_missing", "Migrations to apply."),
    ("last_backup", "age_s"): ("crs_last_backup_age_seconds", "Since the last backup ended."),
    ("last_verify", "age_s"): ("crs_last_verify_age_seconds", "Since the last verification ended."),
}  # fmt: skip
_OF_BACKUP: Final = ("acts", "bytes", "rows")
_OF_VERIFY: Final = ("courses", "events", "faults", "verify_grades_seconds", "verify_audit_seconds")
_VERIFICATIONS: Final = ("verify_grades", "verify_audit")


@dataclass(slots=True)
class Looked:
    """What one look found; ``readiness`` is None where it took too long.

    A part that could not be read is None: systems are name, kind, seconds since they were heard
    and messages of an hour that were not accepted; waiting is by name of the system.
    """

    readiness: Readiness | None = None
    server: tuple[int, int, int, float, int] | None = None
    systems: list[tuple[str, str, float | None, int]] | None = None
    waiting: dict[str, int] | None = None


@dataclass(slots=True)
class _Look:
    """A look that is under way in a thread of its own.

    ``lines`` are its connections a second time: they can be ended while the thread waits there.
    """

    found: Future[Looked] = field(default_factory=Future)
    lines: list[socket.socket] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_left: bool = False

    def begin(self) -> None:
        threading.Thread(target=self._run, name="metrics look", daemon=True).start()

    def _run(self) -> None:
        try:
            self.found.set_result(self._look())
        except Exception as error:  # a fault of ours: who asked raises it
            self.found.set_exception(error)
        finally:
            with self.lock:
                while self.lines:
                    self.lines.pop().close()

    def _look(self) -> Looked:
        looked = Looked(look(self._connect))
        if looked.readiness is None or looked.readiness.failure:
            return looked
        with suppress(psycopg.OperationalError), self._connect() as connection:
            connection.execute(f"SET statement_timeout = {_ONE_READING_MS}")
            server = _rows(connection, _SQL_SERVER)
            looked.server = server[0] if server else None
            looked.systems = _rows(connection, SQL_SYSTEMS)
            waiting = _rows(connection, SQL_WAITING)
            looked.waiting = None if waiting is None else dict(waiting)
        return looked

    def _connect(self) -> psycopg.Connection[Any]:
        connection = connect_briefly()
        with self.lock:
            self.lines.append(socket.socket(fileno=os.dup(connection.fileno())))
            if self.is_left:
                self._end_lines()
        return connection

    def hang_up(self) -> None:
        """End the connections, also one that is only being made, so that the thread ends too."""
        with self.lock:
            self.is_left = True
            self._end_lines()

    def _end_lines(self) -> None:
        for line in self.lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


_lock: Final = threading.Lock()
_under_way: list[_Look] = []


def look_within(seconds: float = LOOKED_WITHIN_S) -> Looked:
    """Return what a look finds; nothing where it takes longer than ``seconds``.

    A request that comes while a look is under way waits for the same one.
    """
    with _lock:
        _under_way[:] = [one for one in _under_way if not one.found.done()]
        if not _under_way:
            _under_way.append(_Look())
            _under_way[0].begin()
        one = _under_way[0]
    try:
        return one.found.result(seconds)
    except TimeoutError:
        one.hang_up()
        return Looked()


def _rows(connection: psycopg.Connection[Any], statement: str) -> list[Any] | None:
    try:
        with connection.transaction():
            return connection.execute(statement).fetchall()
    except psycopg.errors.QueryCanceled:
        return None


class Gauges(Collector):
    """What was looked at, in the form of Prometheus."""

    def __init__(self, looked: Looked) -> None:
        self._looked = looked

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge; what is not known is left out, and ``crs_read`` says which part."""
        looked = self._looked
        ready = looked.readiness
        yield _gauge("crs_database_up", "The database answers.", _answers(ready))
        yield _gauge("crs_ready", "The site can serve.", bool(ready and not ready.failure))
        yield _labelled("crs_build_info", "The version.", "version", {VERSION: 1})
        parts = {
            "checks": ready, "server": looked.server, "systems": looked.systems,
            "waiting": looked.waiting,
        }  # fmt: skip
        read = {name: part is not None for name, part in parts.items()}
        yield _labelled("crs_read", "This part could be read.", "part", read)
        if ready is not None:
            yield from _of_checks({one.name: one for one in ready.checks})
        if looked.server is not None:
            yield from _of_server(*looked.server)
        yield from _of_systems(looked)


def _answers(ready: Readiness | None) -> bool:
    if ready is None:
        return False
    database = next(one for one in ready.checks if one.name == "database")
    return database.status is not Status.FAILED


def _of_checks(checks: dict[str, Check]) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "crs_check", "The status of a check of /readyz is this one.", labels=("check", "status")
    )
    for name, one in checks.items():
        for status in Status:
            states.add_metric((name, status.value.replace(" ", "_")), one.status is status)
    yield states
    for (check, figure), (name, words) in _FIGURES.items():
        value = checks[check].figures.get(figure) if check in checks else None
        if value is not None:
            yield _gauge(name, words, value)
    backup, verify = (_figures_of(checks, name) for name in ("last_backup", "last_verify"))
    yield _labelled(
        "crs_last_backup", "Figures of the last backup.", "figure", _numbers(backup, _OF_BACKUP)
    )
    yield _labelled(
        "crs_last_verify", "Figures of the last verification.", "figure",
        _numbers(verify, _OF_VERIFY),
    )  # fmt: skip
    agrees: dict[str, float] = {
        name: verify[name] == "agrees" for name in _VERIFICATIONS if name in verify
    }
    yield _labelled(
        "crs_last_verify_agrees", "It found what is stored as it must be.", "command", agrees
    )


def _figures_of(checks: dict[str, Check], name: str) -> dict[str, Any]:
    found = checks[name].figures.get("figures") if name in checks else None
    return found if isinstance(found, dict) else {}


def _numbers(figures: dict[str, Any], names: tuple[str, ...]) -> dict[str, float]:
    return {name: figures[name] for name in names if _is_number(figures.get(name))}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_server(
    used: int, at_most: int, waiting: int, longest: float, not_archived: int
) -> Iterator[Metric]:
    yield _gauge("crs_database_connections", "Connections in use.", used)
    yield _gauge("crs_database_connections_max", "Connections that there can be.", at_most)
    yield _gauge("crs_database_locks_waiting", "Locks that somebody waits for.", waiting)
    yield _gauge("crs_database_lock_wait_seconds", "The longest of these waits.", longest)
    yield CounterMetricFamily(
        "crs_log_archive_failures", "Files of the log that were not archived.", value=not_archived
    )


def _of_systems(looked: Looked) -> Iterator[Metric]:
    labels = ("system", "kind")
    heard = GaugeMetricFamily(
        "crs_system_heard_age_seconds", "Since a system was heard last.", labels=labels
    )
    refused = GaugeMetricFamily(
        "crs_system_not_accepted", "Messages of an hour that were not accepted.", labels=labels
    )
    waiting = GaugeMetricFamily(
        "crs_inbox_waiting", "Items of the inbox that nobody decided about.", labels=("system",)
    )
    for name, kind, age_seconds, not_accepted in looked.systems or ():
        refused.add_metric((name, kind), not_accepted)
        if age_seconds is not None:
            heard.add_metric((name, kind), age_seconds)
    yield from (heard, refused)
    if looked.waiting is not None:
        silent = {one[0]: 0 for one in looked.systems or ()}
        for name, count in {**silent, **looked.waiting}.items():
            waiting.add_metric((name,), count)
        yield waiting


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=float(value))


def _labelled(name: str, words: str, label: str, found: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=(label,))
    for value, number in found.items():
        family.add_metric((value,), float(number))
    return family
