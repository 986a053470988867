"""What crs-course/2 adds to crs-course/1: kinds, fields, words and policy parameters.

A file of the first format means what it always meant, so whatever is new is refused there by its
place, and by the name of the format that has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from grading.engine.analytes import Analyte
from grading.engine.entries import (
    Admission,
    BloodProduct,
    Capd,
    Consciousness,
    Death,
    Ice,
    Judgement,
    Lab,
    NeuroSign,
    Oxygen,
    Seizure,
)
from grading.engine.policy import SCALE_PARAMETERS
from grading.engine.vocabulary import JudgementAbout
from grading.faults import Place

NEW_KINDS: Final = (Ice, Capd, Consciousness, Seizure, NeuroSign, Admission, BloodProduct)
NEW_ANALYTES: Final = (Analyte.LDH, Analyte.TRIGLYCERIDES, Analyte.HEMOGLOBIN)

NEW_FIELDS: Final = {Oxygen.kind: "purpose", Death.kind: "due_to"}
"""New fields of kinds that the first format has."""

_NEW_KINDS: Final = frozenset(kind.kind for kind in NEW_KINDS)
_NEW_WORDS: Final[dict[str, tuple[str, frozenset[str]]]] = {
    Judgement.kind: ("about", frozenset({JudgementAbout.PROLONGED_REACTION})),
    Lab.kind: ("analyte", frozenset(NEW_ANALYTES)),
}
_NEEDS: Final = 'needs "format": "crs-course/2"'


def refuse_what_is_new(words: Mapping[str, Any], place: Place) -> None:
    """Refuse in a file of the first format whatever only the second has."""
    for here in _new_places(words, place):
        here.refuse(_NEEDS)


def _new_places(words: Mapping[str, Any], place: Place) -> Iterator[Place]:
    patient = words.get("patient")
    if isinstance(patient, Mapping) and "developmental_delay" in patient:
        yield place.at("patient").at("developmental_delay")
    yield from _new_parameters(words.get("policy"), place.at("policy"))
    later = words.get("later_policies")
    for index, item in enumerate(later if isinstance(later, list | tuple) else ()):
        if isinstance(item, Mapping):
            here = place.at("later_policies").item(index).at("policy")
            yield from _new_parameters(item.get("policy"), here)
    entries = words.get("entries")
    for index, entry in enumerate(entries if isinstance(entries, list | tuple) else ()):
        if isinstance(entry, Mapping):
            yield from _new_in_entry(entry, place.at("entries").item(index))


def _new_parameters(policy: Any, place: Place) -> Iterator[Place]:
    if isinstance(policy, Mapping):
        yield from (place.at(name) for name in policy if name in SCALE_PARAMETERS)


def _new_in_entry(entry: Mapping[str, Any], place: Place) -> Iterator[Place]:
    kind = entry.get("kind")
    if not isinstance(kind, str):
        return
    if kind in _NEW_KINDS:
        yield place.at("kind")
    field = NEW_FIELDS.get(kind)
    if field is not None and field in entry:
        yield place.at(field)
    key, new = _NEW_WORDS.get(kind, ("", frozenset()))
    if key and isinstance(entry.get(key), str) and entry[key] in new:
        yield place.at(key)


def needs_format_2(words: Mapping[str, Any]) -> bool:
    """Return whether a document has anything that a file of the first format may not have."""
    return next(_new_places(words, Place("", [])), None) is not None
