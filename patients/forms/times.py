"""Local times as typed: the fields for them, and how they resolve to one instant."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from grading.engine.times import in_zone, time_of_day
from grading.engine.vocabulary import AT_MOST_AHEAD, EARLIEST, LATEST
from patients.display.text import clock_text, date_text
from patients.forms.base import BedsideForm, Remedy, SubmittedForm
from patients.forms.confirmation import OBSERVED_THEN, ConfirmQuestion
from patients.forms.fields import ClockTimeField, IsoDateField

EARLIER = "earlier"
LATER = "later"
WHICH_CHOICES = (
    ("", "—"),
    (EARLIER, "before the clocks went back"),
    (LATER, "after the clocks went back"),
)


_HALF_A_DAY: Final = timedelta(hours=12)


class LocalTimeError(ValueError):
    """No single instant is meant; ``asks_which`` where the hour occurred twice.

    ``about_date``: the date alone is wrong. ``day_before`` is the date of yesterday, where a time
    without a date is likely to be of that day.
    """

    def __init__(
        self,
        sentence: str,
        *,
        asks_which: bool = False,
        about_date: bool = False,
        day_before: date | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.asks_which = asks_which
        self.about_date = about_date
        self.day_before = day_before


def parse_local_time(
    day: date | None, at: time | None, which: str, *, now: datetime, ahead: timedelta
) -> datetime:
    """Return the instant of a local date and time, in the site's zone.

    Without both it is now, to the minute; without a date it is today. Raises LocalTimeError for a
    date without a time, a time more than ``ahead`` after ``now``, one before 1900, one that the
    change of clocks skipped, and one that it repeated, unless ``which`` chooses or only one of the
    two has passed.
    """
    zone = timezone.get_default_timezone()
    if at is None:
        if day is not None:
            raise LocalTimeError("Enter the time of day too.")
        return now.replace(second=0, microsecond=0)
    written = datetime.combine(day or now.astimezone(zone).date(), at)
    _check_year(written)
    candidates = _instants_shown_as(written, zone)
    if not candidates:
        raise LocalTimeError(
            f"{written:%H:%M} on {_day(written)} did not exist here: the clocks were put forward "
            "over it. Enter a time before or after the change."
        )
    possible = [instant for instant in candidates if instant <= now + ahead]
    if not possible:
        raise LocalTimeError(
            _in_the_future(written, candidates[0], now, day is None),
            day_before=_day_before(written, candidates[0], now) if day is None else None,
        )
    if len(possible) == 1:
        return possible[0]
    if which not in (EARLIER, LATER):
        raise LocalTimeError(
            f"{written:%H:%M} occurred twice on {_day(written)}, when the clocks went back: choose "
            "which one.",
            asks_which=True,
        )
    return possible[0] if which == EARLIER else possible[1]


def _check_year(written: datetime) -> None:
    """Raise LocalTimeError where ``written`` may lie outside the calendar in some zone."""
    if written.date() <= EARLIEST.date():
        sentence = f"The year {written.year} is too long ago. Check the date."
        raise LocalTimeError(sentence, about_date=True)
    if written.year >= LATEST.year:
        raise LocalTimeError(f"The year {written.year} is far ahead of the clock. Check the date.")


def _instants_shown_as(written: datetime, zone: tzinfo) -> list[datetime]:
    """Return the instants at which the site's clocks showed ``written``: none, one or two."""
    found = []
    for fold in (0, 1):
        instant = written.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        shows = instant.astimezone(zone).replace(tzinfo=None, fold=0)
        if shows == written and instant not in found:
            found.append(instant)
    return sorted(found)


def is_shown_twice(instant: datetime) -> bool:
    """Return whether the site's clocks show the time of ``instant`` twice on its day."""
    zone = timezone.get_default_timezone()
    return len(_instants_shown_as(in_zone(instant, zone).replace(tzinfo=None, fold=0), zone)) > 1


def _day_before(written: datetime, instant: datetime, now: datetime) -> date | None:
    """Return the date of yesterday where it lies nearer than today, as for 23:30 at 00:45."""
    is_nearer = instant - now > _HALF_A_DAY
    return written.date() - timedelta(days=1) if is_nearer else None


