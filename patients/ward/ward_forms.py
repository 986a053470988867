"""The form that names a ward."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from crispy_forms.helper import FormHelper
from django import forms

from crs_app.accounts.ward_models import LONGEST_NAME
from patients.forms.base import SubmittedForm
from patients.forms.layout import form_helper
from patients.models.identifiers import visible_text


class WardNameField(forms.CharField):
    """Name of a ward; cleans to its visible characters with single blanks."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"label": "Ward", "max_length": LONGEST_NAME, **options})

    def to_python(self, value: Any) -> str:
        """Return the name as a reader sees it: two names must not look the same."""
        return visible_text(super().to_python(value) or "")


class WardForm(SubmittedForm):
    """The name of a new ward, or the new name of one."""

    name = WardNameField(
        label="Name of the ward",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Enter the name of the ward."},
    )

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", "name")
