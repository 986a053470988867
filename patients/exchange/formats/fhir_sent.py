"""What a FHIR resource sent, in plain words, for the people who look at what is held."""

from __future__ import annotations

from typing import Final

from grading.plain_text import without_controls
from patients.exchange.formats.codes import name_of_code
from patients.exchange.formats.fhir_tree import NOTHING, Tree, an_object, objects, quantity, text
from patients.exchange.formats.unreadable import UnreadableError

_LONGEST: Final = 60


def label_of(concept: Tree | None) -> str:
    """Return a code as it is shown to people: its name, else the code, else its text."""
    for item in objects(concept or NOTHING, "coding"):
        system, code = text(item, "system"), text(item, "code")
        label = text(item, "display") or name_of_code(system, code) or code
        if label:
            return _short(label)
    return _short(text(concept or NOTHING, "text")) or "no code"


def with_what_was_sent(error: UnreadableError, node: Tree) -> UnreadableError:
    """Return ``error`` with the code and the value of a resource or component before its words."""
    try:
        sent = " ".join(filter(None, (_code(node), _value(node))))
    except UnreadableError:
        return error
    return UnreadableError(error.reason, f"{sent}: {error.what}", error.proposal)


def _code(node: Tree) -> str:
    for key in ("code", "medicationCodeableConcept"):
        concept = an_object(node, key)
        if concept is not None:
            return label_of(concept)
    return "a drug" if "medicationReference" in node else "no code"


def _value(node: Tree) -> str:
    dosage = an_object(node, "dosage") or NOTHING
    for parent, key in ((node, "valueQuantity"), (dosage, "rateQuantity"), (dosage, "dose")):
        found = quantity(parent, key)
        if found is not None and found.number is not None:
            return _short(f"{found.comparator}{found.number} {found.unit.text}".strip())
    device = an_object(node, "valueCodeableConcept")
    return label_of(device) if device is not None else _short(text(node, "valueString"))


def _short(words: str) -> str:
    plain = without_controls(words)
    return plain if len(plain) <= _LONGEST else plain[:_LONGEST] + "…"
