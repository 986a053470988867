"""A measured number under a code and in a unit: its value for the chart, or why there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from grading.engine.analytes import Analyte, lab_unit
from grading.engine.units import NotANumberError, exact_decimal
from grading.engine.vocabulary import (
    FAHRENHEIT,
    FIO2_FRACTION_BELOW,
    FIO2_FRACTION_LOWEST,
    FIO2_PERCENT,
    FLOW_L_PER_MIN,
    VITAL_SIGN,
    WEIGHT_KG,
    Limits,
)
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.codes import Meaning
from patients.exchange.formats.unit_rows import FRACTION, UnitRow
from patients.exchange.formats.units import UnitText, converted, plain, product, unit_for
from patients.exchange.formats.unreadable import UnreadableError

COMPARATORS: Final = frozenset({"<", "<=", ">=", ">"})
"""FHIR R4 value set quantity-comparator."""
_CHARTED_COMPARATORS: Final = frozenset({"<", ">"})
_MEASURED: Final = frozenset({Kind.SIGN, Kind.ANALYTE, Kind.WEIGHT, Kind.OXYGEN_FLOW, Kind.FIO2})
_PERCENT: Final = Decimal(100)
_LIMITS: Final = {Kind.WEIGHT: WEIGHT_KG, Kind.OXYGEN_FLOW: FLOW_L_PER_MIN}


class Measured(NamedTuple):
    """A value for the chart: ``field`` of the course file (of a result its analyte), exact text.

    ``note`` is what the chart has no field for (troponin I, FEU).
    """

    field: str
    value: str
    unit: UnitRow
    note: str = ""


def measured(meaning: Meaning, number: str, unit: UnitText, comparator: str = "") -> Measured:
    """Return the value to chart for ``number``, which is exact text.

    Raises UnreadableError: ``value.not_numeric`` for a code that is no measurement, ``comparator``,
    the reasons of ``unit_for``, ``value.ambiguous`` and ``value.impossible``. Hard limits are those
    of a form; nothing is clipped.
    """
    if meaning.kind not in _MEASURED:
        raise UnreadableError("value.not_numeric", "a number is no answer to its code")
    row = unit_for(meaning, unit)
    _check_comparator(meaning, comparator)
    note = row.note or meaning.note
    if meaning.kind is Kind.FIO2:
        return Measured(meaning.word, _fio2_percent(number, row), row, note)
    value = converted(number, row)
    field = FAHRENHEIT.key if row.unit == FAHRENHEIT.unit else meaning.word
    limits = _hard_limits(meaning, row)
    decimal = chartable(value)
    if decimal < 0 or (limits is not None and not limits.allow(decimal)):
        raise UnreadableError("value.impossible", f"{value} {row.unit} cannot be")
    return Measured(field, value, row, note)


def _check_comparator(meaning: Meaning, comparator: str) -> None:
    if comparator and (meaning.kind is not Kind.ANALYTE or comparator not in _CHARTED_COMPARATORS):
        raise UnreadableError("comparator", f"a value with {comparator} cannot be charted here")


def _hard_limits(meaning: Meaning, row: UnitRow) -> Limits | None:
    if meaning.kind is Kind.ANALYTE:
        unit = lab_unit(Analyte(meaning.word), row.unit)
        return None if unit is None else unit.limits
    if meaning.kind is Kind.SIGN:
        sign = FAHRENHEIT if row.unit == FAHRENHEIT.unit else VITAL_SIGN[meaning.word]
        return sign.limits
    return _LIMITS[meaning.kind]


def chartable(number: str) -> Decimal:
    """Return ``number`` as a decimal that a chart holds; raises ``value.impossible``."""
    try:
        return exact_decimal(number)
    except NotANumberError:
        raise UnreadableError("value.impossible", "it has too many digits") from None


def _fio2_percent(number: str, row: UnitRow) -> str:
    """Return an FiO2 in percent; below 21 it may be a flow, a fraction or a slip, never guessed.

    Source: public databases in which FiO2 of 1, 3 and 1000 stand for flows and fractions
    (github.com/MIT-LCP/eicu-code issue 44, github.com/AmsterdamUMC/AmsterdamUMCdb issue 68).
    """
    value, is_fraction = chartable(number), row.unit == FRACTION
    below_one = FIO2_FRACTION_LOWEST <= value < FIO2_FRACTION_BELOW
    if is_fraction and below_one:
        return product(number, _PERCENT)
    if not is_fraction and FIO2_PERCENT.allow(value):
        return plain(number)
    if below_one or FIO2_FRACTION_BELOW <= value < FIO2_PERCENT.lowest:
        raise UnreadableError("value.ambiguous", f"FiO2 {number} may be percent, a part or a flow")
    raise UnreadableError("value.impossible", f"FiO2 {number} cannot be in its unit")


def limit_of_normal(number: str, row: UnitRow, *, upper: bool) -> str | None:
    """Return a limit of normal in the unit of the course file, None where a chart has no such."""
    try:
        value = converted(number, row)
        decimal = chartable(value)
    except UnreadableError:
        return None
    return value if decimal > 0 or (decimal == 0 and not upper) else None
