"""Django's database settings, from the address in DATABASE_URL or for the local server."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from crs_app.local_postgres import NAME, OWNER, USER, WEB, local_server, socket_address

ENGINE: Final = "django.db.backends.postgresql"


def django_database(url: str | None, *, name: str = "DATABASE_URL") -> dict[str, Any]:
    """Return Django's settings for a postgresql:// address, or for the local server's socket.

    ``name`` is the variable that has the address.

    :raises ValueError: for anything that is not a PostgreSQL address.
    """
    if not url:
        return {"ENGINE": ENGINE, "NAME": NAME, "USER": WEB, "OPTIONS": {}} | socket_address(
            local_server()
        )
    try:
        parts: dict[str, Any] = dict(conninfo_to_dict(url))
    except psycopg.ProgrammingError as error:
        # Not the address itself: it holds a password.
        raise ValueError(f"{name} is not a postgresql:// address.") from error
    return {
        "ENGINE": ENGINE,
        "NAME": parts.pop("dbname", ""),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "OPTIONS": parts,
    }


def owner_database(web_url: str | None, owner_url: str | None) -> dict[str, Any] | None:
    """Return the settings of the tables' owner, who migrates; None where no owner is named.

    The local server has an owner of its own.

    :raises ValueError: for anything that is not a PostgreSQL address.
    """
    if owner_url:
        return django_database(owner_url, name="CRS_OWNER_DATABASE_URL")
    return None if web_url else django_database(None) | {"USER": OWNER}


def keeper_database(web_url: str | None, keeper_url: str | None) -> dict[str, Any] | None:
    """Return the settings of the superuser who restores; None where none is named.

    The local server has one of its own.

    :raises ValueError: for anything that is not a PostgreSQL address.
    """
    if keeper_url:
        return django_database(keeper_url, name="CRS_KEEPER_DATABASE_URL")
    return None if web_url else django_database(None) | {"USER": USER}
