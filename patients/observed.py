"""When the values of a form were observed: as typed, or asked where a page was left standing."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from patients.asking import OBSERVED_THEN, Ask
from patients.display.text import clock_text
from patients.local_time import instant_of
from patients.models import AT_MOST_AHEAD

ASKED_AFTER: Final = timedelta(minutes=30)
"""Values typed longer ago than this are not taken for observed now without asking."""


class Typed(NamedTuple):
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


def observed_at(typed: Typed, now: datetime) -> tuple[datetime, Ask | None]:
    """The instant meant, and what to ask about it; raises LocalTimeError where there is none.

    A form sent again after a dead network means the moment at which it was sent first.
    """
    first_sent = _instant(typed.sent_at)
    if first_sent is not None and first_sent <= now:
        now = first_sent
    meant = instant_of(typed.day, typed.at, typed.which, now=now, ahead=AT_MOST_AHEAD)
    begun = _instant(typed.begun_at)
    since = begun or _instant(typed.opened_at)
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
        return meant, Ask("observed_time", sentence)
    if typed.then:
        return begun.replace(second=0, microsecond=0), None
    otherwise = (f"No, observed {clock_text(begun, now)}", OBSERVED_THEN, "yes")
    return meant, Ask("observed_time", sentence, otherwise=otherwise)


def _instant(written: str) -> datetime | None:
    """A time that the browser or the server wrote into the form; None where it is none."""
    try:
        found = parse_datetime(written)
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
