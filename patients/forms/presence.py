"""The form of what is present or absent."""

from __future__ import annotations

from typing import Any

from patients.forms.entry_form import EntryForm
from patients.forms.fields import WORD_OF, YES
from patients.models import Entry


class PresenceForm(EntryForm):
    """A form with a choice of yes and no, ``present``, which is stored as true or false."""

    def body(self) -> dict[str, Any]:
        body = super().body()
        return {**body, "present": body.get("present") == YES}

    def values_of(self, entry: Entry) -> dict[str, Any]:
        return {**super().values_of(entry), "present": WORD_OF[entry.body["present"]]}
