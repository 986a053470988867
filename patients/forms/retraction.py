"""The form of a retraction: that an entry was entered in error."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms

from patients.forms.base import SubmittedForm
from patients.forms.doses import refusals_of_a_weight
from patients.forms.layout import CorrectionReason, form_helper
from patients.models import Entry, EntryKind


class RetractionForm(SubmittedForm):
    """That an entry was entered in error, and why."""

    reason = forms.CharField(
        label="Why was it entered in error?",
        max_length=300,
        error_messages={"required": "Say why the entry is retracted."},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        entry: Entry | None = None,
        now: datetime | None = None,
    ) -> None:
        super().__init__(data)
        self.entry, self.now = entry, now

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", CorrectionReason())

    def clean(self) -> dict[str, Any]:
        """Refuse to take a weight away where another would make a charted rate impossible."""
        entry = self.entry
        if entry is not None and self.now is not None and entry.kind == EntryKind.WEIGHT:
            for sentence in refusals_of_a_weight(
                entry.course, self.now, replaced=entry.pk, weight=None
            ):
                self.add_error(None, sentence)
        return self.cleaned_data
