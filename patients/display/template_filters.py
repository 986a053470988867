"""Jinja2 filters and globals of the pages about patients."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any, Final

from grading.engine.sentences import inside_a_sentence
from patients.display.assessment import met_change_text, met_text
from patients.display.marks import MARKS
from patients.display.site_times import stamp_text, today
from patients.display.text import (
    age_text,
    capital,
    clock_text_on,
    date_text,
    date_time_text,
    day_and_time_text,
    duration_text,
    keep_units,
    moment_text,
    sentence,
    until_text,
    wrong_clock_text,
)

_USUAL_REASONS: Final = (
    "Typing error",
    "Misread",
    "Wrong time",
    "Wrong unit",
    "Another patient",
)


def _clock(at: datetime) -> str:
    """Format the time of day at the site, with the date where it is not today."""
    return clock_text_on(today(), at)


def _stamp(at: datetime) -> str:
    """Format a time in ISO 8601, for a script or a ``datetime`` attribute."""
    return stamp_text(at)


def _instant(at: datetime) -> str:
    """Format a time exactly, in UTC, for an address or a hidden field."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _until(at: datetime, now: datetime) -> str:
    """Format the time from ``now`` until ``at``: "39 min"; "now" where it has passed."""
    return duration_text(at - now) if at > now else "now"


def _typed_time(value: time | str | None) -> str:
    """Return the value of a time input: hours and minutes, or the text that was typed."""
    return f"{value:%H:%M}" if isinstance(value, time) else value or ""


def _initials(name: str) -> str:
    """Return the first letters of a name: "JR"."""
    return "".join(word[0] for word in name.split())[:3].upper()


def _of(values: Mapping[str, Any] | None, name: str) -> Any:
    """Look up ``name`` in ``values``, which may be None: ``{{ previous|of(field.name) }}``."""
    return values.get(name) if values else None


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "ago": age_text,
    "capital": capital,
    "clock": _clock,
    "day": date_text,
    "initials": _initials,
    "date_time": date_time_text,
    "inside_a_sentence": inside_a_sentence,
    "instant": _instant,
    "met": met_text,
    "met_change": met_change_text,
    "moment": moment_text,
    "dated": day_and_time_text,
    "of": _of,
    "sentence": sentence,
    "stamp": _stamp,
    "typed_time": _typed_time,
    "units": keep_units,
    "until": until_text,
    "wrong_clock": wrong_clock_text,
}


GLOBALS: Final[Mapping[str, Any]] = {
    # Letters that mark a value in a table, with their meanings.
    "marks": MARKS,
    # Idempotency key of one form of a page that has several.
    "new_form_id": uuid.uuid4,
    # Usual reasons of a correction, each a button.
    "usual_reasons": _USUAL_REASONS,
}
