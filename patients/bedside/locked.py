"""What a tablet shows while nobody uses it: the grade and its clock, without name or chart."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crs_app.accounts.middleware import shown_when_locked
from patients.bedside.page import card_of, read_bedside_data
from patients.queries.courses import now_for
from patients.requests import SignedInRequest, course_or_404


@shown_when_locked
@require_safe
def locked(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the locked page of a course, which a browser asks for again each minute."""
    course = course_or_404(request, course_id)
    data = read_bedside_data(course, now_for(course))
    context = {"card": card_of(data), "course": course, "clock_ahead": data.clock_ahead}
    return render(request, "bedside/locked.html", context)