def _in_the_future(written: datetime, instant: datetime, now: datetime, no_date: bool) -> str:
    minutes = int((instant - now).total_seconds()) // 60
    hours = minutes // 60
    ahead = f"{minutes} min" if hours < 2 else f"{hours} h" if hours < 48 else f"{hours // 24} d"
    shows = time_of_day(timezone.localtime(now))
    if no_date:
        return (
            f"{written:%H:%M} today is {ahead} ahead of the clock ({shows}). "
            "For an earlier day give its date."
        )
    return f"{written:%H:%M} on {_day(written)} is {ahead} ahead of the clock ({shows})."


def _day(written: datetime) -> str:
    return date_text(written)


_HIDDEN_AT_MOST_BACK: Final = timedelta(hours=48)
_GIVE_DATE_AND_TIME: Final = (
    "It is not known when this was typed: the form was open too long, or the clock of this device "
    "is wrong. Enter the date and the time of the observation."
)

_TAPPED_TOO_LONG_AGO: Final = (
    "It is not known when this was tapped: it waited too long on the tablet, or the clock of the "
    "tablet is wrong. Enter it in its form, with date and time."
)


class HiddenTimeError(ValueError):
    """A hidden field has no time, or one that the form cannot have had."""


ASKED_AFTER: Final = timedelta(minutes=30)
"""Values that were typed longer ago are taken for observed now only after a question."""


class TimeInput(NamedTuple):
    """When a form was filled in, by its hidden fields; None where that is not known.

    ``begun_at`` is when the browser saw the first value, ``opened_at`` when the server made the
    form. ``observed_then`` answers that the values were observed when they were typed.
    """

    has_date: bool
    has_time: bool
    begun_at: datetime | None
    opened_at: datetime | None
    observed_then: bool


def resolve_observed_time(
    meant: datetime, typed: TimeInput, now: datetime
) -> tuple[datetime, ConfirmQuestion | None]:
    """Return the time that ``meant`` stands for in a form that was open a while, and a question."""
    begun = typed.begun_at
    since = begun or typed.opened_at
    if typed.has_date or since is None or since > now:
        return meant, None
    day_passed = timezone.localdate(since) != timezone.localdate(now)
    a_while_ago = begun is not None and not typed.has_time and now - begun > ASKED_AFTER
    if not day_passed and not a_while_ago:
        return meant, None
    what = "This page was opened" if begun is None else "These values were typed"
    sentence = f"{what} {clock_text(since, now)}. Were they observed "
    sentence += f"today, {clock_text(meant, now)}?" if typed.has_time else "just now?"
    if begun is None or typed.has_time:
        return meant, ConfirmQuestion("observed_time", sentence)
    if typed.observed_then:
        return begun.replace(second=0, microsecond=0), None
    alternative = (f"No, observed {clock_text(begun, now)}", OBSERVED_THEN, "yes")
    return meant, ConfirmQuestion("observed_time", sentence, alternative=alternative)


def parse_hidden_time(written: str, now: datetime) -> datetime | None:
    """Return a time that the browser or the server wrote into the form, in UTC.

    None where the field is empty. Raises HiddenTimeError for what is no time with an offset, and
    for a time that the form cannot have had: more than 48 hours before ``now``, or more than 5
    minutes after it.
    """
    if not written:
        return None
    if not written.isascii():
        raise HiddenTimeError
    try:
        found = parse_datetime(written)
    except ValueError:
        raise HiddenTimeError from None
    if found is None or found.tzinfo is None:
        raise HiddenTimeError
    # Compared before it is converted: at the ends of the calendar there is no date in UTC.
    if not now - _HIDDEN_AT_MOST_BACK <= found <= now + AT_MOST_AHEAD:
        raise HiddenTimeError
    return found.astimezone(UTC)


