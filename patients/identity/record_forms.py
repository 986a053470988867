"""Forms that join two records, or move an entry to another patient."""

from __future__ import annotations

from functools import cached_property

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div
from django import forms

from patients.forms.base import SubmittedForm
from patients.forms.layout import form_helper


class JoinForm(SubmittedForm):
    """Join of two records, or the undoing of one."""

    seen = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    compared = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(label="Why?", max_length=300, error_messages={"required": "Say why."})

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", Div("reason"))


class MoveEntryForm(SubmittedForm):
    """Move of an entry to another patient. ``confirmed`` answers what was asked about it there.

    ``seen`` is the token of the identities that the page showed.
    """

    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    confirmed = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why is it moved?",
        max_length=200,
        initial="Charted on the wrong patient",
        error_messages={"required": "Say why it is moved."},
    )

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", Div("reason"))
