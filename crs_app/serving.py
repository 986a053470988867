"""A connection to the database that each process that serves keeps open.

A web process closes its other connections after ten minutes without a request. With this one the
database has a session of every running site, so that `make restore` sees it and refuses: a process
that serves on another database than it has read would show what it remembers of the one before.
"""

from __future__ import annotations

import select
import threading
import time
from contextlib import suppress
from typing import Final

import psycopg

from crs_app.bounded_waits import waits
from crs_app.readiness import connect_briefly

SERVES: Final = "crs serves"
"""How the connection is named in the database's list of sessions."""
_LOOKS_EVERY_S: Final = 30.0
_TRIES_EVERY_S: Final = 1.0


def begin_to_serve(threads: int) -> None:
    """Keep the connection open until the process ends, and bound its waits for the database.

    ``threads`` is how many threads serve requests, 0 where others do than those of a web server.
    """
    waits.are_bounded, waits.threads = True, threads
    threading.Thread(target=_stay_connected, name=SERVES, daemon=True).start()


def _stay_connected() -> None:
    while True:
        try:
            _stay_connected_once()
        except (psycopg.Error, OSError):
            # After one that was ended the next is made at once; one that fails waits.
            with suppress(psycopg.Error, OSError):
                _stay_connected_once()
            time.sleep(_TRIES_EVERY_S)


def _stay_connected_once() -> None:
    with connect_briefly(application_name=SERVES) as connection:
        connection.autocommit = True
        while True:
            connection.execute("SELECT 1")
            # A server that ends the connection says so: it is readable then.
            select.select([connection], [], [], _LOOKS_EVERY_S)
