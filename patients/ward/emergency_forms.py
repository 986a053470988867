"""The form of emergency access."""

from __future__ import annotations

from functools import cached_property

from crispy_forms.helper import FormHelper
from django import forms

from patients.forms.base import SubmittedForm
from patients.forms.layout import form_helper
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
        label="In your words",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        error_messages={"required": "Say in a few words what happened, or who called you."},
    )

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", "reason", "words")

    def asked(self, address: str) -> AskedAccess:
        """Return what is recorded; call it on a valid form. ``address`` is that of the client."""
        values = self.cleaned_data
        return AskedAccess(values["reason"], values["words"], values["form_id"], address)
