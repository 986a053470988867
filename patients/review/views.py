"""Show the history of grades of a course, and answer what its grade was."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from grading.systems import HEADLINE
from patients.display.banner import banner_of
from patients.display.closed import closed_notice
from patients.display.grade_card import never_charted
from patients.display.site_times import site_time
from patients.models import Course
from patients.queries.courses import now_for
from patients.queries.known_at import CourseKnownAt, read_known_at
from patients.queries.near import read_near
from patients.queries.recorded_changes import read_near_with_neighbours, read_neighbours
from patients.queries.reviews import CourseReviews
from patients.queries.scales import scales_known_at
from patients.queries.series import CourseValues, read_course_values
from patients.queries.status import status_known_at, weights_among
from patients.requests import BAD_REQUEST, SignedInRequest, course_or_404
from patients.review.address import (
    AXES,
    KNOWN_AT,
    RANGES,
    VIEWS,
    BadAddressError,
    ReviewAddress,
    parse_address,
    parse_instants,
)
from patients.review.bad_address import bad_address_json, bad_address_page
from patients.review.changes import changes_since
from patients.review.different import differences
from patients.review.grade_context import grade_context
from patients.review.instant import neighbours, rules_not_met
from patients.review.known_at import known_at_tool
from patients.review.page import (
    TABLE_ROWS,
    at_cursor,
    table_rows,
    window_of,
)
from patients.review.panel import PanelView, build_panel, read_panel_data
from patients.review.place import PanelPlace
from patients.review.plot_query import MORE_ROWS, parse_plot_query
from patients.review.scales_at import scales_at_instant
from patients.review.series import midnights, nights, review_series
from patients.review.series_json import as_json, today_json
from patients.review.sign_off_views import panel_context
from patients.review.state import state_json
from patients.review.thin import POINTS_AT_MOST, cut
from patients.review.today import differences_today

View = Callable[..., HttpResponse]


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


def _data_of(_request: HttpRequest, error: BadAddressError) -> HttpResponse:
    return bad_address_json(error)


@require_safe
@_with_refusal(_data_of)
def state(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer grade, bound and codes ``at`` an instant as ``known_at`` another, as JSON."""
    course = course_or_404(request, course_id)
    return JsonResponse(state_json(course, parse_instants(request.GET.dict(), now_for(course))))


