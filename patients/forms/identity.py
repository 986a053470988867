"""The field of a record number, and questions about patients who may be the same person."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from django import forms

from grading.plain_text import LONGEST_MRN
from patients.display.text import date_text
from patients.forms.fields import NO, YES
from patients.models import Patient
from patients.models.identifiers import invisible_in, name_key, visible_text
from patients.queries.identity import read_look_alikes, read_namesakes

NOT_KNOWN: Final = "not_known"
DELAY_ANSWERS: Final[Mapping[str, bool | None]] = {YES: True, NO: False, NOT_KNOWN: None}
"""Answers of a form whether development is delayed, and what a patient's column has for each."""
DELAY_CHOICES: Final = ((YES, "yes"), (NO, "no"), (NOT_KNOWN, "not known"))

_IS_ANOTHER: Final = "Is this another person?"


class MrnField(forms.CharField):
    """Record number; cleans to its plain letters and digits with single blanks.

    A character that nobody can see is refused.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"label": "MRN", "max_length": LONGEST_MRN, **options})

    def clean(self, value: Any) -> str:
        typed: str = super().clean(value)
        unseen = invisible_in(typed)
        if unseen is not None:
            name = unicodedata.name(unseen, f"character {ord(unseen):04X}").lower()
            raise forms.ValidationError(
                f"The MRN has a character that nobody can see ({name}). Delete it and type the MRN "
                "by hand."
            )
        written = visible_text(typed)
        if typed and not written:
            raise forms.ValidationError("Enter the MRN.")
        if len(written) > LONGEST_MRN:
            raise forms.ValidationError(f"Too long: at most {LONGEST_MRN} characters.")
        return written


def patient_text(patient: Patient) -> str:
    """Return a patient in words: "OKONKWO, Ada, born 1 Mar 1970, MRN 00123"."""
    born = "" if patient.birth_date is None else f", born {date_text(patient.birth_date)}"
    return f"{patient.name}{born}, MRN {patient.mrn}"


def asked_about_look_alikes(
    mrn: str, *, apart_from: Iterable[uuid.UUID] = ()
) -> list[tuple[Patient, str]]:
    """Return a question for each patient whose record number looks like ``mrn``."""
    return [
        (patient, f"MRN {mrn} looks like that of {patient_text(patient)}. {_IS_ANOTHER}")
        for patient in read_look_alikes(mrn, apart_from=apart_from)
    ]


def asked_about_namesakes(
    name: str, born: date | None, *, apart_from: Iterable[uuid.UUID] = ()
) -> list[tuple[Patient, str]]:
    """Return a question for each patient of the same name and birth date."""
    return [
        (patient, f"{patient_text(patient)}, has {_shared(patient, name, born)}. {_IS_ANOTHER}")
        for patient in read_namesakes(name, born, apart_from=apart_from)
    ]


def _shared(patient: Patient, name: str, born: date | None) -> str:
    if born is None or patient.birth_date is None:
        return "the same name"
    if name_key(name) != name_key(patient.name):
        return "the same birth date, and the same name in another spelling"
    return "the same name and birth date"
