"""What is stated now, also by keys of which only the entry is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from grading.engine.vocabulary import FAHRENHEIT, VITAL_SIGN
from patients.exchange.formats.chart_state import SHARED, Chart, Known, Words
from patients.exchange.formats.context import KeyState
from patients.exchange.formats.received import (
    Content,
    Document,
    Infusion,
    OxygenPart,
    Signs,
    Source,
    WholeEntry,
)
from patients.exchange.formats.statements import (
    OXYGEN_FIELDS,
    PRESSURES,
    TEMPERATURES,
    Statement,
    same_value,
    values_of,
)

_SIGNS: Final = (*VITAL_SIGN, FAHRENHEIT.key)
_INFUSION: Final = ("drug", "rate", "unit", "concentration_per_ml", "weight_kg")
_OF_EACH: Final = frozenset({"id", "at", "kind", "recorded_at", "replaces", "note", "attribution"})


def read_active(chart: Chart, document: Document) -> None:
    """Set the statements that take part in the chart, by key (``Chart.active``).

    Of keys of which only an entry is known, several of one entry, the rest of that entry stands
    under a name of its own (``shared_key``). So it does where ``document`` states by the one known
    key a part of the entry: who corrects a temperature does not take back the pressure.
    """
    stated = {one.source.key: one.content for one in document.statements}
    active = chart.active
    shared: dict[str, list[Known]] = {}
    for known in chart.known.values():
        if known.state is KeyState.RETRACTED or chart.overruled_by(known.entry) is not None:
            continue
        if known.charted is not None:
            active[known.key] = known.charted
        elif (entry := chart.current(known.entry)) is not None:
            shared.setdefault(entry, []).append(known)
    for entry, keys in shared.items():
        if len(keys) == 1 and not _states_a_part(stated.get(keys[0].key), chart.entries[entry]):
            active[keys[0].key] = keys[0].charted = _read(chart, entry, keys[0].key)
        else:
            active[shared_key(entry)] = _read(chart, entry, shared_key(entry))
            chart.shared_entries |= {known.key: entry for known in keys}


def _states_a_part(content: Content | None, words: Words) -> bool:
    """Return whether a set of signs, or of oxygen, has less than the entry has."""
    names = {
        "vitals": set(_SIGNS) if isinstance(content, Signs) else set(),
        "oxygen": set(OXYGEN_FIELDS) if isinstance(content, OxygenPart) else set(),
    }.get(str(words["kind"]), set())
    return any(words.get(name) is not None for name in names - names_stated_by(content))


def names_stated_by(content: Content | None) -> set[str]:
    """Return the fields that a statement speaks for, by their names in the course file.

    A panel speaks for all pressures, a device with components for all of oxygen, also where it
    leaves one out. A temperature is one thing in both its units.
    """
    if content is None:
        return set()
    names = set(values_of(content))
    has_components = isinstance(content, Signs | OxygenPart) and bool(content.places)
    for together in (TEMPERATURES, *((PRESSURES, OXYGEN_FIELDS) if has_components else ())):
        if names & set(together):
            names |= set(together)
    return names


def shared_key(entry: str) -> str:
    """Return the name under which the values of an entry of several keys stand."""
    return SHARED + entry


def without(statement: Statement, names: Iterable[str]) -> Statement | None:
    """Return a set of signs or of oxygen without some fields; None where nothing is left."""
    taken = set(names)
    left = {
        name: value for name, value in values_of(statement.content).items() if name not in taken
    }
    if not left:
        return None
    if isinstance(statement.content, Signs):
        return replace(statement, content=replace(statement.content, values=left))
    if isinstance(statement.content, OxygenPart):
        return replace(statement, content=OxygenPart(**left, places=statement.content.places))
    return statement


def has_in_entry(words: Words, statement: Statement) -> bool:
    """Return whether an entry has each value of a statement at its time."""
    at = datetime.fromisoformat(str(words["at"]))
    return at == statement.at and all(
        same_value(words.get(name), value) for name, value in values_of(statement.content).items()
    )


def _read(chart: Chart, entry: str, key: str) -> Statement:
    words = chart.entries[entry]
    return Statement(
        source=Source("", key),
        at=datetime.fromisoformat(str(words["at"])),
        content=_content(chart, words, key),
        note=str(words.get("note") or ""),
        attribution=words.get("attribution"),
        extra={"purpose": words["purpose"]} if words.get("purpose") else {},
    )


def _content(chart: Chart, words: Words, key: str) -> Content:
    kind = words["kind"]
    if kind == "vitals":
        return Signs(_texts(words, _SIGNS))
    if kind == "oxygen":
        return OxygenPart(**_texts(words, OXYGEN_FIELDS))
    if kind == "vasopressor":
        return _infusion(chart, words)
    values = {name: _text(value) for name, value in words.items() if name not in _OF_EACH}
    return WholeEntry(kind, values, key)


def _infusion(chart: Chart, words: Words) -> Infusion:
    """Return the rate of an entry up to the next own entry of its drug."""
    at = datetime.fromisoformat(str(words["at"]))
    later = sorted(
        (other_at, other)
        for identity, one in chart.entries_in_force("vasopressor")
        if one["drug"] == words["drug"]
        and identity in chart.own
        and (other_at := datetime.fromisoformat(str(one["at"]))) > at
        for other in [identity]
    )
    fields = infusion_fields(words)
    if not later:
        return Infusion(fields, None)
    end, identity = later[0]
    stop = chart.entries[identity]
    is_stop = same_value(stop.get("rate"), 0)
    return Infusion(fields, end, stop_entry=stop if is_stop else None)


def infusion_fields(words: Words) -> dict[str, Any]:
    """Return the fields of the rate that an entry charts."""
    return {"rate": None, **_texts(words, _INFUSION)}


def _texts(words: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: _text(words[name]) for name in names if words.get(name) is not None}


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value
