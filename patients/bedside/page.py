"""Read the data of the bedside page, and render the page or one part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

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
from patients.queries.ages import age_at_infusion
from patients.queries.attributions import AttributionProposal, read_latest_attributions
from patients.queries.courses import now_for
from patients.queries.entries import parse_entries
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


class Tab(NamedTuple):
    """What opens the form of ``kind``; ``about`` says in a few words what belongs there."""

    kind: str
    label: str
    about: str = ""


IN_ROW: Final = (
    Tab(EntryKind.VITALS.value, "Vitals"),
    Tab(EntryKind.OXYGEN.value, "Oxygen"),
    Tab(EntryKind.VASOPRESSOR.value, "Vasopressor"),
    Tab(EntryKind.FLUID_BOLUS.value, "Fluid bolus"),
    Tab(EntryKind.LAB.value, "Labs"),
)
"""The kinds used most: always in sight."""
TILES: Final = (
    Tab(EntryKind.TREATMENT.value, "Treatment", "tocilizumab, steroid, antibiotic…"),
    Tab(EntryKind.SYMPTOM.value, "Symptoms", "rigors, headache, nausea…"),
    Tab(EntryKind.TOXICITY.value, "Toxicity", "CTCAE: heart, liver, skin…"),
    Tab(EntryKind.JUDGEMENT.value, "Clinical judgement", "refractory, life-threatening"),
    Tab(EntryKind.RISK.value, "Risk factors", "age, comorbidity, steroids"),
    Tab(EntryKind.WEIGHT.value, "Weight", "used for doses"),
    Tab(EntryKind.BASELINE.value, "Baseline", "usual pressure, creatinine…"),
    Tab(EntryKind.NOT_OBSERVED.value, "Not observed", "asleep, refused, off the ward…"),
    Tab(EntryKind.NOTE.value, "Note", "free text, not graded"),
)
"""The other kinds, which "More" opens."""
RARE: Final = (Tab(EntryKind.DEATH.value, "Death"),)
TABS: Final = {tab.kind: tab for tab in (*IN_ROW, *TILES, *RARE)}
_TITLES: Final = {
    EntryKind.VITALS.value: "Vital signs",
    EntryKind.LAB.value: "Laboratory results",
}
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
        "card": grade_card(
            data.course.pk,
            status.current,
            history.grades,
            history.authors,
            recent=parse_entries(history.recent),
            age_years=age_at_infusion(data.course),
        ),
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
    return {"form": form, "kind": kind, "action": action, "title": title_of(kind)}


def title_of(kind: str) -> str:
    """Return the title of the form of ``kind``."""
    return _TITLES.get(kind, TABS[kind].label)


def shared_context(course: Course, *, may_chart: bool) -> dict[str, Any]:
    """Build the context that every part needs, also when it is rendered alone."""
    return {
        "course_id": course.pk,
        "patient": course.patient,
        "not_observed": [(why.value, capital(why.label)) for why in ONE_TAP_REASONS],
        "can_chart": may_chart,
        "tabs": IN_ROW,
        "tiles": TILES,
        "rare": RARE,
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
