"""CTCAE v4.03 grades of laboratory results, exactly at their boundaries.

A result such as ``< 50`` or ``> 201`` stands for a range. Each end of the range is a point: a value
and an edge, -1 just below it, 0 at it, +1 just above it. Points compare like tuples, so the tables'
strict and non-strict limits need no special case for such results.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from grading.engine.analytes import Analyte, lab_unit
from grading.engine.entries import Lab
from grading.engine.evidence import CTCAE_LABORATORY, GradedBy
from grading.engine.units import EXACT

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
    """What a result is held against, in the analyte's common unit; None is not known."""

    upper: Decimal | None
    lower: Decimal | None
    baseline: Decimal | None


def in_common_unit(analyte: Analyte, value: Decimal, unit: str) -> Decimal:
    """``value`` in the unit in which results of this analyte are compared; exact."""
    return EXACT.multiply(value, _to_common(analyte, unit))


def _to_common(analyte: Analyte, unit: str) -> Decimal:
    found = lab_unit(analyte, unit)
    if found is None:
        raise ValueError(f"{analyte} is not reported in {unit}")
    return found.to_common


def ctcae_grades(result: Lab, baseline: Decimal | None) -> GradeRange | None:
    """The CTCAE grades that ``result`` allows; None where it cannot be graded.

    ``baseline`` is in the analyte's common unit; None leaves out the clauses that compare with it.
    Analytes that no row of CTCAE grades here always give None.
    """
    row = CTCAE_LABORATORY.get(result.analyte)
    if row is None:
        return None
    to_common = _to_common(result.analyte, result.unit)
    limits = Limits(
        _product(result.upper_limit, to_common), _product(result.lower_limit, to_common), baseline
    )
    ends = _ends(result, to_common)
    lacks_limit = (row.above_upper and limits.upper is None) or (
        row.below_lower and limits.lower is None
    )
    if lacks_limit:
        grades = [_absolute_grade(row, end) for end in ends]
        if min(grades) < _HIGHEST_CTCAE:
            return None
    else:
        grades = [_grade(row, end, limits) for end in ends]
    return GradeRange(min(grades), max(grades))


def highest_grade(analyte: Analyte) -> int:
    """The highest CTCAE grade that exists for ``analyte``."""
    row = CTCAE_LABORATORY[analyte]
    by_step = [grade for grade, _ in (*row.below, *row.at_most, *row.fall_points)]
    return max(len(row.above_upper), len(row.below_lower), *by_step, 0)


def _product(value: Decimal | None, to_common: Decimal) -> Decimal | None:
    return None if value is None else EXACT.multiply(value, to_common)


def _ends(result: Lab, to_common: Decimal) -> tuple[Point, ...]:
    """The ends of the range that ``result`` stands for; a plain number is one point."""
    value = EXACT.multiply(result.value, to_common)
    if result.comparator == "<":
        return _ZERO, Point(value, -1)
    if result.comparator == ">":
        return Point(value, 1), _UNBOUNDED
    return (Point(value, 0),)


def _grade(row: GradedBy, point: Point, limits: Limits) -> int:
    grades = [_absolute_grade(row, point)]
    if limits.upper is not None:
        grades.append(_steps_above(point, limits.upper, row.above_upper))
        if limits.baseline is not None and point > (limits.upper, 0):
            grades.append(_steps_above(point, limits.baseline, row.above_baseline))
    if limits.lower is not None:
        grades.append(_steps_below(point, limits.lower, row.below_lower))
        if limits.baseline is not None and point < (limits.lower, 0):
            grades.append(_fall_in_percent(row, point, limits.baseline))
    if limits.baseline is not None:
        grades.append(_fall_in_points(row, point, limits.baseline))
    return max(grades)


def _absolute_grade(row: GradedBy, point: Point) -> int:
    below = [grade for grade, limit in row.below if point < (limit, 0)]
    at_most = [grade for grade, limit in row.at_most if point <= (limit, 0)]
    return max([0, *below, *at_most])


def _steps_above(point: Point, reference: Decimal, multiples: tuple[Decimal, ...]) -> int:
    return sum([point > (EXACT.multiply(multiple, reference), 0) for multiple in multiples])


def _steps_below(point: Point, reference: Decimal, fractions: tuple[Decimal, ...]) -> int:
    return sum([point < (EXACT.multiply(fraction, reference), 0) for fraction in fractions])


def _fall_in_percent(row: GradedBy, point: Point, baseline: Decimal) -> int:
    scaled = (EXACT.multiply(point.value, _WHOLE), point.edge)
    reached = [
        grade
        for grade, percent in row.fall_percent
        if scaled <= (EXACT.multiply(baseline, _WHOLE - percent), 0)
    ]
    return max([0, *reached])


def _fall_in_points(row: GradedBy, point: Point, baseline: Decimal) -> int:
    reached = [
        grade for grade, fall in row.fall_points if point <= (EXACT.subtract(baseline, fall), 0)
    ]
    return max([0, *reached])
