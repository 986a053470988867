"""Whether a chart can have a time, and the conversion of any time to a time zone."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, tzinfo

from grading.engine.vocabulary import EARLIEST, LATEST


def can_be_charted(instant: datetime) -> bool:
    """Return whether ``instant`` lies within the span of times that a chart can have."""
    return EARLIEST <= instant <= LATEST


def in_zone(instant: datetime, zone: tzinfo | None) -> datetime:
    """Return ``instant`` in ``zone``; None is the zone of the machine.

    At the ends of the calendar, where the zone has no date for it, it is in UTC.
    """
    for shown_in in (zone, UTC):
        with suppress(OverflowError, ValueError, OSError):
            return instant.astimezone(shown_in)
    return instant
