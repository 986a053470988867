"""Our own extensions of FHIR: the entry that a resource was written from, attribution, weight.

An entry is never needed: the coded values are read. Where it is there it must agree with them, and
gives what FHIR has no place for (the note of an entry, when a baseline was charted).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from grading.course_file import CourseFileError, read_entry
from grading.engine.dose_limits import impossible_dose
from grading.engine.units import NotANumberError, exact_decimal, is_plain_number
from grading.engine.vocabulary import Attribution
from grading.plain_text import LONGEST_NOTE, disallowed_character
from patients.exchange.formats.exact_json import Exact, NotJsonError, read_json
from patients.exchange.formats.fhir_tree import Tree, invalid, objects, text
from patients.exchange.formats.fhir_written_parts import (
    ATTRIBUTION,
    ENTRY,
)
from patients.exchange.formats.unreadable import UnreadableError

Entry = Mapping[str, Any]


def extension(node: Tree, url: str) -> Tree | None:
    """Return the extension of a resource or element with this url; raises for two of them."""
    found = [item for item in objects(node, "extension") if item.get("url") == url]
    if len(found) > 1:
        raise invalid(f"the extension {url} stands twice")
    return found[0] if found else None


def attribution_of(node: Tree) -> str:
    """Return the attribution of a resource or component, "" where it has none."""
    found = extension(node, ATTRIBUTION)
    if found is None:
        return ""
    word = text(found, "valueCode")
    if word not in set(Attribution):
        raise invalid("no such attribution")
    return word


def course_entry(node: Tree, url: str = ENTRY) -> Entry | None:
    """Return the entry of a course file in an extension; raises ``entry.contradiction``."""
    found = extension(node, url)
    if found is None:
        return None
    try:
        entry = read_json(text(found, "valueString"))
    except NotJsonError:
        raise contradiction("is no JSON") from None
    if not isinstance(entry, Mapping):
        raise contradiction("is no entry")
    return entry


def contradiction(what: str) -> UnreadableError:
    return UnreadableError("entry.contradiction", f"the entry in its extension {what}")


def check_entry(entry: Entry, kind: str, at: datetime | None, coded: Mapping[str, Any]) -> None:
    """Compare an entry with what its resource says; raises ``entry.contradiction``.

    ``coded`` has a value for each field that the resource could state, None where it states none.
    ``at`` None: the time is compared elsewhere.
    """
    if entry.get("kind") != kind:
        raise contradiction("is of another kind")
    if at is not None and entry_time(entry, "at") != at:
        raise contradiction("has another time")
    for field, value in coded.items():
        if not _same(entry.get(field), value, field):
            raise contradiction(f"has another {field}")


def check_attribution(entry: Entry, word: str, field: str = "") -> None:
    """Compare the attribution of an entry, or of one of its signs, with that of its resource."""
    whole = entry.get("attribution")
    by_field = whole if isinstance(whole, Mapping) else entry.get("attribution_by_field")
    stated = whole if isinstance(whole, str) else None
    if field and isinstance(by_field, Mapping):
        stated = by_field.get(field, stated)
    if (stated or Attribution.CRS) != (word or Attribution.CRS):
        raise contradiction("has another attribution")


def entry_time(entry: Entry, key: str) -> datetime | None:
    """Return a time of an entry, None where it has none; raises ``entry.contradiction``."""
    raw = entry.get(key)
    if raw is None:
        return None
    try:
        at = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise contradiction("has no time that can be read")
    return at


_FRACTION_BELOW: Final = Decimal(1)
_PERCENT: Final = Decimal(100)


def _same(charted: Any, coded: Any, field: str) -> bool:
    first, second = _number(charted), _number(coded)
    if first is None or second is None:
        return bool(charted == coded) and type(charted) is type(coded)
    if field == "fio2_percent" and first < _FRACTION_BELOW:
        first *= _PERCENT
    return first == second


def _number(raw: Any) -> Decimal | None:
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        return None
    try:
        return exact_decimal(str(raw)) if isinstance(raw, Exact) or _is_plain(raw) else None
    except NotANumberError:
        return None


def _is_plain(raw: str | int) -> bool:
    return isinstance(raw, int) or is_plain_number(raw)


def chartable_note(note: Any) -> str:
    """Return a note that a chart can hold; raises ``value.impossible`` for any other."""
    if note is None:
        return ""
    if not isinstance(note, str) or len(note) > LONGEST_NOTE or disallowed_character(note):
        raise UnreadableError("value.impossible", "its note cannot be charted")
    return note


def check_chartable(kind: str, fields: Entry, note: str, attribution: str) -> None:
    """Read an entry as a chart would; raises ``value.impossible`` where none can hold it."""
    words = {**fields, "kind": kind, "id": "-", "at": "2000-01-01T00:00:00Z", "note": note}
    try:
        charted = read_entry(words | ({"attribution": attribution} if attribution else {}))
    except CourseFileError as error:
        what = error.faults[0].message
        raise UnreadableError("value.impossible", f"the chart cannot hold it: {what}") from None
    impossible = impossible_dose(charted)
    if impossible is not None:
        raise UnreadableError("value.impossible", impossible.sentence)


def note_of(entry: Entry | None, note: str) -> str:
    """Return the note to chart: that of the entry, where there is one."""
    return chartable_note(note if entry is None else entry.get("note"))
