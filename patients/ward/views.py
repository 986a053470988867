"""The ward board, admission and moves."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import condition, require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.permissions import (
    can_admit,
    can_chart,
    can_manage_users,
    can_open_chart,
    can_start_wall,
    check_can_admit,
)
from crs_app.accounts.rights import Act
from crs_app.accounts.wards import WardClosedError
from crs_app.replica import may_read_replica
from crs_app.search_words import spelling_text
from patients.bedside.page import render_page
from patients.display.places import transfer_text
from patients.display.signature import signature_of
from patients.models import Course
from patients.queries.courses import open_ward_names, read_course
from patients.queries.identity import latest_course
from patients.recording.admit import (
    AlreadyAdmittedError,
    DelayDiffersError,
    IdentityDiffersError,
    admit_patient,
)
from patients.recording.inputs import AheadOfClockError, FormReusedError
from patients.recording.record import RecordingResult
from patients.requests import (
    CONFIRM,
    CONFLICT,
    EDIT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    record_named,
    submission_from,
)
from patients.ward.address import LONGEST_SEARCH, SHOWS, SORTS, BoardAddress
from patients.ward.board import board_of
from patients.ward.forms import (
    TRANSFER_FORMS,
    AdmissionForm,
    EndForm,
    MoveForm,
    ReopenForm,
    TransferForm,
)
from patients.ward.seen import as_of, is_still_seen, read_rows_state, seen_token
from patients.ward.transfer import (
    MovedMeanwhileError,
    TransferReusedError,
    can_still_be,
    location_token,
    record_transfer,
)

REUSED: Final = "reused"
"""Code of the fault that a form was sent before."""


def _board_etag(
    request: SignedInRequest, stamp: str, now: datetime, asked: BoardAddress, _wrong_clock: str
) -> str:
    """Return the ETag of the board for this session; it changes each minute, as ages do.

    It is weak because the form tokens of the page differ in each response.
    """
    signature = signature_of(
        stamp,
        f"{now:%H:%M}",
        asked.url(page=asked.page),
        _wants_rows(request),
        request.session.session_key,
        request.user.role,
        as_of(request),
    )
    return f'W/"{signature}"'


def _wants_rows(request: SignedInRequest) -> bool:
    """Return whether htmx asks for the rows alone; to go back in the history it needs the page."""
    return bool(request.htmx) and not request.htmx.history_restore_request


@require_safe
@vary_on_headers("HX-Request")
@may_read_replica
def board(request: SignedInRequest) -> HttpResponse:
    """Show the open courses, or with ``?ended`` the closed ones; ``BoardAddress`` has the rest.

    Answers 204 to htmx where what was ``seen`` of the rows still holds, 304 to a request whose
    If-None-Match is the page's ETag. To htmx it sends the rows alone.
    """
    if not can_open_chart(request.user) and can_manage_users(request.user):
        return redirect("people:list")
    asked, now = BoardAddress.of(request.GET), timezone.now()
    stamp, now, wrong_clock = read_rows_state(now, request.user, ended=asked.ended)
    seen = request.GET.get("seen", "")
    if request.htmx and as_of(request) is None and is_still_seen(seen, stamp, now):
        return HttpResponse(status=204)
    return _board_page(request, stamp, now, asked, wrong_clock)


@condition(etag_func=_board_etag)
def _board_page(
    request: SignedInRequest, stamp: str, now: datetime, asked: BoardAddress, wrong_clock: str
) -> HttpResponse:
    shown = board_of(asked, now, request.user)
    context = {
        "asked": asked,
        "board": shown,
        "rows": shown.rows,
        "spelling": spelling_text(asked.q, (row.name for row in shown.rows)),
        "now": now,
        "wrong_clock": wrong_clock,
        "signature": seen_token(stamp, shown.holds_until, is_old=as_of(request) is not None),
        "shows": SHOWS,
        "sorts": SORTS,
        "longest_search": LONGEST_SEARCH,
        "can_admit": can_admit(request.user),
        "can_start_wall": can_start_wall(request.user),
        "may_chart": can_chart(request.user),
    }
    template = "ward/board_content.html" if _wants_rows(request) else "ward/board.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
def admit(request: SignedInRequest) -> HttpResponse:
    """Show the admission form; a POST opens a course."""
    check_can_admit(request.user)
    form, related = AdmissionForm(posted(request), now=timezone.now()), RelatedCourses()
    if form.is_bound and form.is_valid() and (result := _admitted(request, form, related)):
        return redirect("patients:bedside", result.course.pk)
    named = [*form.named, *(course.patient for course in related.courses)]
    typed = ", ".join(str(form.data.get(field, "")) for field in ("mrn", "name"))
    record_named(request, named, "admission form", typed)
    status = UNPROCESSABLE if form.is_bound else 200
    if form.has_error(NON_FIELD_ERRORS, REUSED):
        status = CONFLICT
    context = {"form": form, "related": related, "wards": open_ward_names()}
    return render(request, "ward/admit.html", context, status=status)


@dataclass(slots=True)
class RelatedCourses:
    """The courses to which a refused admission links.

    ``differs``: its patient has the record number with another identity. ``is_open``: it is the
    course that was to be opened.
    """

    differs: Course | None = None
    is_open: Course | None = None

    @property
    def courses(self) -> list[Course]:
        """All of them."""
        return [course for course in (self.differs, self.is_open) if course is not None]


def _admitted(
    request: SignedInRequest, form: AdmissionForm, related: RelatedCourses
) -> RecordingResult | None:
    try:
        return admit_patient(form.admission(), form.new_entries(), submission_from(request, form))
    except IdentityDiffersError as error:
        form.add_error("mrn", error.sentence)
        related.differs = latest_course(error.patient.pk)
    except DelayDiffersError as error:
        form.add_error("developmental_delay", error.sentence)
        related.differs = latest_course(error.patient.pk)
    except AlreadyAdmittedError as error:
        form.add_error("product", error.sentence)
        related.is_open = error.course
    except AheadOfClockError as error:
        form.add_error("infused_time", error.sentence)
    except WardClosedError as error:
        form.add_error("ward", error.sentence)
    except FormReusedError as error:
        form.add_error(None, ValidationError(error.sentence, code=REUSED))
    return None


@require_http_methods(["GET", "HEAD", "POST"])
def transfer(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the forms that move, end or reopen a course; a POST records one of them.

    An end or a reopening is asked about in a second step, which names what follows.
    """
    check_can_admit(request.user)
    course = course_or_404(request, course_id, Act.ADMIT)
    data, now = posted(request), timezone.now()
    if data is None:
        return _transfer_page(request, course, _offered(course, now))
    form_class = TRANSFER_FORMS.get(data.get("what", ""))
    if form_class is None:
        sentence = "This page is out of date. Please try again."
        return _transfer_page(request, course, _offered(course, now), sentence, UNPROCESSABLE)
    form, step = form_class(data, course=course, now=now), data.get("step")
    is_valid = form.is_valid()
    if is_valid and (not form.consequences or step == CONFIRM):
        return _record_move(request, course, form)
    if not can_still_be(course, form.what, data.get("seen", "")):
        return _moved_meanwhile(request, course, form_class)
    if not is_valid:
        return _transfer_page(request, course, _offered(course, now, form), status=UNPROCESSABLE)
    if step == EDIT:
        return _transfer_page(request, course, _offered(course, now, form))
    context = {"form_template": "ward/transfer_confirm.html", "form": form, "course": course}
    return render_page(request, course, context)


