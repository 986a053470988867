"""Show the flowsheet of a course."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from crs_app.accounts.permissions import can_chart
from grading.engine.entries import BaselineFacts
from grading.systems import HEADLINE
from patients.display.assessment import was_assessed
from patients.display.banner import (
    Banner,
    BannerGrade,
    banner_at,
    baseline_text,
    weight_text,
)
from patients.display.closed import closed_notice
from patients.display.site_times import site_time
from patients.forms.registry import CORRECTION_FORMS
from patients.models.charted_times import ONE_TICK
from patients.queries.courses import now_for
from patients.queries.flowsheet import FlowsheetData, read_flowsheet
from patients.queries.scales import read_scales_of_window
from patients.requests import BAD_REQUEST, SignedInRequest, course_or_404
from patients.review.flowsheet import Sheet, build_sheet
from patients.review.flowsheet_form import BINS, ORDERS, ROWS, FlowsheetForm, FlowsheetQuery


class Link(NamedTuple):
    """A choice of the page: its text, its address, and whether it is the present one."""

    text: str
    href: str
    is_current: bool


@require_safe
def flowsheet(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show a flowsheet; 400 with what is wrong of the address, beside the default for it."""
    course = course_or_404(request, course_id)
    form = FlowsheetForm(request.GET, now=now_for(course))
    is_valid = form.is_valid()
    query = form.query
    window = query.window
    data = read_flowsheet(
        course, HEADLINE, window.start, window.end, now=query.now, known_at=query.known_at
    )
    may_correct = can_chart(request.user, course) and query.known_at is None
    scales = read_scales_of_window(
        course,
        window.start,
        min(window.end, data.instant),
        known_at=data.instant,
        is_now=query.known_at is None,
    )
    sheet = build_sheet(data, query, CORRECTION_FORMS if may_correct else (), scales)
    context = {
        "course_id": course_id,
        "sheet": sheet,
        "banner": _banner(data),
        "closed": closed_notice(data.closing, None, data.instant),
        "cursor": _grade_at(data),
        "query": query,
        "errors": form.errors,
        "form": form,
        "review_url": review_url(course_id, query),
        **choices(query, sheet),
    }
    status = 200 if is_valid else BAD_REQUEST
    return render(request, "review/flowsheet.html", context, status=status)


def _grade_at(data: FlowsheetData) -> BannerGrade:
    """Return the grade up to which the sheet is known, of a closed course that of its end."""
    grade, at_most = data.grade or (None, None)
    missing = not was_assessed(grade, data.graded_at, data.assessed_since)
    return BannerGrade(data.graded_at, grade, at_most, missing)


def _banner(data: FlowsheetData) -> Banner:
    baselines = [one for one in data.in_force if isinstance(one, BaselineFacts)]
    return banner_at(
        data.course,
        data.graded_at,
        weight_text=weight_text(None if data.weight_kg is None else Decimal(data.weight_kg)),
        baseline_text=baseline_text(data.facts.baseline.with_entries(baselines)),
    )


def choices(
    query: FlowsheetQuery, sheet: Sheet, address: Callable[..., str] | None = None
) -> dict[str, Any]:
    """Return what the page lets choose, as addresses; ``address`` is where it is shown."""
    address = address or query.address
    hours = query.window.hours
    has_later = sheet.end < query.latest_end
    later = min(query.latest_end, sheet.end + (sheet.end - sheet.start))
    return {
        "bins": [Link(label, address(bin=key, span=None), key == query.bin) for key, label in BINS],
        "order_links": [
            Link(label, address(order=key), key == query.order) for key, label in ORDERS
        ],
        "orders": ORDERS,
        "row_choices": ROWS,
        "earlier": address(end=sheet.start, span=hours),
        "later": address(end=later, span=hours) if has_later else "",
        "newest": address(end=None, span=None),
        "last_entry": ""
        if sheet.last_before is None
        else address(end=sheet.last_before + ONE_TICK, span=hours),
        "now_address": address(known_at=None),
        "until_text": f"{site_time(sheet.end):%Y-%m-%dT%H:%M}",
    }


def review_url(course_id: uuid.UUID, query: FlowsheetQuery) -> str:
    """Return the address of the plots, to which the name of a row leads."""
    address = reverse("patients:review", args=[course_id])
    asked = "" if query.known_at is None else urlencode({"known_at": query.known_at.isoformat()})
    return f"{address}?{asked}" if asked else address
