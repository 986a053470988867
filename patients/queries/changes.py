"""Read what was recorded of a course after a reader had seen it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from grading.engine.grading_system import GradingSystem
from patients.models import ChartingAct, Course, Entry
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
SQL_CHANGED_BY: Final = """
SELECT (
    SELECT min(lower(known)) FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND valid @> point.at
        AND lower(known) > %(seen)s AND grade IS NOT DISTINCT FROM point.grade
)
FROM unnest(%(instants)s::timestamptz[], %(grades)s::smallint[])
    WITH ORDINALITY AS point (at, grade, place)
ORDER BY point.place
"""


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


def read_changed_at(
    course_id: uuid.UUID,
    system: GradingSystem,
    seen_until: datetime,
    points: Sequence[tuple[datetime, int | None]],
) -> list[datetime | None]:
    """Read, for each instant and its grade of today, when the chart first said so again."""
    params: dict[str, Any] = {
        "course": course_id,
        "system": system.key,
        "seen": seen_until,
        "instants": [at for at, _ in points],
        "grades": [grade for _, grade in points],
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_CHANGED_BY, params)
        return [row[0] for row in cursor.fetchall()]


def acts_recorded_at(course: Course, instants: Sequence[datetime]) -> QuerySet[ChartingAct]:
    """Query the acts of ``course`` that were recorded at ``instants``, with their authors."""
    return ChartingAct.objects.filter(course=course, recorded_at__in=instants).select_related(
        "recorded_by"
    )


def entries_recorded_at(course: Course, instants: Sequence[datetime]) -> QuerySet[Entry]:
    """Query the entries of ``course`` recorded at ``instants``, with what they replaced."""
    return (
        Entry.objects.filter(course=course, recorded_at__in=instants)
        .select_related("recorded_by", "replaces__recorded_by")
        .order_by("recorded_at", "place")
    )


def corrections_recorded_between(
    course: Course, after: datetime, until: datetime
) -> QuerySet[Entry]:
    """Query the corrections and retractions recorded in (``after``, ``until``], with their acts."""
    return (
        Entry.objects.filter(course=course, recorded_at__gt=after, recorded_at__lte=until)
        .exclude(replaces=None)
        .select_related("recorded_by", "act")
    )
