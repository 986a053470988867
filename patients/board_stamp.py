"""Whether the board still says what it said: one statement, and nothing kept in between.

A stamp stands for everything that the board prints but ages. The clock is in it: a period that
begins by itself, or an entry that was charted a little ahead, changes the stamp with no save.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from grading.engine.systems.lee_2014 import RULESET
from patients.models import AT_MOST_AHEAD

# Everything charted, every correction and every change of policy is an act of its course.
_QUERY: Final = """
SELECT md5(string_agg(concat_ws('|', course.id, course.ward, course.bed, course.ended_at,
    (SELECT recorded_at FROM patients_chartingact
        WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1),
    (SELECT period.id FROM patients_gradeperiod AS period
        WHERE course_id = course.id AND system = %(system)s AND upper_inf(known)
            AND lower(valid) <= least(%(now)s::timestamptz, course.ended_at)
        ORDER BY lower(valid) DESC LIMIT 1),
    (SELECT max(at) FROM patients_entry
        WHERE course_id = course.id AND at <= %(now)s AND at > recorded_at
            AND at > %(now)s::timestamptz - %(ahead)s::interval)
), E'\\n' ORDER BY course.id))
FROM patients_course AS course WHERE (course.ended_at IS NOT NULL) = %(ended)s
"""


def stamp_of_board(now: datetime, *, ended: bool = False) -> str:
    """The stamp of the board of open courses at ``now``, or of that of ended ones."""
    said: dict[str, Any] = {"system": RULESET, "now": now, "ahead": AT_MOST_AHEAD, "ended": ended}
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, said)
        (digest,) = cursor.fetchone()
    return f"{timezone.localdate(now)}-{digest or 'empty'}"
