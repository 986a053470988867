"""Forms that correct one fact of an identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Final

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div
from django import forms

from crs_app.accounts.name_text import without_unseen
from grading.engine.vocabulary import (
    AGE_YEARS,
    AT_MOST_AHEAD,
    FAR_FROM_INFUSION,
    TOO_FAR_FROM_INFUSION,
    Sex,
)
from grading.plain_text import without_blanks_around
from patients.display.site_times import site_time
from patients.display.text import date_text, date_time_text, day_of
from patients.forms.base import SubmittedForm
from patients.forms.confirmation import ConfirmedForm
from patients.forms.fields import ClockTimeField, TypedNumberField, choices_of
from patients.forms.identity import (
    DELAY_ANSWERS,
    DELAY_CHOICES,
    MrnField,
    asked_about_look_alikes,
    asked_about_namesakes,
)
from patients.forms.layout import TimeField, fields_row, form_helper, span_2
from patients.forms.times import (
    WHICH_CHOICES,
    LocalTimeError,
    is_shown_twice,
    parse_local_time,
)
from patients.models import Course, Fact, Patient
from patients.queries.identity import read_deaths
from patients.recording.identity import IdentityChange

MONTHS: Final = [("", "Month")] + [(str(n), f"{date(2000, n, 1):%B}") for n in range(1, 13)]
_LONGEST_FIGURES: Final = 4
_FIGURES: Final = {"inputmode": "numeric", "autocomplete": "off"}
_TYPED_DATE: Final = '<p class="typed-date" data-typed-date aria-live="polite"></p>'
_WHY: Final = "Why is it corrected? Where did you read it?"


class IdentityForm(ConfirmedForm, SubmittedForm):
    """Correction of one fact; a subclass names it and makes the new values of the columns.

    ``courses`` are all courses of the patient; ``course`` is the one whose page was open. ``seen``
    is the token of the preview that was shown, ``compared`` the tick that the wristband was
    compared. ``token`` is that of a preview that is shown now.
    """

    fact: ClassVar[Fact]
    token = ""

    seen = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    compared = forms.CharField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_WHY,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": "2"}),
        error_messages={"required": "Say why it is corrected, and where you read it."},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        course: Course,
        courses: Sequence[Course],
        now: datetime,
    ) -> None:
        self.course, self.courses, self.now = course, courses, now
        self.patient: Patient = course.patient
        self.of_patient: dict[str, Any] = {}
        self.of_courses: dict[Any, dict[str, Any]] = {}
        super().__init__(data)

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", fields_row(*self.layout()), HTML(_TYPED_DATE), Div("reason"))

    def layout(self) -> Sequence[Any]:
        """Return the layout of the fields of this fact."""
        return [span_2(self.fact.value)]

    def clean(self) -> dict[str, Any]:
        if not self.errors.keys() - {"reason"}:
            self.clean_fact()
        if not self.errors and not self.of_patient and not any(self.of_courses.values()):
            self.add_error(self.first_field, "This is what stands on the chart already.")
        return self.cleaned_data

    @property
    def first_field(self) -> str:
        """Name of the field at which a complaint about the fact stands."""
        return self.fact.value

    def clean_fact(self) -> None:
        """Check the fact, and set the columns that it changes."""
        value = self.cleaned_data[self.fact.value]
        if value != getattr(self.patient, self.fact.value):
            self.of_patient = {self.fact.value: value}

    def searched(self) -> str:
        """Return the values that were typed, for the record of whom they are about."""
        return ", ".join(str(value) for value in self.of_patient.values())

    def change(self) -> IdentityChange:
        """Return the correction to record; call it on a valid form."""
        return IdentityChange(
            fact=self.fact,
            reason=self.cleaned_data["reason"],
            seen=self.cleaned_data["seen"],
            of_patient=self.of_patient,
            of_courses={pk: values for pk, values in self.of_courses.items() if values},
        )

    def ask_about_namesakes(self) -> None:
        """Ask about other patients who would have the same name and birth date."""
        name = self.of_patient.get("name", self.patient.name)
        born = self.of_patient.get("birth_date", self.patient.birth_date)
        for other, sentence in asked_about_namesakes(name, born, apart_from=[self.patient.pk]):
            self.ask_about(other, self.first_field, sentence)


class NameForm(IdentityForm):
    """Correction of the name."""

    fact = Fact.NAME
    name = forms.CharField(label="Name", max_length=200)

    def clean_name(self) -> str:
        return without_blanks_around(without_unseen(self.cleaned_data["name"]))

    def clean_fact(self) -> None:
        super().clean_fact()
        if self.of_patient:
            self.ask_about_namesakes()


class SexForm(IdentityForm):
    """Correction of the sex."""

    fact = Fact.SEX
    sex = forms.ChoiceField(label="Sex", choices=choices_of(Sex, "Choose"))


class DelayForm(IdentityForm):
    """Answer, or correction of the answer, whether the patient's development is delayed."""

    fact = Fact.DELAY
    developmental_delay = forms.ChoiceField(
        label="Developmental delay",
        choices=(("", "Choose"), *DELAY_CHOICES),
        help_text="From 12 years on, with a delay, consciousness is assessed by CAPD, not by ICE.",
        error_messages={"required": "Choose the answer."},
    )

    @property
    def first_field(self) -> str:
        return "developmental_delay"

    def layout(self) -> Sequence[Any]:
        return [span_2("developmental_delay")]

    def clean_fact(self) -> None:
        answer = DELAY_ANSWERS[self.cleaned_data["developmental_delay"]]
        if answer is not self.patient.developmental_delay:
            self.of_patient = {"developmental_delay": answer}


