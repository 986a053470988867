"""Forms of admission and of transfers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Final

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Fieldset
from django import forms
from django.conf import settings

from crs_app.accounts.wards import WardClosedError
from grading.engine.entries import Weight
from grading.engine.plausibility import Circumstances, questions
from grading.engine.times import can_be_charted
from grading.engine.vocabulary import (
    AGE_YEARS,
    AT_MOST_AHEAD,
    FAR_FROM_INFUSION,
    TOO_FAR_FROM_INFUSION,
    WEIGHT_KG,
    Sex,
)
from patients.display.site_times import site_time
from patients.display.text import clock_text, date_text, day_of
from patients.forms.base import SubmittedForm
from patients.forms.confirmation import ConfirmedForm
from patients.forms.fields import (
    NO,
    YES,
    ClockTimeField,
    IsoDateField,
    TypedNumberField,
    VitalSignField,
    check_pressures,
    choices_of,
    without_empty,
)
from patients.forms.identity import (
    DELAY_ANSWERS,
    MrnField,
    asked_about_look_alikes,
    asked_about_namesakes,
    patient_text,
)
from patients.forms.layout import (
    TimeField,
    TimeShortcuts,
    fields_row,
    form_helper,
    span_2,
    wide,
)
from patients.forms.times import WHICH_CHOICES, LocalTimeFields, ObservedTimeFields
from patients.models import CONFIRMED, Course, EntryKind, Move
from patients.queries.identity import read_former_owner, read_kept_record, read_patient_by_mrn
from patients.queries.wards import find_ward_then_or_now
from patients.recording.admit import Admission
from patients.recording.inputs import NewEntry
from patients.ward.transfer import TransferRequest, location_token
from patients.ward.ward_forms import WardNameField

_WHY_BASELINE: Final = (
    '<p class="hint">Low blood pressure is graded against the baseline, vasopressor doses by the '
    "weight. Leave unknown values empty; you can add them later.</p>"
)
_WHY_AGE: Final = '<p class="hint">Blood pressure limits depend on the age.</p>'
_BASELINE: Final = ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")


class AdmissionForm(ConfirmedForm, LocalTimeFields, SubmittedForm):
    """Admission: the patient and the course to open; weight and baseline may follow later."""

    field_order = ("form_id", "name", "mrn", "sex", "birth_date", "age_years")

    mrn = MrnField()
    name = forms.CharField(label="Name", max_length=200)
    birth_date = IsoDateField(
        label="Birth date",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    age_years = TypedNumberField(
        label="Age", unit="years", limits=AGE_YEARS, help_text="Only if the birth date is not known"
    )
    sex = forms.ChoiceField(label="Sex", choices=choices_of(Sex, "Select"))
    developmental_delay = forms.ChoiceField(
        label="Developmental delay",
        choices=(("", "not known"), (YES, "yes"), (NO, "no")),
        required=False,
    )
    product = forms.CharField(label="Product", max_length=120)
    infused_date = IsoDateField(
        label="Infusion date",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    infused_time = ClockTimeField(
        label="Infusion time",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    infused_which = forms.ChoiceField(
        label="Which of the two", choices=WHICH_CHOICES, required=False
    )
    weight_kg = TypedNumberField(label="Dosing weight", unit="kg", limits=WEIGHT_KG)
    systolic_mmhg = VitalSignField("systolic_mmhg", label="Baseline systolic")
    diastolic_mmhg = VitalSignField("diastolic_mmhg", label="Baseline diastolic")
    mean_arterial_pressure_mmhg = VitalSignField(
        "mean_arterial_pressure_mmhg", label="Baseline MAP"
    )
    ward = WardNameField(
        widget=forms.TextInput(attrs={"list": "wards", "autocomplete": "off"}),
    )
    bed = forms.CharField(label="Bed", max_length=30, required=False)

    def __init__(self, data: Mapping[str, Any] | None = None, *, now: datetime) -> None:
        super().__init__(data)
        self.now = now
        self.infused_at: datetime | None = None

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        which = ["infused_which"] if self.asks_which else []
        return form_helper(
            "form_id",
            Fieldset(
                "Patient",
                fields_row(span_2("name"), "mrn", "sex"),
                fields_row("birth_date", "age_years", span_2("developmental_delay")),
                HTML(_WHY_AGE),
            ),
            Fieldset(
                "Therapy",
                fields_row(span_2("product"), "infused_date", TimeField("infused_time"), *which),
            ),
            Fieldset("Before therapy", HTML(_WHY_BASELINE), fields_row("weight_kg", *_BASELINE)),
            Fieldset("Place", fields_row(span_2("ward"), "bed")),
        )

    def clean_ward(self) -> str:
        return ward_to_go_to(self.cleaned_data["ward"])

    def clean(self) -> dict[str, Any]:
        infused_at = self.clean_local_time("infused", now=self.now, ahead=AT_MOST_AHEAD)
        if infused_at is not None:
            self.infused_at = site_time(infused_at)
            self._check_long_ago(infused_at)
        self._clean_age()
        self._ask_about_weight()
        check_pressures(
            self,
            *_BASELINE[:2],
            sentence="Diastolic must be lower than systolic. Check both values.",
        )
        if not self.errors:
            self._ask_who_this_is()
        return self.cleaned_data

    def _ask_who_this_is(self) -> None:
        """Ask where the patient may be one that the chart has, or is one under another number."""
        mrn, name = self.cleaned_data["mrn"], self.cleaned_data["name"]
        found = read_patient_by_mrn(mrn)
        if found is not None:
            if (kept := read_kept_record(found)).pk != found.pk:
                question = f"MRN {mrn} was joined to {patient_text(kept)}: admit to that one?"
                self.ask_about(kept, "mrn", question)
            elif found.mrn != mrn:
                question = f"MRN {mrn} is on the chart as {patient_text(found)}. The same?"
                self.ask_about(found, "mrn", question)
            return
        former = read_former_owner(mrn)
        if former is not None:
            question = f"{patient_text(former)}, had MRN {mrn} before. Is this another person?"
            self.ask_about(former, "mrn", question)
        for other, sentence in asked_about_look_alikes(mrn):
            self.ask_about(other, "mrn", sentence)
        for other, sentence in asked_about_namesakes(name, self.cleaned_data.get("birth_date")):
            self.ask_about(other, "name", sentence)

    def _check_long_ago(self, infused_at: datetime) -> None:
        """Refuse an infusion of more than 5 years ago, ask about one of more than 60 days ago."""
        infused = date_text(day_of(infused_at))
        ago = self.now - infused_at
        if ago > TOO_FAR_FROM_INFUSION:
            self.add_error("infused_date", f"{infused} is more than 5 years ago. Check the date.")
        elif ago > FAR_FROM_INFUSION:
            days = FAR_FROM_INFUSION.days
            self.ask("infused_date", f"The infusion was more than {days} days ago: {infused}.")

    def _ask_about_weight(self) -> None:
        """Ask about a dosing weight that a later form would ask about too."""
        typed = self.cleaned_data.get("weight_kg")
        if typed:
            weight = Weight(id="", at=self.now, recorded_at=self.now, weight_kg=Decimal(typed))
            for question in questions(weight, Circumstances(age_years=0)):
                self.ask("weight_kg", question.sentence)

    def submission_answers(self) -> dict[str, Any]:
        """Return the questions that were confirmed; they are about no entry of the act."""
        answers = super().submission_answers()
        if self.questions:
            answers[CONFIRMED] = [[None, each.sentence] for each in self.questions]
        return answers

    def _clean_age(self) -> None:
        if {"birth_date", "age_years"} & self.errors.keys():
            return
        born, age = self.cleaned_data.get("birth_date"), self.cleaned_data.get("age_years")
        if not born and not age:
            self.add_error("birth_date", "Enter the birth date, or the age if it is not known.")
        elif born and age:
            self.add_error("age_years", "Enter the birth date or the age, not both.")
        elif born and self.infused_at is not None and born > self.infused_at.date():
            self.add_error("birth_date", "The birth date is after the infusion. Check both dates.")
        elif born and self.infused_at is not None:
            years = self.infused_at.year - born.year
            if years > AGE_YEARS.highest:
                self.add_error(
                    "birth_date",
                    f"This is more than {AGE_YEARS.highest:f} years ago. Check the birth date.",
                )

    def admission(self) -> Admission:
        """Return the course that the form opens; call it on a valid form."""
        values = self.cleaned_data
        if self.infused_at is None:
            raise ValueError("the form is not valid")
        return Admission(
            mrn=values["mrn"],
            name=values["name"],
            sex=values["sex"],
            product=values["product"],
            infused_at=self.infused_at,
            ward=values["ward"],
            bed=values["bed"],
            birth_date=values["birth_date"],
            age_years=Decimal(values["age_years"]) if values["age_years"] else None,
            developmental_delay=DELAY_ANSWERS.get(values["developmental_delay"]),
        )

    def new_entries(self) -> list[NewEntry]:
        """Return weight and baseline as entries, where they were typed."""
        if self.infused_at is None:
            raise ValueError("the form is not valid")
        entries = []
        baseline = without_empty({key: self.cleaned_data[key] for key in _BASELINE})
        if self.cleaned_data["weight_kg"]:
            weight = {"weight_kg": self.cleaned_data["weight_kg"]}
            entries.append(NewEntry(EntryKind.WEIGHT, self.infused_at, weight))
        if baseline:
            entries.append(NewEntry(EntryKind.BASELINE, self.infused_at, baseline))
        return entries


def ward_to_go_to(typed: str) -> str:
    """Return the name of the ward that takes the patient, as the table of wards has it.

    Raises ValidationError where it is closed, or there is none and forms may not make one.
    """
    found = find_ward_then_or_now(typed)
    if found is not None and not found.is_open:
        raise forms.ValidationError(WardClosedError(found.name).sentence)
    if found is None and not settings.NEW_WARDS:
        raise forms.ValidationError(
            f"There is no ward {typed}. Check the name, or ask an administrator to add it."
        )
    return found.name if found else typed


class TransferForm(ObservedTimeFields, SubmittedForm):
    """Fields of every transfer: a time, and ``seen``, the optimistic-lock token of the location.

    ``consequences`` are what the second step says before the transfer is recorded; a transfer
    without them has one step.
    """

    what: ClassVar[Move]
    title: ClassVar[str]
    button: ClassVar[str]
    consequences: ClassVar[Sequence[str]] = ()

    seen = forms.CharField(widget=forms.HiddenInput, max_length=16)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, course: Course, now: datetime
    ) -> None:
        self.course, self.now = course, now
        self.at: datetime | None = None
        initial = {"seen": location_token(course), "ward": course.ward, "bed": course.bed}
        super().__init__(data, initial=initial, auto_id=f"{self.what.value}_%s")

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper(
            "form_id",
            "seen",
            fields_row(*self.layout(), TimeField("observed_time")),
            TimeShortcuts(),
        )

    def layout(self) -> Sequence[Any]:
        """Return the layout of the fields of this transfer alone."""
        return [wide("reason")]

    def clean(self) -> dict[str, Any]:
        self.at = self.clean_local_time("observed", now=self.now, ahead=AT_MOST_AHEAD)
        if self.what is not Move.ENDED and not can_be_charted(self.course.infused_at):
            self.add_error(
                None, "The infusion time of this course is impossible: the course can only end."
            )
        if self.at is not None and self.at < self.course.infused_at:
            infused = clock_text(self.course.infused_at, self.now)
            self.add_error("observed_time", f"This is before the infusion ({infused}).")
        return self.cleaned_data

    def transfer_request(self) -> TransferRequest:
        """Return the transfer to record; call it on a valid form."""
        if self.at is None:
            raise ValueError("the form is not valid")
        values = self.cleaned_data
        return TransferRequest(
            self.what,
            self.at,
            values["seen"],
            values.get("ward", ""),
            values.get("bed", ""),
            values.get("reason", ""),
            is_timed=values.get("observed_time") is not None,
        )


class MoveForm(TransferForm):
    """A move to another ward or bed."""

    what = Move.MOVED
    title = "Move to another ward or bed"
    button = "Move"

    ward = WardNameField(
        widget=forms.TextInput(attrs={"list": "wards", "autocomplete": "off"}),
        error_messages={"required": "Enter the ward."},
    )
    bed = forms.CharField(label="Bed", max_length=30, required=False)

    def layout(self) -> Sequence[Any]:
        return ["ward", "bed"]

    def clean_ward(self) -> str:
        return ward_to_go_to(self.cleaned_data["ward"])

    def clean(self) -> dict[str, Any]:
        super().clean()
        typed = (self.cleaned_data.get("ward"), self.cleaned_data.get("bed"))
        is_current = self.cleaned_data.get("seen") == location_token(self.course)
        if typed == (self.course.ward, self.course.bed) and is_current and not self.errors:
            self.add_error("bed", "The patient is already in this bed. Enter another ward or bed.")
        return self.cleaned_data


def _reason(question: str) -> forms.CharField:
    return forms.CharField(label="Reason", max_length=300, error_messages={"required": question})


class EndForm(TransferForm):
    """The end of a course: it leaves the board; its chart stays and can be read."""

    what = Move.ENDED
    title = "End the course"
    button = "End the course"
    consequences = (
        "The patient leaves the ward board. The course is then listed under Closed courses.",
        "Nothing more can be entered. Grade and guidance no longer change.",
        "The chart stays and can be read. A clinician can reopen the course.",
    )

    reason = _reason("Enter the reason, for example discharge.")


class ReopenForm(TransferForm):
    """The reopening of a course that had ended."""

    what = Move.REOPENED
    title = "Reopen this course"
    button = "Reopen this course"
    consequences = (
        "The patient returns to the ward board.",
        "The board shows the present grade, computed from everything charted.",
    )

    reason = _reason("Enter the reason for reopening.")


TRANSFER_FORMS: Final = {form.what: form for form in (MoveForm, EndForm, ReopenForm)}
