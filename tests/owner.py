"""The tests run as the web role; what only the owner of the tables may do is done here.

The session is the superuser's of a throw-away server, and its role the web process's: ``SET ROLE
NONE`` gives a test the owner's rights, which triggers refuse as well, and ``RESET ROLE`` takes them
away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management.commands import flush
from django.db import connection, transaction

from crs_app.database_roles import grant_to
from crs_app.local_postgres import WEB
from crs_app.operations.partitions.convert import drop_old, partition_charts
from crs_app.operations.programs import Address


def end_other_sessions(server: psycopg.Connection[Any], name: str) -> None:
    """End every session of the database ``name``: PostgreSQL copies one that nobody uses.

    A browser that went away in the middle of an answer leaves its connection behind.
    """
    server.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name]
    )


@contextmanager
def rights_of_owner() -> Iterator[None]:
    """Give the connection the rights of the owner of the tables for the length of the block."""
    _run("SET ROLE NONE")
    try:
        yield
    finally:
        if connection.is_usable():
            _run("RESET ROLE")


@pytest.fixture
def as_owner(db: None) -> Iterator[None]:
    """The test has the rights of the owner of the tables, whom triggers refuse."""
    with rights_of_owner():
        yield


def become_web_role(pooler: Mapping[str, str] | None = None) -> None:
    """Let every later connection have the rights of the web role alone, through a pooler or not."""
    _run(f"""DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{WEB}')
        THEN CREATE ROLE "{WEB}"; END IF;
    END $$""")
    grant_to(WEB)
    if pooler:
        # It takes no options: each session that it opens from now on begins with this role.
        _run(f"ALTER ROLE CURRENT_USER IN DATABASE {_database()} SET role = '{WEB}'")
        _direct.update({part: connection.settings_dict[part] for part in pooler})
        connection.close()
        connection.settings_dict.update(pooler)
        return
    connection.close()
    connection.settings_dict["OPTIONS"]["options"] = f"-c role={WEB}"


def partition_tables() -> None:
    """Convert the empty tables of acts and entries, as an operator does those of a large site."""
    superuser = Address.of(connection.settings_dict)
    partition_charts(superuser, WEB, lambda _: None)
    drop_old(superuser)
    connection.close()  # later ones plan statements as those of a partitioned site do


def become_superuser() -> None:
    """Let every later connection have the rights that remove the database of the tests."""
    connection.close()
    connection.settings_dict.update(_direct)
    if _direct:  # a pooler keeps its sessions, and the database could not be removed
        with rights_of_owner():
            _run(_END_OTHER_SESSIONS)
        connection.close()
    connection.settings_dict["OPTIONS"].pop("options", None)


@pytest.fixture(scope="session", autouse=True)
def flush_as_owner() -> Iterator[None]:
    """Empty the tables that have rows after a transactional test, past the triggers.

    Django's flush truncates them all, which takes longer: each has files that are made again.
    """

    def past_triggers(_self: flush.Command, **_options: Any) -> None:
        # In one transaction: behind a pooler the next one can have another session.
        with transaction.atomic():
            _run("SET LOCAL ROLE NONE")
            _run("SET LOCAL session_replication_role = replica")
            _run(_EMPTY_WHAT_HAS_ROWS)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush.Command, "handle", past_triggers)
        yield


_EMPTY_WHAT_HAS_ROWS = """
DO $$
DECLARE
    name text;
    has_rows boolean;
BEGIN
    FOR name IN
        SELECT quote_ident(tablename) FROM pg_tables
        WHERE schemaname = current_schema() AND tablename NOT IN
            ('django_migrations', 'django_content_type', 'auth_permission')
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO has_rows;
        IF has_rows THEN
            EXECUTE 'DELETE FROM ' || name;
        END IF;
    END LOOP;
END $$
"""


_END_OTHER_SESSIONS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_direct: dict[str, str] = {}
"""The address of the server itself, where the tests use that of a pooler."""


def _database() -> str:
    return connection.ops.quote_name(connection.settings_dict["NAME"])


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
