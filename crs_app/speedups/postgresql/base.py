"""The database backend that the setting ENGINE names by its package."""

import select

from django.db.backends.postgresql import base
from psycopg import _queries
from psycopg.pq import TransactionStatus

# A statement longer than this, 4,096 by default, is parsed for parameters at each execution.
_queries.MAX_CACHED_STATEMENT_LENGTH = 8192


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, with a look at the socket before the statement of CONN_HEALTH_CHECKS.

    Outside a transaction a server sends nothing unasked, except a message when it stops or ends
    the connection. An open socket with nothing to read is therefore a connection that works.
    """

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
