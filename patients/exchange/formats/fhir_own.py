"""Observations of our own code systems: kinds of entry that have no code elsewhere.

Kinds of crs-course/2 have their fields in the entry that stands in an extension; the others are
read from what is coded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from grading.engine.vocabulary import (
    SYMPTOM_TERMS,
    TOXICITY_TERMS,
    DueObservation,
    JudgementAbout,
    NotObservedReason,
    RiskQuestion,
)
from patients.exchange.formats.code_rows import COURSE_FILE_1, COURSE_FILE_2
from patients.exchange.formats.fhir_check import value_key
from patients.exchange.formats.fhir_entry import Entry, contradiction
from patients.exchange.formats.fhir_tree import (
    Codings,
    Tree,
    an_object,
    boolean,
    codings,
    integer,
    objects,
    text,
)
from patients.exchange.formats.units import shown
from patients.exchange.formats.unreadable import UnreadableError

GRADE: Final = "grade"
NEVER_CHARTED: Final = frozenset({f"{COURSE_FILE_1}{GRADE}", f"{COURSE_FILE_2}{GRADE}"})
"""Code systems of grades: a grade is computed here, never read."""

KINDS_OF_FORMAT_2: Final = frozenset(
    {"ice", "capd", "consciousness", "seizure", "neuro_sign", "admission", "blood_product"}
)
_COMMON: Final = frozenset(
    {"kind", "id", "at", "recorded_at", "replaces", "note", "attribution", "attribution_by_field"}
)
_HIGHEST_GRADE: Final = 4


class OwnCode(NamedTuple):
    kind: str
    word: str


class OwnEntry(NamedTuple):
    """An entry read from coded values: its fields, its thing, and a note that is its content."""

    kind: str
    fields: Mapping[str, Any]
    thing: str
    note: str = ""


def own_code(codes: Codings) -> OwnCode | None:
    """Return the kind of entry that one of ``codes`` names in our own systems, or None."""
    for system, code in codes:
        for prefix in (COURSE_FILE_1, COURSE_FILE_2):
            kind = system.removeprefix(prefix)
            if kind != system and (kind in _READERS or kind in KINDS_OF_FORMAT_2):
                return OwnCode(kind, code)
    return None


def states_death(node: Tree) -> bool:
    """Return whether a resource is an Observation of our own that the patient died."""
    try:
        own = own_code(codings(an_object(node, "code")))
    except UnreadableError:
        return False
    return own is not None and own.kind == "death"


def is_of_format_2(codes: Codings) -> bool:
    """Return whether a component repeats a field of crs-course/2, which its entry has."""
    return any(system.startswith(COURSE_FILE_2) for system, _ in codes)


def read_own(node: Tree, code: OwnCode, entry: Entry | None, key: str) -> OwnEntry:
    """Return the entry that an Observation of our own code system states.

    Raises UnreadableError ``code.unknown``, ``value.missing``, ``value.not_numeric``,
    ``value.impossible``, ``entry.contradiction``.
    """
    if code.kind in KINDS_OF_FORMAT_2:
        return _from_entry(code.kind, entry, key)
    return _READERS[code.kind](node, code, entry, key)


def _from_entry(kind: str, entry: Entry | None, key: str) -> OwnEntry:
    if entry is None:
        raise UnreadableError("value.missing", f"the fields of {shown(kind)} stand in no extension")
    if entry.get("kind") != kind:
        raise contradiction("is of another kind")
    fields = {name: value for name, value in entry.items() if name not in _COMMON}
    return OwnEntry(kind, fields, _thing_of(kind, fields, key))


def _thing_of(kind: str, fields: Mapping[str, Any], key: str) -> str:
    if kind == "neuro_sign":
        return f"{kind}:{fields.get('sign')}"
    return f"{kind}:{key}" if kind in ("seizure", "blood_product") else kind


def _unknown_word(code: OwnCode) -> UnreadableError:
    return UnreadableError("code.unknown", f"{shown(code.word)} is no word of {code.kind}")


def _truth(node: Tree) -> bool:
    key = value_key(node)
    if key is None:
        raise UnreadableError("value.missing", "it has no value")
    truth = boolean(node, key) if key == "valueBoolean" else None
    if truth is None:
        raise UnreadableError("value.not_numeric", "its value is neither true nor false")
    return truth


def _toxicity(node: Tree, code: OwnCode, _entry: Entry | None, _key: str) -> OwnEntry:
    if code.word not in TOXICITY_TERMS:
        raise _unknown_word(code)
    key = value_key(node)
    if key is None:
        raise UnreadableError("value.missing", "it has no grade")
    grade = integer(node, key) if key == "valueInteger" else None
    if grade is None:
        raise UnreadableError("value.not_numeric", "its grade is no whole number")
    if len(grade) > 1 or int(grade) > _HIGHEST_GRADE:
        raise UnreadableError("value.impossible", "a grade is 0 to 4")
    return OwnEntry("toxicity", {"term": code.word, "grade": int(grade)}, f"toxicity:{code.word}")


def _symptom(node: Tree, code: OwnCode, _entry: Entry | None, _key: str) -> OwnEntry:
    if code.word not in SYMPTOM_TERMS:
        raise _unknown_word(code)
    fields = {"term": code.word, "present": _truth(node)}
    return OwnEntry("symptom", fields, f"symptom:{code.word}")


def _judgement(node: Tree, code: OwnCode, _entry: Entry | None, _key: str) -> OwnEntry:
    if code.word not in set(JudgementAbout):
        raise _unknown_word(code)
    fields = {"about": code.word, "present": _truth(node)}
    return OwnEntry("judgement", fields, f"judgement:{code.word}")


def _risk(node: Tree, code: OwnCode, _entry: Entry | None, _key: str) -> OwnEntry:
    if code.word not in set(RiskQuestion):
        raise _unknown_word(code)
    return OwnEntry("risk", {code.word: _truth(node)}, f"risk:{code.word}")


def _death(node: Tree, code: OwnCode, entry: Entry | None, _key: str) -> OwnEntry:
    if code.word != "death":
        raise _unknown_word(code)
    if value_key(node) is not None and not _truth(node):
        raise UnreadableError("value.impossible", "a death that is not true")
    due_to = None if entry is None else entry.get("due_to")
    return OwnEntry("death", {} if due_to is None else {"due_to": due_to}, "death")


def _note(node: Tree, code: OwnCode, entry: Entry | None, key: str) -> OwnEntry:
    note = _written(node)
    if code.word != "note":
        raise _unknown_word(code)
    if not note:
        raise UnreadableError("value.missing", "it has no text")
    if entry is not None and str(entry.get("note")).strip() != note:
        raise contradiction("has another note")
    return OwnEntry("note", {}, f"note:{key}", note)


def _not_observed(node: Tree, code: OwnCode, entry: Entry | None, _key: str) -> OwnEntry:
    if code.word != "not_observed":
        raise _unknown_word(code)
    if entry is not None:
        fields = {name: entry.get(name) for name in ("what", "reason")}
        return OwnEntry("not_observed", fields, "not_observed")
    answers = {word for _, word in codings(an_object(node, "dataAbsentReason"))}
    was_refused = "asked-declined" in answers
    reason = NotObservedReason.REFUSED if was_refused else NotObservedReason.OTHER
    fields = {"what": DueObservation.VITAL_SIGNS.value, "reason": reason.value}
    note = _written(node) or ("" if was_refused else "not performed")
    return OwnEntry("not_observed", fields, "not_observed", note)


def _written(node: Tree) -> str:
    """Return the text of the notes of an Observation, in one line."""
    return " ".join(text(item, "text").strip() for item in objects(node, "note")).strip()


_READERS: Final[dict[str, Callable[[Tree, OwnCode, Entry | None, str], OwnEntry]]] = {
    "toxicity": _toxicity,
    "symptom": _symptom,
    "judgement": _judgement,
    "risk": _risk,
    "death": _death,
    "note": _note,
    "not_observed": _not_observed,
}
