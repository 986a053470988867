"""The span of times that a chart can have, and the conversion of any time to a time zone."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""First and last time that can be charted or read from a file."""
FAR_FROM_INFUSION: Final = timedelta(days=60)
"""An entry further before the infusion, or an infusion further back, is asked about in a form."""
TOO_FAR_FROM_INFUSION: Final = timedelta(days=1826, hours=6)
"""Five years: a form refuses an entry further from the infusion, or an infusion further back."""


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