class MrnForm(IdentityForm):
    """Correction of the record number."""

    fact = Fact.MRN
    mrn = MrnField()

    def clean_fact(self) -> None:
        super().clean_fact()
        if self.of_patient:
            mrn = self.cleaned_data["mrn"]
            for other, sentence in asked_about_look_alikes(mrn, apart_from=[self.patient.pk]):
                self.ask_about(other, "mrn", sentence)


class ProductForm(IdentityForm):
    """Correction of the product."""

    fact = Fact.PRODUCT
    product = forms.CharField(label="Product", max_length=120)

    def clean_fact(self) -> None:
        if self.cleaned_data["product"] != self.course.product:
            self.of_courses = {self.course.pk: {"product": self.cleaned_data["product"]}}


class DayFields(forms.Form):
    """A date as three boxes, so that day and month are never taken for one another."""

    day = forms.CharField(
        label="Day",
        required=False,
        widget=forms.TextInput(attrs=_FIGURES | {"maxlength": "2"}),
    )
    month = forms.ChoiceField(label="Month", choices=MONTHS, required=False)
    year = forms.CharField(
        label="Year",
        required=False,
        widget=forms.TextInput(attrs=_FIGURES | {"maxlength": "4"}),
    )

    def clean_day_of(self, what: str) -> date | None:
        """Return the date; None after an error at its box."""
        written = {name: self.cleaned_data.get(name, "") for name in ("day", "month", "year")}
        if not written["month"]:
            self.add_error("month", "Choose the month.")
            return None
        for name, text in written.items():
            if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_FIGURES):
                self.add_error(name, f"Enter the {name} of the {what} in figures.")
                return None
        if len(written["year"]) != 4 or written["year"] == "0000":
            self.add_error("year", "Enter the year with four figures, like 1972.")
            return None
        try:
            return date(int(written["year"]), int(written["month"]), int(written["day"]))
        except ValueError:
            month = dict(MONTHS)[written["month"]]
            self.add_error("day", f"{month} {written['year']} has no day {written['day']}.")
            return None


class BirthForm(IdentityForm, DayFields):
    """Correction of the birth date, or of the age where no birth date is known.

    An age is one of each course: that at its infusion.
    """

    fact = Fact.BIRTH

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        course: Course,
        courses: Sequence[Course],
        now: datetime,
    ) -> None:
        super().__init__(data, course=course, courses=courses, now=now)
        own_first = sorted(courses, key=lambda one: one.pk != course.pk)
        self.ages: dict[str, Course] = {}
        for number, one in enumerate(own_first):
            name = f"age_years_{number}" if number else "age_years"
            self.ages[name] = one
            infused = date_text(day_of(one.infused_at))
            self.fields[name] = TypedNumberField(
                label=f"Age at the infusion of {infused}" if len(courses) > 1 else "Age",
                unit="years",
                limits=AGE_YEARS,
                help_text="Only where no birth date is known",
            )

    @property
    def first_field(self) -> str:
        return "day"

    def layout(self) -> Sequence[Any]:
        return ["day", "month", "year", *self.ages]

    def clean_fact(self) -> None:
        typed = {name: self.cleaned_data.get(name, "") for name in ("day", "month", "year")}
        ages = {name: self.cleaned_data.get(name, "") for name in self.ages}
        if any(typed.values()) and any(ages.values()):
            self.add_error("age_years", "Leave the age empty where the birth date is given.")
        elif any(ages.values()):
            self._clean_ages(ages)
        elif not any(typed.values()):
            self.add_error("day", "Enter the birth date, or the age: limits depend on it.")
        elif (born := self.clean_day_of("birth date")) is not None:
            self._clean_birth_date(born)

    def _clean_birth_date(self, born: date) -> None:
        for course in self.courses:
            infused = course.infused_there.date()
            if born > infused:
                self.add_error("year", f"This lies after the infusion of {date_text(infused)}.")
                return
            if infused.year - born.year > AGE_YEARS.highest:
                self.add_error("year", f"More than {AGE_YEARS.highest:f} years ago.")
                return
        if born != self.patient.birth_date:
            self.of_patient = {"birth_date": born}
            self.ask_about_namesakes()

    def _clean_ages(self, ages: Mapping[str, str]) -> None:
        for name, typed in ages.items():
            if not typed:
                self.add_error(name, "Enter the age at each infusion.")
                return
        if self.patient.birth_date is not None:
            self.of_patient = {"birth_date": None}
        self.of_courses = {
            self.ages[name].pk: {"age_years": Decimal(typed)}
            for name, typed in ages.items()
            if Decimal(typed) != self.ages[name].age_years
        }


