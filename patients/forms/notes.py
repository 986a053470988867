"""Forms of notes, of observations that were not made, and of death."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from crispy_forms.layout import HTML
from django import forms
from django.utils import timezone

from grading.engine.scale_vocabulary import DeathCause
from grading.engine.vocabulary import Attribution, DueObservation, NotObservedReason
from patients.display.text import clock_text
from patients.forms.attribution import ATTRIBUTION
from patients.forms.entry_form import EntryForm
from patients.forms.fields import YES, TickField, choices_of
from patients.forms.layout import Checkboxes, NoteField, fields_row, wide
from patients.forms.times import EARLIER, LATER, TapForm
from patients.models import REASON, Entry, EntryKind
from patients.recording.inputs import NewEntry

_TWO_STEPS: Final = (
    '<p class="hint">A death is recorded in two steps: nothing is saved until you have read it '
    "back and confirmed it.</p>"
)
_FOR_OTHER_SCALES: Final = (
    '<p class="hint">For scales other than Lee\'s: tick what the death is due to. Without a tick '
    "it is what is chosen above.</p>"
)
DUE_TO: Final = "due_to_"
ONE_TAP_REASONS: Final = tuple(
    reason for reason in NotObservedReason if reason is not NotObservedReason.OTHER
)
"""Reasons that have a button; another one is typed into the form."""


class NoteForm(EntryForm):
    """Free text at a time."""

    kind = EntryKind.NOTE
    graded_from_infusion = False
    has_attribution = False

    shown_in_their_row = frozenset({"note"})

    note = forms.CharField(
        label="Note",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": "Nothing is written yet."},
    )

    def layout(self) -> Sequence[Any]:
        return [NoteField(), self.inputs_row()]

    def closing_layout(self) -> Sequence[Any]:
        return []

    def build_bodies(self) -> list[dict[str, Any]]:
        return [{}]


class NotObservedForm(EntryForm):
    """Why vital signs that were due were not taken; those charted before stay, and grow older."""

    kind = EntryKind.NOT_OBSERVED
    graded_from_infusion = False
    has_attribution = False
    field_of_place: ClassVar = {"reason": "reason_not_observed"}

    reason_not_observed = forms.ChoiceField(
        label="Vital signs not observed",
        choices=choices_of(NotObservedReason, "Choose why"),
        error_messages={"required": "Choose why they were not observed."},
    )

    def body(self) -> dict[str, Any]:
        reason = super().body().get("reason_not_observed", "")
        return {"what": DueObservation.VITAL_SIGNS.value, "reason": reason}

    def clean_kind(self) -> None:
        other = self.cleaned_data.get("reason_not_observed") == NotObservedReason.OTHER
        if other and not self.cleaned_data.get("note"):
            self.add_error("note", "Say why here.")

    def values_of(self, entry: Entry) -> dict[str, Any]:
        values = super().values_of(entry)
        # The form's own ``reason`` is that of the correction.
        return {**values, "reason": "", "reason_not_observed": values["reason"]}


class NotObservedTap(TapForm):
    """That vital signs were not observed now, by one tap."""

    reason_not_observed = forms.ChoiceField(
        choices=[(reason.value, reason.label) for reason in ONE_TAP_REASONS]
    )

    def new_entry(self, now: datetime) -> NewEntry:
        """Return what the tap charts; call it on a valid form."""
        at = self.cleaned_data["sent_at"] or now
        reason = self.cleaned_data["reason_not_observed"]
        body = {"what": DueObservation.VITAL_SIGNS.value, "reason": reason}
        return NewEntry(EntryKind.NOT_OBSERVED, at, body, by_clock=True)


class DeathForm(EntryForm):
    """A death, which ends grading with grade 5 or without; it is always asked about first."""

    kind = EntryKind.DEATH
    field_of_place: ClassVar = {"due_to": DUE_TO + DeathCause.CRS}
    generated_fields: ClassVar = {
        DUE_TO + cause: TickField(label=f"Due to {cause.label}") for cause in DeathCause
    }

    attribution = forms.ChoiceField(
        label="Death due to",
        choices=choices_of(Attribution, "Choose"),
        error_messages={"required": "Say whether the death was due to CRS."},
    )
    attribution_reason = forms.CharField(
        label="Reason",
        max_length=300,
        error_messages={"required": "Enter why the death was, or was not, due to CRS."},
    )

    def layout(self) -> Sequence[Any]:
        cause = fields_row(ATTRIBUTION, wide(REASON))
        ticks = Checkboxes(*self.generated_fields)
        return [HTML(_TWO_STEPS), cause, self.inputs_row(), HTML(_FOR_OTHER_SCALES), ticks]

    def closing_layout(self) -> Sequence[Any]:
        return []

    def _causes(self) -> list[DeathCause]:
        return [cause for cause in DeathCause if self.cleaned_data.get(DUE_TO + cause)]

    def build_bodies(self) -> list[dict[str, Any]]:
        causes = [cause.value for cause in self._causes()]
        return [{"due_to": causes} if causes else {}]

    def clean_kind(self) -> None:
        is_other = self.cleaned_data.get(ATTRIBUTION) == Attribution.OTHER
        if is_other and DeathCause.CRS in self._causes():
            self.add_error(
                DUE_TO + DeathCause.CRS, "The death is not due to CRS by what is chosen above."
            )
        if self.errors or self.observed_at is None:
            return
        if not self.questions:
            self._fix_time(self.observed_at)
        patient, at = self.course.patient, clock_text(self.observed_at, self.now)
        self.ask(
            "attribution",
            f"{patient.name}, MRN {patient.mrn}, died {at}: {self._meaning(at)} What is charted "
            f"for a later time is not graded.{self._for_other_scales()}",
        )

    def check_attribution(self) -> None:
        """Check nothing more: the reason is required whatever the death was due to."""

    def values_of(self, entry: Entry) -> dict[str, Any]:
        ticks = {DUE_TO + cause: YES for cause in entry.body.get("due_to") or ()}
        return {**super().values_of(entry), **ticks}

    def _for_other_scales(self) -> str:
        causes = [cause.label for cause in self._causes()]
        return f" For other scales it is due to {', '.join(causes)}." if causes else ""

    def _meaning(self, at: str) -> str:
        attribution = Attribution(self.cleaned_data["attribution"])
        if attribution is Attribution.OTHER:
            return f"grading ends {at}, without a grade 5, as the death was not due to CRS."
        if attribution is Attribution.UNCERTAIN:
            return f"grade 5 from {at}; whether it was due to CRS is uncertain."
        return f"grade 5 from {at}, a death due to CRS."

    def _fix_time(self, at: datetime) -> None:
        """Write the time into the form: a yes to "now" is a yes to the minute that was shown."""
        local = timezone.localtime(at)
        self.data = {
            **{name: self.data[name] for name in self.data},
            "observed_date": f"{local:%Y-%m-%d}",
            "observed_time": f"{local:%H:%M}",
            "observed_which": LATER if local.fold else EARLIER,
        }
