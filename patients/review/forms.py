"""The form that signs a grade, or states another one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from crispy_forms.helper import FormHelper
from django import forms

from grading.engine.times import can_be_charted
from patients.forms.base import BedsideForm, SubmittedForm
from patients.forms.layout import SignOffChoices, form_helper
from patients.models import DisagreementReason
from patients.review.sign import NewSignOff

AGREE: Final = "agree"
ANOTHER: Final = "another"
GRADES: Final = range(6)
_OPENED_TOO_LONG_AGO: Final = "This form was opened too long ago. Reload the page."


class InstantField(forms.CharField):
    """A hidden instant that the page wrote, in ISO 8601 with offset; "" is None."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            raise forms.ValidationError(_OPENED_TOO_LONG_AGO) from None
        if instant.utcoffset() is None or not can_be_charted(instant):
            raise forms.ValidationError(_OPENED_TOO_LONG_AGO)
        return instant

    def validate(self, value: Any) -> None:
        if value is None and self.required:
            raise forms.ValidationError(_OPENED_TOO_LONG_AGO)

    def run_validators(self, value: Any) -> None:
        """Check nothing more: the value is no text any more."""


def _hidden_number(most: int) -> forms.IntegerField:
    sentences = ("required", "invalid", "min_value", "max_value")
    return forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=0,
        max_value=most,
        error_messages=dict.fromkeys(sentences, _OPENED_TOO_LONG_AGO),
    )


class SignForm(SubmittedForm):
    """Agree with the computed grade of a period, or state another one, with the reason.

    The hidden fields are what the page showed: see ``NewSignOff``. ``is_assessed``: False for a
    grade 0 of a time at which too little was charted to know it.
    """

    is_assessed = True
    start = InstantField()
    end = InstantField(required=False)
    known_at = InstantField()
    computed = _hidden_number(5)
    seen = _hidden_number(2**63 - 1)
    verdict = forms.ChoiceField(
        label="Your grade",
        choices=[(AGREE, "Agree"), (ANOTHER, "Another grade…")],
        widget=forms.RadioSelect,
        error_messages={"required": "Agree, or choose another grade."},
    )
    stated = forms.TypedChoiceField(
        label="The grade you state",
        choices=[(str(grade), str(grade)) for grade in GRADES],
        coerce=int,
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose one of the grades 0 to 5."},
    )
    reason = forms.ChoiceField(
        label="Reason",
        choices=[("", "Choose…"), *DisagreementReason.choices],
        required=False,
        error_messages={"invalid_choice": "Choose one of the reasons that are listed."},
    )
    words = forms.CharField(
        label="In your words",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        hidden = ("form_id", "start", "end", "known_at", "computed", "seen")
        return form_helper(*hidden, SignOffChoices())

    def clean(self) -> dict[str, Any]:
        if any(name in self.errors for name in ("start", "end", "known_at", "computed", "seen")):
            self.add_error(None, _OPENED_TOO_LONG_AGO)
        elif self.cleaned_data.get("verdict") == ANOTHER:
            self._clean_another(self.cleaned_data["computed"])
        return self.cleaned_data

    def _clean_another(self, computed: int) -> None:
        values = self.cleaned_data
        stated, reason = values.get("stated"), values.get("reason")
        if "stated" not in self.errors and stated is None:
            self.add_error("stated", "Choose the grade that you state.")
        elif stated == computed:
            self.add_error("stated", f"Grade {computed} is the computed grade: choose Agree.")
        if "reason" not in self.errors and not reason:
            self.add_error("reason", "Choose the reason.")
        elif stated is not None and stated < computed and reason == DisagreementReason.SICKER:
            self.add_error("reason", f"Grade {stated} is lower than the computed {computed}.")
        elif stated is not None and stated > computed and reason == DisagreementReason.LESS_SICK:
            self.add_error("reason", f"Grade {stated} is higher than the computed {computed}.")
        elif reason == DisagreementReason.OTHER and not values.get("words"):
            self.add_error("words", "Write the reason.")

    def new_sign_off(self) -> NewSignOff:
        """Return the sign-off to record; call it on a valid form."""
        values = self.cleaned_data
        agrees = values["verdict"] == AGREE
        return NewSignOff(
            start=values["start"],
            end=values["end"],
            computed_grade=values["computed"],
            known_at=values["known_at"],
            seen=values["seen"],
            stated_grade=values["computed"] if agrees else values["stated"],
            reason="" if agrees else values["reason"],
            words="" if agrees else values["words"],
            form_id=values["form_id"],
        )

    def typed(self) -> dict[str, Any]:
        """Return the other grade, reason and words that were typed, for a form of the same page."""
        if self.data.get("verdict") != ANOTHER:
            return {}
        return {name: self.data.get(name, "") for name in ("verdict", "stated", "reason", "words")}


class SeenForm(BedsideForm):
    """The button *Mark as seen*; ``known_at`` is up to when the page knew the chart."""

    known_at = InstantField()


def sign_form(
    shown: Mapping[str, Any], typed: Mapping[str, Any] | None = None, *, is_assessed: bool = True
) -> SignForm:
    """Return an empty form for what the page shows; it proposes to agree with an assessed grade.

    ``typed`` keeps what was typed in a form that was refused; then nothing is proposed.
    """
    proposed = {"verdict": AGREE} if typed is None and is_assessed else dict(typed or {})
    return SignForm(initial={**shown, **proposed})
