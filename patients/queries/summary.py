"""Read what people stated for the summary of a course."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection


class Statement(NamedTuple):
    """A stored statement as plain columns; see ``SummaryStatement``."""

    pk: int
    about: str
    answer: str
    on_day: date | None
    temperature_c: Decimal | None
    source: str
    at: datetime | None
    words: str
    replaces_id: int | None
    recorded_at: datetime
    author_name: str
    author_role: str
    by_emergency: bool


_SQL_STATEMENTS: Final = """
SELECT id, about, answer, on_day, temperature_c, source, at, words, replaces_id, recorded_at,
    author_name, author_role, by_emergency
FROM patients_summarystatement
WHERE course_id = %(course)s AND recorded_at <= coalesce(%(known_at)s::timestamptz, 'infinity')
ORDER BY id
"""


def read_statements(course_id: uuid.UUID, known_at: datetime | None = None) -> list[Statement]:
    """Read the statements about a course in their order; ``known_at`` None reads all."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL_STATEMENTS, {"course": course_id, "known_at": known_at})
        return [Statement(*columns) for columns in cursor.fetchall()]


def latest_about(statements: Sequence[Statement], about: str) -> Statement | None:
    """Return the statement about a question that nothing replaces; None where there is none."""
    return next((one for one in reversed(statements) if one.about == about), None)
