"""Show the page of the scales, as a panel of the bedside page too, and the line under a grade."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crs_app.accounts.permissions import can_chart
from patients.display.scales_line import scales_line
from patients.queries.courses import now_for
from patients.queries.status import read_course_status
from patients.requests import SignedInRequest, course_or_404
from patients.review.address import BadAddressError
from patients.review.bad_address import bad_address_page
from patients.scales.address import COLUMNS, ScalesAddress, parse_scales_address
from patients.scales.page import ScalesPage, read_scales_page

PANEL: Final = "scales-panel"
"""The element of the bedside page that the panel is opened in."""


@require_safe
def scales(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show Lee, ASTCT and ICANS with why they differ; on request the scales of papers too."""
    course = course_or_404(request, course_id)
    now = now_for(course)
    try:
        address = parse_scales_address(request.GET.dict(), now)
    except BadAddressError as error:
        return bad_address_page(request, error)
    is_open = course.ended_at is None and address.is_now
    context = _context(read_scales_page(course, address, now), address) | {
        "course_id": course_id,
        "can_chart": is_open and can_chart(request.user, course),
    }
    return render(request, _template(request), context)


def _template(request: SignedInRequest) -> str:
    if not request.htmx:
        return "scales/page.html"
    return "scales/panel.html" if request.htmx.target == PANEL else "scales/content.html"


def _context(page: ScalesPage, address: ScalesAddress) -> dict[str, Any]:
    headline = page.headline
    return {
        "page": page,
        "address": address,
        "columns": COLUMNS,
        "banner": page.banner,
        "cursor": {
            "at": page.at,
            "grade": headline.grade,
            "at_most": headline.at_most,
            "missing": not headline.assessed,
        },
    }


@require_safe
def line(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the line under the grade: the page asks for it after each save, which computes none."""
    course = course_or_404(request, course_id)
    now = now_for(course)
    if course.ended_at is not None:
        now = min(now, course.ended_at)
    shown = scales_line(read_course_status(course, now))
    context = {"course_id": course_id, "scales_line": shown}
    return render(request, "bedside/scales_line.html", context)
