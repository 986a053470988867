"""Read the rows of the ward board, and the stamp by which an unchanged board is known."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from patients.models import Course, Entry, EntryKind, GradePeriod

_NO_OBSERVATION: Final = (
    EntryKind.RETRACTION,
    EntryKind.BASELINE,
    EntryKind.RISK,
    EntryKind.NOTE,
    EntryKind.NOT_OBSERVED,
)

# Found by the index on starts, course by course; by their ends every period would be read.
SQL_PERIODS_FROM_NOW_ON: Final = """
SELECT period.* FROM patients_course AS course, LATERAL (
    SELECT * FROM patients_gradeperiod
    WHERE course_id = course.id AND system = %(system)s AND upper_inf(known)
        AND (upper_inf(valid) OR upper(valid) > %(now)s)
        AND lower(valid) >= coalesce((
            SELECT lower(held.valid) FROM patients_gradeperiod AS held
            WHERE held.course_id = course.id AND held.system = %(system)s
                AND upper_inf(held.known) AND lower(held.valid) <= %(now)s
            ORDER BY lower(held.valid) DESC LIMIT 1
        ), '-infinity')
) AS period
WHERE course.ended_at IS NULL ORDER BY period.course_id, lower(period.valid)
"""


def courses_for_board(now: datetime) -> QuerySet[Any]:
    return Course.objects.select_related("patient").annotate(
        last_observation_at=_last_observation(now), maximum=_maximum(now)
    )


def group_by_course(periods: Iterable[GradePeriod]) -> dict[uuid.UUID, list[GradePeriod]]:
    return {pk: list(group) for pk, group in groupby(periods, key=lambda p: p.course_id)}


def _last_observation(now: datetime) -> Subquery:
    observed = (
        Entry.objects.filter(course=OuterRef("pk"), at__lte=now)
        .exclude(kind__in=_NO_OBSERVATION)
        .filter(~Exists(Entry.objects.filter(replaces=OuterRef("pk"))))
    )
    return Subquery(observed.order_by("-at").values("at")[:1])


def _maximum(now: datetime) -> Subquery:
    periods = GradePeriod.objects.filter(
        course=OuterRef("pk"), known__upper_inf=True, valid__startswith__lte=now
    )
    return Subquery(periods.order_by("-grade").values("grade")[:1])


# Everything charted, every correction and every change of policy is an act of its course. What the
# clock passes is later than all it has passed before: the latest of any course tells that.
SQL_BOARD_STAMP: Final = """
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


def read_board_stamp(now: datetime, *, ended: bool = False) -> str:
    """The stamp of the board of open courses at ``now``, or of that of ended ones."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_BOARD_STAMP, {"now": now, "ended": ended})
        (digest,) = cursor.fetchone()
    return f"{timezone.localdate(now)}-{digest}"
