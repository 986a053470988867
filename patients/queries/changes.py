"""Read what was recorded of a course after a reader had seen it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from crs_app.accounts.models import display_name_of
from grading.engine.grading_system import GradingSystem
from patients.models import Course, Entry
from patients.queries.entries import SQL_ENTRIES_AS_JSON, EntryRow, parse_entry_rows
from patients.queries.reviews import Run, parse_runs, sql_runs

SQL_CHANGES: Final = """
SELECT (SELECT as_text FROM ({then}) AS one_course (course_id, as_text)),
    (SELECT as_text FROM ({today}) AS one_course (course_id, as_text)), (
    SELECT count(*) FROM patients_entry WHERE course_id = %(course)s AND recorded_at > %(seen)s
), (
    SELECT array_agg(DISTINCT entry.body ->> 'agent') FROM patients_entry AS entry
    WHERE entry.course_id = %(course)s AND entry.kind = 'treatment'
        AND entry.recorded_at > %(seen)s
)
""".replace("{then}", sql_runs(known_at="%(seen)s", now="%(seen)s")).replace("{today}", sql_runs())
SQL_CHANGED_BY: Final = f"""
SELECT act.source, act.author_name, author.username, author.first_name, author.last_name, (
    SELECT {SQL_ENTRIES_AS_JSON}
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
    WHERE entry.course_id = act.course_id AND entry.act_id = act.id
), (
    SELECT {SQL_ENTRIES_AS_JSON}
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
    WHERE entry.course_id = act.course_id AND entry.id IN (
        SELECT replaces_id FROM patients_entry
        WHERE course_id = act.course_id AND act_id = act.id
    )
)
FROM unnest(%(instants)s::timestamptz[], %(grades)s::smallint[])
    WITH ORDINALITY AS point (at, grade, place)
CROSS JOIN LATERAL (
    SELECT min(lower(known)) AS at FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND valid @> point.at
        AND lower(known) > %(seen)s AND grade IS NOT DISTINCT FROM point.grade
) AS changed
LEFT JOIN patients_chartingact AS act
    ON act.course_id = %(course)s AND act.recorded_at = changed.at
LEFT JOIN accounts_user AS author ON author.id = act.recorded_by_id
ORDER BY point.place
"""  # noqa: S608 - made of constants


class ChangesRow(NamedTuple):
    """The runs up to ``seen_until`` as they were known then, those of today, and what is new.

    ``agents`` are the treatments that were charted since.
    """

    then: list[Run]
    today: list[Run]
    new_entries: int
    agents: list[str]


def read_changes(
    course: Course, system: GradingSystem, seen_until: datetime, now: datetime
) -> ChangesRow:
    """Read what changed in ``course`` since ``seen_until``, in one statement."""
    params: dict[str, Any] = {
        "course": course.pk,
        "system": system.key,
        "seen": seen_until,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_CHANGES, params)
        then, today, new_entries, agents = cursor.fetchone()
    return ChangesRow(parse_runs(then), parse_runs(today), new_entries, agents or [])


class ChangedBy(NamedTuple):
    """The act that changed a grade of the past: its source, "" where no act is found.

    ``entries`` are those that it recorded, ``replaced`` those that they replaced.
    """

    source: str
    author: str
    entries: list[EntryRow]
    replaced: list[EntryRow]


def read_changed_by(
    course_id: uuid.UUID,
    system: GradingSystem,
    seen_until: datetime,
    points: Sequence[tuple[datetime, int | None]],
) -> list[ChangedBy]:
    """Read, for each instant and its grade of today, what made the chart say so again first.

    In one statement.
    """
    params: dict[str, Any] = {
        "course": course_id,
        "system": system.key,
        "seen": seen_until,
        "instants": [at for at, _ in points],
        "grades": [grade for _, grade in points],
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_CHANGED_BY, params)
        rows = cursor.fetchall()
    return [
        ChangedBy(
            source or "",
            kept_name or ("" if names[0] is None else display_name_of(*names)),
            parse_entry_rows(entries),
            parse_entry_rows(replaced),
        )
        for source, kept_name, *names, entries, replaced in rows
    ]


def corrections_recorded_between(
    course: Course, after: datetime, until: datetime
) -> QuerySet[Entry]:
    """Query the corrections and retractions recorded in (``after``, ``until``], with their acts."""
    return (
        Entry.objects.filter(course=course, recorded_at__gt=after, recorded_at__lte=until)
        .exclude(replaces=None)
        .select_related("recorded_by", "act")
    )
