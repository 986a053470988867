"""The ward board, admission and moves."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import condition, require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.permissions import can_admit, can_chart, check_can_admit
from patients.bedside.page import render_page
from patients.display.signature import signature_of
from patients.display.timeline import transfer_text
from patients.models import Course
from patients.queries.board import read_board_stamp
from patients.queries.courses import ward_names
from patients.queries.identity import latest_course
from patients.recording.admit import AlreadyAdmittedError, IdentityDiffersError, admit_patient
from patients.recording.inputs import FormReusedError
from patients.recording.record import RecordingResult
from patients.requests import (
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    submission_from,
)
from patients.ward.board import ended_board_rows, open_board_rows
from patients.ward.forms import AdmissionForm, EndForm, MoveForm, ReopenForm, TransferForm
from patients.ward.transfer import MovedMeanwhileError, TransferReusedError, record_transfer


def _board_etag(request: SignedInRequest, stamp: str, now: datetime, **_options: bool) -> str:
    """Return the ETag of the board for this session; it changes each minute, as ages do.

    It is weak because the form tokens of the page differ in each response.
    """
    signature = signature_of(
        stamp,
        f"{now:%H:%M}",
        bool(request.htmx),
        request.session.session_key,
        request.user.role,
    )
    return f'W/"{signature}"'


@require_safe
@vary_on_headers("HX-Request")
def board(request: SignedInRequest) -> HttpResponse:
    """Show every open course, or with ``?ended`` every ended one.

    Answers 204 to htmx where the stamp of the rows is still ``seen``, 304 to a request whose
    If-None-Match is the page's ETag. To htmx it sends the rows alone.
    """
    shows_ended, now = "ended" in request.GET, timezone.now()
    # Read before the rows, so that the next request finds a change between the two.
    stamp = read_board_stamp(now, ended=shows_ended)
    if request.htmx and request.GET.get("seen") == stamp:
        return HttpResponse(status=204)
    return _board_page(request, stamp, now, shows_ended=shows_ended)


@condition(etag_func=_board_etag)
def _board_page(
    request: SignedInRequest, stamp: str, now: datetime, *, shows_ended: bool
) -> HttpResponse:
    context = {
        "rows": ended_board_rows(now) if shows_ended else open_board_rows(now),
        "now": now,
        "signature": stamp,
        "shows_ended": shows_ended,
        "can_admit": can_admit(request.user),
        "can_chart": can_chart(request.user),
    }
    template = "ward/board_rows.html" if request.htmx else "ward/board.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
def admit(request: SignedInRequest) -> HttpResponse:
    """Show the admission form; a POST opens a course."""
    check_can_admit(request.user)
    form, ways_out = AdmissionForm(posted(request), now=timezone.now()), WaysOut()
    if form.is_bound and form.is_valid() and (result := _admitted(request, form, ways_out)):
        return redirect("patients:bedside", result.course.pk)
    status = UNPROCESSABLE if form.is_bound else 200
    context = {"form": form, "ways_out": ways_out}
    return render(request, "ward/admit.html", context, status=status)


@dataclass(slots=True)
class WaysOut:
    """Courses that a refused admission is about: whose identity may be wrong, or that is open."""

    differs: Course | None = None
    is_open: Course | None = None


def _admitted(
    request: SignedInRequest, form: AdmissionForm, ways_out: WaysOut
) -> RecordingResult | None:
    try:
        return admit_patient(form.admission(), form.new_entries(), submission_from(request, form))
    except IdentityDiffersError as error:
        form.add_error("mrn", error.sentence)
        ways_out.differs = latest_course(error.patient.pk)
    except AlreadyAdmittedError as error:
        form.add_error("product", error.sentence)
        ways_out.is_open = error.course
    except FormReusedError:
        form.add_error(None, "This form was already saved with other contents. Open it again.")
    return None


@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the forms that move, end or reopen a course; a POST records one of them."""
    check_can_admit(request.user)
    course, data, now = course_or_404(course_id), posted(request), timezone.now()
    offered: list[type[TransferForm]] = [
        MoveForm,
        EndForm if course.ended_at is None else ReopenForm,
    ]
    chosen = data.get("what") if data is not None else None
    forms = [
        form_class(data if chosen == form_class.what else None, course=course, now=now)
        for form_class in offered
    ]
    bound = next((form for form in forms if form.is_bound), None)
    if bound is not None and bound.is_valid():
        return _record_move(request, course, bound)
    if data is None:
        return _transfer_page(request, course, forms)
    if bound is None:
        return _transfer_page(
            request, course, forms, MovedMeanwhileError(course).sentence, CONFLICT
        )
    return _transfer_page(request, course, forms, status=UNPROCESSABLE)


def _record_move(request: SignedInRequest, course: Course, form: TransferForm) -> HttpResponse:
    try:
        moved = record_transfer(course, form.transfer_request(), submission_from(request, form))
    except MovedMeanwhileError as error:
        current, now = course_or_404(course.pk), timezone.now()
        other = ReopenForm if current.ended_at else EndForm
        fresh = [MoveForm(course=current, now=now), other(course=current, now=now)]
        return _transfer_page(request, current, fresh, error.sentence, CONFLICT)
    except TransferReusedError as error:
        return _transfer_page(request, course, [form], error.sentence, CONFLICT)
    messages.info(request, f"Saved. {transfer_text(moved)}.")
    return redirect("patients:bedside", course.pk)


def _transfer_page(
    request: SignedInRequest,
    course: Course,
    forms: Sequence[TransferForm],
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "form_template": "ward/transfer.html",
        "place_forms": forms,
        "place_refusal": refusal,
        "wards": ward_names(),
        "course": course,
    }
    return render_page(request, course, context, status=status)
