"""Forms for what says nothing about any grade: a note, and why nothing was observed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms

from grading.engine.vocabulary import DueObservation, NotObservedReason
from patients.entry_form import EntryForm
from patients.fields import choices_of
from patients.models import EntryKind
from patients.recording.inputs import Draft

ONE_TAP_REASONS: Final = tuple(
    reason for reason in NotObservedReason if reason is not NotObservedReason.OTHER
)
"""Another reason is written, in the form."""


class NoteForm(EntryForm):
    """Free text at a time."""

    kind = EntryKind.NOTE
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # a note has no cause
    charted_template = "patients/_note_field.html"
    has_note_beside = False

    note = forms.CharField(
        label="Note",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Nothing is written yet."},
    )

    def bodies(self) -> list[dict[str, Any]]:
        return [{}]


class NotObservedForm(EntryForm):
    """Why vital signs that were due were not taken; what was charted before stays, and ages."""

    kind = EntryKind.NOT_OBSERVED
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # what was not observed has no cause
    field_of_place: ClassVar = {"reason": "reason_not_observed"}

    reason_not_observed = forms.ChoiceField(
        label="Vital signs not observed",
        choices=choices_of(NotObservedReason, "Choose why"),
        error_messages={"required": "Choose why they were not observed."},
    )

    def body(self) -> dict[str, Any]:
        said = super().body()
        reason = said.get("reason_not_observed", "")
        return {"what": DueObservation.VITAL_SIGNS.value, "reason": reason}

    def clean_kind(self) -> None:
        other = self.cleaned_data.get("reason_not_observed") == NotObservedReason.OTHER
        if other and not self.cleaned_data.get("note"):
            self.add_error("note", "Say why here.")

    def _typed_before(self, entry: Any) -> dict[str, Any]:
        said = super()._typed_before(entry)
        # The form's own ``reason`` is that of the correction.
        return {**said, "reason": "", "reason_not_observed": said["reason"]}


class NotObservedTap(forms.Form):
    """That vital signs were not observed now, by one tap."""

    form_id = forms.UUIDField()
    reason_not_observed = forms.ChoiceField(
        choices=[(reason.value, reason.label) for reason in ONE_TAP_REASONS]
    )

    def draft(self, at: datetime) -> Draft:
        """What the tap charts; call it on a valid form."""
        reason = self.cleaned_data["reason_not_observed"]
        body = {"what": DueObservation.VITAL_SIGNS.value, "reason": reason}
        return Draft(EntryKind.NOT_OBSERVED, at, body)
