"""What people charted in the same minute: an equal value confirms, another one is a conflict.

At one instant the later recorded entry wins in grading, so that charting the value of a system
would overrule a nurse unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from grading.engine.analytes import Analyte, unit_of_result
from grading.engine.entries import Vasopressor, Vitals
from grading.engine.units import exact_decimal
from grading.engine.vasopressors import charted_dose_without_weight
from patients.exchange.formats.chart_state import Chart, Words
from patients.exchange.formats.plausible import read_words
from patients.exchange.formats.statements import (
    BY_FIELD,
    OXYGEN_FIELDS,
    PRESSURES,
    TEMPERATURES,
    same_value,
    thing_of,
)

_RESULT: Final = ("analyte", "value", "unit", "comparator")
_OF_EACH: Final = frozenset({"id", "at", "recorded_at", "replaces", "note", "attribution"})
_MEASURED_AT: Final = "measured_at"


@dataclass(frozen=True, slots=True)
class Rival:
    """An entry of people about the same thing in the same minute, and whether it is equal."""

    entry: str
    is_equal: bool


def names_together(name: str) -> tuple[str, ...]:
    """Return the fields of vital signs that are one thing with this one."""
    if name in PRESSURES:
        return PRESSURES
    return TEMPERATURES if name in TEMPERATURES else (name,)


def rival_signs(chart: Chart, words: Words, names: Sequence[str]) -> Rival | None:
    """Return the entry of people about the vital signs ``names`` of a set."""
    own = _signs(words, names)
    rivals = [
        (entry, theirs)
        for entry, other in _in_the_minute(chart, "vitals", words)
        if (theirs := _signs(other, names))
    ]
    return _of([(entry, theirs == own) for entry, theirs in rivals])


def _signs(words: Words, names: Sequence[str]) -> dict[str, Any]:
    entry = read_words({name: value for name, value in words.items() if name != "id"})
    if not isinstance(entry, Vitals):
        raise TypeError("no vital signs")
    keys = dict.fromkeys("temperature_c" if name in TEMPERATURES else name for name in names)
    return {key: value for key in keys if (value := entry.value_of(key)) is not None}


def rival(chart: Chart, words: Words) -> Rival | None:
    """Return the entry of people about the same thing as an entry that is no vital signs."""
    kind = str(words["kind"])
    if kind == "note":
        return None
    if kind in BY_FIELD:
        return _rival_answers(chart, words)
    thing = _thing(words)
    return _of(
        [
            (entry, same_value(compared(other), compared(words)))
            for entry, other in _in_the_minute(chart, kind, words)
            if _thing(other) == thing
        ]
    )


def _rival_answers(chart: Chart, words: Words) -> Rival | None:
    """Return the entry of people with another answer to a question, or with all of the same."""
    own, found = _answers(words), []
    for entry, other in chart.of_people(str(words["kind"])):
        theirs = _answers(other)
        if _minutes(words).isdisjoint(_minutes(other)):
            continue
        if any(not same_value(own[name], theirs[name]) for name in own.keys() & theirs.keys()):
            found.append((entry, False))
        elif own.keys() <= theirs.keys():
            found.append((entry, True))
    return _of(found)


def _answers(words: Words) -> dict[str, Any]:
    left = _OF_EACH | {"kind", _MEASURED_AT}
    return {name: value for name, value in words.items() if name not in left and value is not None}


def _minutes(words: Words) -> set[datetime]:
    """Return the minute of an entry, and that in which its values were measured."""
    measured_at = words.get(_MEASURED_AT)
    return {minute_of(words)} | (set() if measured_at is None else {_minute(str(measured_at))})


def _of(found: Sequence[tuple[str, bool]]) -> Rival | None:
    if not found:
        return None
    entry, is_equal = max(found, key=lambda one: one[1])
    return Rival(entry, is_equal)


def _thing(words: Words) -> str:
    if words["kind"] == "vasopressor":
        return f"vasopressor:{words['drug']}"
    return thing_of(str(words["kind"]), words)


def compared(words: Words) -> Mapping[str, Any]:
    """Return what makes two entries about one thing equal, whatever units they are in."""
    if words["kind"] == "vasopressor":
        return _rate(words)
    if words["kind"] == "lab":
        return result_compared({name: words[name] for name in _RESULT if words.get(name)})
    left = OXYGEN_FIELDS if words["kind"] == "oxygen" else words.keys() - _OF_EACH
    return {name: words[name] for name in left if words.get(name) is not None}


def result_compared(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a result, its value in the unit that its analyte is compared in."""
    unit = unit_of_result(Analyte(fields["analyte"]), str(fields["unit"]))
    value = exact_decimal(str(fields["value"]))
    left = {name: each for name, each in fields.items() if name not in ("value", "unit")}
    return left | {"value": Fraction(value) * Fraction(unit.to_common)}


def _rate(words: Words) -> dict[str, Any]:
    """Return a rate by the minute; one per kg is no rate without: the weights may differ."""
    if words.get("rate") is None or same_value(words["rate"], 0):
        return {"rate": None if words.get("rate") is None else 0}
    entry = read_words({name: value for name, value in words.items() if name != "id"})
    if not isinstance(entry, Vasopressor) or entry.unit is None:
        raise TypeError("no rate")
    return {"rate": charted_dose_without_weight(entry), "per_kg": entry.unit.per_kg}


def _in_the_minute(chart: Chart, kind: str, words: Words) -> list[tuple[str, Words]]:
    minute = minute_of(words)
    return [(entry, other) for entry, other in chart.of_people(kind) if minute_of(other) == minute]


def minute_of(words: Words) -> datetime:
    """Return the minute of the clock, in UTC, of an entry."""
    return _minute(str(words["at"]))


def _minute(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(second=0, microsecond=0)
