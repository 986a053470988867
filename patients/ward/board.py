"""Build the rows of the ward board, with two queries for any number of courses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from grading.systems import HEADLINE
from patients.display.grade_card import GradeAt, NextChange, next_change
from patients.display.text import age_text, day_text
from patients.models import GradePeriod
from patients.queries.board import (
    read_ended_courses,
    read_open_courses,
    read_periods_at_end,
    read_periods_from_now_on,
)
from patients.queries.grades import findings_without_wording


@dataclass(frozen=True, slots=True)
class BoardRow:
    """Row of one course on the ward board; a grade 0 that was not ``assessed`` is not shown."""

    course_id: UUID
    name: str
    mrn: str
    ward: str
    bed: str
    product: str
    day: int
    grade: int | None
    at_most: int | None
    maximum: int | None
    assessed: bool
    next_change: NextChange | None
    last_observation_at: datetime | None
    last_observation_age_text: str


def open_board_rows(now: datetime) -> list[BoardRow]:
    """Return a row for every open course, the most urgent first."""
    courses, periods = read_open_courses(now), read_periods_from_now_on(now, HEADLINE)
    rows = [_board_row(course, periods.get(course.pk, []), now) for course in courses]
    return sorted(rows, key=_urgency)


def ended_board_rows(now: datetime) -> list[BoardRow]:
    """Return a row for every ended course, with its status at its end; the latest first."""
    courses, periods = read_ended_courses(now), read_periods_at_end()
    return [_board_row(course, periods.get(course.pk, []), course.ended_at) for course in courses]


def _board_row(course: Any, periods: Sequence[GradePeriod], now: datetime) -> BoardRow:
    current = next((p for p in periods if p.valid.lower <= now), None)
    upcoming = [p for p in periods if p.valid.lower > now and _differs(p, current)]
    change = _stored_next_change(current, upcoming[0], now) if current and upcoming else None
    grade = current.grade if current else None
    at_most = current.at_most if current else None
    assessed = grade != 0 or course.assessed_since is not None
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
        maximum=course.maximum if assessed else course.maximum or None,
        assessed=assessed,
        next_change=change,
        last_observation_at=last,
        last_observation_age_text=age_text(last, now) if last else "",
    )


def _differs(period: GradePeriod, current: GradePeriod | None) -> bool:
    """Whether grade or findings differ: a change of policy alone ends a period too."""
    return current is None or (
        period.grade,
        period.at_most,
        findings_without_wording(period.findings),
    ) != (
        current.grade,
        current.at_most,
        findings_without_wording(current.findings),
    )


def _stored_next_change(current: GradePeriod, coming: GradePeriod, now: datetime) -> NextChange:
    before, after = (GradeAt(p.grade, p.at_most, p.findings) for p in (current, coming))
    return next_change(coming.valid.lower, before, after, now)


def _urgency(row: BoardRow) -> tuple[int, int, bool, str]:
    rising = row.next_change is not None and row.next_change.direction == "up"
    return (-(row.grade or 0), -(row.at_most or 0), not rising, row.name)
