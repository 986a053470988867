"""A database that takes a statement and does not answer it, as where its disk hangs."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client

from crs_app import bounded_waits, readiness
from crs_app.bounded_waits import BoundedConnection, NotAnsweredError, waits
from crs_app.outages import is_outage
from tests.owner import rights_of_owner

pytestmark = pytest.mark.django_db


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """The server process of one connection is stopped, and goes on afterwards."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def bounded() -> BoundedConnection:
    there = readiness.connect_briefly()
    assert isinstance(there, BoundedConnection)
    there.answers_within_s = None
    return there


def test_a_statement_without_an_answer_is_an_outage_within_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded_waits, "ANSWERED_WITHIN_S", 0.6)
    monkeypatch.setattr(waits, "are_bounded", True)
    there = connection.copy()
    with there.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (process,) = cursor.fetchone()
    begun = time.monotonic()
    with stopped(process), pytest.raises(OperationalError) as failed, there.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert is_outage(failed.value)
    assert time.monotonic() - begun < 5
    there.close_if_unusable_or_obsolete()  # as at the end of a request
    with there.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    there.close()


def test_a_look_at_a_database_that_does_not_answer_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = bounded()
    there.answers_within_s = 0.4
    monkeypatch.setattr(readiness, "connect_briefly", lambda: there)
    with stopped(there.info.backend_pid):
        found = readiness.look()
    assert found.failure == "the database takes connections and does not answer"
    assert there.closed


def test_one_thread_stays_free_while_the_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three threads serve. All wait; the wait that began last ends, and its thread answers."""
    monkeypatch.setattr(bounded_waits, "LONG_S", 0.3)
    monkeypatch.setattr(bounded_waits, "_LOOKS_EVERY_S", 0.1)
    monkeypatch.setattr(waits, "threads", 3)
    client = Client(raise_request_exception=False)
    for path in ("/", "/readyz", "/nothing-here"):  # the first of each imports and compiles much
        client.get(path)

    def wait(there: psycopg.Connection) -> None:
        with there:
            there.execute("SELECT pg_sleep(25)")

    with ThreadPoolExecutor(3) as pool:
        asked: list[Future[None]] = []
        lines = [bounded() for _ in range(3)]
        given_up = lines[-1].info.backend_pid
        for there in lines:
            asked.append(pool.submit(wait, there))
            time.sleep(0.05)
        begun = time.monotonic()
        with pytest.raises(NotAnsweredError):
            asked[-1].result(10)
        assert time.monotonic() - begun < 5
        refused = client.get("/")
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
        assert "Database does not answer" in refused.content.decode()
        assert client.get("/livez").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["failure"] == "2 requests wait for an answer of the database"
        for there, waiting in zip(lines[:2], asked[:2], strict=True):
            there.cancel_safe()
            with pytest.raises(psycopg.errors.QueryCanceled):
                waiting.result(10)
    assert client.get("/").status_code == 302
    with rights_of_owner(), connection.cursor() as cursor:  # else it ends after 30 s by itself
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [given_up])


def test_a_process_of_one_thread_and_a_command_wait_as_long_as_they_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounded_waits, "LONG_S", 0.1)
    monkeypatch.setattr(bounded_waits, "_LOOKS_EVERY_S", 0.1)
    monkeypatch.setattr(waits, "threads", 1)
    with bounded() as there:
        there.execute("SELECT pg_sleep(0.5)")
    assert not waits.leave_one_thread()
    assert not isinstance(connection.connection, BoundedConnection)
