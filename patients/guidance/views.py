"""Pages of guidance outside a course: its sources, and the answers as CSV."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from crs_app.accounts.permissions import can_export_answers, check_can_export_answers
from patients.guidance.export import answers_as_csv
from patients.guidance.sources import build_sources
from patients.models import Course
from patients.queries.courses import now_for
from patients.queries.policies import policy_at, read_site_policy_periods
from patients.queries.status import read_course_status
from patients.requests import SignedInRequest, course_or_404


@require_safe
def answers_csv(request: SignedInRequest) -> HttpResponseBase:
    """Send the answers to guidance as a CSV file; with ``?course=`` those of one course."""
    check_can_export_answers(request.user)
    course = _course_named(request)
    response = StreamingHttpResponse(
        answers_as_csv(course.pk if course else None), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = 'attachment; filename="guidance-answers.csv"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def sources(request: SignedInRequest) -> HttpResponse:
    """Show the sources of guidance and grades, under the policy of the site or of ``?course=``."""
    course, now = _course_named(request), timezone.now()
    policy = (
        policy_at(read_site_policy_periods(), now)
        if course is None
        else read_course_status(course, now_for(course)).current.policy
    )
    context = {
        "sources": build_sources(policy),
        "course": course,
        "can_export": can_export_answers(request.user),
    }
    return render(request, "guidance/sources.html", context)


def _course_named(request: SignedInRequest) -> Course | None:
    """Return the course that the address asks for, whose record then says so; None for none."""
    typed = request.GET.get("course", "")
    if not typed:
        return None
    try:
        course = course_or_404(request, uuid.UUID(typed))
    except ValueError:
        raise Http404("No such course") from None
    request.shown_course = course.pk
    return course
