"""A large site: real courses of 10,000 entries, graded once, and copied with ids of their own."""

from __future__ import annotations

import re
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction

from bench.measure import Progress
from bench.ward import Loaded
from patients.models import Course

_ID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_COPIED: Final = (
    "patients_chartingact", "patients_entry", "patients_gradeperiod", "patients_gradecheckpoint",
)  # fmt: skip
_NUMBERED: Final = ("patients_gradeperiod", "patients_gradecheckpoint")
_WARDS: Final = 7


@dataclass(frozen=True, slots=True)
class Generated:
    """What was generated: rows by table, and how many a second."""

    rows: Mapping[str, int]
    per_second: float


def fill(templates: Sequence[Loaded], courses: int) -> Generated:
    """Copy the templates in turn until there are ``courses`` more courses, spread over wards.

    Every id of a course, its acts, forms and entries is another one in each copy, in the findings
    of its periods and in its checkpoints as well.
    """
    begun = time.monotonic()
    texts = [{table: _read(table, one.course_id) for table in _COPIED} for one in templates]
    progress = Progress(f"copying {courses} courses", courses)
    for number in range(courses):
        place = number % len(templates)
        _copy_one(templates[place].course_id, texts[place], number)
        progress.step()
    took_s = time.monotonic() - begun
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    rows = table_rows()
    print(f"  {sum(rows.values()):,} rows, {took_s:.0f} s", file=sys.stderr)
    return Generated(rows, sum(rows.values()) / took_s)


def table_rows() -> dict[str, int]:
    """Return how many rows each of the copied tables has."""
    with connection.cursor() as cursor:
        found = {}
        for table in _COPIED:
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - constants
            found[table] = cursor.fetchone()[0]
    return found


def table_bytes() -> dict[str, tuple[int, int]]:
    """Return the bytes of rows and of indexes by table, those of partitions together."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT top.relname, sum(pg_table_size(leaf.oid)), sum(pg_indexes_size(leaf.oid))"
            " FROM pg_class AS top JOIN pg_class AS leaf ON leaf.oid = top.oid"
            " OR leaf.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = top.oid)"
            " WHERE top.oid = ANY(%s::regclass[]) GROUP BY 1",
            [list(_COPIED)],
        )
        return {name: (int(rows), int(indexes)) for name, rows, indexes in cursor.fetchall()}


def _read(table: str, course: uuid.UUID) -> str:
    """Return the rows of a course in COPY's text, without numbers that the database makes."""
    with connection.cursor() as cursor:
        columns = ", ".join(_columns(table))
        rows = f"SELECT {columns} FROM {table} WHERE course_id = '{course}'"  # noqa: S608
        with cursor.cursor.copy(f"COPY ({rows}) TO STDOUT") as source:
            return b"".join(source).decode()


def _columns(table: str) -> list[str]:
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    names = [column.name for column in described]
    return [name for name in names if name != "id" or table not in _NUMBERED]


@transaction.atomic
def _copy_one(template: uuid.UUID, texts: Mapping[str, str], number: int) -> None:
    course = Course.objects.select_related("patient").get(pk=template)
    patient = course.patient
    patient.pk, patient.mrn, patient.name = None, f"SCALE-{number:06}", f"SCALE, Patient {number}"
    patient._state.adding = True
    patient.save()
    course.pk, course._state.adding, course.patient = uuid.uuid4(), True, patient
    course.ward, course.bed = f"Ward {number % _WARDS}", str(number)
    course.save()
    others: dict[str, str] = {str(template): str(course.pk)}

    def other(found: re.Match[str]) -> str:
        return others.get(found[0]) or others.setdefault(found[0], str(uuid.uuid4()))

    with connection.cursor() as cursor:
        for table in _COPIED:
            statement = f"COPY {table} ({', '.join(_columns(table))}) FROM STDIN"
            with cursor.cursor.copy(statement) as target:
                target.write(_ID.sub(other, texts[table]))


def sequential_scans(statements: Sequence[str]) -> list[str]:
    """Return the large tables that the statements read from end to end, by PostgreSQL's plans."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE reltuples > 5000 AND relkind IN ('r', 'p')"
            " AND relnamespace = 'public'::regnamespace"
        )
        large = {name for (name,) in cursor.fetchall()}
        found = []
        for statement in statements:
            if not statement.lstrip().startswith(("SELECT", "WITH", "INSERT", "UPDATE")):
                continue
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
            (plans,) = cursor.fetchone()
            found += [
                f"{name}: {statement.strip()[:60]}"
                for name in _scanned(plans[0]["Plan"])
                if name in large
            ]
    return found


def _scanned(plan: Mapping[str, Any]) -> list[str]:
    own = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return own + [name for inner in plan.get("Plans", ()) for name in _scanned(inner)]
