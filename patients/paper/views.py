"""The page that prints a course."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from patients.paper.course import printed_course
from patients.queries.courses import now_for
from patients.requests import SignedInRequest, course_or_404
from patients.review.address import BadAddressError, parse_instants
from patients.review.bad_address import bad_address_page


@require_safe
def paper(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the whole course for printing, now or as it was known at ``known_at``."""
    course = course_or_404(request, course_id)
    now = now_for(course)
    try:
        known_at = parse_instants(request.GET.dict(), now).known_at
    except BadAddressError as error:
        return bad_address_page(request, error)
    is_now = "known_at" not in request.GET
    context = printed_course(course, request.user, now, known_at, is_now=is_now)
    return render(request, "paper/course.html", context)
