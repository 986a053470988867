"""What a wall screen shows of a course: bed, initials, grade, and the most urgent event."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from patients.queries.board import read_open_courses
from patients.ward.board import place_order, show_counts
from patients.ward.kept import rows_of
from patients.ward.row import BoardRow, rows_hold_until
from patients.ward.to_do import LATE, PLANNED, Tag

_INITIALS: Final = 3
_SIZES: Final = ((20, "large"), (30, "medium"))
"""The size of the tiles by the number of beds, up to which it holds; more beds have "small"."""
_SMALLEST: Final = "small"


@dataclass(frozen=True, slots=True)
class Tile:
    """One bed: ``event`` is at most one thing, a rise by the clock before what is late."""

    ward: str
    bed: str
    initials: str
    grade: int | None
    at_most: int | None
    assessed: bool
    rises_at: datetime | None
    rises_to: int | None
    rises_in: str
    event: Tag | None

    @property
    def is_severe(self) -> bool:
        return (self.grade or 0) >= 3


class Wall(NamedTuple):
    """The tiles of some wards, in order of ward and bed.

    ``counts`` are those of the board's buttons. ``size`` is how large the tiles are: "large",
    "medium" or "small". ``holds_until`` is when time alone changes a tile, apart from a change of
    grade.
    """

    tiles: Sequence[Tile]
    counts: dict[str, int]
    size: str
    holds_until: datetime


def wall_of(ward_ids: Iterable[int], now: datetime) -> Wall:
    """Return the wall of open courses on wards, always in order of ward and bed."""
    rows = rows_of(read_open_courses(now, on_wards=ward_ids), now)
    rows.sort(key=lambda row: place_order(row.ward, row.bed, row.name))
    size = next((name for most, name in _SIZES if len(rows) <= most), _SMALLEST)
    return Wall([_tile(row) for row in rows], show_counts(rows), size, rows_hold_until(rows, now))


def _tile(row: BoardRow) -> Tile:
    change = row.next_change
    rises = change is not None and change.direction == "up"
    return Tile(
        ward=row.ward,
        bed=row.bed,
        initials=initials_of(row.name),
        grade=row.grade,
        at_most=row.at_most,
        assessed=row.assessed,
        rises_at=change.at if change is not None and rises else None,
        rises_to=_highest_of_change(row) if rises else None,
        rises_in=row.change_in if rises else "",
        event=next((tag for tag in row.to_do if tag.level in (LATE, PLANNED)), None),
    )


def _highest_of_change(row: BoardRow) -> int | None:
    """Return the grade to which the clock raises; None where it raises the bound alone."""
    change = row.next_change
    return change.grade if change is not None and change.grade > (row.grade or 0) else None


def initials_of(name: str) -> str:
    """Return the first letters of a name: "O.A." of "OKONKWO, Ada"; "?" where it has none."""
    words = re.findall(r"[^\W\d_][^\s,;]*", name)
    return "".join(f"{word[0].upper()}." for word in words[:_INITIALS]) or "?"
