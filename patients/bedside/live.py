"""The one poll of the bedside page: send every part that differs from what the page shows."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from patients.bedside.page import (
    BedsideData,
    card_of,
    form_parts,
    live_signatures,
    may_do,
    read_bedside_data,
    shared_context,
)
from patients.bedside.timeline import ASKS_ITSELF, TimelineView, timeline_of
from patients.display.banner import banner_of
from patients.forms.unchanged import EmptyTicks
from patients.guidance.panel import panel_for_status
from patients.queries.courses import now_for
from patients.requests import SignedInRequest, course_or_404

LIVE_HEADER: Final = "CRS-Live"
"""Header of an answer: the signatures that the page keeps for its next poll, as JSON."""
NO_GUIDANCE: Final = "none"
"""The signature of the guidance of a closed course, which has none."""
_FIELD: Final = re.compile(r"[a-z0-9_]{1,60}")
_FIELDS_AT_MOST: Final = 80


@require_safe
def live(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Send the parts of the page that differ from the signatures in the query; 204 for none.

    ``fields`` names the inputs that show a value charted before, ``parts`` those of the form that
    are sent whole; ``show``, ``day`` and ``until`` say what the page shows of the timeline. Nothing
    is sent that someone types in.
    """
    course = course_or_404(request, course_id)
    data = read_bedside_data(course, now_for(course))
    card, banner = card_of(data), banner_of(data.status)
    guidance = None if data.closed else panel_for_status(data.status, data.history, data.unchanged)
    signatures = {
        "card": card.signature,
        "banner": banner.signature,
        "guidance": guidance.signature if guidance else NO_GUIDANCE,
        **live_signatures(data),
    }
    changed = {part for part, now in signatures.items() if request.GET.get(part) != now}
    if not changed:
        return HttpResponse(status=204)
    if request.GET.get("show") in ASKS_ITSELF:
        changed.discard("timeline")
    may = may_do(request.user, course)
    context: dict[str, Any] = {
        "changed": changed,
        "card": card,
        "banner": banner,
        "guidance": guidance,
        "closed": data.closed,
        "clock_ahead": data.clock_ahead,
        "may_reopen": may.move,
        "goes_on_again": not data.closed and not request.GET.get("fields"),
        **shared_context(course, may),
    }
    if "values" in changed:
        context |= _values(data, request.GET.get("fields", ""))
        context["parts"] = form_parts(request.GET.get("parts"))
    if "timeline" in changed:
        view, at = TimelineView.of(request.GET), data.status.current.at
        context["timeline"] = timeline_of(course_id, at, view, can_correct=may.chart)
    answer = render(request, "bedside/live.html", context)
    answer[LIVE_HEADER] = json.dumps(signatures)
    return answer


def _values(data: BedsideData, fields: str) -> dict[str, Any]:
    names = [name for name in fields.split(",")[:_FIELDS_AT_MOST] if _FIELD.fullmatch(name)]
    return {
        "fields": {name: data.previous.get(name) for name in names},
        "running": data.running,
        "form": EmptyTicks(data.unchanged),
    }
