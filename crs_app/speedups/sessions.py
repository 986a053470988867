"""Django's sessions in the database, read by a fixed SQL text in place of a model's query.

Every request reads its session. Django composes the query again each time, and verifies the
signature of a text that it has verified before.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends import db
from django.core import signing
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


@lru_cache(maxsize=1024)
def _signed_json(session_data: str, salt: str, key: str) -> str:
    """Return the contents of a session as JSON; raise BadSignature where ``key`` signed others."""
    serializer = SessionStore().serializer
    return json.dumps(signing.loads(session_data, key=key, salt=salt, serializer=serializer))
