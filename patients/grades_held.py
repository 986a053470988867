"""The grades that a course has held, as far back as anything shown or advised depends on them.

A course of a month has hundreds of periods: what is read here does not grow with them.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from grading.engine.systems.lee_2014 import RULESET

LOOKS_BACK: Final = timedelta(hours=24)
_LATEST: Final = 64

# Guidance reads the grades since the first treatment and since the oldest answer.
_QUERY: Final = """
WITH held AS NOT MATERIALIZED (
    SELECT grade, valid, lower(valid) AS start FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND upper_inf(known)
        AND lower(valid) <= %(now)s
)
(SELECT valid, grade, start FROM held WHERE start >= coalesce((
    SELECT start FROM held WHERE start <= least(
        %(back)s,
        (SELECT min(at) FROM patients_entry
            WHERE course_id = %(course)s AND kind = 'treatment'),
        (SELECT min(recorded_at) FROM patients_guidanceanswer WHERE course_id = %(course)s)
    ) ORDER BY start DESC LIMIT 1
), '-infinity'))
UNION (SELECT valid, grade, start FROM held ORDER BY start DESC LIMIT %(latest)s)
UNION SELECT first.valid, first.grade, first.start
    FROM generate_series(0, 5) AS possible, LATERAL (
        SELECT valid, grade, start FROM held WHERE grade = possible ORDER BY start LIMIT 1
    ) AS first
ORDER BY start
"""
_EVERY_ONE: Final = """
SELECT valid, grade, lower(valid) AS start FROM patients_gradeperiod
WHERE course_id = %(course)s AND system = %(system)s AND upper_inf(known)
    AND lower(valid) <= %(now)s
ORDER BY start
"""


def grades_held(course_id: uuid.UUID, now: datetime) -> list[tuple[DateTimeTZRange, int]]:
    """When which grade held, in order, as the chart has it now.

    Whole for the last 24 h, since the first treatment, since the oldest answer to guidance and
    since the grade that holds at ``now`` began; before that, the first time of each grade.
    """
    said: dict[str, Any] = {
        "course": course_id,
        "system": RULESET,
        "now": now,
        "back": now - LOOKS_BACK,
        "latest": _LATEST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, said)
        held = cursor.fetchall()
        if len({grade for _, grade, _ in held[-_LATEST:]}) == 1 and len(held) >= _LATEST:
            cursor.execute(_EVERY_ONE, said)
            held = cursor.fetchall()
    return [(valid, grade) for valid, grade, _ in held]
