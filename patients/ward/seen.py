"""The token of a poll: the stamp of the rows that its page shows, and until when they hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

from django.http import HttpRequest

from crs_app.accounts.models import User
from crs_app.replica import AsOf
from patients.display.text import clock_ahead_text, clock_behind_text
from patients.queries.board import read_board_state

_BETWEEN: Final = "."
_OLD: Final = "old"
"""In place of the time in a token: the page shows an earlier time, so each poll sends it again."""


def as_of(request: HttpRequest) -> AsOf | None:
    """Return how old the page is; None where it shows everything."""
    return getattr(request, "as_of", None)


def seen_token(stamp: str, holds_until: datetime | None, *, is_old: bool = False) -> str:
    """Return what a page that shows ``stamp`` sends with its polls.

    ``holds_until`` is when time alone makes a row read otherwise; None is never. A page that
    ``is_old`` says how old it is, and is sent again by each poll.
    """
    if is_old:
        return f"{_OLD}{_BETWEEN}{stamp}"
    until = "" if holds_until is None else str(int(holds_until.timestamp()))
    return f"{until}{_BETWEEN}{stamp}"


def is_still_seen(token: str, stamp: str, now: datetime) -> bool:
    """Return whether a page that sends ``token`` still shows what it should at ``now``."""
    until, _, shown = token.partition(_BETWEEN)
    if shown != stamp or not (until == "" or (until.isascii() and until.isdigit())):
        return False
    return until == "" or now < datetime.fromtimestamp(min(int(until), _LAST), UTC)


_LAST: Final = 253_402_300_799
"""The last second of the calendar."""


class RowsState(NamedTuple):
    """The stamp of the rows, the time that they show, and a warning of a wrong clock, else ""."""

    stamp: str
    now: datetime
    wrong_clock: str


def read_rows_state(now: datetime, reader: User | None = None, *, ended: bool = False) -> RowsState:
    """Read the state of the rows of open or ended courses; ``reader`` None may open all.

    Call it before the rows are read: a change between the two reads then differs from the stamp,
    and the next poll is sent the new rows.
    """
    stamp, last_recorded_at, clock = read_board_state(now, reader, ended=ended)
    now = max(now, last_recorded_at or now)
    behind = clock_behind_text(now)
    wrong_clock = behind or clock_ahead_text(clock)
    if wrong_clock:
        stamp = f"{stamp}-{'behind' if behind else 'ahead'}"
    return RowsState(stamp, now, wrong_clock)
