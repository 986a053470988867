"""Read the data of the bedside page, and render the page or one part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.permissions import can_chart
from patients.bedside.timeline import timeline_of
from patients.display.banner import banner_of
from patients.display.grade_card import grade_card
from patients.display.previous_values import (
    Infusion,
    PreviousValue,
    previous_values,
    running_infusions,
)
from patients.display.text import capital
from patients.display.timeline import GRADE_CHANGE, GUIDANCE, TRANSFER
from patients.forms.entry_form import EntryForm
from patients.forms.notes import ONE_TAP_REASONS
from patients.forms.proposals import read_proposals
from patients.forms.registry import ENTRY_FORMS
from patients.forms.unchanged import UnchangedItem, unchanged_items
from patients.guidance.forms import RETURNS_AFTER
from patients.guidance.panel import panel_for_status
from patients.models import Course, EntryKind
from patients.queries.attributions import AttributionProposal, read_latest_attributions
from patients.queries.courses import now_for
from patients.queries.grades import GradeHistory
from patients.queries.status import (
    CourseStatus,
    read_course_status,
    read_history_for,
    read_weights_for,
    weights_among,
)
from patients.requests import SignedInRequest

FIRST_KIND: Final = EntryKind.VITALS.value
TABS: Final = {
    EntryKind.VITALS.value: "Vitals",
    EntryKind.OXYGEN.value: "Oxygen",
    EntryKind.VASOPRESSOR.value: "Vasopressor",
    EntryKind.FLUID_BOLUS.value: "Fluid",
    EntryKind.LAB.value: "Labs",
    EntryKind.SYMPTOM.value: "Symptoms",
    EntryKind.TOXICITY.value: "Toxicity",
    EntryKind.TREATMENT.value: "Treatment",
    EntryKind.WEIGHT.value: "Weight",
    EntryKind.BASELINE.value: "Baseline",
    EntryKind.RISK.value: "Risk",
    EntryKind.JUDGEMENT.value: "Judgement",
    EntryKind.NOTE.value: "Note",
    EntryKind.NOT_OBSERVED.value: "Not observed",
    EntryKind.DEATH.value: "Death",
}
IN_SIGHT: Final = 5
"""How many tabs are in the row; "More" opens the others."""
TIMELINE_KINDS: Final = (
    ("", "All"),
    (GRADE_CHANGE, "Grade changes"),
    (GUIDANCE, "Answers to guidance"),
    (TRANSFER, "Ward and bed"),
    *((kind.value, kind.label) for kind in EntryKind if kind is not EntryKind.RETRACTION),
)


@dataclass(frozen=True, slots=True)
class BedsideData:
    """Data of the page and forms of one course: status, grade history, and what forms propose."""

    status: CourseStatus
    history: GradeHistory
    previous: Mapping[str, PreviousValue]
    running: list[Infusion]
    unchanged: list[UnchangedItem]
    attributions: Mapping[str, AttributionProposal]

    @property
    def course(self) -> Course:
        return self.status.course


def read_bedside_data(course: Course, now: datetime) -> BedsideData:
    """Read the data of the page at ``now``, except for the timeline."""
    status = read_course_status(course, now)
    history = read_history_for(course.pk, status.current)
    weights = weights_among(history.weights)
    return BedsideData(
        status=status,
        history=history,
        previous=previous_values(status.current, weights),
        running=running_infusions(status.current, weights),
        unchanged=unchanged_items(status.current, weights),
        attributions=read_latest_attributions(status.current.latest),
    )


def read_unchanged_items(course: Course, now: datetime) -> list[UnchangedItem]:
    """Read the entries that can be charted again unchanged at ``now``."""
    status = read_course_status(course, now).current
    return unchanged_items(status, read_weights_for(course.pk, status.latest.values()))


def empty_form(kind: str, data: BedsideData) -> EntryForm:
    """Build the empty form of ``kind`` with its proposals."""
    course, now = data.course, data.status.current.at
    proposed = read_proposals(
        kind, course, now, attributions=data.attributions, unchanged=data.unchanged
    )
    return ENTRY_FORMS[kind](course=course, now=timezone.now(), proposed=proposed)


def page_context(data: BedsideData, *, may_chart: bool) -> dict[str, Any]:
    """Build the context of the page, except for its form."""
    status, history = data.status, data.history
    return {
        "banner": banner_of(status),
        "card": grade_card(data.course.pk, status.current, history.grades, history.authors),
        "previous": data.previous,
        "running": data.running,
        "guidance": panel_for_status(status, history, data.unchanged),
        "timeline": timeline_of(data.course.pk, status.current.at, can_correct=may_chart),
        "form_template": "forms/entry_form.html",
        **shared_context(data.course, may_chart=may_chart),
    }


def form_context(form: EntryForm, kind: str) -> dict[str, Any]:
    """Build the context of a form of ``kind``: the form, and the address it is sent to."""
    action = reverse("patients:entries", args=[form.course.pk, kind])
    return {"form": form, "kind": kind, "action": action}


def shared_context(course: Course, *, may_chart: bool) -> dict[str, Any]:
    """Build the context that every part needs, also when it is rendered alone."""
    return {
        "course_id": course.pk,
        "patient": course.patient,
        "not_observed": [(why.value, capital(why.label)) for why in ONE_TAP_REASONS],
        "can_chart": may_chart,
        "tabs": tuple(TABS.items())[:IN_SIGHT],
        "more_tabs": tuple(TABS.items())[IN_SIGHT:],
        "timeline_kinds": TIMELINE_KINDS,
        "returns_after": tuple(RETURNS_AFTER.items()),
    }


def render_page(
    request: SignedInRequest,
    course: Course,
    context: dict[str, Any] | None = None,
    *,
    kind: str = FIRST_KIND,
    status: int = 200,
) -> HttpResponse:
    """Render the whole page with the empty form of ``kind``; ``context`` overrides its own."""
    data = read_bedside_data(course, now_for(course))
    page = page_context(data, may_chart=can_chart(request.user))
    page |= form_context(empty_form(kind, data), kind)
    return render(request, "bedside/page.html", page | (context or {}), status=status)


def render_in_form_place(
    request: SignedInRequest,
    course: Course,
    template: str,
    context: dict[str, Any],
    *,
    data: BedsideData | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render ``template`` alone for htmx, else the whole page with it in the place of the form."""
    may_chart = can_chart(request.user)
    data = data or read_bedside_data(course, now_for(course))
    if request.htmx:
        fragment: dict[str, Any] = {
            "previous": data.previous,
            "running": data.running,
            "course": course,
        }
        fragment |= shared_context(course, may_chart=may_chart)
        return render(request, template, fragment | context, status=status)
    page = page_context(data, may_chart=may_chart) | {"form_template": template, "course": course}
    return render(request, "bedside/page.html", page | context, status=status)
