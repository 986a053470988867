"""How the pages write a time of day, and look up what stands beside an input."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django import template
from django.utils import timezone

from patients.wording import clock_text, duration_text

register = template.Library()

FORM_ID: Final = "blank_form_id"
"""Under this name the context of a kept part has a blank for the ids of its forms."""


@register.filter
def clock(at: datetime) -> str:
    """The time of day at the site, with its date where that is not today's."""
    return clock_text(at, timezone.now())


@register.filter
def stamp(at: datetime) -> str:
    """The instant for a script or a ``datetime`` attribute, as ``date:"c"`` writes it."""
    return at.astimezone(timezone.get_current_timezone()).isoformat()


@register.filter
def until(at: datetime | None, now: datetime) -> str:
    """How long it is from ``now`` until ``at``: "39 min"; "" where ``at`` is no instant."""
    if at is None:
        return ""
    return duration_text(at - now) if at > now else "now"


@register.filter
def of(values: Mapping[str, Any] | None, name: str) -> Any:
    """What ``values`` holds under ``name``: ``{{ previous|of:field.name }}``."""
    return values.get(name) if values else None


@register.simple_tag
def usual_reasons() -> tuple[str, ...]:
    """Why entries are corrected or taken back, most often: one tap each."""
    return ("Typing error", "Misread", "Wrong time", "Wrong unit", "Another patient")


def fresh_form_id() -> uuid.UUID:
    """The id of a form that stands in a page among others: it is recorded once."""
    return uuid.uuid4()


@register.simple_tag(takes_context=True)
def new_form_id(context: template.Context) -> object:
    """``fresh_form_id``, or the blank that a kept part leaves for it."""
    return context.get(FORM_ID) or fresh_form_id()
