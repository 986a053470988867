"""The form of emergency access."""

from __future__ import annotations

from typing import Final

from django import forms

from crs_app.accounts.name_text import has_letter
from patients.forms.base import SubmittedForm
from patients.models import EmergencyReason
from patients.ward.emergency import AskedAccess

_SAY_WHY: Final = "Say in a few words what happened, or who called you."


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
        error_messages={"required": _SAY_WHY},
    )

    def clean_words(self) -> str:
        words: str = self.cleaned_data["words"]
        if not has_letter(words):
            raise forms.ValidationError(_SAY_WHY)
        return words

    def asked(self) -> AskedAccess:
        """Return what is recorded; call it on a valid form."""
        values = self.cleaned_data
        return AskedAccess(values["reason"], values["words"], values["form_id"])
