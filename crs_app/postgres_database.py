"""The database of the local PostgreSQL and its roles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg

# One statement for each table, sequence, view and function that no extension brought.
GIVE_TO_OWNER = """
SELECT format('ALTER TABLE %%s OWNER TO %%I', c.oid::regclass, %(owner)s::text)
FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
UNION ALL
SELECT format('ALTER FUNCTION %%s OWNER TO %%I', p.oid::regprocedure, %(owner)s::text)
FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
"""


def create_database(
    connect: Callable[..., psycopg.Connection[Any]], name: str, *, owner: str, web: str
) -> None:
    """Create the roles and the database, or give those of an earlier version to ``owner``.

    ``connect`` connects as superuser, to the database that it is asked for or to its own.
    """
    with connect() as connection:
        for role in (owner, web):
            if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount < 1:
                connection.execute(f'CREATE ROLE "{role}" LOGIN')
        # Its function says whether a second machine confirms saves; nobody else sees that.
        connection.execute(f'GRANT pg_read_all_stats TO "{owner}"')
        known = connection.execute(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{name}" OWNER "{owner}"')
        elif known[0] != owner:
            with connect(name) as inside:
                for (statement,) in inside.execute(GIVE_TO_OWNER, {"owner": owner}).fetchall():
                    inside.execute(statement)
            connection.execute(f'ALTER DATABASE "{name}" OWNER TO "{owner}"')
