"""A connection kept between requests: used while it works, replaced after it was lost."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import close_old_connections, connection
from django.test import Client

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(settings.POOLER != "", reason="it is about connections to the server"),
]


@pytest.fixture
def other() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Another connection to the same database, which may end the first."""
    params = connection.get_connection_params() | {"options": ""}
    with psycopg.connect(**params, autocommit=True) as other:
        yield other


def process_of_the_server() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.skipif(settings.PLAIN_DJANGO, reason="Django's own backend asks, by a statement")
def test_what_serves_is_not_asked_whether_it_does(
    other: psycopg.Connection[tuple[object, ...]],
) -> None:
    process = process_of_the_server()
    assert connection.is_usable()
    found = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [process])
    assert found.fetchall() == [("SELECT pg_backend_pid()",)]


def test_the_request_after_a_restart_of_the_server_is_answered(
    client: Client, other: psycopg.Connection[tuple[object, ...]]
) -> None:
    process = process_of_the_server()
    other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    assert not connection.is_usable()
    close_old_connections()  # as a request's beginning does
    assert client.get("/health/").content == b"ok\n"
    assert process_of_the_server() != process


def test_word_from_the_server_is_not_taken_for_its_end(
    other: psycopg.Connection[tuple[object, ...]],
) -> None:
    process = process_of_the_server()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN ward")
    other.execute("NOTIFY ward")
    other.execute("SELECT pg_sleep(0.05)")
    assert connection.is_usable()
    assert process_of_the_server() == process


def test_a_closed_connection_does_not_serve() -> None:
    process_of_the_server()
    connection.close()
    assert not connection.is_usable()
    connection.ensure_connection()
    connection.connection.close()
    assert not connection.is_usable()
    connection.close()