class LocalTimeFields(forms.Form):
    """Form with fields for a local time: ``<prefix>_date``, ``<prefix>_time``, ``<prefix>_which``.

    ``asks_which`` is whether the page shows the last, because the hour occurred twice.
    """

    asks_which: bool = False

    def clean_local_time(self, prefix: str, *, now: datetime, ahead: timedelta) -> datetime | None:
        """Return the instant as ``parse_local_time``; None after an error at one of the fields."""
        day, time_of_day, which = (f"{prefix}_{part}" for part in ("date", "time", "which"))
        if {day, time_of_day} & self.errors.keys():
            return None
        chosen = self.cleaned_data.get(which, "")
        try:
            instant = parse_local_time(
                self.cleaned_data.get(day),
                self.cleaned_data.get(time_of_day),
                chosen,
                now=now,
                ahead=ahead,
            )
        except LocalTimeError as error:
            self.asks_which |= error.asks_which
            place = which if error.asks_which else day if error.about_date else time_of_day
            if error.day_before is not None:
                self.offer_day_before(prefix, error.day_before)
            self.add_error(place, error.sentence)
            return None
        # What was chosen stays in a form that comes back for another reason.
        self.asks_which |= bool(chosen) and is_shown_twice(instant)
        return instant

    def offer_day_before(self, prefix: str, day_before: date) -> None:
        """Offer to date a time that is still to come today; nothing where a form has no taps."""


class ObservedTimeFields(LocalTimeFields, BedsideForm):
    """The time at which something was observed or done; empty is now."""

    observed_date = IsoDateField(
        label="Date",
        required=False,
        help_text="Empty: today",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    observed_time = ClockTimeField(
        label="Time",
        required=False,
        help_text="Empty: now",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    observed_which = forms.ChoiceField(
        label="Which of the two", choices=WHICH_CHOICES, required=False
    )

    def offer_day_before(self, prefix: str, day_before: date) -> None:
        typed = self.cleaned_data[f"{prefix}_time"]
        label = f"Use {day_before:%-d %b} {typed:%H:%M}"
        day = Remedy(label, f"{prefix}_date", day_before.isoformat())
        self.remedies[f"{prefix}_time"] = day


class EntryTimeFields(ObservedTimeFields):
    """The time of an entry, with hidden fields for when the form was opened, begun and sent."""

    opened_at = forms.CharField(widget=forms.HiddenInput, required=False)
    begun_at = forms.CharField(widget=forms.HiddenInput, required=False)
    sent_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def read_observed_time(
        self, now: datetime, ahead: timedelta
    ) -> tuple[datetime | None, ConfirmQuestion | None]:
        """Return the time of the entry, None after an error, and what to ask about it.

        In a form that is sent again after a dead network "now" is when it was sent first. Where a
        hidden time is impossible, date and time must be typed; then no hidden time counts.
        """
        has_date = self.cleaned_data.get("observed_date") is not None
        has_time = self.cleaned_data.get("observed_time") is not None
        first_sent = begun = opened = None
        try:
            first_sent, begun, opened = (
                parse_hidden_time(self.cleaned_data.get(name, ""), now)
                for name in ("sent_at", "begun_at", "opened_at")
            )
        except HiddenTimeError:
            if not (has_date and has_time):
                self.add_error("observed_time", _GIVE_DATE_AND_TIME)
                return None, None
        if first_sent is not None and first_sent <= now:
            now = first_sent
        meant = self.clean_local_time("observed", now=now, ahead=ahead)
        if meant is None:
            return None, None
        typed = TimeInput(has_date, has_time, begun, opened, OBSERVED_THEN in self.data)
        return resolve_observed_time(meant, typed, now)


class TapForm(SubmittedForm):
    """Form of one tap; ``sent_at`` is the time of a tap that waited on a tablet for the server."""

    sent_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_sent_at(self) -> datetime | None:
        """Return the minute of the tap; None for one that did not wait."""
        try:
            tapped_at = parse_hidden_time(self.cleaned_data["sent_at"], timezone.now())
        except HiddenTimeError:
            raise forms.ValidationError(_TAPPED_TOO_LONG_AGO) from None
        return None if tapped_at is None else tapped_at.replace(second=0, microsecond=0)