class InfusionForm(IdentityForm, DayFields):
    """Correction of the infusion time of one course."""

    fact = Fact.INFUSION
    infused_time = ClockTimeField(
        label="Time", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    infused_which = forms.ChoiceField(
        label="Which of the two", choices=WHICH_CHOICES, required=False
    )
    asks_which = False

    @property
    def first_field(self) -> str:
        return "infused_time"

    def layout(self) -> Sequence[Any]:
        which = ["infused_which"] if self.asks_which else []
        return ["day", "month", "year", TimeField("infused_time"), *which]

    def clean_fact(self) -> None:
        day = self.clean_day_of("infusion")
        infused_at = None if day is None else self._instant(day, self.cleaned_data["infused_time"])
        if infused_at is None or infused_at == self._charted_to_the_minute():
            return
        self._check_bounds(infused_at)
        there = site_time(infused_at)
        self._check_age_then(there)
        self._check_what_followed(infused_at)
        offset = there.utcoffset()
        if not self.errors and offset is not None:
            seconds = int(offset.total_seconds())
            values = {"infused_at": infused_at, "infused_offset_seconds": seconds}
            self.of_courses = {self.course.pk: values}

    def _charted_to_the_minute(self) -> datetime:
        return self.course.infused_at.replace(second=0, microsecond=0)

    def _instant(self, day: date, at: time) -> datetime | None:
        which = self.cleaned_data.get("infused_which", "")
        try:
            instant = parse_local_time(day, at, which, now=self.now, ahead=AT_MOST_AHEAD)
        except LocalTimeError as error:
            self.asks_which = error.asks_which
            place = "year" if error.about_date else "infused_time"
            self.add_error("infused_which" if error.asks_which else place, error.sentence)
            return None
        self.asks_which = bool(which) and is_shown_twice(instant)
        return instant

    def _check_bounds(self, infused_at: datetime) -> None:
        infused, ago = date_text(day_of(infused_at)), self.now - infused_at
        if ago > TOO_FAR_FROM_INFUSION:
            self.add_error("year", f"{infused} is more than 5 years ago. Check the date.")
        elif ago > FAR_FROM_INFUSION:
            days = FAR_FROM_INFUSION.days
            self.ask("day", f"The infusion was more than {days} days ago: {infused}.")

    def _check_age_then(self, there: datetime) -> None:
        born = self.patient.birth_date
        if born is None:
            return
        if born > there.date():
            self.add_error("day", f"This is before the birth date, {date_text(born)}.")
        elif there.year - born.year > AGE_YEARS.highest:
            self.add_error("year", f"The patient would be more than {AGE_YEARS.highest:f} then.")

    def _check_what_followed(self, infused_at: datetime) -> None:
        """Refuse an infusion after the end of the course or after a death."""
        ended_at = self.course.ended_at
        died_at = read_deaths([self.course.pk]).get(self.course.pk)
        if ended_at is not None and infused_at > ended_at:
            self.add_error("day", f"The course ended before that, {date_time_text(ended_at)}.")
        elif died_at is not None and infused_at > died_at:
            self.add_error("day", f"A death is charted before that, {date_time_text(died_at)}.")


FORMS: Final[dict[str, type[IdentityForm]]] = {
    form.fact.value: form
    for form in (NameForm, BirthForm, SexForm, DelayForm, MrnForm, InfusionForm, ProductForm)
}
