"""The one-tap row beside the vital signs: find, bind, call, render."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from patients.bedside.page import FIRST_KIND, page_context, shared_context
from patients.forms.notes import NotObservedTap
from patients.models import Course
from patients.recording.inputs import FormReusedError
from patients.recording.record import record_entries
from patients.requests import CONFLICT, SignedInRequest, charting, course_or_404, sending_of
from patients.saved import saved_of


@require_POST
@charting
def not_observed(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Chart why vital signs were not observed now; what is typed in the form beside it stays."""
    course, now = course_or_404(course_id), timezone.now()
    form = NotObservedTap(request.POST)
    if not form.is_valid():
        return _refused(request, course)
    try:
        recorded = record_entries(course, [form.draft(now)], sending_of(request, form))
    except FormReusedError:
        return _refused(request, course)
    saved = saved_of(recorded)
    if not request.htmx:
        messages.info(request, f"Saved. {saved.text}")
        return redirect("patients:bedside", course.pk)
    context = {
        "saved": saved,
        "course": course,
        **{name: getattr(saved, name) for name in ("card", "rows", "timeline")},
        **shared_context(course, may_chart=True),
    }
    return render(request, "patients/_not_observed_saved.html", context)


def _refused(request: SignedInRequest, course: Course) -> HttpResponse:
    """Nothing is stored: the page is older than what was sent with it before."""
    conflict = {"course_id": course.pk, "other": None, "mine": ""}
    if request.htmx:
        return render(request, "patients/_conflict.html", conflict, status=CONFLICT)
    page = page_context(course, FIRST_KIND, timezone.now(), may_chart=True)
    page |= {**conflict, "conflict": conflict}
    return render(request, "patients/bedside.html", page, status=CONFLICT)
