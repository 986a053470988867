"""Forms of where the patient is cared for, and of blood products."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from grading.engine.scale_vocabulary import AdmissionSetting, BloodProductName
from patients.display.text import capital
from patients.forms.entry_form import EntryForm
from patients.forms.fields import NO, WORD_OF, YES, choices_of
from patients.models import Entry, EntryKind

_ANSWERS: Final = (("", "not known"), (YES, "yes"), (NO, "no"))


class PlaceOfCareForm(EntryForm):
    """Where the patient is cared for from a time on, and whether because of CRS."""

    kind = EntryKind.ADMISSION
    graded_from_infusion = False

    setting = forms.ChoiceField(
        label="Cared for",
        choices=[
            ("", "Choose where"),
            *((one.value, capital(one.label)) for one in AdmissionSetting),
        ],
        error_messages={"required": "Choose where the patient is cared for."},
    )
    because_of_crs = forms.ChoiceField(
        label="Because of CRS",
        choices=_ANSWERS,
        required=False,
        help_text="Is, or would be, in hospital because of CRS. A planned stay: no",
    )

    def body(self) -> dict[str, Any]:
        body = super().body()
        answer = body.pop("because_of_crs", "")
        return body | ({"because_of_crs": answer == YES} if answer else {})

    def values_of(self, entry: Entry) -> dict[str, Any]:
        return {
            **super().values_of(entry),
            "because_of_crs": WORD_OF[entry.body.get("because_of_crs")],
        }


class BloodProductForm(EntryForm):
    """A transfusion of one blood product."""

    kind = EntryKind.BLOOD_PRODUCT

    product = forms.ChoiceField(
        label="Given",
        choices=choices_of(BloodProductName, "Choose the product"),
        error_messages={"required": "Choose the product."},
    )
