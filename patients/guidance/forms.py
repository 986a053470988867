"""Forms of answers to guidance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div
from django import forms

from grading.engine.algorithm import Item, Reply
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.plausibility import Circumstances
from grading.engine.units import format_number
from grading.engine.vocabulary import JudgementAbout, RiskQuestion, TreatmentAgent, VasopressorDrug
from patients.forms.base import SubmittedForm
from patients.forms.doses import of_a_treatment
from patients.forms.entry_form import EntryForm
from patients.forms.fields import NO, YES, TypedNumberField
from patients.forms.layout import AnswerReasons, SaveRow, form_helper
from patients.forms.times import TapForm
from patients.forms.unchanged import UnchangedItem
from patients.guidance.tasks import JUDGEMENT, RISK, STOPPED, UNCHANGED, running_name
from patients.models import Course, EntryKind
from patients.recording.inputs import ConflictError, NewEntry

NOTHING_TO_CHART: Final = "Nothing to chart"
RETURNS_AFTER: Final = {
    "15": "15 min",
    "60": "1 h",
    "240": "4 h",
    "720": "12 h",
}
"""After how many minutes an item answered *not now* can be asked again."""
OTHER_REASON: Final = "other"
REASONS: Final = (
    ("another_cause", "Another cause is more likely"),
    ("contraindicated", "Contraindicated in this patient"),
    ("done_elsewhere", "Done already, charted elsewhere"),
    ("team_decided", "The treating team decided otherwise"),
    ("goals_of_care", "Goals of care"),
    (OTHER_REASON, "Another reason"),
)
_WITHOUT_DOSE: Final = frozenset(
    {TreatmentAgent.ANTIBIOTICS, TreatmentAgent.ANTIPYRETIC, TreatmentAgent.HYDROCORTISONE}
)
"""Agents of which the paper states no dose: there may be nothing to chart."""


class ShownGradeField(forms.IntegerField):
    """The grade that the page showed with the advice; None from a page that does not send it."""

    def __init__(self) -> None:
        wrong = dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            "This page is out of date. Look at the advice again.",
        )
        super().__init__(
            required=False,
            min_value=0,
            max_value=5,
            widget=forms.HiddenInput,
            error_messages=wrong,
        )


class AnswerForm(SubmittedForm):
    """Fields of every answer.

    ``seen`` is the id of the answer that the page showed, or empty; ``shown_grade`` the grade.
    """

    save_label = "Save answer"
    can_be_left = True

    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)
    shown_grade = ShownGradeField()

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        seen: str = "",
        shown_grade: int | None = None,
    ) -> None:
        super().__init__(data, initial={"seen": seen, "shown_grade": shown_grade})

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form."""
        return form_helper("form_id", "seen", "shown_grade", *self.layout(), SaveRow())

    def layout(self) -> Sequence[Any]:
        """Return the layout of the fields of this answer alone."""
        return []


class NotNowForm(AnswerForm):
    """The answer *not now*: after how long to ask again."""

    minutes = forms.ChoiceField(
        choices=[*RETURNS_AFTER.items()],
        error_messages={"required": "Choose when to ask again."},
    )

    def layout(self) -> Sequence[Any]:
        return ["minutes"]

    @property
    def returns_after(self) -> timedelta:
        return timedelta(minutes=int(self.cleaned_data["minutes"]))


class NotAppropriateForm(AnswerForm):
    """The answer *not appropriate*, with its reason."""

    shown_in_their_row = frozenset({"why"})

    why = forms.ChoiceField(
        label="Why is it not suitable?",
        choices=REASONS,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a reason, or write one."},
    )
    in_words = forms.CharField(label="In your words", required=False, max_length=200)

    def layout(self) -> Sequence[Any]:
        return [AnswerReasons(), Div("in_words", css_class="reason")]

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("why") == OTHER_REASON and not self.cleaned_data.get("in_words"):
            self.add_error("in_words", "Write the reason.")
        return self.cleaned_data

    @property
    def reason(self) -> str:
        """The text to store: the chosen reason, with the words that were typed."""
        why, in_words = self.cleaned_data["why"], self.cleaned_data["in_words"]
        if why == OTHER_REASON:
            return str(in_words)
        label = dict(REASONS)[why]
        return f"{label}: {in_words}" if in_words else label


