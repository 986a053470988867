"""What every bedside form has: a time, an attribution, a note, and the course file's own reader.

A form parses and complains; it stores nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from crispy_forms.helper import FormHelper
from django import forms
from django.utils import timezone

from grading.course_file import CourseFileError, read_entry
from grading.engine.vocabulary import Attribution
from patients.carried_on import CarriedOn
from patients.drafts import Draft
from patients.fields import TickField, choices_of, without_empty
from patients.local_time import WHICH_CHOICES, LocalTimeError, instant_of
from patients.models import AT_MOST_AHEAD, Course, Entry, EntryKind
from patients.wording import clock_text

AS_BEFORE: Final = "as_before"
"""The attribution of a correction whose entry has one for each field."""


def helper() -> FormHelper:
    """Forms stand inside the page's own form element, which has the CSRF token."""
    bare = FormHelper()
    bare.form_tag = False
    bare.disable_csrf = True
    return bare


def is_tick(name: str) -> bool:
    """Whether an input says that something is unchanged."""
    return name == "oxygen_unchanged" or name.startswith("unchanged_")


class EntryForm(forms.Form):
    """What every entry form has; a subclass names its kind, its fields and its body.

    ``graded_from_infusion``: an earlier entry says nothing at all. ``field_of_place``: which field
    a fault of the reader belongs to, where they differ in name.
    """

    kind: ClassVar[EntryKind]
    graded_from_infusion: ClassVar[bool] = True
    field_of_place: ClassVar[Mapping[str, str]] = {}

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    observed_date = forms.DateField(
        label="Date",
        required=False,
        help_text="Empty: today",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    observed_time = forms.TimeField(
        label="Time",
        required=False,
        help_text="Empty: now",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    observed_which = forms.ChoiceField(
        label="Which of the two", choices=WHICH_CHOICES, required=False
    )
    attribution = forms.ChoiceField(
        label="Due to", choices=choices_of(Attribution), initial=Attribution.CRS.value
    )
    note = forms.CharField(label="Note", required=False, max_length=1000)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        course: Course,
        correcting: Entry | None = None,
        carried_on: Sequence[CarriedOn] = (),
    ) -> None:
        self.course = course
        self.correcting = correcting
        self.observed_at: datetime | None = None
        self.remarks: list[str] = []
        self.asks_which = False
        initial = {"form_id": uuid.uuid4()}
        if correcting is not None:
            initial |= self._typed_before(correcting)
        super().__init__(data, initial=initial, label_suffix="")
        if correcting is not None:
            self._offer_attribution_by_field(correcting)
            self.fields["reason"] = forms.CharField(
                label="Reason for the correction",
                max_length=300,
                error_messages={"required": "Say why the entry is corrected."},
            )
        self._carried_on = carried_on
        for thing in carried_on:
            self.fields[thing.field_name] = TickField(
                seen=thing.mark, label=f"{thing.label} unchanged", help_text=thing.text
            )
        self.helper = helper()

    def drafts(self) -> list[Draft]:
        """What the form records; call it on a valid form."""
        if self.observed_at is None:
            raise ValueError("the form is not valid")
        replaces = self.correcting.pk if self.correcting is not None else None
        drafts = [Draft(self.kind, self.observed_at, self.cleaned_data["body"], replaces)]
        if not self._says_something():
            drafts.clear()
        ticked = [thing for thing in self._carried_on if self.cleaned_data.get(thing.field_name)]
        return [*drafts, *(thing.draft(self.observed_at) for thing in ticked)]

    def body(self) -> dict[str, Any]:
        """The entry in the course file's words, without what every entry has."""
        return without_empty({name: self.cleaned_data.get(name) for name in self.own_fields()})

    def own_fields(self) -> list[str]:
        """The fields of this kind alone, in order."""
        common = {*EntryForm.base_fields, "reason", *(t.field_name for t in self._carried_on)}
        return [name for name in self.fields if name not in common]

    @property
    def charted(self) -> list[forms.BoundField]:
        """The inputs of this kind alone, for a page."""
        return [self[name] for name in self.own_fields()]

    @property
    def ticks(self) -> list[forms.BoundField]:
        """The ticks for what is unchanged."""
        return [self[thing.field_name] for thing in self._carried_on]

    def clean(self) -> dict[str, Any]:
        self._clean_time()
        self._clean_carried_on()
        self.clean_kind()
        body = self.body() | self._said_of_every_kind()
        self.cleaned_data["body"] = body
        if not self.errors and self._says_something():
            self._read(body)
        return self.cleaned_data

    def _said_of_every_kind(self) -> dict[str, Any]:
        attribution = self.cleaned_data.get("attribution")
        if attribution == AS_BEFORE and self.correcting is not None:
            attribution = self.correcting.body["attribution"]
        elif attribution == Attribution.CRS:
            attribution = None
        said = {"attribution": attribution, "note": self.cleaned_data.get("note")}
        return without_empty(said)

    def clean_kind(self) -> None:
        """What only this kind can say of its fields together."""

    def _says_something(self) -> bool:
        """A set of vital signs may be empty where something else is ticked as unchanged."""
        return bool(self.body()) or not any(
            self.cleaned_data.get(thing.field_name) for thing in self._carried_on
        )

    def _clean_time(self) -> None:
        if {"observed_date", "observed_time"} & self.errors.keys():
            return
        now = timezone.now()
        try:
            self.observed_at = instant_of(
                self.cleaned_data.get("observed_date"),
                self.cleaned_data.get("observed_time"),
                self.cleaned_data.get("observed_which", ""),
                now=now,
                ahead=AT_MOST_AHEAD,
            )
        except LocalTimeError as error:
            self.asks_which = error.asks_which
            field = "observed_which" if error.asks_which else "observed_time"
            self.add_error(field, error.sentence)
            return
        if self.correcting is not None:
            self.observed_at = _unless_same_minute(self.observed_at, self.correcting.at)
        if self.observed_at < self.course.infused_at:
            self._before_the_infusion(clock_text(self.course.infused_at, now))

    def _before_the_infusion(self, infused: str) -> None:
        if self.graded_from_infusion:
            self.add_error(
                "observed_time",
                f"This is before the infusion ({infused}). What ran then does not count: chart it "
                "for a time at or after the infusion.",
            )
        else:
            self.remarks.append(
                f"Before the infusion ({infused}): kept as baseline material, never graded."
            )

    def _clean_carried_on(self) -> None:
        if any(is_tick(name) and name not in self.fields for name in self.data):
            self.add_error(
                None,
                "Something ticked as unchanged was stopped meanwhile: look at the chart, then save "
                "what still holds.",
            )
        for thing in self._carried_on:
            ticked = self.cleaned_data.get(thing.field_name)
            if not ticked or self.observed_at is None:
                continue
            if ticked != thing.mark:
                self.add_error(
                    thing.field_name,
                    f"{thing.label} has changed since this form was opened: now {thing.text}. "
                    "Tick again if that is unchanged.",
                )
            elif self.observed_at < thing.since:
                self.add_error(
                    thing.field_name,
                    f"{thing.label} was charted later than this time: {thing.text}.",
                )

    def _read(self, body: Mapping[str, Any]) -> None:
        """The same reader as a course file's; its faults stand at the fields they speak of."""
        at = self.observed_at.isoformat() if self.observed_at is not None else None
        try:
            read_entry({**body, "id": "form", "kind": self.kind.value, "at": at})
        except CourseFileError as error:
            for fault in error.faults:
                place = self.field_of_place.get(fault.place, fault.place)
                sentence = fault.message.replace("ug/", "mcg/")
                self.add_error(
                    place if place in self.fields else None, sentence[:1].upper() + sentence[1:]
                )

    def _offer_attribution_by_field(self, entry: Entry) -> None:
        """Some fields may have an attribution of their own; a form keeps them or replaces all."""
        if isinstance(entry.body.get("attribution"), dict):
            listed = [*choices_of(Attribution), (AS_BEFORE, "by vital sign, as before")]
            self.fields["attribution"] = forms.ChoiceField(label="Due to", choices=listed)
            self.initial["attribution"] = AS_BEFORE

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        """The initial values of a correction: what the entry says now, and its time."""
        there = timezone.localtime(entry.at)
        return {
            **entry.body,
            "observed_date": there.date(),
            "observed_time": there.time().replace(second=0, microsecond=0),
            "observed_which": "later" if there.fold else "",
        }


def _unless_same_minute(typed: datetime, charted_at: datetime) -> datetime:
    """A form shows minutes: a time left as it was keeps its seconds."""
    return charted_at if charted_at.replace(second=0, microsecond=0) == typed else typed


class RetractionForm(forms.Form):
    """That an entry was entered in error, and why."""

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Why was it entered in error?",
        max_length=300,
        error_messages={"required": "Say why the entry is retracted."},
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"form_id": uuid.uuid4()}, label_suffix="")
        self.helper = helper()
