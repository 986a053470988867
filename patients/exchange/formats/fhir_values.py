"""What one value of an Observation, or of one of its components, is for the chart."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from patients.exchange.formats.code_rows import SNOMED, Kind
from patients.exchange.formats.codes import Meaning, meaning_of, unclear_device
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_check import value_key
from patients.exchange.formats.fhir_sent import label_of
from patients.exchange.formats.fhir_tree import (
    Codings,
    Quantity,
    Tree,
    an_object,
    codings,
    integer,
    objects,
    quantity,
)
from patients.exchange.formats.measured import Measured, limit_of_normal, measured
from patients.exchange.formats.unit_rows import UnitRow
from patients.exchange.formats.units import NO_UNIT, shown, unit_for
from patients.exchange.formats.unreadable import UnreadableError

NORMAL: Final = ("http://terminology.hl7.org/CodeSystem/referencerange-meaning", "normal")


def known_meaning(concept: Tree | None, context: Context) -> Meaning:
    """Return what a code stands for; raises ``code.unknown`` and ``code.conflict``."""
    meaning = meaning_of(codings(concept), context.local_codes)
    if meaning is None:
        raise UnreadableError("code.unknown", f"{shown(label_of(concept))} is in no table")
    return meaning


def number_of(part: Tree) -> Quantity:
    """Return the number that an Observation or a component states.

    Raises UnreadableError ``value.missing``, ``value.not_numeric``.
    """
    key = value_key(part)
    if key == "valueInteger":
        return Quantity(integer(part, key), "", NO_UNIT)
    if key is not None and key != "valueQuantity":
        raise UnreadableError("value.not_numeric", "its value is no number")
    found = None if key is None else quantity(part, key)
    if found is None or found.number is None:
        raise UnreadableError("value.missing", "it has no value")
    return found


def measured_in(part: Tree, meaning: Meaning) -> tuple[Measured, str]:
    """Return the measured value of a part and its comparator; raises as ``measured`` does."""
    found = number_of(part)
    assert found.number is not None  # noqa: S101
    return measured(meaning, found.number, found.unit, found.comparator), found.comparator


def device_in(part: Tree, at: datetime | None, context: Context) -> str:
    """Return the device word of an answer to "which device?".

    Raises ``code.unknown``, with a proposal where the code may mean several devices of which each
    has another grade.
    """
    if value_key(part) != "valueCodeableConcept":
        raise UnreadableError("code.unknown", "its device is no code")
    return device_word(an_object(part, "valueCodeableConcept"), at, context)


def device_word(concept: Tree | None, at: datetime | None, context: Context) -> str:
    codes = codings(concept)
    meaning = meaning_of(codes, context.local_codes)
    if meaning is not None and meaning.kind is Kind.DEVICE:
        return meaning.word
    raise UnreadableError(
        "code.unknown",
        f"{shown(label_of(concept))} is no device of the table",
        proposed_device(codes, at),
    )


def proposed_device(codes: Codings, at: datetime | None) -> dict[str, Any] | None:
    """Return the entry that a code of unclear meaning proposes, None where there is none."""
    unclear = unclear_device((system, code) for system, code in codes if system == SNOMED)
    if unclear is None or not unclear.proposal or at is None:
        return None
    return {"kind": "oxygen", "at": at.isoformat(), "device": unclear.proposal}


class LimitsOfNormal(NamedTuple):
    """``is_ambiguous``: there are limits, and it is not clear that they are those of the result."""

    lower: str | None = None
    upper: str | None = None
    is_ambiguous: bool = False


_NO_LIMITS: Final = LimitsOfNormal()
_AMBIGUOUS: Final = LimitsOfNormal(is_ambiguous=True)


def limits_of_normal(part: Tree, meaning: Meaning, unit: UnitRow) -> LimitsOfNormal:
    """Return the limits of normal of a result: one reference range, in the result's unit.

    Of several, those whose type is not "normal" (FHIR R4 referencerange-meaning) are passed over.
    """
    ranges = objects(part, "referenceRange")
    if not ranges:
        return _NO_LIMITS
    normal = [found for found in ranges if _types(found) in ([], [NORMAL])]
    marked = [found for found in normal if _types(found)]
    candidates = marked if len(marked) == 1 else normal
    if len(candidates) != 1:
        return _AMBIGUOUS
    low, high = quantity(candidates[0], "low"), quantity(candidates[0], "high")
    lower = _limit(low, meaning, unit, upper=False)
    upper = _limit(high, meaning, unit, upper=True)
    read = [limit for limit in (lower, upper) if limit is not None]
    stated = [limit for limit in (low, high) if limit is not None]
    if not read or len(read) != len(stated):
        return _AMBIGUOUS
    return LimitsOfNormal(lower, upper)


def _types(found: Tree) -> Codings:
    return codings(an_object(found, "type"))


def _limit(found: Quantity | None, meaning: Meaning, unit: UnitRow, *, upper: bool) -> str | None:
    """Return a limit in the unit of the course file; one without a unit has the result's."""
    if found is None or found.number is None or found.comparator:
        return None
    try:
        row = unit if found.unit == NO_UNIT else unit_for(meaning, found.unit)
    except UnreadableError:
        return None
    if row.unit != unit.unit:
        return None
    return limit_of_normal(found.number, row, upper=upper)
