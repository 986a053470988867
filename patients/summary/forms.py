"""The two forms of the summary: a fever at home, and the end of CRS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms

from grading.engine.units import format_number
from patients.display.text import date_text, date_time_text, day_of
from patients.forms.base import SubmittedForm
from patients.forms.fields import ClockTimeField, IsoDateField, VitalSignField
from patients.forms.times import WHICH_CHOICES, LocalTimeFields
from patients.models import FeverSource, StatedAbout, StatedAnswer
from patients.summary.answer import hours_text
from patients.summary.answers_course import QUIET, after_the_end
from patients.summary.facts import SummaryChart
from patients.summary.state_fact import NewStatement

_CHOOSE: Final = {
    "required": "Choose an answer.",
    "invalid_choice": "Choose one of the answers that are listed.",
}
_DECIMALS: Final = 2
_ONLY: Final = "only "
_TOO_LITTLE: Final = (
    " of the chart are after that time; CRS is taken to have ended after "
    f"{hours_text(QUIET)} without a finding"
)
_WHY: Final = "Say why it is corrected. The earlier answer stays visible."


class _StatementForm(SubmittedForm):
    """What both forms have: the statement that the page showed, and why it is corrected."""

    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    words = forms.CharField(
        label="Why is it corrected?",
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    questions: Sequence[str] = ()
    """What the chart has against an answer; the button that confirms them sends them back."""

    @property
    def asks(self) -> bool:
        """Whether nothing but the questions stands against saving."""
        return bool(self.questions) and list(self.errors) == ["__all__"]

    @property
    def corrects(self) -> bool:
        """Whether the page showed an answer, which this one replaces."""
        return str(self["seen"].value() or "0") not in ("", "0")

    def clean_words(self) -> str:
        words: str = self.cleaned_data["words"]
        if not words and self.cleaned_data.get("seen"):
            raise forms.ValidationError(_WHY)
        return words if self.cleaned_data.get("seen") else ""


class FeverAtHomeForm(_StatementForm):
    """Whether there was a fever at home: when, how high, and who says so."""

    title = "Fever at home"
    about = StatedAbout.FEVER_AT_HOME

    answer = forms.ChoiceField(
        label="Was there a fever at home after the infusion?",
        choices=(
            (StatedAnswer.YES, "Yes"),
            (StatedAnswer.NO, "No"),
            (StatedAnswer.NOT_KNOWN, "Not known"),
        ),
        widget=forms.RadioSelect,
        error_messages=_CHOOSE,
    )
    on_day = IsoDateField(
        label="Day of the first one",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    temperature_c = VitalSignField("temperature_c", label="Highest value, °C")
    source = forms.ChoiceField(
        label="Who says so?",
        choices=FeverSource.choices,
        required=False,
        widget=forms.RadioSelect,
        error_messages=_CHOOSE,
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        chart: SummaryChart,
        threshold_c: Decimal,
        now: datetime,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self._chart, self._threshold_c, self._now = chart, threshold_c, now

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        answer = values.get("answer")
        if answer == StatedAnswer.YES:
            self._clean_fever(values)
        elif answer is not None:
            for name in ("on_day", "temperature_c"):
                if values.get(name):
                    self.add_error(name, "Empty this field, or answer Yes.")
        is_reported = answer in (StatedAnswer.YES, StatedAnswer.NO)
        if is_reported and not values.get("source") and "source" not in self.errors:
            self.add_error("source", "Choose who says so.")
        return values

    def _clean_fever(self, values: Mapping[str, Any]) -> None:
        for name, fault in (
            ("on_day", self._fault_of_day(values.get("on_day"))),
            ("temperature_c", self._fault_of_value(values.get("temperature_c"))),
        ):
            if fault and name not in self.errors:
                self.add_error(name, fault)

    def _fault_of_day(self, day: date | None) -> str:
        infused_on, today = day_of(self._chart.infused_at), day_of(self._now)
        if day is None:
            return "Enter the day."
        if day < infused_on:
            return f"That is before the infusion on {date_text(infused_on)}."
        return f"That day has not come. Today is {date_text(today)}." if day > today else ""

    def _fault_of_value(self, typed: str | None) -> str:
        if not typed:
            return "Enter the highest value that was measured."
        value = Decimal(typed)
        if value < self._threshold_c:
            limit = format_number(self._threshold_c)
            return f"A fever begins at {limit} °C. Check the value, or answer No."
        return "" if value == round(value, _DECIMALS) else "Enter at most two decimals."

    def new_statement(self) -> NewStatement:
        """Return the statement to record; call it on a valid form."""
        values = self.cleaned_data
        answer = StatedAnswer(values["answer"])
        is_known = answer is not StatedAnswer.NOT_KNOWN
        typed = values["temperature_c"]
        return NewStatement(
            about=self.about,
            answer=answer,
            seen=values["seen"],
            on_day=values["on_day"],
            temperature_c=Decimal(typed) if typed else None,
            source=values["source"] if is_known else "",
            words=values["words"],
        )


def _counts_minutes(question: str) -> bool:
    return question.startswith(_ONLY) and question.endswith(_TOO_LITTLE)


class EndOfCrsForm(LocalTimeFields, _StatementForm):
    """When CRS ended, by the clinician who states it."""

    title = "End of CRS"
    about = StatedAbout.END_OF_CRS

    answer = forms.ChoiceField(
        label="Has CRS ended?",
        choices=(
            (StatedAnswer.YES, "Yes, it ended at"),
            (StatedAnswer.NOT_KNOWN, "Not yet, or not known"),
        ),
        widget=forms.RadioSelect,
        error_messages=_CHOOSE,
    )
    ended_date = IsoDateField(
        label="Date",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    ended_time = ClockTimeField(
        label="Time",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    ended_which = forms.ChoiceField(label="Which of the two", choices=WHICH_CHOICES, required=False)
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        chart: SummaryChart,
        onset: datetime | None,
        now: datetime,
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self._chart, self._onset, self._now = chart, onset, now
        self.at: datetime | None = None

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        answer = values.get("answer")
        if answer == StatedAnswer.YES:
            self._clean_end(values)
        elif answer == StatedAnswer.NOT_KNOWN:
            for name in ("ended_date", "ended_time"):
                if values.get(name):
                    self.add_error(name, "Empty this field, or answer Yes.")
        return values

    def _clean_end(self, values: Mapping[str, Any]) -> None:
        for name, what in (("ended_date", "date"), ("ended_time", "time")):
            if values.get(name) is None and name not in self.errors:
                self.add_error(name, f"Enter the {what} at which it ended.")
        at = self.clean_local_time("ended", now=self._now, ahead=timedelta(0))
        if at is None:
            return
        if self._onset is None:
            self.add_error(None, "No finding attributed to CRS is charted: nothing can have ended.")
        elif at < self._onset:
            began = date_time_text(self._onset)
            self.add_error("ended_time", f"CRS began at {began}: it cannot have ended before.")
        else:
            self.at = at
            self.questions = [*self._asked(at)]
            if self.questions and not self._are_confirmed(values.get("confirmed", "")):
                self.add_error(None, "Not saved yet: look at what the chart has.")

    def _asked(self, at: datetime) -> Sequence[str]:
        found = list(after_the_end(at, self._chart))
        since = self._chart.until - at
        if since < QUIET:
            found.append(f"{_ONLY}{hours_text(max(since, timedelta(0)))}{_TOO_LITTLE}")
        return found

    def _are_confirmed(self, confirmed: str) -> bool:
        """Return whether the questions were confirmed; one counts minutes, which go on.

        A browser sends the end of a line as two characters.
        """
        answered = confirmed.splitlines()
        return len(answered) == len(self.questions) and all(
            before == now or (_counts_minutes(before) and _counts_minutes(now))
            for before, now in zip(answered, self.questions, strict=True)
        )

    def new_statement(self) -> NewStatement:
        """Return the statement to record; call it on a valid form."""
        values = self.cleaned_data
        return NewStatement(
            about=self.about,
            answer=StatedAnswer(values["answer"]),
            seen=values["seen"],
            at=self.at,
            words=values["words"],
            confirmed="\n".join(self.questions)[:1000],
        )
