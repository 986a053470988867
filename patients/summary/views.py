"""Show the summary of a course, answer it as JSON, and take what is stated on it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from crs_app.accounts.permissions import can
from crs_app.accounts.rights import Act
from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import LATEST
from grading.systems import HEADLINE
from patients.display.closed import closed_notice
from patients.display.site_times import site_time
from patients.models import Course, StatedAbout
from patients.queries.courses import now_for
from patients.queries.summary import latest_about
from patients.recording.inputs import ConflictError
from patients.requests import (
    BAD_REQUEST,
    CONFLICT,
    UNPROCESSABLE,
    SignedInRequest,
    course_or_404,
    posted,
    submission_from,
)
from patients.review.address import BadAddressError
from patients.review.bad_address import bad_address_json, bad_address_page
from patients.summary.address import SummaryAddress, parse_summary_address
from patients.summary.answer import ITEMS_REVISION
from patients.summary.facts import EpisodeFacts, episode_facts
from patients.summary.forms import EndOfCrsForm, FeverAtHomeForm
from patients.summary.page import answer_lines, grade_at, stated_lines, summary_banner
from patients.summary.read import ReadSummary, read_summary
from patients.summary.spans import Span
from patients.summary.state_fact import StatedMeanwhileError, state_fact
from patients.summary.summary import Part, summary_json


@require_safe
def summary(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Show the answers of one reporting period, as known now or at an earlier time."""
    course = course_or_404(request, course_id)
    try:
        address = parse_summary_address(request.GET.dict(), now_for(course))
    except BadAddressError as error:
        return bad_address_page(request, error)
    read = _read(course, address)
    context = _page(read, address) | {
        "course_id": course_id,
        "parts": list(Part),
        "sections": answer_lines(read),
        "can_state": can(request.user, Act.STATE_FACT, course) and address.is_now,
        "can_export": can(request.user, Act.EXPORT_PATIENT, course),
        "known_form": _known_form(request.GET.dict(), address),
        "items_revision": ITEMS_REVISION,
        "ruleset": HEADLINE,
    }
    status = 200 if address.refused is None else BAD_REQUEST
    return render(request, "summary/page.html", context, status=status)


@require_safe
def summary_data(request: SignedInRequest, course_id: uuid.UUID) -> HttpResponse:
    """Answer the same facts as JSON."""
    course = course_or_404(request, course_id, Act.EXPORT_PATIENT)
    try:
        address = parse_summary_address(request.GET.dict(), now_for(course))
        if address.refused is not None:
            raise address.refused
    except BadAddressError as error:
        return bad_address_json(error)
    read = _read(course, address)
    ruleset = f"{HEADLINE.key}/{HEADLINE.version}"
    return JsonResponse(summary_json(read.summary, form=address.form, ruleset=ruleset))


def _read(course: Course, address: SummaryAddress) -> ReadSummary:
    return read_summary(course, address.part, address.known_at, is_now=address.is_now)


def _page(read: ReadSummary, address: SummaryAddress) -> dict[str, Any]:
    """Return what both pages show of the patient and of the moment."""
    return {
        "read": read,
        "summary": read.summary,
        "banner": summary_banner(read),
        "cursor": grade_at(read),
        "address": address,
        "closed": closed_notice(read.known.closing, None, address.known_at),
    }


def _known_form(query: Mapping[str, str], address: SummaryAddress) -> dict[str, str]:
    """Return the date and time of the form *As known at*, as they were typed."""
    there = site_time(address.known_at)
    if address.refused is None:
        return {"date": f"{there:%Y-%m-%d}", "time": f"{there:%H:%M}"}
    return {"date": query.get("known_date", ""), "time": query.get("known_time", "")}


@require_http_methods(["GET", "HEAD", "POST"])
def state(request: SignedInRequest, course_id: uuid.UUID, about: str) -> HttpResponse:
    """Ask for a fever at home or the end of CRS; a POST records it and leads to the summary."""
    if about not in StatedAbout.values:
        raise Http404("Nothing of that name is stated")
    course = course_or_404(request, course_id, Act.STATE_FACT)
    now = now_for(course)
    address = parse_summary_address({}, now)
    read = _read(course, address)
    form = _form(StatedAbout(about), read, now, posted(request))
    refusal, status = "", 200
    if form.is_bound:
        status = UNPROCESSABLE
        if form.is_valid():
            try:
                state_fact(course, form.new_statement(), submission_from(request, form))
            except StatedMeanwhileError as error:
                refusal, status = error.sentence, CONFLICT
                # With the other answer in sight, what was typed can be saved as its correction.
                read = _read(course, parse_summary_address({}, now_for(course)))
                typed = request.POST.copy()
                typed["seen"] = str(error.statement.pk)
                form = _form(StatedAbout(about), read, now, typed)
            except ConflictError as error:
                refusal, status = error.sentence, CONFLICT
            else:
                messages.info(request, f"Saved: {inside_a_sentence(form.title)}.")
                return redirect(reverse("patients:summary", args=[course_id]))
    context = _page(read, address) | {
        "course_id": course_id,
        "form": form,
        "about": about,
        "refusal": refusal,
        "stated": stated_lines(read.statements, StatedAbout(about)),
        "present": _whole(read).present,
    }
    return render(request, "summary/state.html", context, status=status)


def _whole(read: ReadSummary) -> EpisodeFacts:
    """Return the facts of the whole course, whatever reporting period it is in."""
    return episode_facts(read.chart, Span(read.chart.infused_at, LATEST))


def _form(
    about: StatedAbout, read: ReadSummary, now: datetime, data: Mapping[str, Any] | None
) -> FeverAtHomeForm | EndOfCrsForm:
    latest = latest_about(read.statements, about)
    shown = {"seen": 0 if latest is None else latest.pk}
    if about is StatedAbout.FEVER_AT_HOME:
        threshold_c = read.known.policy_periods[-1].policy.fever_threshold_c
        return FeverAtHomeForm(
            data, chart=read.chart, threshold_c=threshold_c, now=now, initial=shown
        )
    onset = _whole(read).onset
    at = None if onset is None else onset.at
    return EndOfCrsForm(data, chart=read.chart, onset=at, now=now, initial=shown)
