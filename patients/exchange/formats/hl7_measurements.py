"""A number of an HL7 v2 result, under its code and unit, in the words of the course file."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from grading.engine.vocabulary import (
    FAHRENHEIT,
    FIO2_FRACTION_BELOW,
    FIO2_FRACTION_LOWEST,
    DoseUnit,
)
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.codes import Meaning
from patients.exchange.formats.received import Content, OxygenPart, Signs, WholeEntry
from patients.exchange.formats.unit_rows import FRACTION, UnitRow
from patients.exchange.formats.units import UnitText, converted, product, unit_for
from patients.exchange.formats.unreadable import UnreadableError

_PERCENT_LOWEST: Final = Decimal(21)
_HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True)
class Measured:
    """A number as it was sent, exact, with comparator, unit and limits of normal in that unit."""

    number: str
    unit: UnitText
    comparator: str = ""
    lower_limit: str | None = None
    upper_limit: str | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is charted of a number; ``missing`` says what of it could not be.

    ``note`` is what the course file has no field for (troponin I or T).
    """

    content: Content
    missing: UnreadableError | None = None
    note: str = ""


def measurement(meaning: Meaning, measured: Measured) -> Measurement:
    """Return what is charted of ``measured`` under a code.

    Raises UnreadableError: ``comparator`` unless it is below or above of a laboratory value;
    ``value.ambiguous`` and ``value.impossible`` of an FiO2; and what the unit raises.
    """
    allowed = ("", "<", ">") if meaning.kind is Kind.ANALYTE else ("",)
    if measured.comparator not in allowed:
        raise UnreadableError("comparator", f"its value is only a limit ({measured.comparator})")
    match meaning.kind:
        case Kind.DRUG:
            return _rate(meaning, measured)
        case Kind.AGENT:
            return _dose(meaning, measured)
        case Kind.ANALYTE:
            row = unit_for(meaning, measured.unit)
            notes = dict.fromkeys(note for note in (meaning.note, row.note) if note)
            return Measurement(_lab(meaning.word, measured, row), note="; ".join(notes))
        case Kind.SIGN | Kind.WEIGHT | Kind.OXYGEN_FLOW | Kind.FIO2:
            return Measurement(_sign(meaning, measured.number, unit_for(meaning, measured.unit)))
        case _:
            raise UnreadableError("value.not_numeric", "its code asks for no number")


def _sign(meaning: Meaning, number: str, row: UnitRow) -> Content:
    if meaning.kind is Kind.FIO2:
        return OxygenPart(fio2_percent=_fio2_percent(number, row))
    value = converted(number, row)
    if meaning.kind is Kind.OXYGEN_FLOW:
        return OxygenPart(flow_l_per_min=value)
    if meaning.kind is Kind.WEIGHT:
        return WholeEntry("weight", {"weight_kg": value}, "weight")
    word = FAHRENHEIT.key if row.unit == FAHRENHEIT.unit else meaning.word
    return Signs({word: value}, meaning.method)


def _fio2_percent(number: str, row: UnitRow) -> str:
    """Return FiO2 in percent.

    1, 2 or 15 may be a fraction, a percentage or a flow keyed into the wrong field (eICU and
    AmsterdamUMCdb have all three), so no number below 21 % is believed but a fraction that has the
    unit of one.
    """
    value = Decimal(number)
    is_fraction = row.unit == FRACTION
    is_above = value >= _PERCENT_LOWEST if is_fraction else value > _HUNDRED
    if value < FIO2_FRACTION_LOWEST or is_above:
        raise UnreadableError("value.impossible", "no FiO2 is that")
    if value >= FIO2_FRACTION_BELOW:
        if value < _PERCENT_LOWEST:
            raise UnreadableError("value.ambiguous", "it may be a fraction, a percentage or a flow")
        return converted(number, row)
    if not is_fraction:
        raise UnreadableError("value.ambiguous", "it may be a fraction or a percentage")
    return product(number, _HUNDRED)


def _lab(analyte: str, measured: Measured, row: UnitRow) -> WholeEntry:
    fields: dict[str, Any] = {
        "analyte": analyte,
        "value": converted(measured.number, row),
        "unit": row.unit,
    }
    limits = {"lower_limit": measured.lower_limit, "upper_limit": measured.upper_limit}
    fields |= {key: converted(limit, row) for key, limit in limits.items() if limit is not None}
    if measured.comparator:
        fields["comparator"] = measured.comparator
    return WholeEntry("lab", fields, f"lab:{analyte}")


def _rate(meaning: Meaning, measured: Measured) -> Measurement:
    """Return the rate of a drug from an instant on; it is null where the rate cannot be read."""
    fields: dict[str, Any] = {"drug": meaning.word, "rate": None}
    missing = None
    try:
        row = unit_for(meaning, measured.unit)
        if row.unit == DoseUnit.ML_PER_H:
            raise UnreadableError(
                "infusion.concentration_missing", "it runs in mL/h of a strength not sent"
            )
        fields |= {"rate": converted(measured.number, row), "unit": row.unit}
    except UnreadableError as error:
        missing = error
    return Measurement(WholeEntry("vasopressor", fields, f"vasopressor:{meaning.word}"), missing)


def _dose(meaning: Meaning, measured: Measured) -> Measurement:
    """Return a treatment with its dose; the dose is left out where its unit cannot be read."""
    fields: dict[str, Any] = {"agent": meaning.word}
    missing = None
    try:
        fields["dose_mg"] = converted(measured.number, unit_for(meaning, measured.unit))
    except UnreadableError as error:
        missing = error
    return Measurement(WholeEntry("treatment", fields, f"treatment:{meaning.word}"), missing)
