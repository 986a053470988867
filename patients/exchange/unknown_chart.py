"""A context made of a message alone, to list what would be held of it on an empty chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from grading.course_file import FORMAT_2
from patients.exchange.formats.context import Context, Filing, SystemKind
from patients.exchange.formats.exact_json import NotJsonError, read_json
from patients.exchange.formats.hl7_message import parse_message, split_messages
from patients.exchange.formats.received import RefusedDocumentError

_NO_SYSTEM: Final = "urn:crs:mrn"


def context_of_bundle(raw: bytes, now: datetime) -> Context:
    """Return a context whose patient is the first that a FHIR document names."""
    try:
        tree = read_json(raw)
    except NotJsonError as error:
        raise RefusedDocumentError("structure", "document", str(error)) from None
    patient = next(_patients(tree), {})
    identifier = next(_identifiers(tree, patient), {})
    system = str(identifier.get("system") or _NO_SYSTEM)
    mrn = str(identifier.get("value") or "0")
    return _context(mrn, system, _name(patient), _date(patient.get("birthDate")), now)


def context_of_messages(raw: bytes, now: datetime) -> Context:
    """Return a context whose patient is the first that the messages name."""
    mrn = name = ""
    for frame in split_messages(raw)[0]:
        for segment in parse_message(frame).named("PID"):
            mrn = mrn or segment.component(3, 1)
            name = name or segment.component(5, 1)
    return _context(mrn or "0", _NO_SYSTEM, name, None, now)


def _context(mrn: str, system: str, name: str, birth_date: str | None, now: datetime) -> Context:
    age = {"age_years": "40"} if birth_date is None else {"birth_date": birth_date}
    course = {
        "format": FORMAT_2,
        "patient": {"mrn": mrn, "name": name, **age},
        "therapy": {"product": "", "infused_at": now.astimezone(UTC).isoformat()},
        "entries": [],
    }
    zone = ZoneInfo("UTC")
    return Context(course, system, zone, "", SystemKind.EHR, {"default": Filing.FILE})


def _patients(tree: Any) -> Iterator[Mapping[str, Any]]:
    for resource in _resources(tree):
        contained = resource.get("contained")
        found = [resource, *(contained if isinstance(contained, list) else [])]
        yield from (
            one
            for one in found
            if isinstance(one, Mapping) and one.get("resourceType") == "Patient"
        )


def _resources(tree: Any) -> Iterator[Mapping[str, Any]]:
    if not isinstance(tree, Mapping):
        return
    yield tree
    entries = tree.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping):
            yield resource


def _identifiers(tree: Any, patient: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    listed = patient.get("identifier")
    yield from (
        one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, Mapping)
    )
    for resource in _resources(tree):
        subject = resource.get("subject")
        identifier = subject.get("identifier") if isinstance(subject, Mapping) else None
        if isinstance(identifier, Mapping):
            yield identifier


def _name(patient: Mapping[str, Any]) -> str:
    names = patient.get("name")
    first = names[0] if isinstance(names, list) and names else None
    if not isinstance(first, Mapping):
        return ""
    return str(first.get("text") or first.get("family") or "")


def _date(raw: Any) -> str | None:
    try:
        return date.fromisoformat(str(raw)).isoformat()
    except ValueError:
        return None
