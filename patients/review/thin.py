"""Thin what is plotted where a window holds more points than a plot can show.

Each column of pixels keeps its lowest and its highest value. What holds until the next point keeps
the last of a column too, and one that is not known: else the time after it would be drawn wrong.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from grading.engine.units import Number
from patients.review.series import Point, Series

POINTS_AT_MOST: Final = 40_000
"""Points of a window up to which each of them is sent."""


def _points_in(series: Sequence[Series], since: datetime, until: datetime) -> int:
    """Return how many points lie in [since, until]."""
    return sum(end - begin for begin, end in (_places(one, since, until) for one in series))


def cut(
    series: Sequence[Series],
    since: datetime,
    until: datetime,
    width_px: int,
    most: int | None = None,
) -> list[Series]:
    """Return the points of a window and the two beside it, thinned where they are over ``most``."""
    thins = _points_in(series, since, until) > (POINTS_AT_MOST if most is None else most)
    column = (until - since) / width_px
    found = []
    for one in series:
        begin, end = _places(one, since, until)
        inside: Sequence[Point] = one.points[begin:end]
        if thins:
            by_column = groupby(inside, key=lambda point: (point.at - since) // column)
            inside = [kept for _, group in by_column for kept in _kept(list(group), one.step)]
        before, after = one.points[max(begin - 1, 0) : begin], one.points[end : end + 1]
        found.append(one._replace(points=[*before, *inside, *after]))
    return found


def _places(series: Series, since: datetime, until: datetime) -> tuple[int, int]:
    points = series.points
    return (
        bisect_left(points, since, key=lambda point: point.at),
        bisect_right(points, until, key=lambda point: point.at),
    )


def _kept(column: Sequence[Point], is_step: bool) -> Iterator[Point]:
    values: list[tuple[Number, int]] = [
        (point.value, place) for place, point in enumerate(column) if point.value is not None
    ]
    places = {min(values)[1], max(values)[1]} if values else set()
    if is_step:
        unknown = (place for place, point in enumerate(column) if point.value is None)
        places |= {len(column) - 1, next(unknown, len(column) - 1)}
    begins = False
    for place, point in enumerate(column):
        begins = begins or point.begins
        if place in places:
            yield point._replace(begins=begins)
            begins = False
