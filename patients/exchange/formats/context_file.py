"""The context of ``to-course`` as a JSON file: what is configured, and the open course."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grading.course_file import CourseFileError, Fault, read_course
from grading.engine.analytes import Analyte
from grading.engine.entries import KINDS
from grading.engine.vocabulary import TreatmentAgent, VasopressorDrug
from grading.faults import Place
from grading.json_document import read_json
from patients.exchange.formats.codes import LOCAL_SIGNS
from patients.exchange.formats.context import (
    Context,
    Filing,
    KeyState,
    KnownKey,
    LocalCode,
    SystemKind,
)

DEFAULT: Final = "default"
_TOP_KEYS: Final = ("course", "mrn_system", "timezone", "system", "local_codes", "source_keys")
_MEANINGS: Final[Mapping[str, frozenset[str]]] = {
    "analyte": frozenset(Analyte),
    "sign": LOCAL_SIGNS,
    "drug": frozenset((*VasopressorDrug, *TreatmentAgent)),
}

Word = TypeVar("Word", bound=Enum)


def read_context(document: str | bytes) -> Context:
    """Read a context; raises CourseFileError with every fault by its place."""
    words = read_json(document)
    faults: list[Fault] = []
    place = Place("", faults)
    if not isinstance(words, Mapping):
        raise CourseFileError([Fault("", "expected a JSON object")])
    place.only_keys(words, _TOP_KEYS)
    course = _course(words.get("course"), place.at("course"))
    name, kind, filing = _system(words.get("system"), place.at("system"))
    context = Context(
        course=course,
        mrn_system=_required_text(words, "mrn_system", place),
        timezone=_timezone(words.get("timezone"), place.at("timezone")),
        system=name,
        kind=kind,
        filing=filing,
        local_codes=_local_codes(words.get("local_codes"), place.at("local_codes")),
        known=_source_keys(words.get("source_keys"), course, place.at("source_keys")),
    )
    if faults:
        raise CourseFileError(faults)
    return context


def _course(raw: Any, place: Place) -> Mapping[str, Any]:
    words = place.mapping(raw)
    if words is None:
        return {"entries": []}
    try:
        read_course(words)
    except CourseFileError as error:
        for fault in error.faults:
            spot = f"{place.path}.{fault.place}" if fault.place else place.path
            place.faults.append(Fault(spot, fault.message))
    entries = words.get("entries")
    return {**words, "entries": list(entries) if isinstance(entries, list | tuple) else []}


def _required_text(words: Mapping[str, Any], key: str, place: Place) -> str:
    text = place.at(key).text(words.get(key))
    if not text and words.get(key) in (None, ""):
        place.at(key).refuse("required")
    return text


def _timezone(raw: Any, place: Place) -> ZoneInfo:
    name = place.text(raw)
    try:
        if name:
            return ZoneInfo(name)
        if raw in (None, ""):
            place.refuse("required: the time zone of the system, like Europe/Berlin")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        place.refuse("expected the name of a time zone, like Europe/Berlin")
    return ZoneInfo("UTC")


def _system(raw: Any, place: Place) -> tuple[str, SystemKind, dict[str, Filing]]:
    words = place.mapping(raw) or {}
    place.only_keys(words, ("name", "kind", "filing"))
    name = place.at("name").text(words.get("name"))
    kind = _word(words.get("kind"), SystemKind, place.at("kind")) or SystemKind.EHR
    usual = Filing.PROPOSE if kind.is_device else Filing.FILE
    filing = {DEFAULT: usual}
    here = place.at("filing")
    raw_filing = words.get("filing")
    for key, word in (here.mapping(raw_filing) or {} if raw_filing is not None else {}).items():
        if key != DEFAULT and key not in KINDS:
            here.at(str(key)).refuse("expected default, or a kind of entry")
        found = _word(word, Filing, here.at(str(key)))
        if found is not None:
            filing[key] = found
    return name, kind, filing


def _word(raw: Any, words: type[Word], place: Place) -> Word | None:
    found = next((word for word in words if word.value == raw), None)
    if found is None:
        place.refuse("expected one of " + ", ".join(str(word.value) for word in words))
    return found


def _items(raw: Any, place: Place) -> list[tuple[Mapping[str, Any], Place]]:
    if raw is None:
        return []
    if not isinstance(raw, list):
        place.refuse("expected a list")
        return []
    found = []
    for number, item in enumerate(raw):
        words = place.item(number).mapping(item)
        if words is not None:
            found.append((words, place.item(number)))
    return found


def _local_codes(raw: Any, place: Place) -> tuple[LocalCode, ...]:
    codes = []
    for words, here in _items(raw, place):
        here.only_keys(words, ("system", "code", *_MEANINGS))
        meant = {name: words[name] for name in _MEANINGS if words.get(name) is not None}
        if len(meant) != 1:
            here.refuse("expected one of analyte, sign, drug")
        for name, word in meant.items():
            if word not in _MEANINGS[name]:
                here.at(name).refuse(f"no {name} of the course file has this name")
        texts = {name: here.at(name).text(words.get(name)) for name in ("system", "code")}
        if not texts["code"]:
            here.at("code").refuse("required")
        codes.append(LocalCode(**texts, **{name: str(word) for name, word in meant.items()}))
    return tuple(codes)


def _source_keys(raw: Any, course: Mapping[str, Any], place: Place) -> tuple[KnownKey, ...]:
    """Return the keys that came before; without an entry: taken back before it came."""
    ids = {str(words.get("id")) for words in course["entries"] if isinstance(words, Mapping)}
    known = []
    for words, here in _items(raw, place):
        here.only_keys(words, ("resource", "versionId", "entry"))
        key = _required_text(words, "resource", here)
        version = here.at("versionId").text(words.get("versionId")) or None
        entry = here.at("entry").text(words.get("entry")) or None
        if entry is not None and entry not in ids:
            here.at("entry").refuse(f'no entry of the course has the id "{entry}"')
        state = KeyState.RETRACTED if entry is None else KeyState.CHARTED
        known.append(KnownKey(key, version, entry, state))
    return tuple(known)
