"""Whether a chart can have a time, any time in a time zone or moved, and time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from grading.engine.vocabulary import EARLIEST, LATEST


def can_be_charted(instant: datetime) -> bool:
    """Return whether ``instant`` lies within the span of times that a chart can have."""
    return EARLIEST <= instant <= LATEST


def in_zone(instant: datetime, zone: tzinfo | None) -> datetime:
    """Return ``instant`` in ``zone``; None is the zone of the machine.

    At the ends of the calendar, where the zone has no date for it, it is in UTC.
    """
    try:
        return instant.astimezone(zone)
    except (OverflowError, ValueError, OSError):
        pass
    try:
        return instant.astimezone(UTC)
    except (OverflowError, ValueError):
        return instant


def moved(instant: datetime, by: timedelta) -> datetime:
    """Return ``instant`` moved ``by`` a duration; at the ends of the calendar its end."""
    try:
        return instant + by
    except OverflowError:
        first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
        return last if by > timedelta(0) else first


def time_of_day(there: datetime) -> str:
    """Return the time of day of ``there``, an instant in a time zone: "13:05".

    Within the hour that is repeated at the end of summer time, with the letters of the zone:
    "01:30 CDT" is the first, "01:30 CST" the second.
    """
    clock = f"{there.hour:02}:{there.minute:02}"
    earlier, later = there.replace(fold=0), there.replace(fold=1)
    if earlier.utcoffset() == later.utcoffset():
        return clock
    return f"{clock} {there.tzname()}"