def _offered(
    course: Course, now: datetime, bound: TransferForm | None = None
) -> list[TransferForm]:
    """Return the forms that the page offers, with ``bound`` in the place of an empty one."""
    offered = (MoveForm, EndForm if course.ended_at is None else ReopenForm)
    return [
        bound
        if bound is not None and isinstance(bound, form_class)
        else form_class(course=course, now=now)
        for form_class in offered
    ]


def _record_move(request: SignedInRequest, course: Course, form: TransferForm) -> HttpResponse:
    try:
        moved = record_transfer(course, form.transfer_request(), submission_from(request, form))
    except MovedMeanwhileError:
        return _moved_meanwhile(request, course_or_404(request, course.pk), type(form))
    except WardClosedError as error:
        offered = _offered(course, timezone.now(), form)
        return _transfer_page(request, course, offered, error.sentence, CONFLICT)
    except TransferReusedError as error:
        offered = _offered(course_or_404(request, course.pk), timezone.now())
        return _transfer_page(request, course, offered, error.sentence, CONFLICT)
    messages.info(request, f"Saved. {transfer_text(moved)}.")
    request.user.forget_wards()  # a move can name a new ward, on which all clinicians work
    there = read_course(course.pk)
    there.emergency_until = course.emergency_until
    if not can_open_chart(request.user, there):
        return redirect("patients:board")
    return redirect("patients:bedside", course.pk)


def _moved_meanwhile(
    request: SignedInRequest, course: Course, form_class: type[TransferForm]
) -> HttpResponse:
    """Answer 409 with who moved, closed or reopened the course, and the forms for what is now.

    What was typed stays, where it can still be done.
    """
    sentence, now = MovedMeanwhileError(course).sentence, timezone.now()
    typed = request.POST.copy()
    typed["seen"] = location_token(course)
    again = form_class(typed, course=course, now=now)
    return _transfer_page(request, course, _offered(course, now, again), sentence, CONFLICT)


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
        "wards": open_ward_names(),
        "course": course,
    }
    return render_page(request, course, context, status=status)
