"""Build the ward board: its rows, by the same number of queries for any number of courses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.display.banner import sex_letter
from patients.display.next_change import GradeAt, NextChange, next_change
from patients.display.support import Support, support_of
from patients.display.text import age_text, day_text
from patients.models import GradePeriod
from patients.queries.ages import patient_age_text
from patients.queries.board import (
    ClosedCourse,
    parse_support,
    read_closed_courses,
    read_open_courses,
    read_periods_from_now_on,
)
from patients.queries.courses import ward_names
from patients.queries.entries import parse_entry
from patients.queries.identity import former_mrns
from patients.queries.search import matches, search_words
from patients.review.panel import SignOffState, sign_off_states
from patients.ward.address import BoardAddress

CLOSED_ON_A_PAGE: Final = 100
RISE_IS_SOON: Final = timedelta(hours=2)
_FAR: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class BoardRow:
    """Row of one open course on the ward board; ``person`` is age and sex, "54 y F".

    A grade 0 that was not ``assessed`` is not shown. ``sign_off`` is None where nothing is signed
    and nothing waits.
    """

    course_id: UUID
    name: str
    mrn: str
    person: str
    ward: str
    bed: str
    product: str
    day: int
    grade: int | None
    at_most: int | None
    maximum: int | None
    assessed: bool
    next_change: NextChange | None
    rises_soon: bool
    support: Support
    last_observation_at: datetime | None
    last_observation_age_text: str
    sign_off: SignOffState | None

    @property
    def rises_at(self) -> datetime | None:
        """When the grade will rise by the clock alone; None where it will not."""
        change = self.next_change
        return change.at if change is not None and change.direction == "up" else None


class Board(NamedTuple):
    """What the board shows: rows of open courses, or closed ones.

    ``wards`` can be chosen; ``counts`` has the rows of each value of ``show``. ``has_more`` says
    that another page of closed courses follows.
    """

    rows: Sequence[BoardRow | ClosedCourse]
    wards: Sequence[str]
    counts: dict[str, int]
    has_more: bool = False


def board_of(asked: BoardAddress, now: datetime, reader: User | None = None) -> Board:
    """Return what an address of the board shows ``reader`` at ``now``; None may open all."""
    return closed_board(asked, reader) if asked.ended else _open_board(asked, now, reader)


def _open_board(asked: BoardAddress, now: datetime, reader: User | None) -> Board:
    words = search_words(asked.q)
    all_rows = open_board_rows(now, reader)
    former = former_mrns() if words else {}
    found = [
        row
        for row in all_rows
        if asked.ward in ("", row.ward)
        and not asked.is_too_long
        and matches(words, row.name, _numbers(row.mrn, former), row.ward, row.bed)
    ]
    counts = Counter(show for row in found for show, shows in _SHOWN.items() if shows(row))
    rows = sorted(filter(_SHOWN[asked.show], found), key=_ORDERS[asked.sort])
    return Board(rows, sorted({row.ward for row in all_rows}), dict(counts))


def _numbers(mrn: str, former: Mapping[str, Sequence[str]]) -> str:
    """Return a record number with those that were joined to it, or that it was corrected from."""
    return "\n".join((mrn, *former.get(mrn, ())))


def closed_board(asked: BoardAddress, reader: User | None = None) -> Board:
    """Return the closed courses of a page that ``reader`` may open, the latest end first.

    None may open all.
    """
    rows = []
    if not asked.is_too_long:
        rows = read_closed_courses(
            HEADLINE,
            ward=asked.ward,
            reader=reader,
            words=search_words(asked.q),
            limit=CLOSED_ON_A_PAGE + 1,
            offset=(asked.page - 1) * CLOSED_ON_A_PAGE,
        )
    return Board(
        rows[:CLOSED_ON_A_PAGE], list(ward_names(reader)), {}, len(rows) > CLOSED_ON_A_PAGE
    )


def open_board_rows(now: datetime, reader: User | None = None) -> list[BoardRow]:
    """Return a row for each open course that ``reader`` may open, the most urgent first.

    None may open all.
    """
    courses = list(read_open_courses(now, HEADLINE, reader))
    periods = read_periods_from_now_on(now, HEADLINE)
    signed = sign_off_states([course.pk for course in courses], now)
    rows = [
        _board_row(course, periods.get(course.pk, []), signed.get(course.pk), now)
        for course in courses
    ]
    return sorted(rows, key=_urgency)


def _board_row(
    course: Any, periods: Sequence[GradePeriod], signed: SignOffState | None, now: datetime
) -> BoardRow:
    current = next((p for p in periods if p.valid.lower <= now), None)
    change = None
    if current is not None:
        # A period may end by a change of findings or of policy alone: the row shows neither.
        shown = (current.grade, current.at_most)
        others = (p for p in periods if p.valid.lower > now and (p.grade, p.at_most) != shown)
        coming = next(others, None)
        change = _stored_next_change(current, coming, now) if coming is not None else None
    grade = current.grade if current else None
    at_most = current.at_most if current else None
    assessed = grade != 0 or course.assessed_since is not None
    last = course.last_observation_at
    return BoardRow(
        course_id=course.pk,
        name=course.patient.name,
        mrn=course.patient.mrn,
        person=f"{patient_age_text(course, now)} {sex_letter(course.patient.sex)}".strip(),
        ward=course.ward,
        bed=course.bed,
        product=course.product,
        day=day_text(course.infused_at, now),
        grade=grade,
        at_most=at_most,
        maximum=course.maximum if assessed else course.maximum or None,
        assessed=assessed,
        next_change=change,
        rises_soon=change is not None
        and change.direction == "up"
        and change.at - now <= RISE_IS_SOON,
        support=support_of(map(parse_entry, parse_support(course))),
        last_observation_at=last,
        last_observation_age_text=age_text(last, now) if last else "",
        sign_off=signed if signed is not None and signed.short else None,
    )


def _stored_next_change(current: GradePeriod, coming: GradePeriod, now: datetime) -> NextChange:
    before, after = (GradeAt(p.grade, p.at_most, p.findings) for p in (current, coming))
    return next_change(coming.valid.lower, before, after, now)


_SHOWN: Final[dict[str, Callable[[BoardRow], bool]]] = {
    "": lambda _row: True,
    "severe": lambda row: (row.grade or 0) >= 3,
    "could_be_higher": lambda row: (row.at_most or 0) > (row.grade or 0),
    "rise": lambda row: row.rises_at is not None,
}


def _urgency(row: BoardRow) -> tuple[Any, ...]:
    """Order by grade, by the grade that it could be, by the time to a rise, by the last look."""
    return (
        -(row.grade or 0),
        -(row.at_most or 0),
        row.rises_at or _FAR,
        row.last_observation_at or _NEVER,
        *_place(row),
    )


def _place(row: BoardRow) -> tuple[Any, ...]:
    """Order by ward and bed; bed 9 stands before bed 12."""
    return (_in_order(row.ward), _in_order(row.bed), row.name)


def _in_order(place: str) -> str:
    """Return text that sorts as people count: each number with leading zeros."""
    return re.sub(r"[0-9]+", lambda number: number[0].zfill(60), place)


def _longest_unobserved(row: BoardRow) -> tuple[Any, ...]:
    return (row.last_observation_at or _NEVER, *_place(row))


_ORDERS: Final[dict[str, Callable[[BoardRow], tuple[Any, ...]]]] = {
    "": _urgency,
    "place": _place,
    "observed": _longest_unobserved,
}
