"""Show and sign the grades of a course, list what waits, and mark a course as seen."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from django_htmx.http import HttpResponseClientRedirect

from crs_app.accounts.permissions import (
    can_read_disagreements,
    can_review,
    check_can_open_chart,
    check_can_review,
)
from crs_app.replica import may_read_replica
from patients.display.banner import banner_of
from patients.display.closed import closed_notice
from patients.display.grade_card import grade_card
from patients.display.sign_off import signed_text, span_text
from patients.display.text import capital, wrong_clock_text
from patients.models import Course, GradeReview
from patients.queries.courses import now_for, read_closing
from patients.queries.reviews import CourseReviews, sign_off_of
from patients.queries.status import read_course_status, read_history_for
from patients.recording.inputs import ConflictError
from patients.requests import CONFLICT, UNPROCESSABLE, SignedInRequest, course_or_404
from patients.review.address import BadAddressError, parse_instants
from patients.review.bad_address import bad_address_page
from patients.review.changes import changes_since
from patients.review.forms import AGREE, SeenForm, SignForm
from patients.review.panel import (
    LISTED,
    REVIEWER,
    PanelView,
    SignOffPanel,
    build_panel,
    known_until,
    read_panel_data,
    read_reasons,
    waiting_courses,
)
from patients.review.place import PanelPlace
from patients.review.sign import check_unchanged, mark_seen, sign


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
def sign_off(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the period of ``?at=`` with its sign-off; a POST signs it and leads to ``next``.

    To htmx it answers the panel alone, and 204 where the panel of the page, named by its
    ``signature``, says the same.
    """
    course = course_or_404(request, course_id)
    if request.method != "POST":
        try:
            at = _instant(request)
        except BadAddressError as error:
            return bad_address_page(request, error)
        return _show(request, course, PanelView(at, again="again" in request.GET))
    check_can_review(request.user, course)
    form = SignForm(request.POST)
    if not form.is_valid():
        view = PanelView(form.cleaned_data.get("start"), again=True, form=form)
        return _show(request, course, view, status=UNPROCESSABLE)
    new = form.new_sign_off()
    try:
        review = sign(course, new, request.user)
    except ConflictError as error:
        view = PanelView(new.start, typed=form.typed())
        return _show(request, course, view, status=CONFLICT, refusal=error.sentence)
    return _signed(request, course, review)


def _is_open(request: SignedInRequest) -> bool:
    """Return whether the page that asks again shows the form."""
    return bool(request.htmx) and "computed" in request.GET


def _instant(request: SignedInRequest) -> datetime | None:
    """Return the time ``at`` of the address, None where there is none."""
    if "at" not in request.GET:
        return None
    return parse_instants(request.GET.dict(), timezone.now()).at


def _signed(request: SignedInRequest, course: Course, review: GradeReview) -> HttpResponse:
    row = sign_off_of(review)
    messages.info(request, f"{capital(signed_text(row))}: {span_text(row.start, row.end)}.")
    address = reverse("patients:sign_off", args=[course.pk])
    next_page = _next_page(request) or f"{address}?{urlencode({'at': review.start.isoformat()})}"
    redirect = HttpResponseClientRedirect if request.htmx else HttpResponseRedirect
    return redirect(next_page)


def _next_page(request: SignedInRequest) -> str:
    """Return the page of this site that the form leads back to; "" for none.

    Only a path from the root counts: ``2014-01-01T00:00:00Z`` would pass as an address as well.
    """
    typed = request.POST.get("next", "")
    is_path = typed.startswith("/") and url_has_allowed_host_and_scheme(typed, allowed_hosts=None)
    return typed if is_path else ""


def panel_context(
    course: Course, panel: SignOffPanel, chart: CourseReviews, now: datetime, place: PanelPlace
) -> dict[str, Any]:
    """Build the context of the panel and of what changed, on the page that ``place`` names."""
    return {
        "panel": panel,
        "place": place,
        "course": course,
        "course_id": course.pk,
        "refusal": "",
        "news": "",
        "next_page": place.address if place.is_review else "",
        "reviewer": REVIEWER,
        "listed": LISTED,
        "known_until": known_until(chart, now),
    }


def _show(
    request: SignedInRequest,
    course: Course,
    view: PanelView,
    *,
    status: int = 200,
    refusal: str = "",
) -> HttpResponse:
    now = now_for(course)
    chart = read_panel_data(course, request.user, now)
    news = _news(request, course, chart, now)
    if news:
        view = view._replace(typed={}, again=False)
    elif _is_open(request):
        view = view._replace(again=True)
    panel = build_panel(course, request.user, chart, now, view)
    if request.method == "GET" and request.htmx and request.GET.get("signature") == panel.signature:
        return HttpResponse(status=204)
    place = PanelPlace.of(_page_of_panel(request), course.pk)
    context = panel_context(course, panel, chart, now, place)
    context |= {"refusal": refusal, "news": news}
    if not place.is_review:
        context["next_page"] = _next_page(request)
    if not place.is_review and panel.reasons_at is not None:
        context["reasons"] = read_reasons(course, panel.reasons_at, known_until(chart, now))
    if request.htmx:
        return render(request, "review/sign_off.html", context, status=status)
    current = read_course_status(course, now)
    history = read_history_for(course.pk, current.current)
    context |= {
        "banner": banner_of(current),
        "closed": closed_notice(read_closing(course), None, now),
        "can_chart": False,
        "can_move": False,
        "card": grade_card(course.pk, current.current, history),
        "changes": changes_since(course, chart.seen_until, now),
    }
    return render(request, "review/sign_off_page.html", context, status=status)


def _page_of_panel(request: SignedInRequest) -> str:
    """Return the address of the page that the panel of htmx stands on; "" for the page itself."""
    return (request.htmx.current_url_abs_path or "") if request.htmx else ""


def _news(request: SignedInRequest, course: Course, chart: CourseReviews, now: datetime) -> str:
    """Return why the form that the page shows cannot be signed any more; "" where it can.

    A page that asks again sends the hidden fields of its form.
    """
    if request.method == "POST" or not _is_open(request):
        return ""
    form = SignForm({**request.GET.dict(), "verdict": AGREE})
    if not form.is_valid():
        return ""
    try:
        check_unchanged(course, chart, form.new_sign_off(), max(now, chart.recorded_until or now))
    except ConflictError as conflict:
        return conflict.sentence
    return ""


@require_POST
def seen(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Record that the reader has seen the chart up to when the page knew it."""
    course = course_or_404(request, course_id)
    form = SeenForm(request.POST)
    if not form.is_valid():
        raise BadRequest("known_at: expected the time that the page has")
    mark_seen(course, request.user, form.cleaned_data["known_at"])
    next_page = _next_page(request) or reverse("patients:sign_off", args=[course.pk])
    return HttpResponseRedirect(next_page)


@require_safe
@may_read_replica
def reviews(request: SignedInRequest) -> HttpResponse:
    """List what waits for a reviewer: runs without a sign-off, and new looks, in open courses."""
    check_can_open_chart(request.user)
    waiting = waiting_courses(request.user, timezone.now())
    context = {
        "waiting": waiting,
        "wrong_clock": next(filter(None, (wrong_clock_text(one.course) for one in waiting)), ""),
        "can_sign": can_review(request.user),
        "can_read_disagreements": can_read_disagreements(request.user),
        "reviewer": REVIEWER,
    }
    return render(request, "review/waiting.html", context)
