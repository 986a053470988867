"""CTCAE v4.03 grades of laboratory results, exactly at their boundaries.

A result such as ``< 50`` or ``> 201`` means a range. Each end of the range is a point: a value
and an edge, -1 just below it, 0 at it, +1 just above it. Points compare like tuples, so the tables'
strict and non-strict limits need no special case for such results.

So do the grades: each begins at a point. Under one report's limits of normal and one baseline a row
of CTCAE comes down to a few such points, and these are found once, not for every result.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from grading.engine.analytes import Analyte, unit_of_result
from grading.engine.entries import Lab
from grading.engine.evidence import CTCAE_LABORATORY, GradedBy
from grading.engine.units import EXACT, REMEMBERED

_WHOLE: Final = Decimal(100)
_HIGHEST_CTCAE: Final = 4


class Point(NamedTuple):
    value: Decimal
    edge: int


_ZERO: Final = Point(Decimal(0), 0)
_UNBOUNDED: Final = Point(Decimal("Infinity"), 0)


class GradeRange(NamedTuple):
    """The lowest and the highest CTCAE grade of all values that a result allows."""

    lowest: int
    highest: int


class Limits(NamedTuple):
    """What a result is compared with, in the analyte's common unit; None is not known."""

    upper: Decimal | None
    lower: Decimal | None
    baseline: Decimal | None


Steps = Iterable[tuple[int, Point]]
"""A CTCAE grade, and a point from which on, in one direction, it is reached."""


class Scale(NamedTuple):
    """The points at which the grades of one analyte begin, and what brings a value among them.

    A point reaches as many grades as there are ``rising`` points at or below it, or ``falling``
    ones at or above it; both are sorted. ``lacks_limit``: the report gives no limit of normal, so
    that only the highest grade is known.
    """

    to_common: Decimal
    rising: tuple[Point, ...]
    falling: tuple[Point, ...]
    lacks_limit: bool

    def grade(self, point: Point) -> int:
        return max(
            bisect_right(self.rising, point), len(self.falling) - bisect_left(self.falling, point)
        )


COMPARED_WITH_BASELINE: Final = frozenset(
    analyte
    for analyte, row in CTCAE_LABORATORY.items()
    if row.above_baseline or row.fall_percent or row.fall_points
)
"""The analytes of which CTCAE grades a change from the patient's own baseline."""


def in_common_unit(analyte: Analyte, value: Decimal, unit: str) -> Decimal:
    """``value`` in the unit in which results of this analyte are compared; exact."""
    return EXACT.multiply(value, unit_of_result(analyte, unit).to_common)


def ctcae_grades(result: Lab, baseline: Decimal | None) -> GradeRange | None:
    """Return the CTCAE grades that ``result`` allows; None where it cannot be graded.

    ``baseline`` is in the analyte's common unit; None leaves out the clauses that compare with it.
    Analytes that no row of CTCAE grades here always give None.
    """
    return _grades(
        result.analyte,
        result.unit,
        result.value,
        result.comparator,
        result.upper_limit,
        result.lower_limit,
        baseline,
    )


@lru_cache(REMEMBERED)
def _grades(
    analyte: Analyte,
    unit: str,
    result: Decimal,
    comparator: str | None,
    upper_limit: Decimal | None,
    lower_limit: Decimal | None,
    baseline: Decimal | None,
) -> GradeRange | None:
    scale = _scale(analyte, unit, upper_limit, lower_limit, baseline)
    if scale is None:
        return None
    value = EXACT.multiply(result, scale.to_common)
    if comparator is None:
        lowest = highest = scale.grade(Point(value, 0))
    else:
        grades = [scale.grade(end) for end in _ends(comparator, value)]
        lowest, highest = min(grades), max(grades)
    if scale.lacks_limit and lowest < _HIGHEST_CTCAE:
        return None
    return GradeRange(lowest, highest)


def highest_grade(analyte: Analyte) -> int:
    """Return the highest CTCAE grade that exists for ``analyte``."""
    row = CTCAE_LABORATORY[analyte]
    by_step = [grade for grade, _ in (*row.below, *row.at_most, *row.fall_points)]
    return max(len(row.above_upper), len(row.below_lower), *by_step, 0)


def _ends(comparator: str, value: Decimal) -> tuple[Point, Point]:
    """Return the ends of the range that a result below or above ``value`` means."""
    if comparator == "<":
        return _ZERO, Point(value, -1)
    return Point(value, 1), _UNBOUNDED


@lru_cache(REMEMBERED)
def _scale(
    analyte: Analyte,
    unit: str,
    upper_limit: Decimal | None,
    lower_limit: Decimal | None,
    baseline: Decimal | None,
) -> Scale | None:
    """Return the scale for results in ``unit`` with these limits; None where CTCAE grades none."""
    row = CTCAE_LABORATORY.get(analyte)
    if row is None:
        return None
    to_common = unit_of_result(analyte, unit).to_common
    limits = Limits(_product(upper_limit, to_common), _product(lower_limit, to_common), baseline)
    if (row.above_upper and limits.upper is None) or (row.below_lower and limits.lower is None):
        return Scale(to_common, (), _falling(_absolute(row)), lacks_limit=True)
    falls = [*_absolute(row), *_below_lower(row, limits), *_fall_in_points(row, limits)]
    return Scale(to_common, _rising(_above_upper(row, limits)), _falling(falls), lacks_limit=False)


def _product(value: Decimal | None, to_common: Decimal) -> Decimal | None:
    return None if value is None else EXACT.multiply(value, to_common)


def _rising(steps: Steps) -> tuple[Point, ...]:
    return tuple(sorted(_begins(steps, min)))


def _falling(steps: Steps) -> tuple[Point, ...]:
    return tuple(sorted(_begins(steps, max)))


def _begins(steps: Steps, first: Callable[[Iterable[Point]], Point]) -> list[Point]:
    """For each grade the point that comes ``first`` of all those that reach it or a higher one."""
    known = list(steps)
    highest = max((grade for grade, _ in known), default=0)
    return [
        first(point for reached, point in known if reached >= grade)
        for grade in range(1, highest + 1)
    ]


def _absolute(row: GradedBy) -> Steps:
    yield from ((grade, Point(limit, -1)) for grade, limit in row.below)
    yield from ((grade, Point(limit, 0)) for grade, limit in row.at_most)


def _above_upper(row: GradedBy, limits: Limits) -> Steps:
    if limits.upper is None:
        return
    normal = Point(limits.upper, 1)
    for grade, multiple in enumerate(row.above_upper, start=1):
        yield grade, Point(EXACT.multiply(multiple, limits.upper), 1)
    if limits.baseline is not None:
        for grade, multiple in enumerate(row.above_baseline, start=1):
            yield grade, max(normal, Point(EXACT.multiply(multiple, limits.baseline), 1))


def _below_lower(row: GradedBy, limits: Limits) -> Steps:
    if limits.lower is None:
        return
    normal = Point(limits.lower, -1)
    for grade, fraction in enumerate(row.below_lower, start=1):
        yield grade, Point(EXACT.multiply(fraction, limits.lower), -1)
    if limits.baseline is not None:
        for grade, percent in row.fall_percent:
            left = EXACT.divide(_WHOLE - percent, _WHOLE)
            yield grade, min(normal, Point(EXACT.multiply(left, limits.baseline), 0))


def _fall_in_points(row: GradedBy, limits: Limits) -> Steps:
    if limits.baseline is not None:
        for grade, fall in row.fall_points:
            yield grade, Point(EXACT.subtract(limits.baseline, fall), 0)
