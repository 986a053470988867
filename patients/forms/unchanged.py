"""Entries that can be charted again unchanged: oxygen and running infusions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

from django import forms

from grading.course_file import CourseFileError, read_entry
from grading.engine.entries import Entry, Oxygen, Vasopressor, Weight
from grading.engine.entry_json import to_words
from grading.engine.sentences import inside_a_sentence
from grading.engine.vasopressors import needs_weight
from patients.display.text import entry_text, weight_at
from patients.forms.base import BedsideForm
from patients.forms.fields import TickField, checkbox_html
from patients.models import EntryKind
from patients.recording.inputs import NewEntry

_ANY_TIME: Final = "2000-01-01T00:00:00+00:00"
_OF_EVERY_ENTRY = ("id", "kind", "at", "recorded_at", "replaces", "note")


@dataclass(frozen=True)
class UnchangedItem:
    """Entry that can be charted again with the same values.

    ``short`` is ``text`` without the name of a drug. ``version`` is an optimistic-lock token: it is
    sent with the tick, so that a change made by someone else in the meantime is noticed.
    """

    field_name: str
    kind: EntryKind
    label: str
    text: str
    short: str
    since: datetime
    body: Mapping[str, Any]

    @cached_property
    def version(self) -> str:
        words = json.dumps([self.kind, self.body], sort_keys=True)
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    def new_entry(self, at: datetime, *, by_clock: bool = False) -> NewEntry:
        """Return the same values as observed at ``at``; ``by_clock`` as in ``NewEntry``."""
        return NewEntry(self.kind, at, self.body, by_clock=by_clock)

    def refusal(self) -> str:
        """Return why these values can no more be charted, "" where they can.

        A rate of an earlier version of this product may lie beyond the limit that holds now.
        """
        try:
            read_entry({**self.body, "id": "unchanged", "kind": self.kind, "at": _ANY_TIME})
        except CourseFileError as error:
            return f"{self.label} cannot be charted again: {error.faults[0].message}."
        return ""


def unchanged_items(status: Any, weights: Sequence[Weight]) -> list[UnchangedItem]:
    """Return oxygen and every running infusion, as last charted."""
    items = []
    oxygen = status.latest.get("oxygen")
    if isinstance(oxygen, Oxygen):
        items.append(_item("oxygen_unchanged", EntryKind.OXYGEN, "Oxygen", oxygen, weights))
    for _, entry in sorted(status.latest.items()):
        if isinstance(entry, Vasopressor) and entry.runs:
            name = f"unchanged_{entry.drug.value}"
            items.append(_item(name, EntryKind.VASOPRESSOR, entry.drug.label, entry, weights))
    return items


def _item(
    field_name: str,
    kind: EntryKind,
    label: str,
    entry: Oxygen | Vasopressor,
    weights: Sequence[Weight],
) -> UnchangedItem:
    weight_kg = weight_at(weights, entry.at)
    text = entry_text(entry, weight_kg)
    return UnchangedItem(
        field_name=field_name,
        kind=kind,
        label=label,
        text=text,
        short=_without_name(text, label),
        since=entry.at,
        body=_facts(entry, weight_kg),
    )


def _without_name(text: str, label: str) -> str:
    return inside_a_sentence(text.removeprefix(f"{label} "))


def _facts(entry: Entry, weight_kg: Decimal | None) -> dict[str, Any]:
    """Return the values of the entry, with the weight that its dose was computed with.

    The rate of an untouched pump gives the same dose whatever the patient weighs today.
    """
    words = to_words(entry)
    body = {key: value for key, value in words.items() if key not in _OF_EVERY_ENTRY}
    if body.get("attribution") == "crs":
        body.pop("attribution")
    by_weight = isinstance(entry, Vasopressor) and needs_weight(entry.drug, entry.unit)
    if by_weight and "weight_kg" not in body and weight_kg is not None:
        body["weight_kg"] = str(weight_kg)
    return body


def is_unchanged_field(name: str) -> bool:
    """Return whether ``name`` is that of a checkbox "unchanged"."""
    return name == "oxygen_unchanged" or name.startswith("unchanged_")


class UnchangedFields(BedsideForm):
    """Checkboxes for what can be charted again unchanged; ``show_unchanged`` adds them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.unchanged: Sequence[UnchangedItem] = ()

    def show_unchanged(self, items: Sequence[UnchangedItem]) -> None:
        """Add a checkbox for each of ``items``; a form that was cleaned before stays clean."""
        self.unchanged = items
        for item in items:
            self.fields[item.field_name] = TickField(
                value=item.version, label=f"{item.label} unchanged", help_text=item.text
            )

    @property
    def unchanged_ticks(self) -> list[tuple[UnchangedItem, forms.BoundField]]:
        """Each item with its checkbox, for a page."""
        return [(item, self[item.field_name]) for item in self.unchanged]

    def ticked(self) -> list[UnchangedItem]:
        """Return the items whose checkbox is ticked; call it on a form that was cleaned."""
        return [item for item in self.unchanged if self.cleaned_data.get(item.field_name)]

    def clean_unchanged(self, observed_at: datetime | None) -> None:
        """Refuse a tick of something that was changed or stopped since the form was opened."""
        if any(is_unchanged_field(name) and name not in self.fields for name in self.data):
            self.add_error(
                None,
                "Something ticked as unchanged was stopped by someone else. Check the chart, "
                "then save what is still unchanged.",
            )
        if observed_at is None:
            return
        for item in self.ticked():
            if self.cleaned_data[item.field_name] != item.version:
                self.add_error(
                    item.field_name,
                    f"{item.label} has changed since this form was opened: now {item.text}. "
                    "Tick again if that is unchanged.",
                )
            elif observed_at < item.since:
                self.add_error(
                    item.field_name,
                    f"{item.label} was charted later than this time: {item.text}.",
                )
            elif refusal := item.refusal():
                self.add_error(item.field_name, refusal)


@dataclass(frozen=True, slots=True)
class EmptyTick:
    """The checkbox of ``UnchangedFields`` in a form that nobody filled in yet, for a template."""

    name: str
    version: str
    errors: Sequence[str] = ()

    @property
    def auto_id(self) -> str:
        """The id of the input, as Django gives it."""
        return f"id_{self.name}"

    def __html__(self) -> str:
        return checkbox_html(
            {
                "name": self.name,
                "value": self.version,
                "aria-describedby": f"{self.auto_id}_helptext",
                "id": self.auto_id,
            }
        )


class EmptyTicks:
    """The checkboxes alone: all that a save changes of a form where nothing is proposed.

    Written without a form: each answer to a set of vital signs has them. ``unchanged_ticks`` are
    each item with its checkbox, as in ``UnchangedFields``.
    """

    def __init__(self, items: Sequence[UnchangedItem]) -> None:
        self.unchanged_ticks = [(item, EmptyTick(item.field_name, item.version)) for item in items]
