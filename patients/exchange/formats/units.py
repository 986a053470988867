"""Read a unit by the closed table, and bring a number to the course file's unit, exactly.

A unit is compared byte for byte, after Unicode normalisation to composed characters (NFC) and
without the blanks around it. UCUM is a standard of codes, but none of its parsers is asked: they
read ``K/uL`` as kelvin, and 38 Cel as 100.39999999999993 degrees Fahrenheit.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from decimal import Decimal, Inexact, InvalidOperation
from fractions import Fraction
from typing import Final

from grading.engine.units import EXACT, MAX_DIGITS, as_decimal
from patients.exchange.formats.codes import Meaning
from patients.exchange.formats.unit_rows import ONE, UNITS, UnitRow
from patients.exchange.formats.unreadable import UnreadableError

_ROWS: Final = {(row.thing, row.text): row for row in UNITS}


@dataclass(frozen=True, slots=True)
class UnitText:
    """A unit as it was sent; ``is_ucum``: as a code of UCUM's code system."""

    text: str
    is_ucum: bool = False


NO_UNIT: Final = UnitText("")


def unit_row(thing: str, unit: UnitText) -> UnitRow:
    """Return the row of a unit of ``thing``; raises UnreadableError unit.missing, unit.unknown."""
    text = unicodedata.normalize("NFC", unit.text).strip()
    row = _ROWS.get((thing, text))
    if row is None and not text:
        raise UnreadableError("unit.missing", "it has no unit")
    if row is None or (row.is_text_only and unit.is_ucum):
        raise UnreadableError("unit.unknown", f"its unit {shown(text)} is not in the table")
    return row


def unit_for(meaning: Meaning, unit: UnitText) -> UnitRow:
    """Return the row of a unit under a code.

    Raises UnreadableError: ``code.unit_conflict`` where the code counts mass and the unit
    molecules, or the reverse; else as ``unit_row``.
    """
    row = unit_row(meaning.word, unit)
    if row.needs_local_code and not meaning.is_local:
        raise UnreadableError("unit.unknown", f"its unit {shown(row.text)} is not in the table")
    amounts = {row.amount, meaning.amount} - {None}
    notes = {row.note, meaning.note} - {""} if row.note else set()
    if len(amounts) > 1 or len(notes) > 1:
        raise UnreadableError(
            "code.unit_conflict", f"its code and its unit {shown(row.text)} contradict each other"
        )
    return row


def converted(number: str, row: UnitRow) -> str:
    """Return ``number`` in the unit of the course file, as exact text.

    What needs no conversion stays as it was sent (38.20 stays 38.20). Raises UnreadableError
    ``value.impossible`` where the product has more digits than a chart holds.
    """
    if row.factor == ONE:
        return plain(number)
    return plain(product(number, row.factor))


def product(number: str, factor: Decimal) -> str:
    """Return ``number`` times ``factor``, exactly; raises UnreadableError ``value.impossible``."""
    try:
        value = EXACT.multiply(Decimal(number), factor)
    except (Inexact, InvalidOperation):
        raise UnreadableError("value.impossible", "it has too many digits") from None
    return _within_digits(value)


def quotient(numerator: Fraction, denominator: Fraction) -> str:
    """Return the exact quotient as text; raises UnreadableError ``rate.inexact``.

    A quotient with no finite decimal cannot stand in a course file.
    """
    try:
        value = as_decimal(numerator / denominator) if denominator else None
        if value is not None:
            return plain(_within_digits(value))
    except (Inexact, InvalidOperation, UnreadableError):
        pass
    raise UnreadableError("rate.inexact", "its quotient has no finite decimal that can be charted")


def _within_digits(value: Decimal) -> str:
    _, digits, exponent = value.as_tuple()
    if len(digits) + abs(int(exponent)) > MAX_DIGITS:
        raise UnreadableError("value.impossible", "it has too many digits")
    return str(value)


def plain(number: str) -> str:
    """Return a number without an exponent: ``1.2E+2`` is 120, and 38.20 stays 38.20."""
    return f"{Decimal(number):f}" if "e" in number.lower() else number


def written_unit(thing: str, unit: str) -> str | None:
    """Return the string to write for a unit of the course file, None where it has none."""
    rows = (row for row in UNITS if row.thing == thing and row.unit == unit)
    return next((row.text for row in rows if row.factor == ONE), None)


_LONGEST_SHOWN: Final = 40


def shown(text: str) -> str:
    """Return a unit or a code in quotes, cut where it is long."""
    cut = text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
    return f'"{cut}"'
