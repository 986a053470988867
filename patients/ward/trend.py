"""The grades of the last 24 hours as a small line: the highest of each hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple

from grading.engine.times import in_zone, moved

HOURS: Final = 24
_HOUR: Final = timedelta(hours=1)
_WIDTH: Final = 84
_FLOOR: Final = 22
_STEP: Final = 4
"""Width of the line, the height at which grade 0 stands, and the height of one grade."""

Grade = int | None
Span = tuple[datetime, datetime | None, Grade]
"""A grade over [start, end); a grade None is not assessed, an end None is open."""


class Trend(NamedTuple):
    """A line of the grades of the last hours: ``path`` of an SVG, and the same in words."""

    path: str
    text: str


def start_of_trend(now: datetime) -> datetime:
    """Return when the first of the 24 hours begins; the last one is the hour of ``now``."""
    hour = in_zone(now, UTC).replace(minute=0, second=0, microsecond=0)
    return moved(hour, -(HOURS - 1) * _HOUR)


def end_of_trend(now: datetime) -> datetime:
    """Return when the hour of ``now`` ends, and the line goes on."""
    return moved(start_of_trend(now), HOURS * _HOUR)


def trend_of(spans: Iterable[Span], now: datetime) -> Trend:
    """Return the line of ``spans`` at ``now``; its path is "" where nothing was graded."""
    return _drawn(highest_by_hour(spans, now))


def highest_by_hour(spans: Iterable[Span], now: datetime) -> tuple[Grade, ...]:
    """Return the highest grade of each of the 24 hours up to ``now``; None where none is known."""
    start = start_of_trend(now)
    found: list[Grade] = [None] * HOURS
    for begins, ends, grade in spans:
        ends = now if ends is None else min(ends, now)
        if grade is None or ends <= start or begins > now:
            continue
        first = max(0, (begins - start) // _HOUR)
        # A span that ends with the hour is not of the next one; one that begins now has begun.
        last = max(first, -((start - ends) // _HOUR) - 1)
        for hour in range(first, min(last, HOURS - 1) + 1):
            before = found[hour]
            found[hour] = grade if before is None else max(before, grade)
    return tuple(found)


@lru_cache(maxsize=2048)
def _drawn(grades: tuple[Grade, ...]) -> Trend:
    width = _WIDTH / HOURS
    path, place = [], 0
    for grade, hours in groupby(grades):
        length = len(list(hours))
        if grade is not None:
            starts = place == 0 or grades[place - 1] is None
            y = _FLOOR - _STEP * grade
            x = f"{place * width:g}"
            path.append(f"M{x} {y}" if starts else f"V{y}")
            path.append(f"H{(place + length) * width:g}")
        place += length
    words = ["not known" if grade is None else str(grade) for grade, _ in groupby(grades)]
    return Trend("".join(path), f"Grade in the last {HOURS} hours: {', then '.join(words)}")
