"""The values of one Observation and of its components, put together by what they are about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from grading.engine.units import is_plain_number
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.codes import Meaning
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_check import is_absent, value_key
from patients.exchange.formats.fhir_entry import attribution_of
from patients.exchange.formats.fhir_own import is_of_format_2
from patients.exchange.formats.fhir_sent import with_what_was_sent
from patients.exchange.formats.fhir_tree import Tree, an_object, codings, objects
from patients.exchange.formats.fhir_values import (
    device_in,
    known_meaning,
    limits_of_normal,
    measured_in,
)
from patients.exchange.formats.received import WholeEntry
from patients.exchange.formats.unreadable import UnreadableError

_PANELS: Final = frozenset({Kind.PRESSURES, Kind.SIGNS_PANEL})
_NOT_OBSERVED: Final = frozenset({Kind.DRUG, Kind.AGENT, Kind.DEVICE})


class Value(NamedTuple):
    """A value of a field, where it stands and what it is attributed to ("" where not stated)."""

    text: str
    place: str
    attribution: str


class Failure(NamedTuple):
    error: UnreadableError
    place: str


class Whole(NamedTuple):
    entry: WholeEntry
    place: str
    note: str
    attribution: str


@dataclass(slots=True)
class Parts:
    """``signs`` are by method, then by field; ``remarks`` are (reason, place)."""

    signs: dict[str, dict[str, Value]] = field(default_factory=dict)
    oxygen: dict[str, Value] = field(default_factory=dict)
    wholes: list[Whole] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)
    contradictory: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return not (any(self.signs.values()) or self.oxygen or self.wholes)


def parts_of(node: Tree, place: str, at: datetime | None, context: Context) -> Parts:
    """Return what an Observation and its components state.

    Raises UnreadableError where the Observation as a whole is nothing that is read here: an unknown
    code, a panel without members. What is wrong with a component is one of ``failures``.
    """
    meaning = known_meaning(an_object(node, "code"), context)
    if meaning.kind in _NOT_OBSERVED:
        raise UnreadableError("code.unknown", "its code is no observation")
    parts = Parts()
    components = objects(node, "component")
    if _states_a_value(node, meaning, has_components=bool(components)):
        _add(node, place, meaning, parts, at, context)
    for index, component in enumerate(components):
        if not is_of_format_2(codings(an_object(component, "code"))):
            _add(component, f"{place}.component[{index}]", None, parts, at, context)
    return parts


def _states_a_value(node: Tree, meaning: Meaning, *, has_components: bool) -> bool:
    if value_key(node) is not None or is_absent(node):
        return True
    is_list_of_members = meaning.kind in _PANELS and bool(objects(node, "hasMember"))
    return not (has_components or is_list_of_members)


def _add(
    part: Tree, place: str, meaning: Meaning | None, parts: Parts, at: datetime | None,
    context: Context,
) -> None:  # fmt: skip
    try:
        if meaning is None:
            meaning = known_meaning(an_object(part, "code"), context)
        if is_absent(part):
            parts.remarks.append(("data.absent", place))
        elif meaning.kind is Kind.OXYGEN_DEVICE:
            _put(parts, parts.oxygen, "device", device_in(part, at, context), place, part)
        else:
            _add_measured(part, place, meaning, parts)
    except UnreadableError as error:
        parts.failures.append(Failure(with_what_was_sent(error, part), place))


def _add_measured(part: Tree, place: str, meaning: Meaning, parts: Parts) -> None:
    if meaning.kind in _PANELS:
        missing = value_key(part) is None
        reason = "value.missing" if missing else "value.not_numeric"
        raise UnreadableError(reason, "a panel has its values in its components")
    found, comparator = measured_in(part, meaning)
    if meaning.kind is Kind.SIGN:
        signs = parts.signs.setdefault(meaning.method, {})
        _put(parts, signs, found.field, found.value, place, part)
    elif meaning.kind in (Kind.OXYGEN_FLOW, Kind.FIO2):
        _put(parts, parts.oxygen, found.field, found.value, place, part)
    elif meaning.kind is Kind.WEIGHT:
        entry = WholeEntry("weight", {"weight_kg": found.value}, "weight")
        parts.wholes.append(Whole(entry, place, "", attribution_of(part)))
    else:
        limits = limits_of_normal(part, meaning, found.unit)
        if limits.is_ambiguous:
            parts.remarks.append(("range.ambiguous", place))
        fields: dict[str, Any] = {
            "analyte": meaning.word,
            "value": found.value,
            "unit": found.unit.unit,
            "upper_limit": limits.upper,
            "lower_limit": limits.lower,
            "comparator": comparator or None,
        }
        stated = {name: value for name, value in fields.items() if value is not None}
        entry = WholeEntry("lab", stated, f"lab:{meaning.word}")
        parts.wholes.append(Whole(entry, place, found.note, attribution_of(part)))


def _put(
    parts: Parts, values: dict[str, Value], name: str, text: str, place: str, part: Tree
) -> None:
    """Add a value; where the resource states another one of it too, neither is charted."""
    before = values.get(name)
    if before is not None and not _equal(before.text, text):
        parts.failures.append(Failure(_two_values(), before.place))
        parts.contradictory.add(name)
        del values[name]
    if name in parts.contradictory:
        raise _two_values()
    values[name] = Value(text, place, attribution_of(part))


def _two_values() -> UnreadableError:
    return UnreadableError("duplicate.conflict", "the resource states two values of it")


def _equal(first: str, second: str) -> bool:
    return first == second or (
        is_plain_number(first) and is_plain_number(second) and Decimal(first) == Decimal(second)
    )


def attributions(values: dict[str, Value], whole: str) -> Iterator[tuple[str, str]]:
    """Give the attribution of each field: its own, else that of the resource."""
    for name, value in values.items():
        yield name, value.attribution or whole
