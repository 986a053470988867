"""A database machine that answers nothing: it accepts connections, as a listener that is mute."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn

from crs_app.outages import is_outage
from crs_app.silent_database import BOUNDS, SILENT_AT_MOST_S
from tests.project.test_run import in_a_fresh_checkout

pytestmark = pytest.mark.django_db


@pytest.fixture
def mute() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def seconds_until_refused(port: int) -> float:
    """How long a request waits for a connection that does not come."""
    there = connection.copy("mute")
    there.settings_dict |= {"HOST": "127.0.0.1", "PORT": str(port)}
    there.settings_dict["OPTIONS"] = {**there.settings_dict["OPTIONS"], "connect_timeout": 2}
    begun = time.monotonic()
    with pytest.raises(OperationalError) as refused:
        there.ensure_connection()
    assert is_outage(refused.value)
    return time.monotonic() - begun


def test_one_request_tries_and_the_others_are_answered_at_once(mute: socket.socket) -> None:
    port = mute.getsockname()[1]
    assert 1.5 < seconds_until_refused(port) < 4
    with ThreadPoolExecutor(4) as pool:
        *others, first = sorted(pool.map(lambda _: seconds_until_refused(port), range(4)))
    assert max(others) < 1
    assert 1.5 < first < 4
    mute.close()  # it refuses now, and each request hears that by itself
    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(lambda _: seconds_until_refused(port), range(4))) < 1


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux alone has the option")
def test_a_connection_over_the_network_ends_when_nothing_answers_any_more(
    mute: socket.socket,
) -> None:
    site = connection.get_connection_params()
    host, port = mute.getsockname()
    address = make_conninfo(host=host, port=port, **{name: site[name] for name in BOUNDS})
    begun = PGconn.connect_start(address.encode())
    with socket.socket(fileno=os.dup(begun.socket)) as line:
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        found = line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert found == SILENT_AT_MOST_S * 1000
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < SILENT_AT_MOST_S
    begun.finish()


def test_the_address_of_the_database_may_name_others(tmp_path: Path) -> None:
    code = (
        "options = settings.DATABASES['default']['OPTIONS'];"
        "print(options['tcp_user_timeout'], options['connect_timeout'])"
    )
    url = "postgresql://w@db/crs?tcp_user_timeout=30000"
    assert in_a_fresh_checkout(tmp_path, code, DATABASE_URL=url) == "30000 5\n"
