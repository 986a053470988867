"""Observations of category "baseline": what was known of the patient before the therapy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine.analytes import BASELINE_RESULTS, Analyte, lab_unit
from patients.exchange.formats.fhir_entry import (
    Entry,
    check_entry,
    contradiction,
    entry_time,
)
from patients.exchange.formats.fhir_parts import Parts, Value
from patients.exchange.formats.fhir_tree import Tree, objects, text
from patients.exchange.formats.received import WholeEntry
from patients.exchange.formats.statements import PRESSURES
from patients.exchange.formats.units import plain, product
from patients.exchange.formats.unreadable import UnreadableError

BASELINE: Final = "baseline"
_RESULTS: Final = {analyte: (field, unit) for field, analyte, unit in BASELINE_RESULTS}


class BaselineStatement(NamedTuple):
    """A baseline and when it was charted, which is not when it was measured."""

    content: WholeEntry
    at: datetime


def is_baseline(node: Tree) -> bool:
    """Return whether a category of an Observation has the text "baseline"."""
    return any(text(item, "text").strip() == BASELINE for item in objects(node, "category"))


def baseline_of(parts: Parts, measured_at: datetime, entry: Entry | None) -> BaselineStatement:
    """Return the baseline that the parts of an Observation state.

    Raises UnreadableError ``code.unknown`` for what has no baseline here, ``unit.unknown`` for a
    unit that does not lead to the baseline's exactly, ``entry.contradiction``.
    """
    fields = _fields(parts)
    if entry is None:
        at, measured = measured_at, {"measured_at": measured_at.isoformat()}
    else:
        check_entry(entry, BASELINE, None, {name: fields.get(name) for name in fields})
        at, measured = _times(entry, measured_at)
    thing = f"{BASELINE}:{','.join(sorted(fields))}"
    return BaselineStatement(WholeEntry(BASELINE, {**fields, **measured}, thing), at)


def _times(entry: Entry, effective: datetime) -> tuple[datetime, dict[str, str]]:
    charted, measured = entry_time(entry, "at"), entry_time(entry, "measured_at")
    if charted is None or (measured or charted) != effective:
        raise contradiction("has another time")
    return charted, {} if measured is None else {"measured_at": measured.isoformat()}


def _fields(parts: Parts) -> dict[str, str]:
    fields: dict[str, str] = {}
    for signs in parts.signs.values():
        fields |= {_pressure(name, value): value.text for name, value in signs.items()}
    for whole in parts.wholes:
        fields |= _result(whole.entry)
    if parts.oxygen or not fields:
        raise _no_baseline()
    return fields


def _pressure(name: str, _value: Value) -> str:
    if name not in PRESSURES:
        raise _no_baseline()
    return name


def _result(entry: WholeEntry) -> Mapping[str, str]:
    words = entry.fields
    if entry.kind != "lab" or words["analyte"] not in _RESULTS:
        raise _no_baseline()
    if words.get("comparator"):
        raise UnreadableError("comparator", "a baseline is a number")
    field, unit_name = _RESULTS[words["analyte"]]
    return {field: _in_unit(Analyte(words["analyte"]), words["value"], words["unit"], unit_name)}


def _in_unit(analyte: Analyte, value: str, unit_name: str, wanted: str) -> str:
    unit, target = lab_unit(analyte, unit_name), lab_unit(analyte, wanted)
    if unit_name == wanted:
        return value
    if unit is None or target is None or target.to_common != 1:
        raise UnreadableError("unit.unknown", f"a baseline of it is charted in {wanted}")
    return plain(product(value, unit.to_common))


def _no_baseline() -> UnreadableError:
    return UnreadableError("code.unknown", "the chart has no baseline of it")
