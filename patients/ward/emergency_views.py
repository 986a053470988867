"""Find a patient, open one of another ward with a reason, and see who did."""

from __future__ import annotations

import uuid
from typing import Final, NamedTuple

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crs_app.accounts.models import User
from crs_app.accounts.permissions import (
    can_join_records,
    can_regrade_course,
    check_can_find_patient,
    check_can_read_emergency_access,
    check_can_use_emergency_access,
    right_to,
)
from crs_app.accounts.rights import Act
from crs_app.search_words import spelling_text
from patients.display.places import place_text
from patients.models import Course
from patients.queries.access import emergency_until
from patients.queries.courses import read_course
from patients.queries.identity import search_all_courses
from patients.requests import UNPROCESSABLE, SignedInRequest, posted
from patients.ward.emergency import (
    LISTED,
    FormUsedError,
    count_in_force,
    latest_accesses,
    open_with_reason,
)
from patients.ward.emergency_forms import EmergencyForm

SHORTEST_SEARCH: Final = 2
MOST_FOUND: Final = 20
_USED: Final = "This form was used before, with other contents. Open this page again."


class Found(NamedTuple):
    """A course that a search found: who and where, and whether its chart opens at once."""

    course: Course
    opens: bool
    opens_by_reason: bool


@require_safe
def find(request: SignedInRequest) -> HttpResponse:
    """Find open courses by name, MRN or bed; show who and where the patient is, and no more.

    A user who may join records finds closed courses too.
    """
    check_can_find_patient(request.user)
    text = " ".join(request.GET.get("q", "").split())
    is_short = len(text) < SHORTEST_SEARCH
    only_open = not can_join_records(request.user)
    courses = [] if is_short else search_all_courses(text, only_open=only_open)
    context = {
        "q": text,
        "is_short": is_short,
        "shortest": SHORTEST_SEARCH,
        "found": [_found(request.user, course) for course in courses[:MOST_FOUND]],
        "spelling": spelling_text(text, (course.patient.name for course in courses[:MOST_FOUND])),
        "has_more": len(courses) > MOST_FOUND,
        "can_join": can_join_records(request.user),
        "can_regrade": can_regrade_course(request.user),
    }
    return render(request, "ward/find.html", context)


def _found(reader: User, course: Course) -> Found:
    right = right_to(reader, Act.OPEN_CHART, course)
    return Found(course, right.is_allowed, right.opens_by_reason)


@require_http_methods(["GET", "HEAD", "POST"])
def emergency_access(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Ask why a patient of another ward is opened; a POST records the reason and opens the chart.

    The page says who and where the patient is, and nothing of the chart.
    """
    check_can_use_emergency_access(request.user)
    try:
        course = read_course(course_id)
    except Course.DoesNotExist:
        raise Http404("No such course") from None
    there = _way_on(request, course)
    course.emergency_until = emergency_until(request.user, course)
    data = posted(request)
    if not right_to(request.user, Act.CHART, course).opens_by_reason:
        return redirect(there)
    form = EmergencyForm(data)
    if form.is_bound and form.is_valid():
        try:
            open_with_reason(course, form.asked(), request.user)
        except FormUsedError:
            form.add_error("words", _USED)
        else:
            return redirect(there)
    context = {
        "form": form,
        "course": course,
        "next": there,
        "may_read": right_to(request.user, Act.OPEN_CHART, course).is_allowed,
    }
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "ward/emergency.html", context, status=status)


def _way_on(request: SignedInRequest, course: Course) -> str:
    """Return the page that was asked for, if it is one of this course; else the chart."""
    chart = reverse("patients:bedside", args=[course.pk])
    asked = request.POST.get("next") or request.GET.get("next", "")
    is_of_course = asked.startswith(chart) and asked.isprintable() and "\\" not in asked
    own = reverse("patients:emergency_access", args=[course.pk])
    return asked if is_of_course and not asked.startswith(own) else chart


@require_safe
def emergencies(request: SignedInRequest) -> HttpResponse:
    """List who opened patients of other wards, when and why, newest first."""
    check_can_read_emergency_access(request.user)
    now = timezone.now()
    context = {
        "accesses": [
            (access, place_text(access.ward, access.bed), access.until > now)
            for access in latest_accesses()
        ],
        "in_force": count_in_force(now),
        "listed": LISTED,
    }
    return render(request, "ward/emergencies.html", context)
