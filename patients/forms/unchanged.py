"""Entries that can be charted again unchanged: oxygen and running infusions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import forms

from grading.engine.entries import Entry, Oxygen, Vasopressor, Weight, to_words
from grading.engine.vasopressors import needs_weight
from patients.display.text import entry_text, weight_at
from patients.forms.fields import TickField, set_error_messages
from patients.models import EntryKind
from patients.recording.inputs import NewEntry

_NOT_OF_THE_FACT = ("id", "kind", "at", "recorded_at", "replaces", "note")


@dataclass(frozen=True, slots=True)
class UnchangedItem:
    """An entry that can be charted again as it is.

    ``mark`` stands for what it says: it is sent with the tick, so that a change made by someone
    else in the meantime is noticed.
    """

    field_name: str
    kind: EntryKind
    label: str
    text: str
    since: datetime
    body: Mapping[str, Any]

    @property
    def mark(self) -> str:
        words = json.dumps([self.kind, self.body], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def draft(self, at: datetime) -> NewEntry:
        return NewEntry(self.kind, at, self.body)


def unchanged_items(standing: Any, weights: Sequence[Weight]) -> list[UnchangedItem]:
    """Oxygen, and every infusion that runs, as they stand."""
    things = []
    oxygen = standing.latest.get("oxygen")
    if isinstance(oxygen, Oxygen):
        things.append(_item("oxygen_unchanged", EntryKind.OXYGEN, "Oxygen", oxygen, weights))
    for _, entry in sorted(standing.latest.items()):
        if isinstance(entry, Vasopressor) and entry.runs:
            name = f"unchanged_{entry.drug.value}"
            things.append(_item(name, EntryKind.VASOPRESSOR, entry.drug.label, entry, weights))
    return things


def _item(
    field_name: str,
    kind: EntryKind,
    label: str,
    entry: Oxygen | Vasopressor,
    weights: Sequence[Weight],
) -> UnchangedItem:
    weight_kg = weight_at(weights, entry.at)
    return UnchangedItem(
        field_name=field_name,
        kind=kind,
        label=label,
        text=entry_text(entry, weight_kg),
        since=entry.at,
        body=_facts(entry, weight_kg),
    )


def _facts(entry: Entry, weight_kg: Decimal | None) -> dict[str, Any]:
    """What the entry says. The weight that its dose was reckoned with goes along.

    A pump that nobody touched gives what it gave, whatever the patient weighs today.
    """
    words = to_words(entry)
    body = {key: value for key, value in words.items() if key not in _NOT_OF_THE_FACT}
    if body.get("attribution") == "crs":
        body.pop("attribution")
    reckoned = isinstance(entry, Vasopressor) and needs_weight(entry.drug, entry.unit)
    if reckoned and "weight_kg" not in body and weight_kg is not None:
        body["weight_kg"] = str(weight_kg)
    return body


def is_unchanged_field(name: str) -> bool:
    """Whether an input says that something is unchanged."""
    return name == "oxygen_unchanged" or name.startswith("unchanged_")


def unchanged_fields(carried_on: Sequence[UnchangedItem]) -> dict[str, forms.Field]:
    return {
        thing.field_name: _unchanged_field(thing.mark, f"{thing.label} unchanged", thing.text)
        for thing in carried_on
    }


@lru_cache(maxsize=512)
def _unchanged_field(seen: str, label: str, help_text: str) -> TickField:
    """Shared by all forms that show the same, which change nothing of it."""
    field = TickField(seen=seen, label=label, help_text=help_text)
    set_error_messages({"tick": field})
    return field


class UnchangedForm(forms.Form):
    """The ticks of a form alone: all of it that a save changes, where nothing is proposed."""

    def __init__(self, carried_on: Sequence[UnchangedItem]) -> None:
        super().__init__(label_suffix="")
        self.fields |= unchanged_fields(carried_on)

    @property
    def ticks(self) -> list[forms.BoundField]:
        """As ``EntryForm.ticks``."""
        return [self[name] for name in self.fields]
