"""Forms of admission and of moves."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from django import forms
from django.utils import timezone

from grading.engine.vocabulary import AGE_YEARS, VITAL_SIGN, WEIGHT_KG, Sex
from patients.display.text import clock_text
from patients.forms.entry_form import EntryForm, helper
from patients.forms.fields import TypedNumberField, choices_of, set_error_messages, without_empty
from patients.forms.times import WHICH_CHOICES, LocalTimeError, parse_local_time
from patients.models import AT_MOST_AHEAD, Course, EntryKind, Move
from patients.recording.admit import Admission
from patients.recording.inputs import NewEntry
from patients.ward.transfer import TransferRequest, location_token

_BASELINE: Final = ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")


class AdmissionForm(forms.Form):
    """Weight and baseline pressure may be left empty; they can be charted later."""

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    mrn = forms.CharField(label="MRN", max_length=40)
    name = forms.CharField(label="Name", max_length=200)
    birth_date = forms.DateField(
        label="Birth date",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    age_years = TypedNumberField(
        label="Age", unit="years", limits=AGE_YEARS, help_text="Only where no birth date is known"
    )
    sex = forms.ChoiceField(label="Sex", choices=choices_of(Sex, "Choose"))
    product = forms.CharField(label="Product", max_length=120)
    infused_date = forms.DateField(
        label="Infusion date",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    infused_time = forms.TimeField(
        label="Infusion time",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    infused_which = forms.ChoiceField(
        label="Which of the two", choices=WHICH_CHOICES, required=False
    )
    weight_kg = TypedNumberField(label="Dosing weight", unit="kg", limits=WEIGHT_KG)
    systolic_mmhg = TypedNumberField(
        label="Baseline systolic", unit="mmHg", limits=VITAL_SIGN["systolic_mmhg"].limits
    )
    diastolic_mmhg = TypedNumberField(
        label="Baseline diastolic", unit="mmHg", limits=VITAL_SIGN["diastolic_mmhg"].limits
    )
    mean_arterial_pressure_mmhg = TypedNumberField(
        label="Baseline mean",
        unit="mmHg",
        limits=VITAL_SIGN["mean_arterial_pressure_mmhg"].limits,
    )
    ward = forms.CharField(label="Ward", max_length=60)
    bed = forms.CharField(label="Bed", max_length=30, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"form_id": uuid.uuid4()}, label_suffix="")
        set_error_messages(self.fields)
        self.infused_at: datetime | None = None
        self.asks_which = False
        self.helper = helper()

    def clean(self) -> dict[str, Any]:
        self._clean_infusion()
        self._clean_age()
        systolic, diastolic = (self.cleaned_data.get(key) for key in _BASELINE[:2])
        if systolic and diastolic and Decimal(diastolic) >= Decimal(systolic):
            self.add_error("diastolic_mmhg", "The diastolic is not below the systolic pressure.")
        return self.cleaned_data

    def _clean_infusion(self) -> None:
        if {"infused_date", "infused_time"} & self.errors.keys():
            return
        try:
            infused_at = parse_local_time(
                self.cleaned_data["infused_date"],
                self.cleaned_data["infused_time"],
                self.cleaned_data.get("infused_which", ""),
                now=timezone.now(),
                ahead=AT_MOST_AHEAD,
            )
        except LocalTimeError as error:
            self.asks_which = error.asks_which
            self.add_error("infused_which" if error.asks_which else "infused_time", error.sentence)
            return
        self.infused_at = timezone.localtime(infused_at)

    def _clean_age(self) -> None:
        if {"birth_date", "age_years"} & self.errors.keys():
            return
        born, age = self.cleaned_data.get("birth_date"), self.cleaned_data.get("age_years")
        if not born and not age:
            self.add_error("birth_date", "Give the birth date, or the age: limits depend on it.")
        elif born and age:
            self.add_error("age_years", "Leave the age empty where the birth date is given.")
        elif born and self.infused_at is not None and born > self.infused_at.date():
            self.add_error("birth_date", "The birth date lies after the infusion.")
        elif born and self.infused_at is not None:
            years = self.infused_at.year - born.year
            if years > AGE_YEARS.highest:
                self.add_error("birth_date", f"More than {AGE_YEARS.highest:f} years ago.")

    def admission(self) -> Admission:
        """The course that the form opens; call it on a valid form."""
        said = self.cleaned_data
        if self.infused_at is None:
            raise ValueError("the form is not valid")
        return Admission(
            mrn=said["mrn"],
            name=said["name"],
            sex=said["sex"],
            product=said["product"],
            infused_at=self.infused_at,
            ward=said["ward"],
            bed=said["bed"],
            birth_date=said["birth_date"],
            age_years=Decimal(said["age_years"]) if said["age_years"] else None,
        )

    def drafts(self) -> list[NewEntry]:
        """Weight and baseline as entries, where they were given."""
        if self.infused_at is None:
            raise ValueError("the form is not valid")
        drafts = []
        baseline = without_empty({key: self.cleaned_data[key] for key in _BASELINE})
        if self.cleaned_data["weight_kg"]:
            weight = {"weight_kg": self.cleaned_data["weight_kg"]}
            drafts.append(NewEntry(EntryKind.WEIGHT, self.infused_at, weight))
        if baseline:
            drafts.append(NewEntry(EntryKind.BASELINE, self.infused_at, baseline))
        return drafts


class PlaceForm(forms.Form):
    """What each of them has: a time, and what the page showed."""

    what: ClassVar[Move]
    title: ClassVar[str]
    button: ClassVar[str]

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=16)
    observed_date = EntryForm.base_fields["observed_date"]
    observed_time = EntryForm.base_fields["observed_time"]
    observed_which = EntryForm.base_fields["observed_which"]

    def __init__(self, data: Mapping[str, Any] | None = None, *, course: Course) -> None:
        self.course = course
        self.at: datetime | None = None
        self.asks_which = False
        initial = {
            "form_id": uuid.uuid4(),
            "seen": location_token(course),
            "ward": course.ward,
            "bed": course.bed,
        }
        super().__init__(data, initial=initial, label_suffix="", auto_id=f"{self.what.value}_%s")
        set_error_messages(self.fields)

    def clean(self) -> dict[str, Any]:
        if not {"observed_date", "observed_time"} & self.errors.keys():
            self._clean_time()
        return self.cleaned_data

    def _clean_time(self) -> None:
        said, now = self.cleaned_data, timezone.now()
        try:
            self.at = parse_local_time(
                said.get("observed_date"),
                said.get("observed_time"),
                said.get("observed_which", ""),
                now=now,
                ahead=AT_MOST_AHEAD,
            )
        except LocalTimeError as error:
            self.asks_which = error.asks_which
            field = "observed_which" if error.asks_which else "observed_time"
            self.add_error(field, error.sentence)
            return
        if self.at < self.course.infused_at:
            infused = clock_text(self.course.infused_at, now)
            self.add_error("observed_time", f"This is before the infusion ({infused}).")

    def moving(self) -> TransferRequest:
        """What the form says; call it on a valid form."""
        if self.at is None:
            raise ValueError("the form is not valid")
        said = self.cleaned_data
        return TransferRequest(
            self.what,
            self.at,
            said["seen"],
            said.get("ward", ""),
            said.get("bed", ""),
            said.get("reason", ""),
        )


class MoveForm(PlaceForm):
    """To another ward or bed."""

    what = Move.MOVED
    title = "Move to another ward or bed"
    button = "Move"

    ward = forms.CharField(
        label="Ward",
        max_length=60,
        widget=forms.TextInput(attrs={"list": "wards", "autocomplete": "off"}),
        error_messages={"required": "Give the ward."},
    )
    bed = forms.CharField(label="Bed", max_length=30, required=False)

    def clean(self) -> dict[str, Any]:
        super().clean()
        said = (self.cleaned_data.get("ward"), self.cleaned_data.get("bed"))
        is_seen_as_it_is = self.cleaned_data.get("seen") == location_token(self.course)
        if said == (self.course.ward, self.course.bed) and is_seen_as_it_is and not self.errors:
            self.add_error("bed", "The course is there already: give another ward or bed.")
        return self.cleaned_data


def _reason(question: str) -> forms.CharField:
    return forms.CharField(label="Reason", max_length=300, error_messages={"required": question})


class EndForm(PlaceForm):
    """Off the board; what is charted stays, and can be added to."""

    what = Move.ENDED
    title = "End of the course"
    button = "End the course"

    reason = _reason("Say why the course ends, like discharge.")


class ReopenForm(PlaceForm):
    """Back on the board."""

    what = Move.REOPENED
    title = "Take the course up again"
    button = "Take up again"

    reason = _reason("Say why the course is taken up again.")
