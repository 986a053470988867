"""Whether the board still says what it said: one statement, and nothing kept in between.

A stamp stands for everything that the board prints but ages. The clock is in it: a period that
begins by itself, or an entry that was charted a little ahead, changes the stamp with no save.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection
from django.utils import timezone

# Everything charted, every correction and every change of policy is an act of its course. What the
# clock passes is later than all it has passed before: the latest of any course tells that.
_QUERY: Final = """
SELECT md5(concat_ws('|',
    (SELECT string_agg(concat_ws('|', id, ward, bed, ended_at, (
        SELECT recorded_at FROM patients_chartingact
        WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1
    )), E'\\n' ORDER BY id)
    FROM patients_course AS course WHERE (ended_at IS NOT NULL) = %(ended)s),
    (SELECT max(lower(valid)) FROM patients_gradeperiod
        WHERE upper_inf(known) AND lower(valid) <= %(now)s),
    (SELECT max(at) FROM patients_entry WHERE at > recorded_at AND at <= %(now)s)
))
"""


def stamp_of_board(now: datetime, *, ended: bool = False) -> str:
    """The stamp of the board of open courses at ``now``, or of that of ended ones."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, {"now": now, "ended": ended})
        (digest,) = cursor.fetchone()
    return f"{timezone.localdate(now)}-{digest}"
