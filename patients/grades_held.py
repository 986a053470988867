"""The grades that a course has held, as far back as anything shown or advised depends on them.

A course of a month has hundreds of periods: what is read here does not grow with them.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.systems.lee_2014 import RULESET
from patients.chart import AS_JSON, WEIGHTS, EntryRow, name_of, rows_from
from patients.grade_card import Author, Stretch

LOOKS_BACK: Final = timedelta(hours=24)

# Guidance reads the grades since the first treatment and since the oldest answer.
_QUERY: Final = """
WITH held AS NOT MATERIALIZED (
    SELECT grade, valid, lower(valid) AS start FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND upper_inf(known)
        AND lower(valid) <= %(now)s
), oldest AS MATERIALIZED (
    SELECT (SELECT min(at) FROM patients_entry
            WHERE course_id = %(course)s AND kind = 'treatment') AS treatment,
        (SELECT min(recorded_at) FROM patients_guidanceanswer
            WHERE course_id = %(course)s) AS answer
), wholly AS MATERIALIZED (
    SELECT start FROM held
    WHERE start <= (SELECT least(%(back)s, treatment, answer) FROM oldest)
    ORDER BY start DESC LIMIT 1
), by_grade AS MATERIALIZED (
    SELECT first.valid, first.grade, first.start, last.start AS last_start
    FROM generate_series(0, 5) AS possible, LATERAL (
        SELECT valid, grade, start FROM held WHERE grade = possible ORDER BY start LIMIT 1
    ) AS first, LATERAL (
        SELECT start FROM held WHERE grade = possible ORDER BY start DESC LIMIT 1
    ) AS last
), other AS MATERIALIZED (
    SELECT last_start AS start FROM by_grade ORDER BY last_start DESC OFFSET 1 LIMIT 1
)
SELECT (
    SELECT CAST(json_agg(
        json_build_array(lower(valid), upper(valid), grade) ORDER BY valid) AS text)
    FROM (
        SELECT valid, grade FROM held
            WHERE start >= coalesce((SELECT start FROM wholly), '-infinity')
        UNION SELECT valid, grade FROM by_grade
        UNION (SELECT valid, grade FROM held
            WHERE start >= (SELECT start FROM other) ORDER BY start LIMIT 2)
    ) AS shown
), oldest.answer IS NOT NULL, (
    SELECT CAST(json_agg(json_build_array(entry.id, entry.at,
        author.username, author.first_name, author.last_name)) AS text)
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
    WHERE entry.id = ANY(%(entries)s::uuid[])
), (
    SELECT {as_json}
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
    WHERE entry.course_id = %(course)s AND {weights}
        AND NOT EXISTS (SELECT FROM patients_entry AS later WHERE later.replaces_id = entry.id)
)
FROM oldest
""".replace("{as_json}", AS_JSON).replace("{weights}", WEIGHTS)


class Held(NamedTuple):
    """``grades`` as in ``grades_held``.

    ``authors`` are those of the entries asked for, by their id; ``weights`` those in force since
    the instant asked for, and the one that held there.
    ``may_have_answers`` is false where guidance was never answered on the course.
    """

    grades: list[Stretch]
    authors: dict[str, Author]
    weights: list[EntryRow]
    may_have_answers: bool


def grades_held(
    course_id: uuid.UUID,
    now: datetime,
    entry_ids: Iterable[str] = (),
    *,
    weights_since: datetime | None = None,
) -> Held:
    """When which grade held, in order, as the chart has it now; and who charted ``entry_ids``.

    Whole for the last 24 h, since the first treatment and since the oldest answer to guidance;
    before that, the first time of each grade, and the start of the grade that holds at ``now``
    with what was before it.
    """
    said: dict[str, Any] = {
        "course": course_id,
        "system": RULESET,
        "now": now,
        "back": now - LOOKS_BACK,
        "entries": list(entry_ids),
        "since": weights_since,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, said)
        grades, has_answers, authors, weights = cursor.fetchone()
    return Held(
        [
            Stretch(
                datetime.fromisoformat(start),
                None if end is None else datetime.fromisoformat(end),
                grade,
            )
            for start, end, grade in json.loads(grades or "[]")
        ],
        {
            pk: Author(name_of(*names), datetime.fromisoformat(at))
            for pk, at, *names in json.loads(authors or "[]")
        },
        rows_from(weights),
        has_answers,
    )
