"""Columns of a flowsheet: hours of the clock at the site, or the times of its entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby, pairwise
from typing import Final

from django.utils import timezone

from patients.display.site_times import site_time
from patients.display.text import day_text, range_text

HOUR: Final = timedelta(hours=1)
HALF_AN_HOUR: Final = timedelta(minutes=30)
_FIRST_HOUR: Final = {1: 0, 4: 2, 12: 10}
"""The hour of the day on which columns of so many hours begin: a night is whole columns."""
_NIGHT: Final = (22, 6)
_WIDE_DAY: Final = 3
"""Columns that the full date of a day needs."""


@dataclass(frozen=True, slots=True)
class Column:
    """The time from ``start`` to ``end``; ``is_ahead`` lies after what is known.

    ``label`` heads it, ``title`` names it by itself.
    """

    start: datetime
    end: datetime
    label: str
    title: str
    is_night: bool
    is_ahead: bool


@dataclass(frozen=True, slots=True)
class DayHead:
    """The head over the columns of one date; ``text`` is "" where there is no room for the date."""

    day: int
    text: str
    span: int


def next_boundary(at: datetime, hours: int) -> datetime:
    """Return the first start of a column of ``hours`` after ``at``."""
    return _following(boundary_at(at, hours), hours)


def boundary_from(at: datetime, hours: int) -> datetime:
    """Return the first start of a column of ``hours`` at ``at`` or later."""
    before = boundary_at(at, hours)
    return before if before == at else _following(before, hours)


def boundary_at(at: datetime, hours: int) -> datetime:
    """Return the last start of a column of ``hours`` up to ``at``."""
    zone = timezone.get_default_timezone()
    there = at.astimezone(zone)
    if hours == 1:
        return there.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
    back = (there.hour - _FIRST_HOUR[hours]) % hours
    start = _local(there.replace(minute=0, second=0, microsecond=0), -back, zone)
    # Where the clocks went back, the hour of the wall lies after ``at``.
    return start if start <= at else _local(there, -back - hours, zone)


def _following(boundary: datetime, hours: int) -> datetime:
    """Return the boundary after ``boundary``; columns keep to the hours of the wall clock.

    A column that a change of clocks began, as at 03:00 in the place of 02:00, ends with its own
    hours: the next begins at 06:00.
    """
    later = boundary + HOUR
    if hours > 1:
        zone = timezone.get_default_timezone()
        later = _local(boundary.astimezone(zone), hours, zone)
    start = boundary_at(later, hours)
    if start > boundary:
        return start
    # Clocks that go back half an hour show a part of one hour twice: it is one column.
    return max(boundary_at(later + HALF_AN_HOUR, hours), boundary + HOUR)


def _local(there: datetime, hours: int, zone: tzinfo) -> datetime:
    """Return the instant that the wall clock shows ``hours`` after the time ``there``."""
    written = there.replace(tzinfo=None, fold=0, minute=0, second=0, microsecond=0)
    return (written + timedelta(hours=hours)).replace(tzinfo=zone).astimezone(UTC)


def by_the_hour(start: datetime, end: datetime, hours: int) -> list[datetime]:
    """Return the boundaries of columns of ``hours`` from ``start`` to ``end``, both included."""
    found = [start]
    while found[-1] < end:
        found.append(_following(found[-1], hours))
    return found


def by_the_entry(start: datetime, end: datetime, instants: Iterable[datetime]) -> list[datetime]:
    """Return the boundaries of columns that begin with each of ``instants``."""
    return [*sorted({start, *(at for at in instants if start <= at < end)}), end]


def build_columns(
    boundaries: Sequence[datetime], instant: datetime, *, is_by_entry: bool
) -> list[Column]:
    """Build the columns between ``boundaries``, of what is known at ``instant``."""
    starts = [site_time(at) for at in boundaries]
    twice = _shown_twice(starts[:-1])
    hours_alone = not is_by_entry and all(there.minute == 0 for there in starts)
    is_hourly = all(b - a == HOUR for a, b in pairwise(boundaries))
    form = "%H" if hours_alone and is_hourly else "%H:%M"
    return [
        Column(
            start=a.astimezone(UTC),
            end=b.astimezone(UTC),
            label=f"{a:{form}}" + (f"{a:%z}"[:3] if a in twice else ""),
            title=range_text(a, b),
            is_night=a.hour >= _NIGHT[0] or a.hour < _NIGHT[1],
            is_ahead=a >= instant,
        )
        for a, b in pairwise(starts)
    ]


def _shown_twice(starts: Sequence[datetime]) -> set[datetime]:
    """Return the times whose hour the clocks repeated: their offset is shown."""
    by_wall: dict[datetime, list[datetime]] = {}
    for there in starts:
        by_wall.setdefault(there.replace(tzinfo=None, fold=0), []).append(there)
    return {there for same in by_wall.values() if len(same) > 1 for there in same}


def day_heads(columns: Sequence[Column], infused_at: datetime) -> list[DayHead]:
    """Return the heads of the dates over ``columns``, in their order."""
    heads = []
    for date, group in groupby(columns, key=lambda column: site_time(column.start).date()):
        of_day = list(group)
        text = f"{date:%a} {date.day} {date:%b}" if len(of_day) >= _WIDE_DAY else ""
        heads.append(DayHead(day_text(infused_at, of_day[0].start), text, len(of_day)))
    return heads