@require_safe
@_with_refusal(bad_address_page)
def review(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the history of a course: plots or a table, and the grade at the cursor with its why."""
    course = course_or_404(request, course_id)
    now, query = now_for(course), request.GET.dict()
    address, refused = _address_of_form(query, now)
    looked_at, known_at = _until_end(address, course), address.instants.known_at
    if address.different:
        near, steps = None, read_neighbours(course, known_at, now, with_marks=True)
    else:
        near, steps = read_near_with_neighbours(
            course,
            HEADLINE,
            now,
            at=looked_at.instants.at,
            known_at=known_at,
            with_marks=not address.is_now,
        )
    known = read_known_at(course, HEADLINE, known_at, near, is_now=address.is_now)
    reviews = _read_reviews(request, known, address)
    at_end, looked_at = _known_at_end(course, known, looked_at)
    context = _at_cursor(at_end, looked_at, reviews) | {
        "ranges": RANGES,
        "axes": AXES,
        "views": VIEWS,
        "latest": now,
        "tool": known_at_tool(steps, address, refused, query),
        "closed": closed_notice(known.closing, None, known_at),
        "more_rows": " ".join(sorted(MORE_ROWS)),
        "since": urlencode({"since": known_at.isoformat()}),
        "different": differences(known, read_known_at(course, HEADLINE, now, is_now=True))
        if address.different
        else None,
    }
    context |= _sign_off(request, address, known, reviews)
    if address.view == "table":
        context |= _table(read_course_values(course, known_at, known_at), address)
    return render(
        request, "review/page.html", context, status=BAD_REQUEST if refused is not None else None
    )


def _address_of_form(
    query: dict[str, str], now: datetime
) -> tuple[ReviewAddress, BadAddressError | None]:
    """Return the address, and why the time typed in the form of the page cannot be shown.

    The page is then that of now, with what was typed.
    """
    try:
        return parse_address(query, now), None
    except BadAddressError as error:
        if error.field != "known_at" or "known_date" not in query:
            raise
        kept = {name: value for name, value in query.items() if name not in KNOWN_AT}
        return parse_address(kept, now), error


def _read_reviews(
    request: SignedInRequest, known: CourseKnownAt, address: ReviewAddress
) -> CourseReviews:
    then = None if address.is_now else known.known_at
    return read_panel_data(known.course, request.user, known.known_at, known_at=then)


def _at_cursor(
    known: CourseKnownAt, address: ReviewAddress, reviews: CourseReviews | None = None
) -> dict[str, Any]:
    """Return what every page shows of the instant at the cursor, as it was known.

    ``now`` of these pages is the moment up to which the chart is known.
    """
    status = status_known_at(known, address.instants.at)
    return {
        "address": address,
        "status": status,
        "banner": banner_of(status),
        "cursor": at_cursor(known, status),
        "grade_context": None if address.is_now else grade_context(known, status, reviews),
        "course_id": known.course.pk,
        "now": known.known_at,
    }


def _sign_off(
    request: SignedInRequest, address: ReviewAddress, known: CourseKnownAt, chart: CourseReviews
) -> dict[str, Any]:
    """Return the panel of the period under the cursor, and what changed since the reader looked.

    As known at a time before now, the panel can be read alone, and nothing is marked as changed.
    """
    course, at, known_at = known.course, address.instants.at, known.known_at
    place = PanelPlace.of(request.get_full_path(), course.pk)
    if not address.is_now:
        panel = build_panel(course, request.user, chart, known_at, PanelView(at, is_then=True))
        return panel_context(course, panel, chart, known_at, place)
    view = PanelView(at, again="again" in request.GET)
    panel = build_panel(course, request.user, chart, known_at, view)
    changes = changes_since(course, chart.seen_until, known_at, weights_among(known.rows))
    return panel_context(course, panel, chart, known_at, place) | {"changes": changes}


def _near(course: Course, address: ReviewAddress) -> CourseKnownAt:
    """Read what the instant at the cursor needs of the course as it was known."""
    at, known_at = address.instants.at, address.instants.known_at
    near = read_near(course, HEADLINE, at=at, known_at=known_at)
    return read_known_at(course, HEADLINE, known_at, near, is_now=address.is_now)


def _until_end(address: ReviewAddress, course: Course) -> ReviewAddress:
    return address.until(course.ended_at) if address.is_now else address


def _near_end(course: Course, address: ReviewAddress) -> tuple[CourseKnownAt, ReviewAddress]:
    address = _until_end(address, course)
    return _known_at_end(course, _near(course, address), address)


def _known_at_end(
    course: Course, known: CourseKnownAt, address: ReviewAddress
) -> tuple[CourseKnownAt, ReviewAddress]:
    """Return what is known at the cursor, of a course that was closed then at its end."""
    at_end = address.until(None if known.closing is None else known.closing.at)
    if at_end == address or known.near is None:
        return known, at_end
    return _near(course, at_end), at_end


def _table(values: CourseValues, address: ReviewAddress) -> dict[str, object]:
    """Return the rows of the window, the latest first, and the columns that have a value."""
    plotted = review_series(values)
    since, until = _window(values, address)
    rows = [
        row
        for row in table_rows(
            plotted.periods, plotted.series, plotted.treatments, plotted.assessed_since
        )
        if since <= row.at <= until
    ]
    return {
        "rows": rows[: -TABLE_ROWS - 1 : -1],
        "older": len(rows) - TABLE_ROWS if len(rows) > TABLE_ROWS else 0,
        "columns": [one for one in plotted.series if any(one.key in row.cells for row in rows)],
    }


def _window(values: CourseValues, address: ReviewAddress) -> tuple[datetime, datetime]:
    """Return the last hours of the range, or those round a cursor that stands before them."""
    entries = values.known.rows
    infused_at = values.known.course.infused_at
    first = entries[0].at if entries else infused_at
    since, until = window_of(address.range, infused_at, max(first, infused_at), values.until)
    if address.range == "all" or address.instants.at >= since:
        return since, until
    half = (until - since) / 2
    return address.instants.at - half, address.instants.at + half


@require_safe
@_with_refusal(bad_address_page)
def cursor(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the grade at the cursor with its reasons, for the panel beside the plots."""
    course = course_or_404(request, course_id)
    address = parse_address(request.GET.dict(), now_for(course))
    known, address = _near_end(course, address)
    return render(request, "review/at_cursor.html", _at_cursor(known, address))


@require_safe
@_with_refusal(bad_address_page)
def instant(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show all evidence of one instant: what was met, what was not, and the advice."""
    course = course_or_404(request, course_id)
    address = parse_address(request.GET.dict(), now_for(course))
    known, address = _near_end(course, address)
    at, known_at = address.instants.at, address.instants.known_at
    context = _at_cursor(known, address)
    status = context["status"]
    before, after = neighbours(known.periods, at, known_at)
    context |= {
        "grade_context": context["grade_context"] or grade_context(known, status),
        "not_met": rules_not_met(status.current),
        "never_charted": never_charted(status.current),
        "before": before,
        "after": after,
        "scales_at": scales_at_instant(
            scales_known_at(course, known, status, is_now=address.is_now), status
        ),
    }
    return render(request, "review/instant.html", context)


@require_safe
@_with_refusal(_data_of)
def series(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer what is plotted, as JSON: all of it, or the window of a course with many points."""
    course, query = course_or_404(request, course_id), request.GET.dict()
    now = now_for(course)
    address, asked = parse_address(query, now), parse_plot_query(query, now)
    known_at, of_today = address.instants.known_at, {}
    values = read_course_values(course, known_at, known_at)
    window = asked.window or _window(values, address)
    infused_at = values.known.course.infused_at
    begins, _ = window_of("all", infused_at, infused_at, values.until)
    plotted = review_series(values, asked.row)
    if address.different:
        today = review_series(read_course_values(course, now, known_at), asked.row)
        of_today = today_json(differences_today(plotted, today, known_at))
    is_whole = sum(len(one.points) for one in plotted.series) <= POINTS_AT_MOST
    if not is_whole:
        plotted = plotted._replace(series=cut(plotted.series, *window, asked.width_px))
    return JsonResponse(
        {
            **as_json(plotted),
            "is_whole": is_whole,
            "today": of_today,
            "infused_at": infused_at.timestamp(),
            "begins": begins.timestamp(),
            "known_at": values.until.timestamp(),
            "window": [at.timestamp() for at in window],
            "midnights": [
                at.timestamp() for at in midnights(site_time(begins), site_time(values.until))
            ],
            "nights": [
                [a.timestamp(), b.timestamp()]
                for a, b in nights(site_time(begins), site_time(values.until))
            ],
        }
    )
