"""The address of a review page: the instant looked at, what was known, window, axis and view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from patients.display.text import date_time_text
from patients.review.instants import BadInstantError, parse_instant, parse_site_time

RANGES: Final = {"24h": "24 h", "72h": "72 h", "all": "All"}
AXES: Final = {
    "clock": "Clock and day",
    "infusion": "Days after infusion",
    "tocilizumab": "Hours after tocilizumab",
}
KNOWN_AT: Final = frozenset({"known_at", "known_date", "known_time"})
"""The parts of an address that name a time known at; the last two are those of a form."""
VIEWS: Final = {"plots": "Plots", "table": "Table"}


class BadAddressError(ValueError):
    """A part of the address cannot be looked at; ``field`` names it.

    ``offered`` are the two instants of a time that the clocks showed twice.
    """

    def __init__(self, field: str, message: str, offered: Sequence[datetime] = ()) -> None:
        super().__init__(message)
        self.field = field
        self.offered = offered


@dataclass(frozen=True, slots=True)
class Instants:
    """The instant looked at, and the time up to which recorded facts are known."""

    at: datetime
    known_at: datetime


def parse_instants(query: Mapping[str, str], now: datetime) -> Instants:
    """Return the times ``at`` and ``known_at`` of an address; each defaults to ``now``.

    Both are ISO 8601 with offset. Raises BadAddressError for another form, a time outside the
    calendar of charts, and a time later than ``now``.
    """
    return Instants(_parse("at", query, now), _parse("known_at", query, now))


def _parse(
    field: str, query: Mapping[str, str], now: datetime, ahead: str = "lies in the future"
) -> datetime:
    """Return the time of ``field``, ``now`` where there is none; ``ahead`` refuses a later one."""
    typed = query.get(field)
    if typed is None:
        return now
    try:
        instant = parse_instant(typed, needs_offset=True)
    except BadInstantError as error:
        raise BadAddressError(field, str(error)) from None
    if instant > now:
        raise BadAddressError(field, ahead)
    return instant


@dataclass(frozen=True, slots=True)
class ReviewAddress:
    """What a review page shows; a link with it shows the same.

    ``is_now`` is true where what is known now is shown, ``follows_now`` where the cursor stands at
    the end of what is known. ``different`` asks for what is different today; it is off until asked.
    """

    instants: Instants
    range: str = "72h"
    axis: str = "clock"
    view: str = "plots"
    is_now: bool = True
    follows_now: bool = True
    different: bool = False

    @property
    def is_of_now(self) -> bool:
        """Whether the page shows now, by all that is known now."""
        return self.is_now and self.follows_now

    def until(self, ended_at: datetime | None) -> ReviewAddress:
        """Return this address, of an ended course that of its end where no instant is asked for."""
        if ended_at is None or not self.follows_now:
            return self
        at = min(self.instants.at, ended_at)
        return replace(self, instants=replace(self.instants, at=at))

    def query(self, **changes: str | None) -> str:
        """Return the query of this address with ``changes``; None leaves a part out."""
        parts: dict[str, str | None] = {
            "range": self.range,
            "axis": self.axis,
            "view": self.view,
            "at": None if self.follows_now else self.instants.at.isoformat(),
            "known_at": None if self.is_now else self.instants.known_at.isoformat(),
            "different": "1" if self.different else None,
            **changes,
        }
        return urlencode({key: value for key, value in parts.items() if value is not None})


def parse_address(query: Mapping[str, str], now: datetime) -> ReviewAddress:
    """Return the address of ``query``; raises BadAddressError for a part that it cannot have.

    Without ``at`` the cursor stands at the end of what is known.
    """
    known_at = _known_at(query, now)
    is_now = "known_at" not in query and "known_date" not in query
    at = _parse("at", query, now) if "at" in query else known_at
    return ReviewAddress(
        Instants(at, known_at),
        range=_choice("range", query, RANGES, "72h"),
        axis=_choice("axis", query, AXES, "clock"),
        view=_choice("view", query, VIEWS, "plots"),
        is_now=is_now,
        follows_now="at" not in query,
        different=not is_now and query.get("different") == "1",
    )


def _known_at(query: Mapping[str, str], now: datetime) -> datetime:
    """Return the time known at: the instant in ``known_at``, else the date and time of a form."""
    not_yet = f"That time has not come. Latest: {date_time_text(now)}"
    if "known_at" in query or "known_date" not in query:
        return _parse("known_at", query, now, not_yet)
    typed = f"{query['known_date'].strip()} {query.get('known_time', '').strip()}"
    try:
        there = datetime.strptime(typed, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the site's zone follows
        instant = parse_site_time(there.date(), there.time())
    except BadInstantError as error:
        offered = [one for one in error.offered if one <= now]
        if len(offered) == 1:
            return offered[0]
        if error.offered and not offered:
            raise BadAddressError("known_at", not_yet) from None
        raise BadAddressError("known_at", str(error), offered) from None
    except ValueError:
        raise BadAddressError(
            "known_at", "expected a date like 2026-11-28 and a time like 14:00"
        ) from None
    if instant > now:
        raise BadAddressError("known_at", not_yet)
    return instant


def _choice(field: str, query: Mapping[str, str], words: Mapping[str, str], default: str) -> str:
    typed = query.get(field, default)
    if typed not in words:
        raise BadAddressError(field, f"expected one of {', '.join(words)}")
    return typed
