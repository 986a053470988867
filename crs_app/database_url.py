"""Django's database settings, from the address in DATABASE_URL or for the local server."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from crs_app.local_postgres import NAME, USER, local_server, socket_address

ENGINE: Final = "django.db.backends.postgresql"


def django_database(url: str | None) -> dict[str, Any]:
    """Return Django's settings for a postgresql:// address, or for the local server's socket.

    :raises ValueError: for anything that is not a PostgreSQL address.
    """
    if not url:
        return {"ENGINE": ENGINE, "NAME": NAME, "USER": USER} | socket_address(local_server())
    try:
        parts: dict[str, Any] = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError as error:
        # Not the address itself: it holds a password.
        raise ValueError("DATABASE_URL is not a postgresql:// address.") from error
    return {
        "ENGINE": ENGINE,
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }
