"""The base class of the forms that chart entries.

A form parses, complains and asks; it records nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any, ClassVar, Final

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div
from django import forms

from grading.course_file import CourseFileError, read_entry
from grading.engine.dose_limits import impossible_dose
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.plausibility import Circumstances
from grading.engine.plausibility import questions as questions_about
from grading.engine.vocabulary import AT_MOST_AHEAD, FAR_FROM_INFUSION, TOO_FAR_FROM_INFUSION
from patients.display.site_times import site_time
from patients.display.text import clock_text, date_text, date_time_text, day_of
from patients.forms.attribution import (
    ATTRIBUTION,
    NOTE,
    AttributionFields,
    BlankAttribution,
    attribution_field_name,
)
from patients.forms.base import SubmittedForm
from patients.forms.confirmation import ConfirmedForm
from patients.forms.fields import TypedNumberField, prepare_fields, without_empty
from patients.forms.layout import (
    AttributionAndNote,
    Conversion,
    CorrectionReason,
    EntryHead,
    SaveRow,
    TimeField,
    TimeShortcuts,
    UnchangedCheckboxes,
    fields_row,
    form_helper,
)
from patients.forms.not_numbers import grouped_thousands
from patients.forms.proposals import NOTHING_PROPOSED, Proposals
from patients.forms.times import EARLIER, LATER, EntryTimeFields, is_shown_twice
from patients.forms.unchanged import UnchangedFields, is_unchanged_field
from patients.models import CONFIRMED, REASON, Course, Entry, EntryKind
from patients.queries.ages import facts_of_age
from patients.queries.courses import now_for
from patients.recording.inputs import NewEntry

_CORRECTION_REASON: Final = "reason"


class EntryForm(ConfirmedForm, EntryTimeFields, AttributionFields, UnchangedFields, SubmittedForm):
    """Form of an entry; a subclass names its kind, its fields, its layout and its body.

    ``graded_from_infusion``: an entry for a time before the infusion is refused.
    ``field_of_place``: the field of a fault that the reader of course files reports, where the
    names differ. ``is_renewed``: after a save a new form takes its place, because what it proposes
    has changed; ``leads_back``: after a save the form of vital signs takes its place.

    ``bodies`` are the entries in the words of the course file and ``charted`` the same as the
    reader made them, once the form was cleaned; a correction has exactly one.
    """

    graded_from_infusion: ClassVar[bool] = True
    field_of_place: ClassVar[Mapping[str, str]] = {}
    is_renewed: ClassVar[bool] = False
    leads_back: ClassVar[bool] = False

    note = forms.CharField(label="Note", required=False, max_length=1000)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        course: Course,
        now: datetime,
        correcting: Entry | None = None,
        proposed: Proposals = NOTHING_PROPOSED,
    ) -> None:
        self.course, self.now, self.correcting, self.proposed = course, now, correcting, proposed
        self.observed_at: datetime | None = None
        self.remarks: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.charted: list[ChartedEntry] = []
        if correcting is not None:
            initial = self.values_of(correcting)
            self.asks_which = is_shown_twice(correcting.at)
        else:
            initial = self.proposed_attribution(proposed.attributions)
        initial["opened_at"] = now.isoformat(timespec="seconds")
        super().__init__(data, initial=initial)
        if correcting is not None:
            self.fields[_CORRECTION_REASON] = forms.CharField(
                label="Reason for the correction",
                max_length=300,
                error_messages={"required": "Say why the entry is corrected."},
            )
            prepare_fields({_CORRECTION_REASON: self.fields[_CORRECTION_REASON]})
        self.show_unchanged(proposed.unchanged)

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form; made when it is rendered, never for a save."""
        reason = [CorrectionReason()] if self.correcting is not None else []
        return form_helper(
            EntryHead(),
            *self.layout(),
            Conversion(),
            UnchangedCheckboxes(),
            TimeShortcuts(),
            *reason,
            SaveRow(),
            *self.closing_layout(),
        )

    def layout(self) -> Sequence[Any]:
        """Return the layout of the fields of this kind, with the time."""
        return [self.inputs_row(*self.own_fields())]

    def inputs_row(self, *fields: Any) -> Div:
        """Return ``fields`` in one row with the time."""
        return fields_row(*fields, TimeField("observed_time"), data_kind=self.kind.value)

    def closing_layout(self) -> Sequence[Any]:
        """Return the layout below the save button."""
        return [AttributionAndNote()]

    @property
    def save_label(self) -> str:
        """What the save button says."""
        return "Save" if self.correcting is None else "Save correction"

    @property
    def can_be_left(self) -> bool:
        """Whether a button leads back to the form that this one replaced."""
        return self.correcting is not None

    def propose(self, proposed: Proposals) -> None:
        """Show what a refused form proposes; it is not cleaned again."""
        self.proposed = proposed
        self.show_unchanged(proposed.unchanged)

    def new_entries(self) -> list[NewEntry]:
        """Return what the form records; call it on a valid form."""
        at = self.observed_at
        if at is None:
            raise ValueError("the form is not valid")
        replaces = self.correcting.pk if self.correcting is not None else None
        by_clock = self.cleaned_data.get("observed_time") is None
        own = [
            NewEntry(
                self.kind_of(index),
                self.time_of(index) or at,
                body,
                replaces,
                by_clock=by_clock and self.time_of(index) == at,
                parsed=entry,
            )
            for index, (body, entry) in enumerate(zip(self.bodies, self.charted, strict=True))
        ]
        return [*own, *(item.new_entry(at, by_clock=by_clock) for item in self.ticked())]

    def kind_of(self, _index: int) -> EntryKind:
        """Return the kind of an entry of ``bodies``; a round charts several."""
        return self.kind

    def time_of(self, _index: int) -> datetime | None:
        """Return the time of an entry of ``bodies``: that of the form, but for a seizure."""
        return self.observed_at

    def submission_answers(self) -> dict[str, Any]:
        """Return the reasons that were typed, and the questions that were confirmed."""
        reason = self.cleaned_data.get(REASON)
        answers = super().submission_answers() | ({REASON: reason} if reason else {})
        if self.questions:
            answers[CONFIRMED] = [[each.place, each.sentence] for each in self.questions]
        return answers

    def own_fields(self) -> list[str]:
        """Return the names of the fields of this kind alone, in order."""
        common = _common_fields(type(self))
        return [name for name in self.fields if name not in common and not is_unchanged_field(name)]

    def body(self) -> dict[str, Any]:
        """Return the entry in the words of the course file, without what every entry has."""
        return without_empty({name: self.cleaned_data.get(name) for name in self.own_fields()})

    def build_bodies(self) -> list[dict[str, Any]]:
        """Return the entries of this form, each as ``body``."""
        body = self.body()
        return [body] if body or self.needs_own_entry() else []

    def needs_own_entry(self) -> bool:
        """Return whether the form is wrong without a value of its own."""
        return not self.ticked()

    def field_of(self, index: int, place: str) -> str:
        """Return the field of a fault at ``place`` of the entry number ``index``."""
        return self.field_of_place.get(place, place)

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        """Return what ``entry`` is compared with to see whether it is unusual."""
        facts = facts_of_age(self.course)
        return Circumstances(
            age_years=facts.age_in_completed_years,
            is_neonate=facts.is_neonate,
            infused_at=facts.infused_at,
        )

    @property
    def has_blank_attribution(self) -> bool:
        """Whether attribution and note are those of a form with nothing proposed or typed."""
        return not (
            self.is_bound
            or self.correcting is not None
            or self.proposed.attributions
            or self.initial.keys() & {NOTE, *self.attribution_names()}
        )

    @classmethod
    def blank_attribution(cls) -> BlankAttribution:
        """Attribution and note with nothing filled in: the same on each page."""
        return BlankAttribution(cls)

    @property
    def proposes_attribution(self) -> bool:
        """Whether the empty form has an attribution in it, as last charted."""
        return not self.is_bound and self.correcting is None and REASON in self.initial

    @property
    def proposals_by_choice(self) -> dict[str, dict[str, str]]:
        """The last attribution of each thing that this form lets choose, for the browser."""
        prefix = f"{self.kind.value}."
        return {
            key.removeprefix(prefix): {
                "attribution": proposal.attribution.value,
                "reason": proposal.reason,
            }
            for key, proposal in self.proposed.attributions.items()
            if key.startswith(prefix)
        }

    def clean(self) -> dict[str, Any]:
        self._clean_time()
        self.clean_unchanged(self.observed_at)
        self.bodies = self.build_bodies()
        self.check_attribution()
        self.clean_kind()
        self.bodies = [body | self._common_values(body) for body in self.bodies]
        if not self.errors:
            for index, body in enumerate(self.bodies):
                self._read(index, body)
        return self.cleaned_data

    def clean_kind(self) -> None:
        """Check what only this kind can check of its fields together."""

    def check_attribution(self) -> None:
        """Check the attribution of ``bodies`` and its reason."""
        self.require_reason_for(self.bodies)

    def _clean_time(self) -> None:
        # What was charted under a clock that was set back since stays possible.
        behind = now_for(self.course) - self.now
        at, question = self.read_observed_time(self.now, max(behind, timedelta(0)) + AT_MOST_AHEAD)
        if at is None:
            return
        if self.correcting is not None:
            at = _unless_same_minute(at, self.correcting.at)
        elif question is not None:
            self.questions.append(question)
        is_as_charted = self.correcting is not None and at == self.correcting.at
        if not is_as_charted and self._is_too_far_from_infusion(at):
            return
        self.observed_at = at
        if at < self.course.infused_at:
            self._refuse_before_infusion(clock_text(self.course.infused_at, self.now))
        if self.course.infused_at - at > FAR_FROM_INFUSION and not is_as_charted:
            infused = date_text(day_of(self.course.infused_at))
            self.ask(
                "observed_date",
                f"{date_time_text(at)} is more than {FAR_FROM_INFUSION.days} days before the "
                f"infusion ({infused}).",
            )

    def _is_too_far_from_infusion(self, at: datetime) -> bool:
        infused_at = self.course.infused_at
        if abs(at - infused_at) <= TOO_FAR_FROM_INFUSION:
            return False
        where = "before" if at < infused_at else "after"
        advice = "" if self._is_moved else " Check the date."
        self.add_error(
            "observed_date",
            f"{date_text(day_of(at))} is more than 5 years {where} the infusion "
            f"({date_text(day_of(infused_at))}).{advice}",
        )
        return True

    @property
    def _is_moved(self) -> bool:
        """Whether an entry of another patient is tried on this course, with the values it has."""
        return self.correcting is not None and self.correcting.course_id != self.course.pk

    def _refuse_before_infusion(self, infused: str) -> None:
        if self.graded_from_infusion and self._is_moved:
            self.add_error(
                "observed_time",
                f"It is before the infusion there ({infused}) and would count only from the "
                "infusion on. If it was still running then, enter it there as a new entry.",
            )
        elif self.graded_from_infusion:
            self.add_error(
                "observed_time",
                f"This is before the infusion ({infused}). Enter a time after it; if it was still "
                "running, enter it again from the infusion on.",
            )
        else:
            self.remarks.append(
                f"Before the infusion ({infused}): kept as baseline material, never graded."
            )

    def _common_values(self, body: Mapping[str, Any]) -> dict[str, Any]:
        note = self.cleaned_data.get(NOTE)
        return without_empty({NOTE: note, ATTRIBUTION: self.attribution_of(body)})

    def _read(self, index: int, body: Mapping[str, Any]) -> None:
        """Read ``body`` as a course file is read; faults and questions go to their fields."""
        try:
            entry = self._entry(index, body)
        except CourseFileError as error:
            for fault in error.faults:
                self._refuse(index, fault.place, fault.message)
            return
        circumstances = self.circumstances(entry)
        impossible = impossible_dose(entry, circumstances.weight_kg)
        if impossible is not None:
            self._refuse(index, impossible.place, impossible.sentence)
            return
        self.charted.append(entry)
        numbers = {key: typed for key, typed in body.items() if self._is_number(index, key)}
        in_doubt = grouped_thousands(numbers, lambda other: self._can_be(index, {**body, **other}))
        for place, sentence in (*questions_about(entry, circumstances), *in_doubt):
            self.ask(self.field_of(index, place), sentence, index)

    def _entry(self, index: int, body: Mapping[str, Any]) -> ChartedEntry:
        time = self.time_of(index)
        at = time.isoformat() if time is not None else None
        return read_entry({**body, "id": "form", "kind": self.kind_of(index).value, "at": at})

    def _is_number(self, index: int, key: str) -> bool:
        return isinstance(self.fields.get(self.field_of(index, key)), TypedNumberField)

    def _can_be(self, index: int, body: Mapping[str, Any]) -> bool:
        """Return whether ``body`` keeps every hard limit."""
        try:
            entry = self._entry(index, body)
        except CourseFileError:
            return False
        return impossible_dose(entry, self.circumstances(entry).weight_kg) is None

    def _refuse(self, index: int, place: str, sentence: str) -> None:
        field = self.field_of(index, place)
        sentence = sentence.replace("ug/", "mcg/").rstrip(".") + "."
        self.add_error(field if field in self.fields else None, sentence[:1].upper() + sentence[1:])

    def values_of(self, entry: Entry) -> dict[str, Any]:
        """Return the initial values of a correction: those of ``entry`` and its time."""
        local = site_time(entry.at)
        values = dict(entry.body)
        if isinstance(by_part := values.get(ATTRIBUTION), dict):
            del values[ATTRIBUTION]
            values |= {attribution_field_name(key): cause for key, cause in by_part.items()}
        return {
            **values,
            REASON: entry.act.answers.get(REASON, ""),
            "observed_date": local.date(),
            "observed_time": local.time().replace(second=0, microsecond=0),
            "observed_which": LATER if local.fold else EARLIER,
        }


@cache
def _common_fields(form_class: type[EntryForm]) -> frozenset[str]:
    """Return the names of the fields that every kind has, with those of its attribution."""
    names = (*EntryForm.base_fields, _CORRECTION_REASON, *form_class.attribution_names())
    return frozenset(names)


def _unless_same_minute(typed: datetime, charted_at: datetime) -> datetime:
    """Return ``charted_at`` where its minute was left as the form showed it: it has seconds."""
    return charted_at if charted_at.replace(second=0, microsecond=0) == typed else typed
