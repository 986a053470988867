"""The entry of our own export that comes with a coded value: do they agree, and what is taken?

Codes and numbers of a resource are what other systems understand, so they decide; the entry only
adds what no code says. Where the two differ, nobody knows which was changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from grading.course_file import CourseFileError, read_entry
from grading.engine.entries import BaselineFacts, Entry, Vasopressor, Vitals
from grading.engine.vocabulary import FAHRENHEIT
from grading.format_2 import NEW_FIELDS
from patients.exchange.formats.received import Infusion, Received, Signs, WholeEntry
from patients.exchange.formats.statements import (
    Statement,
    kind_of,
    statement_of,
    values_of,
    words_of,
)

JOINED: Final = frozenset({"baseline", "risk"})
"""Kinds whose entry becomes several resources, which are one entry again when they come back."""

_OF_EACH: Final = frozenset({"id", "at", "recorded_at", "note", "replaces"})
_NO_DOSE: Final = ("unit", "concentration_per_ml")
"""Fields of a rate that mean nothing where it is null."""
_OF_A_STOP: Final = ("note", "attribution", *_NO_DOSE, "weight_kg")
_RATE_MISSING: Final = "rate.missing"


class ContradictionError(Exception):
    """The entry and the coded value differ."""


def with_its_entry(received: Received) -> tuple[Statement, Received]:
    """Return the statement with what is taken from its entry; raises ContradictionError.

    The second value is what was received without the details that the entry explains.
    """
    statement = statement_of(received)
    if received.entry is None:
        return statement, received
    entry, own = _read(received.entry), _read(words_of(statement))
    if entry.kind != own.kind or _differ(statement, entry, own):
        raise ContradictionError
    if received.at not in _instants_of(entry):
        raise ContradictionError
    return _taken(statement, received.entry), _explained(received)


def stop_words(content: Infusion) -> dict[str, Any]:
    """Return what the entry that ended an infusion says beyond that; raises ContradictionError."""
    if content.stop_entry is None:
        return {}
    stop = _read(content.stop_entry)
    if not isinstance(stop, Vasopressor) or stop.drug != content.fields["drug"]:
        raise ContradictionError
    if stop.rate is None or stop.rate or stop.at != content.end:
        raise ContradictionError
    words = content.stop_entry
    return {name: words[name] for name in _OF_A_STOP if words.get(name) not in (None, "", "crs")}


def _read(words: Mapping[str, Any]) -> Entry:
    left = {name: value for name, value in words.items() if name not in ("id", "replaces")}
    try:
        return read_entry({"id": "-", **left})
    except CourseFileError as error:
        raise ContradictionError from error


def _instants_of(entry: Entry) -> set[datetime]:
    """Return when an entry may stand: a baseline when it was charted, or was measured."""
    if isinstance(entry, BaselineFacts) and entry.measured_at is not None:
        return {entry.at, entry.measured_at}
    return {entry.at}


def _differ(statement: Statement, entry: Entry, own: Entry) -> bool:
    if isinstance(entry, Vitals) and isinstance(own, Vitals):
        names = [
            "temperature_c" if name == FAHRENHEIT.key else name
            for name in values_of(statement.content)
        ]
        return any(
            entry.value_of(name) != own.value_of(name)
            or entry.attribution_of(name) != own.attribution_of(name)
            for name in names
        )
    names = [item.name for item in fields(own) if item.name not in _OF_EACH]
    if isinstance(entry, Vasopressor) and isinstance(own, Vasopressor) and not own.rate:
        names = ["drug", "attribution"]
        if (entry.rate is None) is not (own.rate is None) or entry.rate:
            return True
    if own.kind in JOINED:
        names = ["attribution", *values_of(statement.content)]
    names = [name for name in names if name not in (NEW_FIELDS.get(own.kind), "measured_at")]
    return any(getattr(entry, name) != getattr(own, name) for name in names)


def _taken(statement: Statement, words: Mapping[str, Any]) -> Statement:
    kind = kind_of(statement.content)
    statement = replace(statement, note=str(words.get("note") or ""), was_charted=True)
    new_field = NEW_FIELDS.get(kind)
    if new_field is not None and words.get(new_field) is not None:
        statement = replace(statement, extra={new_field: words[new_field]})
    if isinstance(statement.content, Infusion):
        statement = _with_its_unit(statement, statement.content, words)
    if isinstance(statement.content, Signs):
        statement = replace(statement, attribution=words.get("attribution"))
    if kind in JOINED and words.get("id"):
        statement = replace(statement, joined=str(words["id"]))
    if kind == BaselineFacts.kind and isinstance(statement.content, WholeEntry):
        fields_of = {
            name: value for name, value in statement.content.fields.items() if name != "measured_at"
        }
        if words.get("measured_at") is not None:
            fields_of["measured_at"] = words["measured_at"]
        content = replace(statement.content, fields=fields_of)
        at = datetime.fromisoformat(str(words["at"]))
        statement = replace(statement, content=content, at=at)
    return statement


def _with_its_unit(statement: Statement, content: Infusion, words: Mapping[str, Any]) -> Statement:
    """Take the unit that an entry has with a null rate, which no code says."""
    if content.fields.get("rate") is not None:
        return statement
    taken = {name: words[name] for name in _NO_DOSE if words.get(name) is not None}
    return replace(statement, content=replace(content, fields={**content.fields, **taken}))


def _explained(received: Received) -> Received:
    """Leave out that a rate is missing where the entry has none either: null is meant."""
    if not isinstance(received.content, Infusion):
        return received
    left = tuple(detail for detail in received.details if detail.reason != _RATE_MISSING)
    return replace(received, details=left)
