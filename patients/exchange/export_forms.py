"""The forms that ask what is exported, how, and what for."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any, Final

from django import forms
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from crs_app.accounts.models import Ward
from grading.engine.vocabulary import EARLIEST, LATEST
from patients.exchange.writing import ExportPart
from patients.forms.fields import IsoDateField
from patients.forms.times import WHICH_CHOICES, LocalTimeError, parse_local_time
from patients.summary.address import LONGEST_FORM

SHORTEST_PURPOSE: Final = 5
LONGEST_PURPOSE: Final = 300
_DATE: Final = "%Y-%m-%d"


class Contents(TextChoices):
    """Whether an export says who the patient is."""

    DEIDENTIFIED = "deidentified", "De-identified"
    IDENTIFIED = "identified", "Identified"


class Format(TextChoices):
    """How an export is written."""

    CSV = "csv", "CSV, for a spreadsheet"
    JSON = "json", "JSON"


class SiteTimeField(forms.DateTimeField):
    """A date and time at the site; without a zone where its clocks showed it twice or never."""

    def to_python(self, value: Any) -> datetime | None:
        """Return an aware time, or the naive one that names no single instant."""
        try:
            return super().to_python(value)
        except forms.ValidationError as error:
            if error.code != "ambiguous_timezone":
                raise
        return parse_datetime(value.strip())


class ExportForm(forms.Form):
    """What is exported of one course, and what for; ``now`` is the latest time known at.

    ``asks_which`` is whether the page asks which of two equal times is meant.
    """

    contents = forms.ChoiceField(
        label="Contents",
        choices=Contents.choices,
        initial=Contents.DEIDENTIFIED,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
    )
    part = forms.TypedChoiceField(
        label="What",
        coerce=ExportPart,
        choices=ExportPart.choices,
        initial=ExportPart.CHART,
        required=False,
        empty_value=ExportPart.CHART,
        widget=forms.RadioSelect,
    )
    form = forms.CharField(
        label="Form and revision that you fill in",
        max_length=LONGEST_FORM,
        required=False,
        help_text="Printed with each answer of an episode summary, as you type it.",
    )
    format = forms.ChoiceField(
        label="Format",
        choices=Format.choices,
        initial=Format.CSV,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one."},
    )
    purpose = forms.CharField(
        label="Purpose",
        max_length=LONGEST_PURPOSE,
        required=False,
        help_text="Needed for an identified file. The record keeps it.",
    )
    known_at_which = forms.ChoiceField(
        label="Which of the two", choices=WHICH_CHOICES, required=False
    )
    known_at = SiteTimeField(
        label="As known at",
        required=False,
        help_text="Empty is now.",
        error_messages={"invalid": "Type a date and a time."},
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": "any"}, format="%Y-%m-%dT%H:%M:%S"
        ),
    )

    def __init__(self, *args: Any, now: datetime, **options: Any) -> None:
        super().__init__(*args, **options)
        self.now = now
        self.asks_which = bool(self["known_at_which"].value())

    def clean_known_at(self) -> datetime:
        known_at: datetime | None = self.cleaned_data["known_at"]
        if known_at is None:
            return self.now
        if known_at.tzinfo is None:
            known_at = self._chosen(known_at)
        if known_at > self.now:
            raise forms.ValidationError("This time has not come. Leave it empty for now.")
        if known_at < EARLIEST:
            raise forms.ValidationError(
                f"Nothing was charted in the year {known_at.year}. Check the year, or leave it "
                "empty for now."
            )
        return known_at

    def _chosen(self, shown: datetime) -> datetime:
        """Return the instant of a time that the clocks showed twice."""
        which = self.cleaned_data.get("known_at_which", "")
        try:
            return parse_local_time(
                shown.date(), shown.time(), which, now=self.now, ahead=timedelta(0)
            )
        except LocalTimeError as error:
            self.asks_which = error.asks_which
            raise forms.ValidationError(error.sentence) from None

    def clean_form(self) -> str:
        return " ".join(self.cleaned_data["form"].split())

    def clean_purpose(self) -> str:
        purpose: str = self.cleaned_data["purpose"]
        is_identified = self.cleaned_data.get("contents") == Contents.IDENTIFIED
        if is_identified and len(purpose) < SHORTEST_PURPOSE:
            raise forms.ValidationError("Say what the identified file is for.")
        return purpose

    @property
    def chosen_part(self) -> ExportPart:
        """Return what is written of a course."""
        return ExportPart(self.cleaned_data["part"])

    @property
    def is_identified(self) -> bool:
        return bool(self.cleaned_data["contents"] == Contents.IDENTIFIED)

    @property
    def is_json(self) -> bool:
        return bool(self.cleaned_data["format"] == Format.JSON)


class RunField(forms.UUIDField):
    """Id of an export, made by the page; text that is no id counts as empty: a new one is made."""

    def to_python(self, value: Any) -> Any:
        """Return the id; None where nothing, or no id, was sent."""
        with suppress(forms.ValidationError):
            return super().to_python(value)
        return None


class CohortForm(ExportForm):
    """What is exported of a cohort; ``run`` is the id under which its progress is asked for."""

    since = IsoDateField(
        label="Infused from",
        widget=forms.DateInput(attrs={"type": "date"}, format=_DATE),
        error_messages={"required": "Type the first day."},
    )
    until = IsoDateField(
        label="Infused to",
        widget=forms.DateInput(attrs={"type": "date"}, format=_DATE),
        error_messages={"required": "Type the last day."},
    )
    wards = forms.TypedMultipleChoiceField(
        label="Wards",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Where the patients are now. None ticked is all.",
    )
    only_closed = forms.BooleanField(
        label="Closed courses only",
        required=False,
        help_text=(
            "The last entry of an open course is close to the day of the export. Who knows that "
            "day can guess by how much the dates are shifted."
        ),
    )
    run = RunField(required=False, widget=forms.HiddenInput)

    field_order = (
        "part",
        "contents",
        "format",
        "since",
        "until",
        "wards",
        "only_closed",
        "purpose",
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        wards = Ward.objects.order_by("name").values_list("pk", "name")
        self.fields["wards"].choices = list(wards)  # type: ignore[attr-defined]

    def clean_since(self) -> date:
        return self._in_calendar("since")

    def clean_until(self) -> date:
        return self._in_calendar("until")

    def _in_calendar(self, name: str) -> date:
        day: date = self.cleaned_data[name]
        if not EARLIEST.date() < day < LATEST.date():
            raise forms.ValidationError(f"No infusion is of the year {day.year}. Check the year.")
        return day

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", "This day is before the first one.")
        return cleaned

    def in_words(self) -> str:
        """Return what is exported: "Chart and grades, De-identified, CSV, infused …"."""
        cleaned = self.cleaned_data
        contents = Contents(cleaned["contents"]).label
        kind = "JSON" if self.is_json else "CSV"
        days = f"infused {cleaned['since']} to {cleaned['until']}"
        return f"{self.chosen_part.label}, {contents}, {kind}, {days}"

    def ward_names(self) -> str:
        """Return the chosen wards, "all" for none."""
        names = dict(self.fields["wards"].choices)  # type: ignore[attr-defined]
        return ", ".join(names[ward] for ward in self.cleaned_data["wards"]) or "all"


def first_of_year(now: datetime) -> date:
    """Return the day that the form proposes as the first one."""
    return timezone.localdate(now).replace(month=1, day=1)


def new_run() -> uuid.UUID:
    return uuid.uuid4()
