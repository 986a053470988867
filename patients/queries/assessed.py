"""Read from when on a course has been assessed: grade 0 means nothing before that.

Grade 0 says that no criterion is met. That is known once a temperature, a pressure and the oxygen
have been charted after the infusion.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.db import connection

from patients.queries.entries import sql_not_replaced, sql_not_replaced_then

_WANTED: Final = """(VALUES
    ('vitals', ARRAY['temperature_c', 'temperature_f']),
    ('vitals', ARRAY['systolic_mmhg', 'mean_arterial_pressure_mmhg']),
    ('oxygen', ARRAY['device'])
) AS wanted (kind, keys)"""


def sql_assessed_since(*, course: str, infused_at: str, in_force: str = "") -> str:
    """Return a subquery: the first time at which temperature, pressure and oxygen are all known.

    NULL where one of them was never charted. ``course`` and ``infused_at`` are SQL expressions;
    ``in_force`` is the condition that an entry counts, by default that nothing replaces it now.
    """
    return (
        "(SELECT CASE WHEN count(*) = 3 THEN max(first.at) END "  # noqa: S608 - made of constants
        f"FROM {_WANTED}, LATERAL (SELECT entry.at FROM patients_entry AS entry "
        f"WHERE entry.course_id = {course} AND entry.at >= {infused_at} "
        "AND entry.kind = wanted.kind AND entry.body ?| wanted.keys "
        f"AND {in_force or sql_not_replaced('entry')} ORDER BY entry.at LIMIT 1) AS first)"
    )


SQL_ASSESSED_SINCE: Final = sql_assessed_since(
    course="%(course)s",
    infused_at="(SELECT infused_at FROM patients_course WHERE id = %(course)s)",
)
"""The subquery for the course of the statement."""
SQL_ASSESSED_SINCE_THEN: Final = sql_assessed_since(
    course="%(course)s",
    infused_at="(SELECT min(lower(valid)) FROM patients_gradeperiod AS period "
    "WHERE period.course_id = %(course)s AND period.known @> %(known_at)s::timestamptz)",
    in_force=f"entry.recorded_at <= %(known_at)s AND {sql_not_replaced_then('entry')}",
)
"""The same as it was known at ``known_at``; grading begins with the infusion of then."""


def read_assessed_since(course_id: uuid.UUID, infused_at: datetime) -> datetime | None:
    """Read from when on a course that was infused at ``infused_at`` has been assessed."""
    first = sql_assessed_since(course="%(course)s", infused_at="%(infused_at)s")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {first}", {"course": course_id, "infused_at": infused_at})
        (since,) = cursor.fetchone()
    return since  # type: ignore[no-any-return]
