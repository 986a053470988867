"""What every bedside form has: a time, an attribution, a note, and the reader of the course file.

A form parses, complains and asks; it stores nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from crispy_forms.helper import FormHelper
from django import forms
from django.utils import timezone

from grading.course_file import CourseFileError, read_entry
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.facts import CourseFacts
from grading.engine.unusual import Circumstances, questions
from grading.engine.vocabulary import Attribution
from patients.display.text import clock_text
from patients.forms.attribution import (
    AttributionProposal,
    attribution_by_part,
    attribution_field_name,
    attribution_fields,
)
from patients.forms.confirmation import OBSERVED_THEN, ConfirmQuestion, questions_digest
from patients.forms.fields import choices_of, set_error_messages, without_empty
from patients.forms.times import WHICH_CHOICES, LocalTimeError, TimeInput, resolve_observed_time
from patients.forms.unchanged import UnchangedItem, is_unchanged_field, unchanged_fields
from patients.models import CONFIRMED, REASON, Course, Entry, EntryKind
from patients.queries.laboratory import ReportedLimits
from patients.recording.inputs import NewEntry


def helper() -> FormHelper:
    """Forms stand inside the page's own form element, which has the CSRF token."""
    bare = FormHelper()
    bare.form_tag = False
    bare.disable_csrf = True
    return bare


