"""The form that names a ward."""

from __future__ import annotations

from functools import cached_property

from crispy_forms.helper import FormHelper
from django import forms

from crs_app.accounts.ward_models import LONGEST_NAME
from patients.forms.base import SubmittedForm
from patients.forms.layout import form_helper


class WardForm(SubmittedForm):
    """The name of a new ward, or the new name of one."""

    name = forms.CharField(
        label="Name of the ward",
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the name of the ward."},
    )

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", "name")

    def clean_name(self) -> str:
        """Return the name with single blanks: two names must not look the same."""
        return " ".join(self.cleaned_data["name"].split())
