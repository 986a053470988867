"""What a poll says that its page shows: the stamp of the rows, and until when they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_BETWEEN: Final = "."


def seen_token(stamp: str, holds_until: datetime | None) -> str:
    """Return what a page that shows ``stamp`` sends with its polls.

    ``holds_until`` is when time alone makes a row read otherwise; None is never.
    """
    until = "" if holds_until is None else str(int(holds_until.timestamp()))
    return f"{stamp}{_BETWEEN}{until}"


def is_still_seen(token: str, stamp: str, now: datetime) -> bool:
    """Return whether a page that sends ``token`` still shows what it should at ``now``."""
    shown, _, until = token.rpartition(_BETWEEN)
    if shown != stamp or not (until == "" or (until.isascii() and until.isdigit())):
        return False
    return until == "" or now < datetime.fromtimestamp(min(int(until), _LAST), UTC)


_LAST: Final = 253_402_300_799
"""The last second of the calendar."""
