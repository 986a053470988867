"""Show the history of grades of a course, and answer what its grade was."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from grading.systems import HEADLINE
from patients.display.banner import banner_of
from patients.display.grade_card import never_charted
from patients.display.text import site_time
from patients.models import Course
from patients.queries.known_at import CourseKnownAt, read_known_at, read_neighbouring_acts
from patients.queries.series import CourseValues, read_course_values, values_of
from patients.queries.status import status_known_at, weights_among
from patients.requests import SignedInRequest, View, course_or_404
from patients.review.address import (
    AXES,
    RANGES,
    VIEWS,
    BadAddressError,
    ReviewAddress,
    parse_address,
    parse_instants,
)
from patients.review.changes import changes_since
from patients.review.instant import advice_lines, neighbours, rules_not_met
from patients.review.page import (
    TABLE_ROWS,
    at_cursor,
    table_rows,
    window_of,
)
from patients.review.panel import build_panel, read_panel_data
from patients.review.place import PanelPlace
from patients.review.series import as_json, nights, review_series
from patients.review.sign_off_views import panel_context
from patients.review.state import state_json

_BAD_REQUEST: Final = 400


def _with_refusal(
    refuse: Callable[[HttpRequest, BadAddressError], HttpResponse],
) -> Callable[[View], View]:
    """Return a decorator: an address that cannot be shown is answered by ``refuse``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def refusing(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except BadAddressError as error:
                return refuse(request, error)

        return refusing

    return decorate


def _page_of(request: HttpRequest, error: BadAddressError) -> HttpResponse:
    return render(request, "review/bad_address.html", {"error": error}, status=_BAD_REQUEST)


def _data_of(_request: HttpRequest, error: BadAddressError) -> HttpResponse:
    return JsonResponse({"errors": {error.field: str(error)}}, status=_BAD_REQUEST)


@require_safe
@_with_refusal(_data_of)
def state(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer grade, bound and codes ``at`` an instant as ``known_at`` another, as JSON."""
    course = course_or_404(course_id)
    return JsonResponse(state_json(course, parse_instants(request.GET.dict(), timezone.now())))


@require_safe
@_with_refusal(_page_of)
def review(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the history of a course: plots or a table, and the grade at the cursor with its why."""
    course, now = course_or_404(course_id), timezone.now()
    address = parse_address(request.GET.dict(), now)
    at, known_at = address.instants.at, address.instants.known_at
    known = read_known_at(course, HEADLINE, known_at)
    status = status_known_at(known, at)
    context: dict[str, Any] = {
        "address": address,
        "ranges": RANGES,
        "axes": AXES,
        "views": VIEWS,
        "banner": banner_of(status),
        "cursor": at_cursor(known, status),
        "course_id": course_id,
        "now": now,
        "steps": read_neighbouring_acts(course, known_at),
        **_sign_off(request, course, address, known),
    }
    if address.view == "table":
        context |= _table(values_of(known, known_at), address)
    return render(request, "review/page.html", context)


def _sign_off(
    request: SignedInRequest, course: Course, address: ReviewAddress, known: CourseKnownAt
) -> dict[str, Any]:
    """Return the panel of the period under the cursor, and what changed since the reader looked.

    As known at a time before now, the panel can be read alone, and nothing is marked as changed.
    """
    at, known_at = address.instants.at, address.instants.known_at
    place = PanelPlace.of(request.get_full_path(), course.pk)
    if not address.is_now:
        chart = read_panel_data(course, request.user, known_at, known_at=known_at)
        panel = build_panel(course, request.user, chart, known_at, at=at, is_then=True)
        return panel_context(course, panel, chart, known_at, place)
    chart = read_panel_data(course, request.user, known_at)
    again = "again" in request.GET
    panel = build_panel(course, request.user, chart, known_at, at=at, again=again)
    changes = changes_since(course, chart.seen_until, known_at, weights_among(known.rows))
    return panel_context(course, panel, chart, known_at, place) | {"changes": changes}


def _table(values: CourseValues, address: ReviewAddress) -> dict[str, object]:
    """Return the rows of the window, the latest first, and the columns that have a value."""
    plotted = review_series(values)
    since, until = _window(values, address)
    rows = [
        row
        for row in table_rows(plotted.periods, plotted.series, plotted.treatments)
        if since <= row.at <= until
    ]
    return {
        "rows": rows[: -TABLE_ROWS - 1 : -1],
        "older": len(rows) - TABLE_ROWS if len(rows) > TABLE_ROWS else 0,
        "columns": [one for one in plotted.series if any(one.key in row.cells for row in rows)],
    }


def _window(values: CourseValues, address: ReviewAddress) -> tuple[datetime, datetime]:
    entries = values.known.rows
    infused_at = values.known.course.infused_at
    first = entries[0].at if entries else infused_at
    return window_of(address.range, infused_at, max(first, infused_at), values.until)


@require_safe
@_with_refusal(_page_of)
def cursor(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the grade at the cursor with its reasons, for the panel beside the plots."""
    course, now = course_or_404(course_id), timezone.now()
    address = parse_address(request.GET.dict(), now)
    known = read_known_at(course, HEADLINE, address.instants.known_at)
    status = status_known_at(known, address.instants.at)
    context = {"cursor": at_cursor(known, status), "address": address, "course_id": course_id}
    return render(request, "review/at_cursor.html", context | {"now": now})


@require_safe
@_with_refusal(_page_of)
def instant(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show all evidence of one instant: what was met, what was not, and the advice."""
    course, now = course_or_404(course_id), timezone.now()
    address = parse_address(request.GET.dict(), now)
    at, known_at = address.instants.at, address.instants.known_at
    known = read_known_at(course, HEADLINE, known_at)
    status = status_known_at(known, at)
    before, after = neighbours(known.periods, at, known_at)
    context = {
        "address": address,
        "banner": banner_of(status),
        "cursor": at_cursor(known, status),
        "not_met": rules_not_met(status.current),
        "never_charted": never_charted(status.current),
        "advice": advice_lines(known, status),
        "before": before,
        "after": after,
        "course_id": course_id,
        "now": now,
    }
    return render(request, "review/instant.html", context)


@require_safe
@_with_refusal(_data_of)
def series(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer everything that is plotted, as JSON."""
    course = course_or_404(course_id)
    address = parse_address(request.GET.dict(), timezone.now())
    values = read_course_values(course, address.instants.known_at, address.instants.known_at)
    since, until = _window(values, address)
    begins, _ = window_of("all", course.infused_at, course.infused_at, values.until)
    return JsonResponse(
        {
            **as_json(review_series(values)),
            "infused_at": course.infused_at.timestamp(),
            "begins": begins.timestamp(),
            "known_at": values.until.timestamp(),
            "window": [since.timestamp(), until.timestamp()],
            "nights": [
                [a.timestamp(), b.timestamp()]
                for a, b in nights(site_time(begins), site_time(values.until))
            ],
        }
    )
