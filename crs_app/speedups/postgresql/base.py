"""The database backend that the setting ENGINE names by its package."""

import select
from datetime import UTC, datetime
from typing import Any

from psycopg import _queries
from psycopg.abc import Buffer
from psycopg.pq import TransactionStatus
from psycopg.types.datetime import TimestamptzLoader

from crs_app.confirmed_commit import base

# A statement longer than this, 4,096 by default, is parsed for parameters at each execution.
_queries.MAX_CACHED_STATEMENT_LENGTH = 8192


class UtcLoader(TimestamptzLoader):
    """Reads a time with zone in UTC, as the loader that Django registers.

    Python reads the text that PostgreSQL writes, "2026-11-28 13:05:00+00"; what it refuses, like
    an infinity, is left to psycopg.
    """

    timezone = UTC

    def load(self, data: Buffer) -> datetime:
        """Return the time that ``data`` writes."""
        try:
            return datetime.fromisoformat(bytes(data).decode()).astimezone(UTC)
        except ValueError:
            return super().load(data).astimezone(UTC)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, with a look at the socket before the statement of CONN_HEALTH_CHECKS.

    Outside a transaction a server sends nothing unasked, except a message when it stops or ends
    the connection. An open socket with nothing to read is therefore a connection that works.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a new connection, which reads times by ``UtcLoader`` where it is to read UTC."""
        connection = super().get_new_connection(conn_params)
        if self.timezone is UTC:
            connection.adapters.register_loader("timestamptz", UtcLoader)
        return connection

    def is_usable(self) -> bool:
        """Return whether the connection works; ask the server only where its socket is unclear."""
        return self._is_silent() or super().is_usable()

    def _is_silent(self) -> bool:
        """Return whether the connection is open, outside a transaction, with nothing to read."""
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        if pgconn.transaction_status != TransactionStatus.IDLE:
            return False
        waiting = select.poll()
        waiting.register(pgconn.socket, select.POLLIN)
        return not waiting.poll(0)