class EntryForm(forms.Form):
    """What every entry form has; a subclass names its kind, its fields and its body.

    ``graded_from_infusion``: an earlier entry says nothing at all. ``field_of_place``: which field
    a fault of the reader belongs to, where they differ in name. ``parts``: what of it can be
    ascribed to a cause of its own, as pairs of key and label. ``is_renewed``: once saved, another
    form takes its place, because what it proposes has changed. ``charted_template``: shows the
    fields of a kind that does not show them one beside the other. ``has_note_beside``: attribution
    and note stand apart, folded.
    """

    kind: ClassVar[EntryKind]
    graded_from_infusion: ClassVar[bool] = True
    field_of_place: ClassVar[Mapping[str, str]] = {}
    parts: ClassVar[Sequence[tuple[str, str]]] = ()
    is_renewed: ClassVar[bool] = False
    charted_template: ClassVar[str] = ""
    has_note_beside: ClassVar[bool] = True

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    opened_at = forms.CharField(widget=forms.HiddenInput, required=False)
    begun_at = forms.CharField(widget=forms.HiddenInput, required=False)
    sent_at = forms.CharField(widget=forms.HiddenInput, required=False)
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
    attribution_reason = forms.CharField(
        label="Why not CRS, or why uncertain", required=False, max_length=300
    )
    note = forms.CharField(label="Note", required=False, max_length=1000)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        course: Course,
        correcting: Entry | None = None,
        carried_on: Sequence[UnchangedItem] = (),
        proposed: Mapping[str, AttributionProposal] | None = None,
    ) -> None:
        self.course = course
        self.correcting = correcting
        self.observed_at: datetime | None = None
        self.remarks: list[str] = []
        self.asks: list[ConfirmQuestion] = []
        self.asks_which = False
        self.proposed = dict(proposed or {})
        initial: dict[str, Any] = {
            "form_id": uuid.uuid4(),
            "opened_at": timezone.now().isoformat(timespec="seconds"),
        }
        if correcting is not None:
            initial |= self._typed_before(correcting)
        else:
            initial |= self._proposals()
        _share_fields_of(type(self))
        super().__init__(data, initial=initial, label_suffix="")
        if "attribution" in self.fields:
            self.fields |= attribution_fields(self.parts)
        if correcting is not None:
            self.fields["reason"] = forms.CharField(
                label="Reason for the correction",
                max_length=300,
                error_messages={"required": "Say why the entry is corrected."},
            )
            set_error_messages({"reason": self.fields["reason"]})
        self._carried_on = carried_on
        self.fields |= unchanged_fields(carried_on)
        self.helper = helper()

    def is_valid(self) -> bool:
        """Nothing is wrong with it, and what is unusual about it was confirmed."""
        return super().is_valid() and not self.unconfirmed

    @property
    def unconfirmed(self) -> bool:
        """Whether something is asked that the sender has not answered with yes."""
        return bool(self.asks) and self.data.get(CONFIRMED) != self.asked

    @property
    def asked_fields(self) -> set[str]:
        """The fields that something is asked about."""
        return {ask.field_name for ask in self.asks} if self.unconfirmed else set()

    @property
    def asked(self) -> str:
        """What a yes must be sent with to be a yes to these questions."""
        return questions_digest(self.asks)

    def ask(self, field_name: str, sentence: str, index: int = 0) -> None:
        """Ask before saving: the value of ``field_name``, in that body, can be, but seldom is."""
        self.asks.append(ConfirmQuestion(field_name, sentence, index))

    def drafts(self) -> list[NewEntry]:
        """What the form records; call it on a valid form."""
        if self.observed_at is None:
            raise ValueError("the form is not valid")
        replaces = self.correcting.pk if self.correcting is not None else None
        drafts = [
            NewEntry(self.kind, self.observed_at, body, replaces)
            for body in self.cleaned_data["bodies"]
        ]
        ticked = [thing for thing in self._carried_on if self.cleaned_data.get(thing.field_name)]
        return [*drafts, *(thing.draft(self.observed_at) for thing in ticked)]

    def answers(self) -> dict[str, Any]:
        """What is recorded beside the facts: reasons, and what was asked and confirmed."""
        said: dict[str, Any] = {
            name: self.cleaned_data.get(name)
            for name in ("reason", REASON)
            if self.cleaned_data.get(name)
        }
        if self.asks:
            said[CONFIRMED] = [[ask.place, ask.sentence] for ask in self.asks]
        return said

    def limits_given(self) -> Sequence[ReportedLimits]:
        """The limits of normal that are to be remembered for the next patient."""
        return ()

    def body(self) -> dict[str, Any]:
        """The entry in the course file's words, without what every entry has."""
        return without_empty({name: self.cleaned_data.get(name) for name in self.own_fields()})

    def bodies(self) -> list[dict[str, Any]]:
        """The entries of this form, each as ``body``; a correction gives exactly one."""
        return [self.body()] if self._says_something() else []

    def field_of(self, index: int, place: str) -> str:
        """The field that a fault at ``place`` of the ``index``-th of the bodies belongs to."""
        return self.field_of_place.get(place, place)

    def own_fields(self) -> list[str]:
        """The fields of this kind alone, in order."""
        common = {
            *EntryForm.base_fields,
            "reason",
            *(attribution_field_name(key) for key, _ in self.parts),
            *(t.field_name for t in self._carried_on),
        }
        return [name for name in self.fields if name not in common]

    @property
    def charted(self) -> list[forms.BoundField]:
        """The inputs of this kind alone, for a page."""
        return [self[name] for name in self.own_fields()]

    @property
    def ticks(self) -> list[forms.BoundField]:
        """The ticks for what is unchanged."""
        return [self[thing.field_name] for thing in self._carried_on]

    @property
    def part_attributions(self) -> list[forms.BoundField]:
        """What each part is due to, for a page."""
        return [
            self[attribution_field_name(key)]
            for key, _ in self.parts
            if attribution_field_name(key) in self.fields
        ]

    @property
    def attribution_is_said(self) -> bool:
        """Whether the page opens the attribution: it is proposed, typed, or wrong."""
        if "attribution" not in self.fields:
            return False
        names = ["attribution", REASON, *(attribution_field_name(key) for key, _ in self.parts)]
        said = self.data if self.is_bound else self.initial
        return any(
            name in self.errors or said.get(name) not in (None, "", Attribution.CRS)
            for name in names
        )

    @property
    def proposes(self) -> bool:
        """Whether the empty form has an attribution in it, as last charted."""
        return not self.is_bound and self.correcting is None and REASON in self.initial

    @property
    def proposals_by_choice(self) -> dict[str, dict[str, str]]:
        """What was last said of each thing that this form lets choose, for the browser."""
        prefix = f"{self.kind.value}."
        return {
            key.removeprefix(prefix): {
                "attribution": proposal.attribution.value,
                "reason": proposal.reason,
            }
            for key, proposal in self.proposed.items()
            if key.startswith(prefix)
        }

    def clean(self) -> dict[str, Any]:
        self._clean_time()
        self._clean_carried_on()
        self._clean_attribution()
        self.clean_kind()
        bodies = [body | self._said_of(body) for body in self.bodies()]
        self.cleaned_data["bodies"] = bodies
        if not self.errors:
            for index, body in enumerate(bodies):
                self._read(index, body)
        return self.cleaned_data

    def clean_kind(self) -> None:
        """What only this kind can say of its fields together."""

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        """What ``entry`` is held against to see whether it is unusual."""
        return Circumstances(age_years=age_at_infusion(self.course))

    def _says_something(self) -> bool:
        """A set of vital signs may be empty where something else is ticked as unchanged."""
        return bool(self.body()) or not any(
            self.cleaned_data.get(thing.field_name) for thing in self._carried_on
        )

    def _said_of(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Attribution and note of one body; by part where the parts differ."""
        said: dict[str, Any] = {"note": self.cleaned_data.get("note")}
        if "attribution" in self.fields:
            causes = self._causes(body)
            if len(set(causes.values())) > 1:
                said["attribution"] = {part: cause.value for part, cause in causes.items()}
            else:
                cause = next(iter(causes.values()))
                said["attribution"] = None if cause is Attribution.CRS else cause.value
        return without_empty(said)

    def _causes(self, body: Mapping[str, Any]) -> dict[str, Attribution]:
        """What the parts that ``body`` charts are due to; "" where it has no parts."""
        whole = Attribution(self.cleaned_data.get("attribution") or Attribution.CRS)
        charted = [key for key, _ in self.parts if self.charts(body, key)]
        return attribution_by_part(whole, self.cleaned_data, charted) or {"": whole}

    def charts(self, body: Mapping[str, Any], part: str) -> bool:
        """Whether ``body`` says something about ``part``."""
        return part in body

    def _clean_attribution(self) -> None:
        if "attribution" not in self.fields or REASON in self.errors:
            return
        causes = {cause for body in self.bodies() for cause in self._causes(body).values()}
        if causes - {Attribution.CRS}:
            if not self.cleaned_data.get(REASON):
                self.add_error(REASON, "Say what else it is due to, or why it is uncertain.")
        else:
            self.cleaned_data[REASON] = ""

    def _clean_time(self) -> None:
        if {"observed_date", "observed_time"} & self.errors.keys():
            return
        now = timezone.now()
        said = self.cleaned_data
        typed = TimeInput(
            said.get("observed_date"),
            said.get("observed_time"),
            said.get("observed_which", ""),
            said.get("begun_at", ""),
            said.get("sent_at", ""),
            said.get("opened_at", ""),
            then=OBSERVED_THEN in self.data,
        )
        try:
            self.observed_at, ask = resolve_observed_time(typed, now)
        except LocalTimeError as error:
            self.asks_which = error.asks_which
            field = "observed_which" if error.asks_which else "observed_time"
            self.add_error(field, error.sentence)
            return
        if self.correcting is not None:
            self.observed_at = _unless_same_minute(self.observed_at, self.correcting.at)
        elif ask is not None:
            self.asks.append(ask)
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
        if any(is_unchanged_field(name) and name not in self.fields for name in self.data):
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

    def _read(self, index: int, body: Mapping[str, Any]) -> None:
        """The same reader as a course file's; its faults and questions stand at their fields."""
        at = self.observed_at.isoformat() if self.observed_at is not None else None
        try:
            entry = read_entry({**body, "id": "form", "kind": self.kind.value, "at": at})
        except CourseFileError as error:
            for fault in error.faults:
                place = self.field_of(index, fault.place)
                sentence = fault.message.replace("ug/", "mcg/")
                self.add_error(
                    place if place in self.fields else None, sentence[:1].upper() + sentence[1:]
                )
            return
        for place, sentence in questions(entry, self.circumstances(entry)):
            self.ask(self.field_of(index, place), sentence, index)

    @classmethod
    def proposals_among(
        cls, proposed: Mapping[str, AttributionProposal]
    ) -> dict[str, AttributionProposal]:
        """Those of ``proposed`` that an empty form of this kind has in it, by their field."""
        proposals = {
            attribution_field_name(key): proposed[key] for key, _ in cls.parts if key in proposed
        }
        if cls.kind in proposed:
            proposals["attribution"] = proposed[cls.kind]
        return proposals

    def _proposals(self) -> dict[str, Any]:
        """What was last said of the same things stands in the form, in sight."""
        proposals = self.proposals_among(self.proposed)
        if not proposals:
            return {}
        reasons = dict.fromkeys(p.reason for p in proposals.values() if p.reason)
        said = {name: proposal.attribution.value for name, proposal in proposals.items()}
        return {**said, REASON: "; ".join(reasons)}

    def _typed_before(self, entry: Entry) -> dict[str, Any]:
        """The initial values of a correction: what the entry says now, and its time."""
        there = timezone.localtime(entry.at)
        said = dict(entry.body)
        if isinstance(by_part := said.get("attribution"), dict):
            del said["attribution"]
            said |= {attribution_field_name(key): cause for key, cause in by_part.items()}
        return {
            **said,
            REASON: entry.act.answers.get(REASON, ""),
            "observed_date": there.date(),
            "observed_time": there.time().replace(second=0, microsecond=0),
            "observed_which": "later" if there.fold else "",
        }


class _Shared(dict[str, forms.Field]):
    """Fields that all forms of a class have in common: a copy is one of the mapping alone.

    A form that changes a field puts one of its own in its place.
    """

    def __deepcopy__(self, _memo: dict[int, Any]) -> dict[str, forms.Field]:
        return dict(self)


@cache
def _share_fields_of(form_class: type[EntryForm]) -> None:
    """Make the fields of a class ready for its forms: in plain words, and never copied."""
    set_error_messages(form_class.base_fields)
    form_class.base_fields = _Shared(form_class.base_fields)


def age_at_infusion(course: Course) -> int:
    """Completed years at the infusion, as grading counts them."""
    facts = CourseFacts(
        infused_at=course.infused_there,
        birth_date=course.patient.birth_date,
        age_years=course.age_years,
    )
    return facts.age_in_completed_years


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
        set_error_messages(self.fields)
        self.helper = helper()
