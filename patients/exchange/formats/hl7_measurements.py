"""A number of an HL7 v2 result, under its code and unit, in the words of the course file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grading.engine.vocabulary import DoseUnit
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.codes import Meaning
from patients.exchange.formats.measured import Measured, chartable, limit_of_normal, measured
from patients.exchange.formats.received import Content, OxygenPart, Signs, WholeEntry
from patients.exchange.formats.units import NO_UNIT, UnitText, converted, unit_for
from patients.exchange.formats.unreadable import UnreadableError


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was sent, exact, with comparator, unit and limits of normal in that unit."""

    text: str
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


def measurement(meaning: Meaning, number: Number) -> Measurement:
    """Return what is charted of a number under a code.

    Raises UnreadableError as ``measured`` does, and ``comparator`` of a rate or a dose.
    """
    if meaning.kind in (Kind.DRUG, Kind.AGENT):
        if number.comparator:
            raise UnreadableError("comparator", "a rate or a dose is one number")
        return _rate(meaning, number) if meaning.kind is Kind.DRUG else _dose(meaning, number)
    found = measured(meaning, number.text, number.unit, number.comparator)
    return Measurement(_content(meaning, found, number), note=found.note)


def _content(meaning: Meaning, found: Measured, number: Number) -> Content:
    match meaning.kind:
        case Kind.ANALYTE:
            return _lab(found, number)
        case Kind.WEIGHT:
            return WholeEntry("weight", {found.field: found.value}, "weight")
        case Kind.OXYGEN_FLOW:
            return OxygenPart(flow_l_per_min=found.value)
        case Kind.FIO2:
            return OxygenPart(fio2_percent=found.value)
    return Signs({found.field: found.value}, meaning.method)


def _lab(found: Measured, number: Number) -> WholeEntry:
    fields: dict[str, Any] = {
        "analyte": found.field,
        "value": found.value,
        "unit": found.unit.unit,
    }
    for key, limit in (("lower_limit", number.lower_limit), ("upper_limit", number.upper_limit)):
        is_upper = key == "upper_limit"
        value = None if limit is None else limit_of_normal(limit, found.unit, upper=is_upper)
        if value is not None:
            fields[key] = value
    if number.comparator:
        fields["comparator"] = number.comparator
    return WholeEntry("lab", fields, f"lab:{found.field}")


def _rate(meaning: Meaning, number: Number) -> Measurement:
    """Return the rate of a drug from an instant on; it is null where the rate cannot be read.

    A rate of 0 is a stop, whatever the strength, and without a unit too.
    """
    fields: dict[str, Any] = {"drug": meaning.word, "rate": None}
    missing = None
    try:
        is_stop = chartable(number.text) == 0
        if is_stop and number.unit == NO_UNIT:
            fields["rate"] = number.text
        else:
            row = unit_for(meaning, number.unit)
            if row.unit == DoseUnit.ML_PER_H and not is_stop:
                raise UnreadableError(
                    "infusion.concentration_missing", "it runs in mL/h of a strength not sent"
                )
            fields |= {"rate": converted(number.text, row), "unit": row.unit}
    except UnreadableError as error:
        missing = error
    return Measurement(WholeEntry("vasopressor", fields, f"vasopressor:{meaning.word}"), missing)


def _dose(meaning: Meaning, number: Number) -> Measurement:
    """Return a treatment with its dose; the dose is left out where its unit cannot be read."""
    fields: dict[str, Any] = {"agent": meaning.word}
    missing = None
    try:
        fields["dose_mg"] = converted(number.text, unit_for(meaning, number.unit))
    except UnreadableError as error:
        missing = error
    return Measurement(WholeEntry("treatment", fields, f"treatment:{meaning.word}"), missing)
