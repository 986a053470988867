"""The ward board: every open course, the most urgent first, by two queries for any number."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery

from grading.engine.systems.lee_2014 import RULESET
from patients.grade_card import next_change
from patients.history import gist
from patients.models import Course, Entry, EntryKind, GradePeriod
from patients.panels import BoardRow, NextChange
from patients.wording import age_text, day_text

_NO_OBSERVATION: Final = (
    EntryKind.RETRACTION,
    EntryKind.BASELINE,
    EntryKind.RISK,
    EntryKind.NOTE,
    EntryKind.NOT_OBSERVED,
)

# Found by the index on starts, course by course; by their ends every period would be read.
_FROM_NOW_ON: Final = """
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


def board_of(now: datetime) -> list[BoardRow]:
    """A row for every open course."""
    courses = _courses(now).filter(ended_at=None)
    periods = _by_course(GradePeriod.objects.raw(_FROM_NOW_ON, {"system": RULESET, "now": now}))
    rows = [_board_row(course, periods.get(course.pk, []), now) for course in courses]
    return sorted(rows, key=_urgency)


def ended_of(now: datetime) -> list[BoardRow]:
    """A row for every course that has ended, as it stood at its end; the latest first."""
    courses = _courses(now).exclude(ended_at=None).order_by("-ended_at")
    last = GradePeriod.objects.filter(valid__contains=F("course__ended_at"))
    periods = _by_course(last.filter(known__upper_inf=True).order_by("course_id", "valid"))
    return [_board_row(course, periods.get(course.pk, []), course.ended_at) for course in courses]


def _courses(now: datetime) -> QuerySet[Any]:
    return Course.objects.select_related("patient").annotate(
        last_observation_at=_last_observation(now), maximum=_maximum(now)
    )


def _by_course(periods: Iterable[GradePeriod]) -> dict[uuid.UUID, list[GradePeriod]]:
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


def _board_row(course: Any, periods: Sequence[GradePeriod], now: datetime) -> BoardRow:
    current = next((p for p in periods if p.valid.lower <= now), None)
    upcoming = [p for p in periods if p.valid.lower > now and _differs(p, current)]
    change = _stored_next_change(current, upcoming[0], now) if current and upcoming else None
    grade = current.grade if current else None
    at_most = current.at_most if current else None
    last = course.last_observation_at
    return BoardRow(
        course_id=course.pk,
        name=course.patient.name,
        mrn=course.patient.mrn,
        ward=course.ward,
        bed=course.bed,
        product=course.product,
        day=day_text(course.infused_at, now),
        grade=grade,
        at_most=at_most,
        maximum=course.maximum,
        next_change=change,
        last_observation_at=last,
        last_observation_age_text=age_text(last, now) if last else "",
    )


def _differs(period: GradePeriod, current: GradePeriod | None) -> bool:
    """Whether it says something else: a change of policy alone ends a period too."""
    return current is None or (period.grade, period.at_most, gist(period.findings)) != (
        current.grade,
        current.at_most,
        gist(current.findings),
    )


def _stored_next_change(current: GradePeriod, coming: GradePeriod, now: datetime) -> NextChange:
    met = {item["code"] for item in current.findings["criteria"]}
    return next_change(
        coming.valid.lower,
        (current.grade, current.at_most),
        (coming.grade, coming.at_most),
        [
            (item["code"], item["explanation"])
            for item in coming.findings["criteria"]
            if item["code"] not in met
        ],
        [item["why"] for item in coming.findings["unknown"]],
        now,
    )


def _urgency(row: BoardRow) -> tuple[int, int, bool, str]:
    rising = row.next_change is not None and row.next_change.direction == "up"
    return (-(row.grade or 0), -(row.at_most or 0), not rising, row.name)
