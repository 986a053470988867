"""Times as an address or its form has them, read in one way for every page of the review."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.utils.dateparse import parse_datetime

from grading.engine.times import can_be_charted, in_zone
from grading.engine.vocabulary import LATEST
from patients.forms.times import EARLIER, LATER, LocalTimeError, parse_local_time

_PLUS_HINT: Final = " (in an address, + is written %2B)"


class BadInstantError(ValueError):
    """No time is meant that a chart can have.

    ``offered`` are the two instants of a time that the clocks showed twice.
    """

    def __init__(self, sentence: str, offered: Sequence[datetime] = ()) -> None:
        super().__init__(sentence)
        self.offered = offered


def parse_instant(typed: str, *, needs_offset: bool) -> datetime:
    """Return the instant of an ISO 8601 time, in UTC.

    Without an offset it is a time at the site, or refused where it ``needs_offset``. Raises
    BadInstantError.
    """
    try:
        read = parse_datetime(typed) or datetime.fromisoformat(typed)
    except ValueError:
        read = None
    hint = _PLUS_HINT if " " in typed.strip() else ""
    if needs_offset and (read is None or read.tzinfo is None):
        raise BadInstantError(
            f"expected a date and time with its offset, like 2014-01-06T12:00:00+00:00{hint}"
        )
    if read is None:
        raise BadInstantError(f"“{typed}” is not a time. Write it like 2026-11-27T14:00{hint}.")
    if read.tzinfo is None:
        return parse_site_time(read.date(), read.time())
    if not can_be_charted(read):
        raise BadInstantError(f"No chart has a time in the year {read.year}. Check the year.")
    return in_zone(read, UTC)


def parse_site_time(day: date, at: time) -> datetime:
    """Return the instant of a time at the site, in UTC.

    Raises BadInstantError, also for a time that the clocks skipped and one that they showed twice.
    """
    try:
        return _at_the_site(day, at, "")
    except LocalTimeError as error:
        if not error.asks_which:
            raise BadInstantError(error.sentence) from None
        both = [_at_the_site(day, at, which) for which in (EARLIER, LATER)]
        raise BadInstantError(
            f"{at:%H:%M} occurred twice that night, when the clocks went back", both
        ) from None


def _at_the_site(day: date, at: time, which: str) -> datetime:
    """Return the instant, however far ahead it lies."""
    return parse_local_time(day, at, which, now=LATEST, ahead=timedelta(0))
