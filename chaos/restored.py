"""A course put back to an earlier time, as a restored server has it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from patients.models import Course

_ROWS: Final = (
    "SELECT coalesce(json_agg(to_jsonb(one)), '[]')::text FROM {table} AS one"
    " WHERE one.course_id = %s"
)
_BACK: Final = (
    "INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"
)


@dataclass(frozen=True)
class Snapshot:
    """The rows of one course in every table that refers to courses, as JSON by table."""

    course_id: uuid.UUID
    rows: dict[str, str]

    @classmethod
    def of(cls, course_id: uuid.UUID) -> Snapshot:
        with _course_alone(course_id), connection.cursor() as cursor:
            rows = {}
            for table in _tables():
                cursor.execute(_ROWS.format(table=table), [course_id])
                rows[table] = cursor.fetchone()[0]
        return cls(course_id, rows)

    def restore(self) -> None:
        """Put the rows in the place of the present ones; the connection must be a superuser's."""
        with (
            _without_triggers(),
            _course_alone(self.course_id),
            connection.cursor() as cursor,
        ):
            for table, rows in self.rows.items():
                cursor.execute(f"DELETE FROM {table} WHERE course_id = %s", [self.course_id])  # noqa: S608
                if json.loads(rows):
                    cursor.execute(_BACK.format(table=table), [rows])


def _tables() -> list[str]:
    found = {
        f'"{related.related_model._meta.db_table}"'
        for related in Course._meta.related_objects
        if related.field.column == "course_id"
    }
    return sorted(found)


@contextmanager
def _course_alone(course_id: uuid.UUID) -> Iterator[None]:
    """Wait for a save that is under way and let the next one wait, so that none is half restored.

    A server is restored while nobody is connected; here a request can be on its way still.
    """
    with transaction.atomic():
        Course.objects.select_for_update().get(pk=course_id)
        yield


@contextmanager
def _without_triggers() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")
