"""Django's sessions in the database, read by a fixed SQL text in place of a model's query.

Every request reads its session. Django composes the query again each time, verifies the signature
of a text that it has verified before, and reads the user by a statement more. Which user a session
names stands inside its signed text, so that the process remembers it: the row that is read with the
session counts only where the session still names that user.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.core import signing
from django.db import connection
from django.utils import timezone

from crs_app.speedups.user_rows import SQL_COLUMNS, keep_row

_QUERY: Final = f"""
SELECT session_data, {SQL_COLUMNS}
FROM django_session LEFT JOIN accounts_user ON accounts_user.id = %s::bigint
WHERE session_key = %s AND expire_date > %s
"""  # noqa: S608 - constants
_MOST_REMEMBERED: Final = 1024
_user_ids: dict[str | None, int] = {}
"""Which user a session named when this process read it last, by its key."""


class SessionStore(db.SessionStore):
    """``django.contrib.sessions.backends.db`` in the same table, with the same rows."""

    def load(self) -> dict[str, Any]:
        """Return the contents of this session; none where it does not exist or has expired."""
        with connection.cursor() as cursor:
            expected = _user_ids.get(self.session_key)
            cursor.execute(_QUERY, [expected, self.session_key, timezone.now()])
            found = cursor.fetchone()
        if found is None:
            keep_row(None, [])
            self._session_key = None
            return {}
        session_data, *row = found
        contents: dict[str, Any] = self.decode(session_data)
        named = contents.get(SESSION_KEY)
        if named is not None and str(expected) == named:
            keep_row(expected, row)
        else:
            keep_row(None, [])
            _remember(self.session_key, named)
        return contents

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return the contents that ``session_data`` signs; none where the signature is wrong."""
        text = session_data.decode() if isinstance(session_data, bytes) else session_data
        try:
            signed = _signed_json(text, self.key_salt, settings.SECRET_KEY)
        except Exception:  # Django's own logs it, and returns an empty session
            refused: dict[str, Any] = super().decode(session_data)
            return refused
        contents: dict[str, Any] = json.loads(signed)
        return contents


def _remember(session_key: str | None, user_id: str | None) -> None:
    """Remember which user the session names; forget all where there are many."""
    if len(_user_ids) >= _MOST_REMEMBERED:
        _user_ids.clear()
    if user_id is None:
        _user_ids.pop(session_key, None)
    else:
        _user_ids[session_key] = int(user_id)


@lru_cache(maxsize=1024)
def _signed_json(session_data: str, salt: str, key: str) -> str:
    """Return the contents of a session as JSON; raise BadSignature where ``key`` signed others."""
    serializer = SessionStore().serializer
    return json.dumps(signing.loads(session_data, key=key, salt=salt, serializer=serializer))
