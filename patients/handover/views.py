"""Show the handover of a course: one page to print."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crs_app.accounts.rights import Act
from grading.engine.vocabulary import LATEST
from grading.systems import HEADLINE
from patients.display.banner import banner_of
from patients.display.grade_card import grade_card
from patients.handover.picture import picture_of
from patients.handover.sheet import build_sheet
from patients.queries.ages import age_at_infusion
from patients.queries.courses import now_for
from patients.queries.status import status_known_at
from patients.requests import SignedInRequest, course_or_404
from patients.review.address import BadAddressError, parse_address
from patients.review.bad_address import bad_address_page
from patients.review.instant import advice_lines, history_known_at
from patients.review.scales_at import scales_at_instant
from patients.summary.facts import episode_facts
from patients.summary.page import grade_at
from patients.summary.read import read_summary
from patients.summary.spans import Span
from patients.summary.summary import Part


@require_safe
def handover(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the handover as known now or at an earlier time; a closed course is that of its end."""
    course = course_or_404(request, course_id, Act.EXPORT_PATIENT)
    now = now_for(course)
    try:
        address = parse_address(request.GET.dict(), now)
    except BadAddressError as error:
        return bad_address_page(request, error)
    known_at = address.instants.known_at
    read = read_summary(course, Part.TO_DAY_100, known_at, is_now=address.is_now)
    status = status_known_at(read.known, max(read.chart.until, course.infused_at))
    history = history_known_at(read.known, status.current.at)
    card = grade_card(
        course_id,
        status.current,
        history._replace(assessed_since=read.chart.assessed_since),
        closed=read.chart.is_closed,
        age_years=age_at_infusion(read.known.course),
    )
    ended = read.chart.scales_at_end
    scales = scales_at_instant(ended, status).lines if ended else []
    facts = episode_facts(read.chart, Span(course.infused_at, LATEST))
    context = {
        "course_id": course_id,
        "address": address,
        "now": now,
        "banner": banner_of(status),
        "cursor": grade_at(read),
        "card": card,
        "sheet": build_sheet(read, facts, status, card, advice_lines(read.known, status), scales),
        "picture": picture_of(read.chart, read.reviewed),
        "until": read.chart.until,
        "is_closed": read.chart.is_closed,
        "ruleset": HEADLINE,
    }
    return render(request, "handover/page.html", context)
