"""The address of a review page: the instant looked at, what was known, window, axis and view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from django.utils import timezone

from grading.engine.times import can_be_charted, in_zone
from grading.engine.vocabulary import EARLIEST, LATEST

_WANTED: Final = "expected a date and time with its offset, like 2014-01-06T12:00:00+00:00"
RANGES: Final = {"24h": "24 h", "72h": "72 h", "all": "All"}
AXES: Final = {
    "clock": "Clock and day",
    "infusion": "Days after infusion",
    "tocilizumab": "Hours after tocilizumab",
}
_KNOWN_AT: Final = frozenset({"known_at", "known_date"})
VIEWS: Final = {"plots": "Plots", "table": "Table"}


class BadAddressError(ValueError):
    """A part of the address cannot be looked at; ``field`` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


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


def _parse(field: str, query: Mapping[str, str], now: datetime) -> datetime:
    typed = query.get(field)
    if typed is None:
        return now
    try:
        instant = datetime.fromisoformat(typed)
        has_offset = instant.utcoffset() is not None
    except ValueError:
        has_offset = False
    if not has_offset:
        hint = " (in an address, + is written %2B)" if " " in typed.strip() else ""
        raise BadAddressError(field, _WANTED + hint)
    if not can_be_charted(instant):
        raise BadAddressError(field, f"expected a time from {EARLIEST.year} to {LATEST.year}")
    if instant > now:
        raise BadAddressError(field, "lies in the future")
    return in_zone(instant, UTC)


@dataclass(frozen=True, slots=True)
class ReviewAddress:
    """What a review page shows; a link with it shows the same.

    ``is_now`` is true where what is known now is shown, ``follows_now`` where the cursor stands at
    the end of what is known.
    """

    instants: Instants
    range: str = "72h"
    axis: str = "clock"
    view: str = "plots"
    is_now: bool = True
    follows_now: bool = True

    def query(self, **changes: str | None) -> str:
        """Return the query of this address with ``changes``; None leaves a part out."""
        parts: dict[str, str | None] = {
            "range": self.range,
            "axis": self.axis,
            "view": self.view,
            "at": None if self.follows_now else self.instants.at.isoformat(),
            "known_at": None if self.is_now else self.instants.known_at.isoformat(),
            **changes,
        }
        return urlencode({key: value for key, value in parts.items() if value is not None})


def parse_address(query: Mapping[str, str], now: datetime) -> ReviewAddress:
    """Return the address of ``query``; raises BadAddressError for a part that it cannot have.

    Without ``at`` the cursor stands at the end of what is known.
    """
    known_at = _known_at(query, now)
    at = _parse("at", query, now) if "at" in query else known_at
    return ReviewAddress(
        Instants(at, known_at),
        range=_choice("range", query, RANGES, "72h"),
        axis=_choice("axis", query, AXES, "clock"),
        view=_choice("view", query, VIEWS, "plots"),
        is_now=not _KNOWN_AT.intersection(query),
        follows_now="at" not in query,
    )


def _known_at(query: Mapping[str, str], now: datetime) -> datetime:
    """Return the time known at: the instant in ``known_at``, else the date and time of a form."""
    if "known_at" in query or "known_date" not in query:
        return _parse("known_at", query, now)
    typed = f"{query['known_date'].strip()} {query.get('known_time', '').strip()}"
    try:
        there = datetime.strptime(typed, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - the site's zone follows
        instant = there.replace(tzinfo=timezone.get_default_timezone())
    except ValueError:
        raise BadAddressError(
            "known_at", "expected a date like 2026-11-28 and a time like 14:00"
        ) from None
    return _parse("known_at", {"known_at": instant.isoformat()}, now)


def _choice(field: str, query: Mapping[str, str], words: Mapping[str, str], default: str) -> str:
    typed = query.get(field, default)
    if typed not in words:
        raise BadAddressError(field, f"expected one of {', '.join(words)}")
    return typed
