"""Local times as typed: resolved to one instant, or refused with a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from patients.display.text import clock_text
from patients.forms.confirmation import OBSERVED_THEN, ConfirmQuestion
from patients.models import AT_MOST_AHEAD

EARLIER = "earlier"
LATER = "later"
WHICH_CHOICES = (
    ("", "—"),
    (EARLIER, "before the clocks went back"),
    (LATER, "after the clocks went back"),
)


class LocalTimeError(ValueError):
    """No single instant: ``asks_which`` where the hour occurred twice and either may be meant."""

    def __init__(self, sentence: str, *, asks_which: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.asks_which = asks_which


def parse_local_time(
    day: date | None, at: time | None, which: str, *, now: datetime, ahead: timedelta
) -> datetime:
    """The instant meant by a local date and time, in the site's zone.

    Both empty is now, to the minute; no date is today. Refused: a date without a time, a time that
    lies more than ``ahead`` after ``now``, one that the change of clocks skipped, and one that it
    repeated unless ``which`` says the earlier or the later, or only one of them has been.
    """
    zone = timezone.get_current_timezone()
    if at is None:
        if day is not None:
            raise LocalTimeError("Give the time of day too.")
        return now.replace(second=0, microsecond=0)
    written = datetime.combine(day or now.astimezone(zone).date(), at)
    candidates = _instants_shown_as(written, zone)
    if not candidates:
        raise LocalTimeError(
            f"{written:%H:%M} on {_day(written)} did not exist here: the clocks were put forward "
            "over it. Give a time before or after the change."
        )
    possible = [instant for instant in candidates if instant <= now + ahead]
    if not possible:
        raise LocalTimeError(_in_the_future(written, candidates[0], now, day is None))
    if len(possible) == 1:
        return possible[0]
    if which not in (EARLIER, LATER):
        raise LocalTimeError(
            f"{written:%H:%M} occurred twice on {_day(written)}, when the clocks went back: choose "
            "which one.",
            asks_which=True,
        )
    return possible[0] if which == EARLIER else possible[1]


def _instants_shown_as(written: datetime, zone: tzinfo) -> list[datetime]:
    """The instants at which the site's clocks showed ``written``: none, one or two."""
    found = []
    for fold in (0, 1):
        instant = written.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        shows = instant.astimezone(zone).replace(tzinfo=None, fold=0)
        if shows == written and instant not in found:
            found.append(instant)
    return sorted(found)


def _in_the_future(written: datetime, instant: datetime, now: datetime, no_date: bool) -> str:
    minutes = int((instant - now).total_seconds()) // 60
    ahead = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    shows = f"{timezone.localtime(now):%H:%M}"
    if no_date:
        return (
            f"{written:%H:%M} today is {ahead} ahead of the clock ({shows}). "
            "For an earlier day give its date."
        )
    return f"{written:%H:%M} on {_day(written)} is {ahead} ahead of the clock ({shows})."


def _day(written: datetime) -> str:
    return f"{written.day} {written:%b %Y}"


ASKED_AFTER: Final = timedelta(minutes=30)
"""Values typed longer ago than this are not taken for observed now without asking."""


class TimeInput(NamedTuple):
    """What a form says of its time.

    The browser says when its values were begun and when it was first sent, the server when it made
    the form. ``then`` answers that the values were observed when they were typed.
    """

    day: date | None
    at: time | None
    which: str
    begun_at: str
    sent_at: str
    opened_at: str
    then: bool


def resolve_observed_time(
    typed: TimeInput, now: datetime
) -> tuple[datetime, ConfirmQuestion | None]:
    """The instant meant, and what to ask about it; raises LocalTimeError where there is none.

    A form sent again after a dead network means the moment at which it was sent first.
    """
    first_sent = _parse_instant(typed.sent_at)
    if first_sent is not None and first_sent <= now:
        now = first_sent
    meant = parse_local_time(typed.day, typed.at, typed.which, now=now, ahead=AT_MOST_AHEAD)
    begun = _parse_instant(typed.begun_at)
    since = begun or _parse_instant(typed.opened_at)
    if typed.day is not None or since is None or since > now:
        return meant, None
    day_passed = timezone.localdate(since) != timezone.localdate(now)
    a_while_ago = begun is not None and typed.at is None and now - begun > ASKED_AFTER
    if not day_passed and not a_while_ago:
        return meant, None
    what = "This page was opened" if begun is None else "These values were typed"
    is_now = typed.at is None
    sentence = f"{what} {clock_text(since, now)}. Were they observed "
    sentence += "just now?" if is_now else f"today, {clock_text(meant, now)}?"
    if begun is None or not is_now:
        return meant, ConfirmQuestion("observed_time", sentence)
    if typed.then:
        return begun.replace(second=0, microsecond=0), None
    otherwise = (f"No, observed {clock_text(begun, now)}", OBSERVED_THEN, "yes")
    return meant, ConfirmQuestion("observed_time", sentence, otherwise=otherwise)


def _parse_instant(written: str) -> datetime | None:
    """A time that the browser or the server wrote into the form; None where it is none."""
    try:
        found = parse_datetime(written)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
