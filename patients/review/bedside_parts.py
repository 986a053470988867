"""Show the parts of the bedside page that come from the review pages, each by a request of its own.

A save sends and computes none of them: the page asks for them afterwards.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import push_url, replace_url

from crs_app.accounts.permissions import can_chart
from grading.systems import HEADLINE
from patients.display.timeline import TIMELINE_KINDS
from patients.forms.registry import CORRECTION_FORMS
from patients.models import Course
from patients.models.charted_times import ONE_TICK
from patients.queries.assessed import read_assessed_since
from patients.queries.courses import now_for
from patients.queries.flowsheet import read_flowsheet
from patients.queries.series import values_of_window
from patients.requests import SignedInRequest, course_or_404
from patients.review.flowsheet import build_sheet
from patients.review.flowsheet_views import choices, review_url
from patients.review.last_day import LAST_DAY, LastDay, lanes_of_day
from patients.review.timeline_table import TableView


@require_safe
def last_day(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the last 24 hours as small lanes; of a closed course, those before its end."""
    course = course_or_404(request, course_id)
    now = now_for(course)
    until = now if course.ended_at is None else min(now, course.ended_at)
    context = {
        "course_id": course_id,
        "day": _read_last_day(course, until),
        "is_closed": course.ended_at is not None,
    }
    return render(request, "review/last_day.html", context)


def _read_last_day(course: Course, until: datetime) -> LastDay:
    data = read_flowsheet(course, HEADLINE, until - LAST_DAY, until + ONE_TICK, now=until)
    shows_grade_0 = any(period.grade == 0 for period in data.periods)
    assessed = read_assessed_since(course.pk, course.infused_there) if shows_grade_0 else None
    return lanes_of_day(values_of_window(data, until), assessed)


@require_safe
def table(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the flowsheet in the place of the timeline, and name it in the address of the page."""
    course = course_or_404(request, course_id)
    now = now_for(course)
    until = now if course.ended_at is None else min(now, course.ended_at)
    view = TableView.of(request.GET)
    form = view.form(until)
    form.full_clean()
    query = form.query
    window = query.window
    data = read_flowsheet(course, HEADLINE, window.start, window.end, now=until)
    may_correct = can_chart(request.user, course) and course.ended_at is None
    sheet = build_sheet(data, query, CORRECTION_FORMS if may_correct else ())
    context = {
        "course_id": course_id,
        "timeline": view.timeline,
        "timeline_kinds": TIMELINE_KINDS,
        "shown_as": "table",
        "missing": view.missing,
        "more": view.more,
        "here": view.address(course_id, query),
        "sheet": sheet,
        "query": query,
        "errors": form.errors,
        "form": form,
        "review_url": review_url(course_id, query),
        **choices(query, sheet, partial(view.address, course_id, query)),
    }
    answer = render(request, "review/timeline_table.html", context)
    asked_by_user = request.htmx.trigger != "timeline"
    set_address = push_url if asked_by_user else replace_url
    return set_address(answer, view.page_address(course_id))
