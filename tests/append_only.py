"""Empties append-only tables between tests, which the database refuses to everyone else.

Triggers are disabled by ``session_replication_role``, which only a superuser may set: the user of
a test's throw-away server is one, a hospital's application user is not.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.db.backends.postgresql.operations import DatabaseOperations


@pytest.fixture(scope="session", autouse=True)
def flush_past_append_only() -> Iterator[None]:
    """Django's flush after a transactional test truncates every table."""
    flush = DatabaseOperations.execute_sql_flush

    def past_triggers(self: DatabaseOperations, sql_list: list[str]) -> Any:
        with connections["default"].cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            try:
                return flush(self, sql_list)
            finally:
                cursor.execute("SET session_replication_role = origin")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", past_triggers)
        yield
