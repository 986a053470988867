"""What people charted in the same minute: an equal value confirms, another one is a conflict.

At one instant the later recorded entry wins in grading, so that charting the value of a system
would overrule a nurse unseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from grading.engine.entries import Vitals
from patients.exchange.formats.chart_state import Chart, Words
from patients.exchange.formats.plausible import read_words
from patients.exchange.formats.statements import PRESSURES, same_value, thing_of

_TEMPERATURES: Final = ("temperature_c", "temperature_f")
_OXYGEN: Final = ("device", "flow_l_per_min", "fio2_percent")
_RATE: Final = ("drug", "rate", "unit", "concentration_per_ml")
_RESULT: Final = ("analyte", "value", "unit", "comparator")
_OF_EACH: Final = frozenset({"id", "at", "recorded_at", "replaces", "note", "attribution"})
_NO_RIVAL: Final = frozenset({"baseline", "risk", "note"})
"""Kinds that say something of the whole course, or nothing that contradicts."""


@dataclass(frozen=True, slots=True)
class Rival:
    """An entry of people about the same thing in the same minute, and whether it is equal."""

    entry: str
    is_equal: bool


def names_together(name: str) -> tuple[str, ...]:
    """Return the fields of vital signs that are one thing with this one."""
    if name in PRESSURES:
        return PRESSURES
    return _TEMPERATURES if name in _TEMPERATURES else (name,)


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
    keys = dict.fromkeys("temperature_c" if name in _TEMPERATURES else name for name in names)
    return {key: value for key in keys if (value := entry.value_of(key)) is not None}


def rival(chart: Chart, words: Words) -> Rival | None:
    """Return the entry of people about the same thing as an entry that is no vital signs."""
    kind = str(words["kind"])
    if kind in _NO_RIVAL:
        return None
    thing = _thing(words)
    return _of(
        [
            (entry, same_value(_value(other), _value(words)))
            for entry, other in _in_the_minute(chart, kind, words)
            if _thing(other) == thing
        ]
    )


def _of(found: Sequence[tuple[str, bool]]) -> Rival | None:
    if not found:
        return None
    entry, is_equal = max(found, key=lambda one: one[1])
    return Rival(entry, is_equal)


def _thing(words: Words) -> str:
    if words["kind"] == "vasopressor":
        return f"vasopressor:{words['drug']}"
    return thing_of(str(words["kind"]), words)


def _value(words: Words) -> Mapping[str, Any]:
    names = {"oxygen": _OXYGEN, "vasopressor": _RATE, "lab": _RESULT}.get(words["kind"])
    if words["kind"] == "vasopressor" and words.get("rate") is not None:
        names = ("drug", "rate") if same_value(words["rate"], 0) else names
    left = words.keys() - _OF_EACH if names is None else names
    return {name: words[name] for name in left if words.get(name) is not None}


def _in_the_minute(chart: Chart, kind: str, words: Words) -> list[tuple[str, Words]]:
    minute = minute_of(words)
    return [(entry, other) for entry, other in chart.of_people(kind) if minute_of(other) == minute]


def minute_of(words: Words) -> datetime:
    """Return the minute of the clock, in UTC, of an entry."""
    at = datetime.fromisoformat(str(words["at"])).astimezone(UTC)
    return at.replace(second=0, microsecond=0)
