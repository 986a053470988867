"""The form of emergency access."""

from __future__ import annotations

from django import forms

from patients.forms.base import SubmittedForm
from patients.models import EmergencyReason
from patients.ward.emergency import AskedAccess


class EmergencyForm(SubmittedForm):
    """Why a patient of another ward is opened: one reason of a list, and words."""

    reason = forms.ChoiceField(
        label="Why do you open this patient?",
        choices=EmergencyReason.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose one of the reasons.",
            "invalid_choice": "Choose one of the reasons that are listed.",
        },
    )
    words = forms.CharField(
        label="In your words: what happened, or who called you",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        error_messages={"required": "Say in a few words what happened, or who called you."},
    )

    def asked(self) -> AskedAccess:
        """Return what is recorded; call it on a valid form."""
        values = self.cleaned_data
        return AskedAccess(values["reason"], values["words"], values["form_id"])
