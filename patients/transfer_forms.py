"""The forms of a course's place: another ward or bed, the end of the course, taking it up again."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils import timezone

from patients.display.text import clock_text
from patients.forms.entry_form import EntryForm
from patients.forms.fields import say_plainly
from patients.forms.times import LocalTimeError, instant_of
from patients.models import AT_MOST_AHEAD, Course, Move
from patients.transfer import Moving, place_mark


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
            "seen": place_mark(course),
            "ward": course.ward,
            "bed": course.bed,
        }
        super().__init__(data, initial=initial, label_suffix="", auto_id=f"{self.what.value}_%s")
        say_plainly(self.fields)

    def clean(self) -> dict[str, Any]:
        if not {"observed_date", "observed_time"} & self.errors.keys():
            self._clean_time()
        return self.cleaned_data

    def _clean_time(self) -> None:
        said, now = self.cleaned_data, timezone.now()
        try:
            self.at = instant_of(
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

    def moving(self) -> Moving:
        """What the form says; call it on a valid form."""
        if self.at is None:
            raise ValueError("the form is not valid")
        said = self.cleaned_data
        return Moving(
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
        is_seen_as_it_is = self.cleaned_data.get("seen") == place_mark(self.course)
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
