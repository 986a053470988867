"""Django's backend for PostgreSQL, which connects, asks and commits within bounded times.

The setting ENGINE names it by its package. While a COMMIT waits for a standby, no timeout of
PostgreSQL ends the wait. A cancelled wait ends with a warning, and the COMMIT then succeeds, though
the standby may not have it (PostgreSQL 18, section 26.2.8.3, "Planning for High Availability").
"""

from __future__ import annotations

import select
import time
from collections import defaultdict
from typing import Any, Final

import psycopg
from django.db.backends.postgresql import base
from django.db.backends.utils import debug_transaction
from psycopg import pq
from psycopg.errors import Diagnostic, error_from_result

from crs_app.bounded_waits import bound, waits
from crs_app.outages import NotConfirmedError
from crs_app.silent_database import OneTry

CONFIRMED_WITHIN_S: Final = 5.0
_OF_THE_WAIT: Final = "SyncRepWaitForLSN"
"""The function of PostgreSQL that warns; its message is in the language of the server."""


_tries: Final = defaultdict[str, OneTry](OneTry)
"""By the alias of the database."""


class _CancelledWaits:
    """Notes whether the server has warned that a wait for the standby was cancelled."""

    def __init__(self) -> None:
        self.is_noted = False

    def note(self, diagnostic: Diagnostic) -> None:
        if diagnostic.source_function == _OF_THE_WAIT:
            self.is_noted = True


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, whose COMMIT raises NotConfirmedError where its outcome is not certain."""

    _cancelled = _CancelledWaits()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a new connection that notes cancelled waits."""
        with _tries[self.alias].begin():
            connection = super().get_new_connection(conn_params)
        if waits.are_bounded:
            bound(connection)
        self._cancelled = _CancelledWaits()
        connection.add_notice_handler(self._cancelled.note)
        return connection

    def _commit(self) -> None:
        if self.connection is None:
            return
        self._cancelled.is_noted = False
        waits.begin()
        try:
            with debug_transaction(self, "COMMIT"), self.wrap_database_errors:
                commit(self.connection, within_s=CONFIRMED_WITHIN_S)
        finally:
            waits.end()
        if self._cancelled.is_noted:
            raise NotConfirmedError


def commit(connection: psycopg.Connection[Any], *, within_s: float) -> None:
    """Commit the transaction of ``connection`` as ``connection.commit()`` does, within a time.

    If the answer is late, this side closes the connection. PostgreSQL still waits for the standby
    and keeps the locks of the transaction: others see its rows only once the standby has them.

    :raises NotConfirmedError: where the answer is late.
    :raises psycopg.Error: as ``connection.commit()`` does.
    """
    pgconn = connection.pgconn
    if pgconn.status != pq.ConnStatus.OK:
        raise psycopg.OperationalError("the connection is lost")
    if pgconn.transaction_status == pq.TransactionStatus.IDLE:
        return
    pgconn.send_query(b"COMMIT")
    pgconn.flush()
    deadline = time.monotonic() + within_s
    failed = None
    while True:
        if not _answers(pgconn, deadline):
            connection.close()
            raise NotConfirmedError
        result = pgconn.get_result()
        if result is None:
            break
        if result.status == pq.ExecStatus.FATAL_ERROR:
            failed = result
    if failed is not None:
        raise error_from_result(failed, encoding=connection.info.encoding)


def _answers(pgconn: pq.abc.PGconn, deadline: float) -> bool:
    """Wait for the next part of the answer; return whether it came before ``deadline``."""
    waiting = select.poll()
    waiting.register(pgconn.socket, select.POLLIN)
    while pgconn.is_busy():
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not waiting.poll(left_s * 1000):
            return False
        pgconn.consume_input()
    return True
