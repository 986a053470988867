"""Single elements of a FHIR resource, read from its exact JSON tree.

Each reader takes whatever stands there and raises UnreadableError ``invalid`` for what FHIR R4 does
not allow; nothing else is raised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from grading.engine.vocabulary import EARLIEST, LATEST
from patients.exchange.formats.code_rows import MDC, UCUM
from patients.exchange.formats.exact_json import Exact
from patients.exchange.formats.measured import COMPARATORS
from patients.exchange.formats.units import NO_UNIT, UnitText
from patients.exchange.formats.unreadable import UnreadableError

Tree = Mapping[str, Any]
Codings = list[tuple[str, str]]

NOTHING: Final[Tree] = {}
_DAY: Final = timedelta(days=1)
"""More than any offset: a time this far inside the calendar is inside it in every zone."""


def invalid(what: str) -> UnreadableError:
    return UnreadableError("invalid", what)


def an_object(node: Tree, key: str) -> Tree | None:
    """Return the object at ``key``, None where there is none."""
    raw = node.get(key)
    if raw is None or isinstance(raw, Mapping):
        return raw
    raise invalid(f"{key} is no object")


def objects(node: Tree, key: str) -> list[Tree]:
    """Return the objects of the list at ``key``."""
    raw = node.get(key)
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(item, Mapping) for item in raw):
        raise invalid(f"{key} is no list of objects")
    return raw


def text(node: Tree, key: str) -> str:
    """Return the text at ``key``, "" where there is none."""
    raw = node.get(key)
    if raw is None:
        return ""
    if isinstance(raw, str) and not isinstance(raw, Exact):
        return raw
    raise invalid(f"{key} is no text")


def boolean(node: Tree, key: str) -> bool | None:
    raw = node.get(key)
    if raw is None or isinstance(raw, bool):
        return raw
    raise invalid(f"{key} is neither true nor false")


_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)")


def integer(node: Tree, key: str) -> Exact | None:
    raw = node.get(key)
    if raw is None:
        return None
    if isinstance(raw, Exact) and _INTEGER.fullmatch(raw):
        return raw
    raise invalid(f"{key} is no whole number")


def codings(concept: Tree | None) -> Codings:
    """Return the (system, code) pairs of a CodeableConcept."""
    found = objects(concept or NOTHING, "coding")
    return [(text(item, "system"), text(item, "code")) for item in found]


def choice(node: Tree, stem: str, kinds: frozenset[str]) -> str | None:
    """Return the key of the one ``stem[x]`` that stands there (``valueQuantity``), or None."""
    found = [
        key
        for key, raw in node.items()
        if raw is not None and key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper()
    ]
    if len(found) > 1:
        raise invalid(f"it has two {stem}[x]")
    if found and found[0].removeprefix(stem) not in kinds:
        raise invalid(f"FHIR R4 has no {found[0]} here")
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Quantity:
    number: str | None
    comparator: str
    unit: UnitText


def quantity(node: Tree, key: str) -> Quantity | None:
    """Return the Quantity at ``key``, its number as exact text."""
    raw = an_object(node, key)
    return None if raw is None else quantity_of(raw)


def quantity_of(raw: Tree) -> Quantity:
    """Return a Quantity (http://hl7.org/fhir/R4/datatypes.html#Quantity, constraint qty-3).

    A code of UCUM decides; a code of ISO 11073 is looked up as text; of any other system it is in
    no table. Where there is no code and system, the text of the unit is looked up.
    """
    number = raw.get("value")
    if number is not None and not isinstance(number, Exact):
        raise invalid("the value of a Quantity is no number")
    comparator = text(raw, "comparator")
    if comparator and comparator not in COMPARATORS:
        raise invalid("FHIR R4 has no such comparator")
    code, system, unit = text(raw, "code"), text(raw, "system"), text(raw, "unit")
    if code and not system:
        raise invalid("a Quantity has a code without its system")
    return Quantity(number, comparator, _unit(code, system, unit))


def _unit(code: str, system: str, unit: str) -> UnitText:
    if not code:
        return UnitText(unit) if unit else NO_UNIT
    if system == UCUM:
        return UnitText(code, is_ucum=True)
    return UnitText(code if system == MDC else f"{system}|{code}")


_DATE_TIME: Final = re.compile(
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(?P<clock>T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?",
    re.ASCII,
)


def moment(node: Tree, key: str) -> datetime | None:
    """Return a dateTime or instant with its offset; raises ``time.partial`` where it has no clock.

    A time that no chart can have is ``value.impossible`` before 1900, ``time.future`` after 2200.
    """
    raw = text(node, key)
    if not raw:
        return None
    form = _DATE_TIME.fullmatch(raw)
    if form is None:
        raise invalid(f"{key} is no time of FHIR's form with its offset")
    if form["clock"] is None:
        raise UnreadableError("time.partial", "its time has no clock")
    try:
        at = datetime.fromisoformat(raw)
    except ValueError:
        raise invalid(f"{key} is no date of the calendar") from None
    if at.replace(tzinfo=UTC) > LATEST - _DAY:
        raise UnreadableError("time.future", "its time is still to come")
    if at.replace(tzinfo=UTC) < EARLIEST + _DAY:
        raise UnreadableError("value.impossible", "its time cannot be charted")
    return at


@dataclass(frozen=True, slots=True)
class When:
    """When something was so: from ``start`` to ``end``; ``is_period`` even with one of them."""

    start: datetime | None = None
    end: datetime | None = None
    is_period: bool = False


def when(node: Tree, stem: str, kinds: frozenset[str]) -> When:
    """Return the ``stem[x]`` (effective, performed) of a resource; per-1 refuses a reversed one."""
    key = choice(node, stem, kinds)
    kind = "" if key is None else key.removeprefix(stem)
    if key is not None and kind == "Period":
        period = an_object(node, key) or NOTHING
        start, end = moment(period, "start"), _end_of(period)
        if start is not None and end is not None and end < start:
            raise invalid("a Period ends before it starts")
        return When(start, end, is_period=True)
    if key is not None and kind in ("DateTime", "Instant"):
        return When(moment(node, key))
    return When()


def _end_of(period: Tree) -> datetime | None:
    """Return the end of a Period; one after all calendars of charts is the last that they have."""
    try:
        return moment(period, "end")
    except UnreadableError as error:
        if error.reason != "time.future":
            raise
        return LATEST


def single_moment(at: When) -> datetime:
    """Return the one time of a measurement; raises ``time.period`` and ``time.missing``."""
    if at.start is not None and at.end is not None:
        raise UnreadableError("time.period", "a value of one instant has a period of time")
    moment_known = at.start or at.end
    if moment_known is None:
        raise UnreadableError("time.missing", "it has no time")
    return moment_known
