"""Forms of notes, of observations that were not made, and of death."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone

from grading.engine.vocabulary import Attribution, DueObservation, NotObservedReason
from patients.display.text import clock_text
from patients.forms.entry_form import EntryForm
from patients.forms.fields import choices_of
from patients.forms.times import EARLIER, LATER
from patients.models import EntryKind
from patients.recording.inputs import NewEntry

ONE_TAP_REASONS: Final = tuple(
    reason for reason in NotObservedReason if reason is not NotObservedReason.OTHER
)
"""Another reason is written, in the form."""


class NoteForm(EntryForm):
    """Free text at a time."""

    kind = EntryKind.NOTE
    graded_from_infusion = False
    attribution = None  # type: ignore[assignment]  # a note has no cause
    charted_template = "forms/note_field.html"
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

    def draft(self, at: datetime) -> NewEntry:
        """What the tap charts; call it on a valid form."""
        reason = self.cleaned_data["reason_not_observed"]
        body = {"what": DueObservation.VITAL_SIGNS.value, "reason": reason}
        return NewEntry(EntryKind.NOT_OBSERVED, at, body)


class DeathForm(EntryForm):
    """A death ends the grading, with grade 5 or without; nothing is recorded before the yes."""

    kind = EntryKind.DEATH
    charted_template: ClassVar = "forms/death_fields.html"
    has_note_beside = False

    attribution = forms.ChoiceField(
        label="Death due to",
        choices=choices_of(Attribution, "Choose"),
        error_messages={"required": "Say whether the death was due to CRS."},
    )
    attribution_reason = forms.CharField(
        label="Reason",
        max_length=300,
        error_messages={"required": "Say why it is, or is not, ascribed to CRS."},
    )

    def bodies(self) -> list[dict[str, Any]]:
        return [{}]

    def clean_kind(self) -> None:
        if self.errors or self.observed_at is None:
            return
        if not self.asks:
            self._keep_the_time()
        patient, at = self.course.patient, clock_text(self.observed_at, timezone.now())
        self.ask(
            "attribution",
            f"{patient.name}, MRN {patient.mrn}, died {at}: {self._meaning(at)} What is charted "
            "for a later time is not graded.",
        )

    def _clean_attribution(self) -> None:
        """A death wants its reason whatever it is due to; ``attribution_reason`` is required."""

    def _meaning(self, at: str) -> str:
        attribution = Attribution(self.cleaned_data["attribution"])
        if attribution is Attribution.OTHER:
            return f"grading ends {at}, without a grade 5, as the death was not due to CRS."
        if attribution is Attribution.UNCERTAIN:
            return f"grade 5 from {at}; whether it was due to CRS is uncertain."
        return f"grade 5 from {at}, a death due to CRS."

    def _keep_the_time(self) -> None:
        """What is read back must be what is confirmed: "now" becomes the minute that is asked."""
        if self.observed_at is None:
            return
        there = timezone.localtime(self.observed_at)
        self.data = {
            **{name: self.data[name] for name in self.data},
            "observed_date": f"{there:%Y-%m-%d}",
            "observed_time": f"{there:%H:%M}",
            "observed_which": LATER if there.fold else EARLIER,
        }
