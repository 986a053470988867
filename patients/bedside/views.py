"""Show the page of one course, its grade card and its timeline."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.permissions import can_chart
from patients.bedside.entry_views import kind_or_404
from patients.bedside.page import FIRST_KIND, TIMELINE_KINDS, render_page, shared_context
from patients.bedside.timeline import timeline_of
from patients.display.grade_card import grade_card
from patients.queries.ages import age_at_infusion
from patients.queries.courses import now_for
from patients.queries.entries import parse_entries
from patients.queries.status import read_course_status, read_history_for
from patients.requests import SignedInRequest, course_or_404


@require_safe
def bedside(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the page of one course."""
    kind = kind_or_404(request.GET.get("kind", FIRST_KIND))
    return render_page(request, course_or_404(course_id), kind=kind)


@require_safe
def grade(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the grade card; 204 where the page has ``seen`` its signature."""
    course = course_or_404(course_id)
    status = read_course_status(course, now_for(course)).current
    history = read_history_for(course_id, status)
    card = grade_card(
        course_id,
        status,
        history.grades,
        history.authors,
        recent=parse_entries(history.recent),
        age_years=age_at_infusion(course),
    )
    if request.GET.get("seen") == card.signature:
        return HttpResponse(status=204)
    return render(request, "bedside/grade_card.html", {"card": card, "course_id": course_id})


@require_safe
@vary_on_headers("HX-Request")
def timeline(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show a page of the timeline: older rows, or one kind."""
    course = course_or_404(course_id)
    may_chart = can_chart(request.user)
    rows = timeline_of(
        course_id,
        now_for(course),
        before=_cursor(request.GET),
        kind=_timeline_kind(request.GET.get("kind", "")),
        can_correct=may_chart,
    )
    if not request.htmx:
        return render_page(request, course, {"timeline": rows})
    context = {"timeline": rows, "is_older": "before" in request.GET}
    context |= shared_context(course, may_chart=may_chart)
    return render(request, "bedside/timeline.html", context)


def _timeline_kind(kind: str) -> str:
    return kind if kind in dict(TIMELINE_KINDS) else ""


def _cursor(query: Mapping[str, Any]) -> uuid.UUID | None:
    try:
        return uuid.UUID(query.get("before", ""))
    except ValueError:
        return None
