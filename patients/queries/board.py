"""Read the rows of the ward board, and the stamp by which an unchanged board is known."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db import connection
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone

from grading.engine.grading_system import GradingSystem
from patients.models import Course, Entry, EntryKind, GradePeriod
from patients.queries.entries import not_replaced
from patients.queries.grades import KNOWN_NOW, sql_known_now, sql_start_of_period

_NO_OBSERVATION: Final = (
    EntryKind.RETRACTION,
    EntryKind.BASELINE,
    EntryKind.RISK,
    EntryKind.NOTE,
    EntryKind.NOT_OBSERVED,
)

# Periods are found by the index on starts, course by course: by their ends, PostgreSQL would read
# every period.
SQL_PERIODS_FROM_NOW_ON: Final = """
SELECT period.* FROM patients_course AS course, LATERAL (
    SELECT * FROM patients_gradeperiod
    WHERE course_id = course.id AND system = %(system)s AND {known_now}
        AND (upper_inf(valid) OR upper(valid) > %(now)s)
        AND lower(valid) >= coalesce({start_at_now}, '-infinity')
) AS period
WHERE course.ended_at IS NULL ORDER BY period.course_id, lower(period.valid)
""".replace("{known_now}", sql_known_now()).replace(
    "{start_at_now}", sql_start_of_period("<= %(now)s", course="course.id")
)


def read_open_courses(now: datetime) -> QuerySet[Any]:
    """Query the open courses with ``last_observation_at`` and ``maximum``, the highest grade."""
    return _courses_for_board(now).filter(ended_at=None)


def read_ended_courses(now: datetime) -> QuerySet[Any]:
    """Query the ended courses, the latest end first, with the columns of ``read_open_courses``."""
    return _courses_for_board(now).exclude(ended_at=None).order_by("-ended_at")


def read_periods_from_now_on(
    now: datetime, system: GradingSystem
) -> dict[uuid.UUID, list[GradePeriod]]:
    """Read, for each open course, the period in force at ``now`` and those to come, in order."""
    params = {"system": system.key, "now": now}
    return _by_course(GradePeriod.objects.raw(SQL_PERIODS_FROM_NOW_ON, params))


def read_periods_at_end() -> dict[uuid.UUID, list[GradePeriod]]:
    """Read, for each ended course, the period in force at its end."""
    at_end = GradePeriod.objects.filter(KNOWN_NOW, valid__contains=F("course__ended_at"))
    return _by_course(at_end.order_by("course_id", "valid"))


def _courses_for_board(now: datetime) -> QuerySet[Any]:
    return Course.objects.select_related("patient").annotate(
        last_observation_at=_last_observation(now), maximum=_maximum(now)
    )


def _by_course(periods: Iterable[GradePeriod]) -> dict[uuid.UUID, list[GradePeriod]]:
    return {pk: list(group) for pk, group in groupby(periods, key=lambda p: p.course_id)}


def _last_observation(now: datetime) -> Subquery:
    observed = (
        Entry.objects.filter(course=OuterRef("pk"), at__lte=now)
        .exclude(kind__in=_NO_OBSERVATION)
        .filter(not_replaced())
    )
    return Subquery(observed.order_by("-at").values("at")[:1])


def _maximum(now: datetime) -> Subquery:
    periods = GradePeriod.objects.filter(
        KNOWN_NOW, course=OuterRef("pk"), valid__startswith__lte=now
    )
    return Subquery(periods.order_by("-grade").values("grade")[:1])


# Each entry, correction and change of policy belongs to an act of its course, so the latest act
# shows a change. A period or entry that begins by the clock alone is later than all that began
# before, so the latest start over all courses shows it.
SQL_BOARD_STATE: Final = """
SELECT md5(concat_ws('|', board.courses,
    (SELECT max(lower(valid)) FROM patients_gradeperiod
        WHERE {known_now} AND lower(valid) <= board.now),
    (SELECT max(at) FROM patients_entry WHERE at > recorded_at AND at <= board.now)
)), board.last_recorded_at
FROM (
    SELECT string_agg(concat_ws('|', id, ward, bed, ended_at, last.recorded_at), E'\\n' ORDER BY id)
            AS courses,
        max(last.recorded_at) AS last_recorded_at,
        greatest(%(now)s, max(last.recorded_at)) AS now
    FROM patients_course AS course LEFT JOIN LATERAL (
        SELECT recorded_at FROM patients_chartingact
        WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1
    ) AS last ON true
    WHERE (ended_at IS NOT NULL) = %(ended)s
) AS board
""".replace("{known_now}", sql_known_now())


def read_board_state(now: datetime, *, ended: bool = False) -> tuple[str, datetime | None]:
    """Read the stamp of the board of open courses at ``now``, or of the board of ended ones.

    With it when anything was recorded last in a course of the board.
    """
    with connection.cursor() as cursor:
        cursor.execute(SQL_BOARD_STATE, {"now": now, "ended": ended})
        digest, last_recorded_at = cursor.fetchone()
    return f"{timezone.localdate(now)}-{digest}", last_recorded_at
