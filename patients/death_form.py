"""The form of a death: said once, read back with name and number, and confirmed."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from grading.engine.vocabulary import Attribution
from patients.display.text import clock_text
from patients.entry_form import EntryForm
from patients.fields import choices_of
from patients.local_time import EARLIER, LATER
from patients.models import EntryKind


class DeathForm(EntryForm):
    """A death ends the grading, with grade 5 or without; nothing is recorded before the yes."""

    kind = EntryKind.DEATH
    charted_template: ClassVar = "patients/_death_fields.html"
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
