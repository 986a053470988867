"""Django's sessions in the database, read by a fixed SQL text in place of a model's query.

Every request reads its session, and Django composes the query again each time.
"""

from __future__ import annotations

from typing import Final

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import connection
from django.utils import timezone

_QUERY: Final = """
SELECT session_key, session_data, expire_date FROM django_session
WHERE session_key = %s AND expire_date > %s
"""


class SessionStore(db.SessionStore):
    """``django.contrib.sessions.backends.db`` in the same table, with the same rows."""

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        """Return the row of this session, None where there is none or it has expired."""
        with connection.cursor() as cursor:
            cursor.execute(_QUERY, [self.session_key, timezone.now()])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return None
        return self.model(*found)
