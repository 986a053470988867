"""`manage.py check` and `migrate`: whether settings and database agree about a pooler between them.

In transaction mode each transaction can run in another session of the database (PgBouncer, config:
pool_mode). Limits of waiting and what a commit waits for are settings of the role, which every
session has; locks are those of transactions. Prepared statements, cursors of the server, options of
the address and settings of a session do not work there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections

_DATABASE: Final = "default"


@register()
def check_settings(**_options: Any) -> list[CheckMessage]:
    """Find what a pooler in transaction mode does not keep, by the settings alone."""
    if not settings.POOLER:
        return []
    database = connections[_DATABASE].settings_dict
    options = database["OPTIONS"]
    found: list[CheckMessage] = []
    if options.get("options"):
        hint = "Store them for the role: ALTER ROLE crs_web IN DATABASE crs SET name = 'value'."
        words = "DATABASE_URL has options, which a pooler in transaction mode refuses or loses."
        found.append(Error(words, hint=hint, id="crs.E001"))
    is_prepared = options.get("prepare_threshold") is not None
    if is_prepared or not database.get("DISABLE_SERVER_SIDE_CURSORS"):
        words = "Prepared statements or cursors of the server are on behind a pooler."
        hint = "Leave both to CRS_POOLER=transaction."
        found.append(Error(words, hint=hint, id="crs.E002"))
    return found


@register(Tags.database)
def check_database(databases: Iterable[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Find a pooler that the settings do not name, and one before the owner of the tables."""
    if _DATABASE not in (databases or ()):
        return []
    connection = connections[_DATABASE]
    try:
        if not leads_to_pooler(connection):
            return []
    except DatabaseError:
        return []  # an outage is no fault of the settings
    owner = settings.OWNER_DATABASE
    if owner is not None and connection.settings_dict["USER"] == owner["USER"]:
        words = "CRS_OWNER_DATABASE_URL leads to a pooler."
        hint = "Name the database itself: a migration is one long session."
        return [Error(words, hint=hint, id="crs.E004")]
    if settings.POOLER:
        return []
    words = "DATABASE_URL leads to a pooler, and CRS_POOLER is not set."
    return [Error(words, hint="Set CRS_POOLER=transaction.", id="crs.E003")]


def leads_to_pooler(connection: Any) -> bool:
    """Return whether the process that answers is not the one that the connection was opened to."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (answers,) = cursor.fetchone()
    return bool(answers != connection.connection.info.backend_pid)
