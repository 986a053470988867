"""Jinja2 filters and globals of the pages about patients."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Final

from django.utils import timezone
from markupsafe import Markup

from patients.display.text import age_text, capital, clock_text, day_of, duration_text

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


_FORM_HEAD: Final = Markup("<!-- head of a form -->")
"""Where a form that is kept in writing gets what no other may have; escaped text cannot say it."""


def _with_form_heads(text: str, csrf_input: str) -> Markup:
    """``text`` with the request's token and an id of its own in each form: it is recorded once."""
    written, *forms = str(text).split(_FORM_HEAD)
    for form in forms:
        written += f'{csrf_input}<input type="hidden" name="form_id" value="{uuid.uuid4()}">{form}'
    return Markup(written)  # noqa: S704 - all of it is markup already


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
    "with_form_heads": _with_form_heads,
}


def _once_a_day(macro: Callable[..., str], *values: Hashable) -> str:
    """What ``macro`` writes of ``values``, as long as nothing of them is another.

    For one that prints nothing else: no age, and of its forms all but their heads. A time of day is
    printed with its date on another day.
    """
    return _written(macro, (day_of(timezone.now()), timezone.get_default_timezone()), values)


@lru_cache(maxsize=2048)
def _written(macro: Callable[..., str], _day: Hashable, values: tuple[Hashable, ...]) -> str:
    return macro(*values)


GLOBALS: Final[Mapping[str, Any]] = {
    "form_head": _FORM_HEAD,
    "once_a_day": _once_a_day,
    # A form that stands in a page among others: it is recorded once.
    "new_form_id": uuid.uuid4,
    # Why entries are corrected or taken back, most often: one tap each.
    "usual_reasons": _USUAL_REASONS,
}
