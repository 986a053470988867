"""Show the page of one course and its timeline."""

from __future__ import annotations

import uuid
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import push_url

from patients.bedside.entry_views import kind_or_404
from patients.bedside.page import FIRST_KIND, may_do, render_page, shared_context
from patients.bedside.timeline import TimelineView, timeline_of
from patients.queries.courses import now_for
from patients.requests import SignedInRequest, course_or_404


@require_safe
def bedside(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the page of one course."""
    kind = kind_or_404(request.GET.get("kind", FIRST_KIND))
    return render_page(request, course_or_404(request, course_id), kind=kind)


@require_safe
@vary_on_headers("HX-Request")
def timeline(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show a page of the timeline: older rows, one kind, or up to a day."""
    course = course_or_404(request, course_id)
    now = now_for(course)
    may = may_do(request.user, course)
    at = now if course.ended_at is None else min(now, course.ended_at)
    view = TimelineView.of(request.GET, kind="kind")
    rows = timeline_of(course_id, at, view, can_correct=may.chart)
    if not request.htmx:
        return render_page(request, course, {"timeline": rows})
    context = {"timeline": rows, "is_older": "before" in request.GET}
    context |= shared_context(course, may)
    answer = render(request, "bedside/timeline.html", context)
    if "list" in request.GET:  # the table was shown before
        asked = {"show": view.kind, "day": view.day}
        shown = urlencode({name: value for name, value in asked.items() if value})
        push_url(answer, f"{reverse('patients:bedside', args=[course_id])}?{shown}".rstrip("?"))
    return answer
