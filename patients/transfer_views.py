"""The page of a course's ward and bed: find, bind, call, render."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crs_app.accounts.permissions import can_admit, can_chart
from patients.bedside.page import FIRST_KIND, page_context
from patients.display.timeline import place_text, transfer_text
from patients.models import Course
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    sending_of,
    sent,
)
from patients.transfer import MovedMeanwhileError, TransferReusedError, record_transfer
from patients.transfer_forms import EndForm, MoveForm, PlaceForm, ReopenForm


@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Move a course, end it, or take it up again; each with its time and who said so."""
    if not can_admit(request.user):
        raise PermissionDenied
    course, data = course_or_404(course_id), sent(request)
    offered: list[type[PlaceForm]] = [MoveForm, EndForm if course.ended_at is None else ReopenForm]
    chosen = data.get("what") if data is not None else None
    forms = [
        form_class(data if chosen == form_class.what else None, course=course)
        for form_class in offered
    ]
    bound = next((form for form in forms if form.is_bound), None)
    if bound is not None and bound.is_valid():
        return _moved(request, course, bound)
    if data is None:
        return _page(request, course, forms)
    if bound is None:
        return _page(request, course, forms, _changed(course, ""), CONFLICT)
    return _page(request, course, forms, status=UNPROCESSABLE)


def _moved(request: SignedInRequest, course: Course, form: PlaceForm) -> HttpResponse:
    try:
        moved = record_transfer(course, form.moving(), sending_of(request, form))
    except MovedMeanwhileError as error:
        now = course_or_404(course.pk)
        fresh = [MoveForm(course=now), (ReopenForm if now.ended_at else EndForm)(course=now)]
        return _page(request, now, fresh, _changed(error.course, error.by), CONFLICT)
    except TransferReusedError:
        sentence = "This form was sent before with other contents: open the page anew."
        return _page(request, course, [form], sentence, CONFLICT)
    messages.info(request, f"Saved. {transfer_text(moved)}.")
    return redirect("patients:bedside", course.pk)


def _changed(course: Course, by: str) -> str:
    where = place_text(course.ward, course.bed)
    ended = "" if course.ended_at is None else ", and the course is ended"
    who = f" by {by}" if by else ""
    return f"This was changed meanwhile{who}: the course is on {where} now{ended}. Look again."


def _page(
    request: SignedInRequest,
    course: Course,
    forms: Sequence[PlaceForm],
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    may_chart = can_chart(request.user)
    page = page_context(course, FIRST_KIND, timezone.now(), may_chart=may_chart)
    page |= {
        "form_template": "patients/_transfer.html",
        "place_forms": forms,
        "place_refusal": refusal,
        "wards": Course.objects.order_by("ward").values_list("ward", flat=True).distinct(),
        "course": course,
    }
    return render(request, "patients/bedside.html", page, status=status)
