"""The connection to the database, as Django's setting ENGINE names it."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, with a look at the socket before the statement that CONN_HEALTH_CHECKS costs.

    Between two requests a server has nothing to say: where nothing waits to be read, it has not
    gone. A server that stops, or a connection that is ended, leaves word.
    """

    def is_usable(self) -> bool:
        """Whether the connection still serves."""
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.pgconn.socket, select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
