"""The connection to the database, as Django's setting ENGINE names it."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, with a look at the socket before the statement that CONN_HEALTH_CHECKS costs.

    Outside a transaction a server has nothing to say unasked: where nothing waits to be read, it
    has not gone. A server that stops, or a connection that is ended, leaves word.
    """

    def is_usable(self) -> bool:
        """Whether the connection still serves."""
        return self._is_silent() or super().is_usable()

    def _is_silent(self) -> bool:
        """Open, outside a transaction, and with nothing to be read."""
        if self.connection is None:
            return False
        pgconn = self.connection.pgconn
        if pgconn.transaction_status != TransactionStatus.IDLE:
            return False
        waiting = select.poll()
        waiting.register(pgconn.socket, select.POLLIN)
        return not waiting.poll(0)
