"""Django's sessions in the database, read by a fixed SQL text in place of a model's query.

Every request reads its session, and Django composes the query again each time.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib.sessions.backends import db
from django.db import connection
from django.utils import timezone

_QUERY: Final = """
SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s
"""


class SessionStore(db.SessionStore):
    """``django.contrib.sessions.backends.db`` in the same table, with the same rows."""

    def load(self) -> dict[str, Any]:
        """Return the contents of this session; none where it does not exist or has expired."""
        with connection.cursor() as cursor:
            cursor.execute(_QUERY, [self.session_key, timezone.now()])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        contents: dict[str, Any] = self.decode(found[0])
        return contents
