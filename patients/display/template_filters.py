"""Jinja2 filters and globals of the pages about patients."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any, Final

from django.utils import timezone

from patients.display.text import age_text, capital, clock_text, duration_text

_USUAL_REASONS: Final = (
    "Typing error",
    "Misread",
    "Wrong time",
    "Wrong unit",
    "Another patient",
)


def _clock(at: datetime) -> str:
    """The time of day at the site, with its date where that is not today's."""
    return clock_text(at, timezone.now())


def _stamp(at: datetime) -> str:
    """The instant for a script or a ``datetime`` attribute, in ISO 8601."""
    return at.astimezone(timezone.get_default_timezone()).isoformat()


def _day(day: date) -> str:
    """A date: "9 Mar 2026"."""
    return f"{day.day} {day:%b %Y}"


def _moment(at: datetime) -> str:
    """An instant with its date, at the site: "9 Mar 2026 13:05"."""
    there = timezone.localtime(at)
    return f"{_day(there)} {there:%H:%M}"


def _until(at: datetime, now: datetime) -> str:
    """How long it is from ``now`` until ``at``: "39 min"."""
    return duration_text(at - now) if at > now else "now"


def _typed_time(value: time | str | None) -> str:
    """What a box for a time of day holds: hours and minutes, or what was typed instead."""
    return f"{value:%H:%M}" if isinstance(value, time) else value or ""


def _of(values: Mapping[str, Any] | None, name: str) -> Any:
    """What ``values`` holds under ``name``: ``{{ previous|of(field.name) }}``."""
    return values.get(name) if values else None


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "ago": age_text,
    "capital": capital,
    "clock": _clock,
    "day": _day,
    "moment": _moment,
    "of": _of,
    "stamp": _stamp,
    "typed_time": _typed_time,
    "until": _until,
}


GLOBALS: Final[Mapping[str, Any]] = {
    # The idempotency key of a form among others on a page.
    "new_form_id": uuid.uuid4,
    # The usual reasons of a correction: one tap each.
    "usual_reasons": _USUAL_REASONS,
}
