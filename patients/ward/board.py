"""Build the ward board: its rows, by the same number of queries for any number of courses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from crs_app.accounts.models import User
from crs_app.search_words import Place, found_by, search_words
from grading.systems import HEADLINE
from patients.queries.board import ClosedCourse, read_closed_courses, read_open_courses
from patients.queries.courses import ward_names
from patients.queries.identity import former_mrns
from patients.ward.address import BoardAddress
from patients.ward.kept import rows_of
from patients.ward.row import BoardRow, rows_hold_until

CLOSED_ON_A_PAGE: Final = 100
_FAR: Final = datetime.max.replace(tzinfo=UTC)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Board(NamedTuple):
    """What the board shows: rows of open courses, or closed ones.

    ``wards`` can be chosen; ``counts`` has the rows of each value of ``show``. ``has_more`` says
    that another page of closed courses follows. ``holds_until`` is when time alone changes a row,
    apart from a change of grade; None for closed courses.
    """

    rows: Sequence[BoardRow | ClosedCourse]
    wards: Sequence[str]
    counts: dict[str, int]
    has_more: bool = False
    holds_until: datetime | None = None


def board_of(asked: BoardAddress, now: datetime, reader: User | None = None) -> Board:
    """Return what an address of the board shows ``reader`` at ``now``; None may open all."""
    return closed_board(asked, reader) if asked.ended else _open_board(asked, now, reader)


def _open_board(asked: BoardAddress, now: datetime, reader: User | None) -> Board:
    words = search_words(asked.q)
    all_rows = open_board_rows(now, reader)
    former = former_mrns() if words else {}
    looked_at = [row for row in all_rows if asked.ward in ("", row.ward) and not asked.is_too_long]
    found = found_by(words, looked_at, lambda row: _place(row, former))
    counts = show_counts(found)
    rows = sorted(filter(_SHOWN[asked.show], found), key=_ORDERS[asked.sort])
    wards = sorted({row.ward for row in all_rows})
    return Board(rows, wards, counts, holds_until=rows_hold_until(all_rows, now))


def show_counts(rows: Iterable[BoardRow]) -> dict[str, int]:
    """Return how many rows each value of ``show`` has; one without any is left out."""
    return dict(Counter(show for row in rows for show, shows in _SHOWN.items() if shows(row)))


def _place(row: BoardRow, former: Mapping[str, Sequence[str]]) -> Place:
    """Return what a search compares, with record numbers from before a join or a correction."""
    return Place(row.name, (row.mrn, *former.get(row.mrn, ())), row.ward, row.bed)


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
    return sorted(rows_of(read_open_courses(now, reader), now), key=_urgency)


_SHOWN: Final[dict[str, Callable[[BoardRow], bool]]] = {
    "": lambda _row: True,
    "severe": lambda row: (row.grade or 0) >= 3,
    "could_be_higher": lambda row: (row.at_most or 0) > (row.grade or 0),
    "late": lambda row: row.is_late,
    "rise": lambda row: row.rises_at is not None,
    "sign_off": lambda row: row.waits_for_sign_off,
}


def _urgency(row: BoardRow) -> tuple[Any, ...]:
    """Order by grade, by the grade that it could be, by the time to a rise, by what is due first.

    Of those due at one time the longest without any observation comes first.
    """
    return (-(row.grade or 0), -(row.at_most or 0), *_waiting(row))


def _could_be(row: BoardRow) -> tuple[Any, ...]:
    """Order by the grade that it could be, of one bound by the grade."""
    return (-(row.at_most or 0), -(row.grade or 0), *_waiting(row))


def _waiting(row: BoardRow) -> tuple[Any, ...]:
    return (
        row.rises_at or _FAR,
        row.due_at or _FAR,
        row.last_observation_at or _NEVER,
        *place_order(row.ward, row.bed, row.name),
    )


def place_order(ward: str, bed: str, name: str) -> tuple[Any, ...]:
    """Return the key that orders by ward and bed; bed 9 stands before bed 12."""
    return (_in_order(ward), _in_order(bed), name)


def _in_order(place: str) -> str:
    """Return text that sorts as people count: each number with leading zeros."""
    return re.sub(r"[0-9]+", lambda number: number[0].zfill(60), place)


def _by_place(row: BoardRow) -> tuple[Any, ...]:
    return place_order(row.ward, row.bed, row.name)


def _longest_unobserved(row: BoardRow) -> tuple[Any, ...]:
    return (row.last_observation_at or _NEVER, *_by_place(row))


_ORDERS: Final[dict[str, Callable[[BoardRow], tuple[Any, ...]]]] = {
    "": _urgency,
    "could_be": _could_be,
    "place": _by_place,
    "observed": _longest_unobserved,
}
