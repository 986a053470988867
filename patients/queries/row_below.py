"""Read which row of the timeline is directly below a place, without what the row prints."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection

from grading.engine.grading_system import GradingSystem
from patients.queries.grades import sql_known_now, sql_start_of_period
from patients.queries.timeline import SQL_HAS_A_ROW, SQL_OLDER, TimelinePosition

# Of one time, the order of the timeline: a change of grade, an answer, a move, a review, a
# correction of the identity, an entry. A change counts from the time of that entry on, because
# below it the entry itself is nearer; the period before that time is read to compare with.
_SQL_ROW_BELOW: Final = (
    """
WITH entry AS MATERIALIZED (
    SELECT id, at, recorded_at, place FROM patients_entry AS entry WHERE {has_a_row} {older}
    ORDER BY at DESC, recorded_at DESC, place DESC LIMIT 1
), lowest AS MATERIALIZED (
    SELECT at, recorded_at, place FROM patients_entry
    WHERE course_id = %(course)s AND id = %(until)s::uuid
)
SELECT kind, id, at, coalesce((SELECT CASE kind
    WHEN 'entry' THEN (SELECT (entry.at, entry.recorded_at, entry.place) FROM entry)
        >= (lowest.at, lowest.recorded_at, lowest.place)
    ELSE row.at >= lowest.at END FROM lowest), true)
FROM (
    (SELECT 0 AS rank, 'grade' AS kind, NULL AS id, start AS at FROM (
        SELECT lower(valid) AS start, grade, lag(grade) OVER (ORDER BY lower(valid)) AS before
        FROM patients_gradeperiod
        WHERE course_id = %(course)s AND system = %(system)s AND {known_now}
            AND lower(valid) <= %(now)s AND lower(valid) < %(at)s
            AND lower(valid) >= coalesce({start_before}, (SELECT at FROM entry), '-infinity')
    ) AS period
    WHERE before <> grade AND start >= coalesce((SELECT at FROM entry), '-infinity')
    ORDER BY start DESC LIMIT 1)
    UNION ALL (SELECT 1, 'answer', id::text, recorded_at FROM patients_guidanceanswer
        WHERE course_id = %(course)s AND recorded_at < %(at)s
        ORDER BY recorded_at DESC LIMIT 1)
    UNION ALL (SELECT 2, 'transfer', id::text, at FROM patients_transfer
        WHERE course_id = %(course)s AND at < %(at)s
        ORDER BY at DESC, recorded_at DESC LIMIT 1)
    UNION ALL (SELECT 3, 'review', id::text, recorded_at FROM patients_gradereview
        WHERE course_id = %(course)s AND recorded_at < %(at)s
        ORDER BY id DESC LIMIT 1)
    UNION ALL (SELECT 4, 'identity', correction.id::text, correction.recorded_at
        FROM patients_course AS course JOIN patients_identitycorrection AS correction
            ON correction.patient_id = course.patient_id
            AND (correction.course_id IS NULL OR correction.course_id = course.id)
        WHERE course.id = %(course)s AND correction.recorded_at < %(at)s
        ORDER BY correction.recorded_at DESC, correction.id DESC LIMIT 1)
    UNION ALL SELECT 5, 'entry', id::text, at FROM entry
) AS row
ORDER BY at DESC, rank LIMIT 1
""".replace("{has_a_row}", SQL_HAS_A_ROW)
    .replace("{older}", SQL_OLDER)
    .replace("{known_now}", sql_known_now())
    .replace("{start_before}", sql_start_of_period("< (SELECT at FROM entry)"))
)


class RowBelow(NamedTuple):
    """The time of a row, its kind, and its id; a change of grade has none but its time.

    ``is_shown``: the page that was asked about reaches down to it.
    """

    kind: str
    id: str | None
    at: datetime
    is_shown: bool


def read_row_below(
    course_id: uuid.UUID,
    now: datetime,
    system: GradingSystem,
    position: TimelinePosition,
    until: uuid.UUID | None = None,
) -> RowBelow | None:
    """Read the row directly below ``position`` as the timeline has it at ``now``.

    None where nothing is older. Of results that are one row it is the first entry. ``until`` is the
    lowest entry of the page; without it, or where the course has no such entry, it shows all rows.
    """
    params = {
        "course": course_id,
        "system": system.key,
        "now": now,
        "until": until,
        **position._asdict(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL_ROW_BELOW, params)
        found = cursor.fetchone()
    return None if found is None else RowBelow(*found)
