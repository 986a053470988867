"""How long the web role may wait in the database, kept by the database as settings of the role.

They hold for every session of the role from its start: a request sends no statement for them, and a
connection pooler keeps them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from django.conf import settings
from django.db import connection
from psycopg import sql

_LOG: Final = logging.getLogger("crs_app.time_limits")
OF_WEB_ROLE: Final[Mapping[str, str]] = {
    "lock_timeout": "3s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "transaction_timeout": "2min",
}
"""PostgreSQL 18, section 19.11.1, "Statement Behavior"; an older version lacks the last one."""

_KNOWN: Final = "SELECT name FROM pg_settings WHERE name = ANY(%s)"
_LIFT: Final = "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = ANY(%s)"
_LIFTED: Final = tuple(name for name in OF_WEB_ROLE if name != "lock_timeout")


def limit_own_role() -> None:
    """Store the limits for the role of the connection, in this database; later sessions have them.

    A role may change its own settings, without further rights.
    """
    database = sql.Identifier(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [list(OF_WEB_ROLE)])
        for (name,) in cursor.fetchall():
            cursor.execute(
                sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} SET {} = {}").format(
                    database, sql.Identifier(name), sql.Literal(OF_WEB_ROLE[name])
                )
            )


def lift_for_long_job() -> None:
    """Lift the limits but that of locks for this session: an import, a verification, an export.

    Behind a pooler they stay: the session is that of other processes too.
    """
    if settings.POOLER:
        _LOG.warning("Behind a pooler a statement ends after 30 s: name the database itself.")
        return
    with connection.cursor() as cursor:
        cursor.execute(_LIFT, [list(_LIFTED)])
