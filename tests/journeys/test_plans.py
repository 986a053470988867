"""No statement of a save or of a page reads a table that grows from its first row to its last.

PostgreSQL plans for the few rows of a test, so it is forbidden to read a table from end to end
where there is another way: what it still reads so has no index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from tests.journeys.test_query_counts import Page, page  # noqa: F401 - a fixture
from tests.owner import rights_of_owner

# ruff: noqa: F811  (a fixture as an argument)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        "CRS_TEST_PARTITIONED" in os.environ, reason="a partition of three rows needs no index"
    ),
]
GROWS = re.compile(r"patients_(entry|chartingact|gradeperiod|gradecheckpoint|transfer)")

LEADS = re.compile(r"\b(course_id|act_id|replaces_id|id)\b|lower\(valid\)")
"""What the indexes of these tables begin with."""
OF_FEW_ROWS = "entry_ahead"
"""The index of entries charted ahead of their time."""


@pytest.fixture(autouse=True)
def no_statistics(db: None) -> None:
    """Take away, until the end of the test, what PostgreSQL knows of the sizes of the tables.

    Where it has analyzed a table while that was empty, every index of it costs the same.
    """
    with rights_of_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_clear_relation_stats('public', relname) FROM pg_class"
            " WHERE relname ~ %s AND relkind IN ('r', 'i')",
            [f"^{GROWS.pattern}"],
        )
        cursor.execute(
            "DELETE FROM pg_statistic USING pg_class WHERE pg_class.oid = starelid"
            " AND relname ~ %s",
            [f"^{GROWS.pattern}"],
        )


def test_each_statement_of_a_save_and_a_page_has_an_index(page: Page, nurse_client: Client) -> None:
    statements = page.save("vitals", heart_rate="91")
    statements += page.save("vasopressor", drug="norepinephrine", rate="8", unit="ug/min")
    for address in (page.address("bedside"), page.address("review"), "/", "/?q=okonkwo"):
        statements += page.statements(lambda at=address: nurse_client.get(at))
    assert any("INSERT INTO patients_chartingact" in sql for sql in statements)
    faults = [f"{fault}: {sql.strip()[:200]}" for sql in statements for fault in without_index(sql)]
    assert faults == []


def test_a_statement_without_an_index_is_found() -> None:
    assert without_index("SELECT FROM patients_entry WHERE place = 3")
    assert without_index("SELECT count(*) FROM patients_chartingact")


def without_index(statement: str) -> list[str]:
    """Return the tables that grow and that the statement reads from end to end.

    Without statistics PostgreSQL may prefer the index that forbids two answers at once, which
    cannot look up several courses at a time: then it is asked again without that one.
    """
    if not statement.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE")):
        return []
    found = _read_by(statement)
    if found:
        with transaction.atomic():
            with rights_of_owner(), connection.cursor() as cursor:
                # A table with checks that wait for the end of the transaction cannot be altered.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute(
                    "ALTER TABLE patients_gradeperiod DROP CONSTRAINT grade_period_one_answer"
                )
            found = _read_by(statement) and found
            transaction.set_rollback(True)
    return found


def _read_by(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        # These two read both tables whole; a nested loop asks the index for each row.
        cursor.execute("SET LOCAL enable_hashjoin = off")
        cursor.execute("SET LOCAL enable_mergejoin = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        (plans,) = cursor.fetchone()
    return list(_read_whole(plans[0]["Plan"], is_limited=False))


def _read_whole(plan: dict[str, Any], *, is_limited: bool) -> Iterator[str]:
    is_limited = is_limited or plan["Node Type"] == "Limit"
    table = plan.get("Relation Name", "")
    reads = plan["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan")
    finds = LEADS.search(plan.get("Index Cond", "")) or plan.get("Index Name") == OF_FEW_ROWS
    if GROWS.fullmatch(table) and reads and not finds and not is_limited:
        yield f"{plan['Node Type']} of {table} by {plan.get('Index Name')}"
    for inner in plan.get("Plans", ()):
        yield from _read_whole(inner, is_limited=is_limited)
