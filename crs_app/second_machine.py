"""What a save needs of the second machine, by the rules that the database keeps.

Whether one is needed is read from the server (``synchronous_standby_names``), so that one command
takes it out for every web machine at once (``manage.py standby``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, connection
from psycopg import sql

from crs_app.outages import SECOND_MACHINE_AWAY, SecondMachineAwayError, sqlstate_of

SQL_NEEDED: Final = """CASE WHEN current_setting('synchronous_standby_names') = '' THEN true
    ELSE need_second_machine() END"""
"""Condition for the first statement of an act: true, or an error where no standby answers.

It makes COMMIT wait until a standby shows the act.
"""
_STORED_HERE: Final = "ALTER ROLE CURRENT_USER IN DATABASE {} SET synchronous_commit = 'local'"


@contextmanager
def refusing_without() -> Iterator[None]:
    """Raise SecondMachineAwayError where a statement with SQL_NEEDED in the block is refused."""
    try:
        yield
    except OperationalError as error:
        if sqlstate_of(error) == SECOND_MACHINE_AWAY:
            raise SecondMachineAwayError from error
        raise


def let_acts_alone_wait() -> None:
    """Store for the role of the connection that only acts wait for a standby.

    Sessions, sign-ins and the record of who looked are stored on the first machine at once and
    copied to the second a little later, so that people can read while the second one is away.
    """
    database = sql.Identifier(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_STORED_HERE).format(database))