class TreatmentGivenForm(EntryForm):
    """The answer *done* with the treatment that it charts: agent, dose and time."""

    kind = EntryKind.TREATMENT
    has_attribution = False
    save_label = "Save answer"
    can_be_left = True

    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)
    shown_grade = ShownGradeField()
    agent = forms.ChoiceField(
        label="Given",
        required=False,
        error_messages={"invalid_choice": "Choose one of the treatments that are listed."},
    )
    dose_mg = TypedNumberField(label="Dose", unit="mg", above_zero=True)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        course: Course,
        now: datetime,
        agents: Sequence[TreatmentAgent],
        item: Item | None = None,
        seen: str = "",
        shown_grade: int | None = None,
        chosen_mg: str = "",
    ) -> None:
        super().__init__(data, course=course, now=now)
        self.initial.update(seen=seen, shown_grade=shown_grade)
        self._may_chart_nothing = all(agent in _WITHOUT_DOSE for agent in agents)
        listed = [(agent.value, agent.label) for agent in agents]
        if len(agents) > 1:
            listed.insert(0, ("", "Choose what was given"))
        if self._may_chart_nothing:
            listed.append(("", NOTHING_TO_CHART))
        cast(forms.ChoiceField, self.fields["agent"]).choices = listed
        self.initial["agent"] = agents[0].value if len(agents) == 1 else ""
        if item is not None and item.dose_mg is not None and item.agent in agents:
            self._propose(item, item.dose_mg, chosen_mg)

    def _propose(self, item: Item, dose_mg: Any, chosen_mg: str) -> None:
        """Fill in the dose of ``item``; the amount of a whole day is only shown as help text.

        Of two doses none is filled in but the one ``chosen_mg`` on the card.
        """
        field = self.fields["dose_mg"]
        of_two = item.agent is TreatmentAgent.TOCILIZUMAB
        offered = [format_number(each) for each in (dose_mg, item.label_mg) if each is not None]
        if of_two:
            self.initial["dose_mg"] = chosen_mg if chosen_mg in offered else ""
            field.help_text = "Enter the dose actually given"
        elif item.dose_per_day:
            field.help_text = f"{format_number(dose_mg)} mg is the amount of a whole day"
        else:
            self.initial["dose_mg"] = format_number(dose_mg)
            field.help_text = "Calculated from Lee 2014. Enter the dose actually given"

    def own_fields(self) -> list[str]:
        return ["agent", "dose_mg"]

    def layout(self) -> Sequence[Any]:
        return ["seen", "shown_grade", *super().layout()]

    def clean_kind(self) -> None:
        agent = self.cleaned_data.get("agent")
        dose = self.cleaned_data.get("dose_mg")
        if not agent and (dose or not self._may_chart_nothing) and "agent" not in self.errors:
            self.add_error("agent", "Choose what was given.")

    def circumstances(self, entry: ChartedEntry) -> Circumstances:
        return of_a_treatment(super().circumstances(entry), self.course, entry, self.correcting)

    def needs_own_entry(self) -> bool:
        return False


class StaleActionError(ConflictError):
    """Conflict: a quick action refers to what has changed since its page was shown."""


class QuickActionForm(TapForm):
    """One button of the panel.

    ``action`` is what to chart: "risk:<question>:yes", "judgement:<about>:no",
    "unchanged:<field name>" or "stopped:<drug>". ``seen_version`` is the optimistic-lock token of
    the entry that the page showed, for the last two. A tap that waited on a tablet charts at its
    own time.
    """

    action = forms.CharField(max_length=80)
    seen_version = forms.CharField(required=False, max_length=40)

    def new_entry(self, now: datetime, unchanged: Sequence[UnchangedItem]) -> NewEntry:
        """Return the entry to record.

        Raises StaleActionError where the chart has changed, and for an action that is not known.
        """
        at = self.cleaned_data["sent_at"] or now
        about, _, rest = self.cleaned_data["action"].partition(":")
        what, _, answer = rest.partition(":")
        if about == RISK and what in set(RiskQuestion) and answer in (YES, NO):
            return NewEntry(EntryKind.RISK, at, {what: answer == YES}, by_clock=True)
        if about == JUDGEMENT and what in set(JudgementAbout) and answer in (YES, NO):
            judged = {"about": what, "present": answer == YES}
            return NewEntry(EntryKind.JUDGEMENT, at, judged, by_clock=True)
        if about == UNCHANGED:
            return self._seen(what, unchanged).new_entry(at, by_clock=True)
        if about == STOPPED and what in set(VasopressorDrug):
            self._seen(running_name(VasopressorDrug(what)), unchanged)
            stopped = {"drug": what, "rate": "0"}
            return NewEntry(EntryKind.VASOPRESSOR, at, stopped, by_clock=True)
        raise StaleActionError("This page is out of date. Check the chart and try again.")

    def _seen(self, name: str, unchanged: Sequence[UnchangedItem]) -> UnchangedItem:
        """Return the unchanged item of this name; raise StaleActionError unless it was seen so."""
        item = next((item for item in unchanged if item.field_name == name), None)
        if item is None:
            raise StaleActionError("It does not run any more. Check the chart.")
        if item.version != self.cleaned_data["seen_version"]:
            raise StaleActionError(
                f"{item.label} has changed since this page was shown: now {item.text}."
            )
        tapped_at = self.cleaned_data["sent_at"]
        if tapped_at is not None and tapped_at < item.since:
            raise StaleActionError(f"{item.label} was charted later than this tap: {item.text}.")
        if refusal := item.refusal():
            raise StaleActionError(refusal)
        return item


FORM_OF_REPLY: Final[dict[Reply, type[AnswerForm]]] = {
    Reply.DONE: AnswerForm,
    Reply.NOT_NOW: NotNowForm,
    Reply.NOT_APPROPRIATE: NotAppropriateForm,
    Reply.STABILISED: AnswerForm,
}
