"""Read what was recorded of a course next to an instant, and when it changed over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.grading_system import GradingSystem
from patients.models import Course
from patients.queries.json_columns import parsed
from patients.queries.near import SQL_RESUME, Near, near_of, resume_params

MARKS_AT_MOST: Final = 300
"""How many times of recording a slider marks: more lie in one pixel."""
_BESIDE: Final = """
SELECT json_build_array(found.recorded_at, found.what, found.word, (
    SELECT json_agg(json_build_array(coalesce(old.kind, entry.kind),
        coalesce(old.body, entry.body) ->> 'drug', entry.kind = 'retraction',
        entry.replaces_id IS NOT NULL) ORDER BY entry.place)
    FROM patients_entry AS entry LEFT JOIN patients_entry AS old
        ON old.course_id = entry.course_id AND old.id = entry.replaces_id
    WHERE entry.course_id = %(course)s AND entry.act_id = found.act
))
FROM (
    (SELECT recorded_at, 'act' AS what, source AS word, id AS act FROM patients_chartingact
        WHERE course_id = %(course)s AND recorded_at {is} ORDER BY recorded_at {order} LIMIT 1)
    UNION ALL
    (SELECT recorded_at, 'transfer', what, NULL FROM patients_transfer
        WHERE course_id = %(course)s AND recorded_at {is} ORDER BY recorded_at {order} LIMIT 1)
    UNION ALL
    (SELECT recorded_at, 'review', '', NULL FROM patients_gradereview
        WHERE course_id = %(course)s AND recorded_at {is} ORDER BY recorded_at {order} LIMIT 1)
) AS found
ORDER BY found.recorded_at {order} LIMIT 1
"""
_MARKS: Final = """
SELECT json_agg(json_build_array(place, is_change) ORDER BY place)
FROM (
    SELECT width_bucket(extract(epoch FROM act.recorded_at), extract(epoch FROM bounds.first),
            extract(epoch FROM %(now)s::timestamptz) + 1, {most}) AS place,
        bool_or(EXISTS (
            SELECT FROM patients_entry AS entry
            WHERE entry.course_id = act.course_id AND entry.act_id = act.id
                AND (entry.replaces_id IS NOT NULL
                    OR entry.at < act.recorded_at - interval '{late}')
        )) AS is_change
    FROM patients_chartingact AS act, (
        SELECT min(recorded_at) AS first FROM patients_chartingact WHERE course_id = %(course)s
    ) AS bounds
    WHERE act.course_id = %(course)s AND act.recorded_at <= %(now)s
    GROUP BY place
) AS mark
""".format(most=MARKS_AT_MOST, late="1 hour")  # noqa: S608 - made of constants
_STATEMENT: Final = """
SELECT (SELECT min(recorded_at) FROM patients_chartingact WHERE course_id = %(course)s),
    ({before}), ({after}), {marks}
"""
SQL_BESIDE_NOW: Final = _STATEMENT.format(
    before=_BESIDE.format(**{"is": "< %(instant)s", "order": "DESC"}),
    after=_BESIDE.format(**{"is": "> %(instant)s", "order": "ASC"}),
    marks="NULL",
)
SQL_BESIDE_THEN: Final = _STATEMENT.format(
    before=_BESIDE.format(**{"is": "< %(instant)s", "order": "DESC"}),
    after=_BESIDE.format(**{"is": "> %(instant)s", "order": "ASC"}),
    marks=f"({_MARKS})",
)


_NEAR_AND_BESIDE: Final = """
SELECT near.*, beside.*
FROM ({near}) AS near (resume_at, state, run_begins),
    ({beside}) AS beside (first, before, after, marks)
"""


class RecordedPart(NamedTuple):
    """An entry of an act: its kind and drug, and whether it retracted or replaced another."""

    kind: str
    drug: str | None
    is_retraction: bool
    is_change: bool


class RecordedChange(NamedTuple):
    """Something that was recorded: an act of ``word`` (its source), a transfer, or a review."""

    recorded_at: datetime
    what: str
    word: str
    parts: Sequence[RecordedPart]


class Mark(NamedTuple):
    """A place of 1 to MARKS_AT_MOST between the first recording and now.

    ``is_change``: something was charted late or corrected there.
    """

    place: int
    is_change: bool


class Neighbours(NamedTuple):
    """What was recorded on a course: first, last before an instant, next after it, and marks.

    None where there is none; the instant itself counts as neither.
    """

    first: datetime | None
    before: RecordedChange | None
    after: RecordedChange | None
    marks: Sequence[Mark]


def read_neighbours(
    course: Course, instant: datetime, now: datetime, *, with_marks: bool
) -> Neighbours:
    """Read what was recorded next to ``instant``, in one statement."""
    params: dict[str, Any] = {"course": course.pk, "instant": instant, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(SQL_BESIDE_THEN if with_marks else SQL_BESIDE_NOW, params)
        return _neighbours(*cursor.fetchone())


def read_near_with_neighbours(
    course: Course,
    system: GradingSystem,
    now: datetime,
    *,
    at: datetime,
    known_at: datetime,
    with_marks: bool,
) -> tuple[Near, Neighbours]:
    """Read ``read_near`` and ``read_neighbours`` of ``known_at``, in one statement."""
    params = resume_params(course, system, at=at, known_at=known_at)
    params |= {"instant": known_at, "now": now}
    acts = SQL_BESIDE_THEN if with_marks else SQL_BESIDE_NOW
    with connection.cursor() as cursor:
        cursor.execute(_NEAR_AND_BESIDE.format(near=SQL_RESUME, beside=acts), params)
        *near, first, before, after, marks = cursor.fetchone()
    return near_of(system, at, *near), _neighbours(first, before, after, marks)


def _neighbours(first: datetime | None, before: Any, after: Any, marks: Any) -> Neighbours:
    return Neighbours(
        first, _change(before), _change(after), [Mark(*mark) for mark in parsed(marks) or ()]
    )


def _change(found: Any) -> RecordedChange | None:
    if found is None:
        return None
    recorded_at, what, word, parts = parsed(found)
    return RecordedChange(
        datetime.fromisoformat(recorded_at),
        what,
        word,
        [RecordedPart(*part) for part in parts or ()],
    )
