"""Show and sign the grades of a course, list what waits, and mark a course as seen."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from crs_app.accounts.permissions import can_read_disagreements, can_review, check_can_review
from patients.display.banner import banner_of
from patients.display.grade_card import grade_card
from patients.display.sign_off import signed_text, span_text
from patients.display.text import capital
from patients.models import Course, GradeReview
from patients.queries.reviews import sign_off_of
from patients.queries.status import read_course_status, read_history_for
from patients.recording.inputs import ConflictError
from patients.requests import CONFLICT, UNPROCESSABLE, SignedInRequest, course_or_404
from patients.review.address import BadAddressError, parse_instants
from patients.review.changes import changes_since
from patients.review.forms import SeenForm, SignForm
from patients.review.panel import (
    REVIEWER,
    build_panel,
    known_until,
    read_panel_data,
    read_reasons,
    waiting_courses,
)
from patients.review.sign import mark_seen, sign

_BAD_REQUEST = 400


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def sign_off(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the period of ``?at=`` with its sign-off; a POST signs it and leads to ``next``.

    To htmx it answers the panel alone.
    """
    course = course_or_404(course_id)
    if request.method != "POST":
        try:
            at = _instant(request)
        except BadAddressError as error:
            return render(request, "review/bad_address.html", {"error": error}, status=_BAD_REQUEST)
        return _show(request, course, at=at, again="again" in request.GET)
    check_can_review(request.user)
    form = SignForm(request.POST)
    if not form.is_valid():
        at = form.cleaned_data.get("start")
        return _show(request, course, at=at, again=True, form=form, status=UNPROCESSABLE)
    new = form.new_sign_off()
    try:
        review = sign(course, new, request.user)
    except ConflictError as error:
        return _show(
            request, course, at=new.start, typed=form.typed(), refusal=error.sentence,
            status=CONFLICT,
        )  # fmt: skip
    return _signed(request, course, review)


def _instant(request: SignedInRequest) -> datetime | None:
    """Return the time ``at`` of the address, None where there is none."""
    if "at" not in request.GET:
        return None
    return parse_instants(request.GET.dict(), timezone.now()).at


def _signed(request: SignedInRequest, course: Course, review: GradeReview) -> HttpResponse:
    row = sign_off_of(review)
    messages.info(request, f"{capital(signed_text(row))}: {span_text(row.start, row.end)}.")
    address = reverse("patients:sign_off", args=[course.pk])
    return redirect(
        _next_page(request) or f"{address}?{urlencode({'at': review.start.isoformat()})}"
    )


def _next_page(request: SignedInRequest) -> str:
    """Return the page of this site that the form leads back to; "" for none."""
    typed = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        typed, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return typed if is_ours else ""


def _show(
    request: SignedInRequest,
    course: Course,
    *,
    status: int = 200,
    refusal: str = "",
    **chosen: Any,
) -> HttpResponse:
    now = timezone.now()
    chart = read_panel_data(course, request.user, now)
    panel = build_panel(course, request.user, chart, now, **chosen)
    context: dict[str, Any] = {
        "panel": panel,
        "course": course,
        "course_id": course.pk,
        "refusal": refusal,
        "next_page": _next_page(request),
        "reviewer": REVIEWER,
        "known_until": known_until(chart, now),
    }
    if request.htmx:
        return render(request, "review/sign_off.html", context, status=status)
    current = read_course_status(course, now)
    history = read_history_for(course.pk, current.current)
    context |= {
        "banner": banner_of(current),
        "can_chart": False,
        "card": grade_card(course.pk, current.current, history.grades, history.authors),
        "changes": changes_since(course, chart.seen_until, now),
        "reasons": []
        if panel.reasons_at is None
        else read_reasons(course, panel.reasons_at, known_until(chart, now)),
    }
    return render(request, "review/sign_off_page.html", context, status=status)


@require_POST
def seen(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Record that the reader has seen the chart up to when the page knew it."""
    course = course_or_404(course_id)
    form = SeenForm(request.POST)
    if not form.is_valid():
        raise BadRequest("known_at: expected the time that the page has")
    mark_seen(course, request.user, form.cleaned_data["known_at"])
    return redirect(_next_page(request) or reverse("patients:sign_off", args=[course.pk]))


@require_safe
def reviews(request: SignedInRequest) -> HttpResponse:
    """List what waits for a reviewer: runs without a sign-off, and new looks, in open courses."""
    context = {
        "waiting": waiting_courses(request.user, timezone.now()),
        "can_sign": can_review(request.user),
        "can_read_disagreements": can_read_disagreements(request.user),
        "reviewer": REVIEWER,
    }
    return render(request, "review/waiting.html", context)
