"""Show ASTCT and ICANS on the review pages; both are read after the page is shown."""

from __future__ import annotations

import uuid

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from grading.systems import HEADLINE
from patients.display.scale_levels import assessments_of
from patients.queries.courses import now_for
from patients.queries.known_at import read_known_at
from patients.queries.near import read_near
from patients.queries.scales import scales_known_at, scales_over
from patients.queries.status import status_known_at
from patients.requests import SignedInRequest, course_or_404
from patients.review.address import BadAddressError, parse_address
from patients.review.bad_address import bad_address_json, bad_address_page
from patients.review.scales_at import scales_at_instant
from patients.review.scales_json import scales_json


@require_safe
def scales(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer the grades of ASTCT and ICANS over time, as they were known, as JSON."""
    course = course_or_404(request, course_id)
    try:
        address = parse_address(request.GET.dict(), now_for(course))
    except BadAddressError as error:
        return bad_address_json(error)
    known_at = address.instants.known_at
    known = read_known_at(course, HEADLINE, known_at, is_now=address.is_now)
    over = scales_over(known, known_at)
    return JsonResponse(
        scales_json(over, assessments_of(known.entries, known.facts, over.policy, known_at))
    )


@require_safe
def scales_at(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show ASTCT and ICANS at the cursor, and why each differs from Lee."""
    course = course_or_404(request, course_id)
    try:
        address = parse_address(request.GET.dict(), now_for(course))
    except BadAddressError as error:
        return bad_address_page(request, error)
    at, known_at = address.instants.at, address.instants.known_at
    near = read_near(course, HEADLINE, at=at, known_at=known_at)
    known = read_known_at(course, HEADLINE, known_at, near, is_now=address.is_now)
    status = status_known_at(known, at)
    found = scales_known_at(course, known, status, is_now=address.is_now)
    return render(request, "review/scales_at.html", {"scales_at": scales_at_instant(found, status)})
