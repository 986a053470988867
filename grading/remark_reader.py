"""Readers of remarks: kinds of entry on which no grade depends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grading.engine.vocabulary import DueObservation, NotObservedReason
from grading.faults import Place


def read_note(words: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """A note has no fields of its own; its text is the ``note`` that every entry may have."""
    _require_note(words, place, "required: the text of the note")
    return {}


def read_not_observed(words: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """What was due and why it was not observed; another reason is in the ``note``."""
    for key, question in (("what", "what was due?"), ("reason", "why was it not observed?")):
        if words.get(key) is None:
            place.at(key).refuse(f"required: {question}")
    reason = place.at("reason").one_of(words.get("reason"), NotObservedReason)
    if reason is NotObservedReason.OTHER:
        _require_note(words, place, "required with another reason: which one?")
    return {"what": place.at("what").one_of(words.get("what"), DueObservation), "reason": reason}


def _require_note(words: Mapping[str, Any], place: Place, sentence: str) -> None:
    note = words.get("note")
    if note is None or (isinstance(note, str) and not note.strip()):
        place.at("note").refuse(sentence)
