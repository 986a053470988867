"""Read the data of the bedside page, and render the page or one part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.accounts.permissions import can_admit, can_answer_advice, can_chart, right_to
from crs_app.accounts.rights import Act
from grading.engine.status import CurrentStatus
from patients.bedside.timeline import TimelineView, timeline_of
from patients.display.banner import banner_of
from patients.display.closed import ClosedNotice, closed_notice
from patients.display.grade_card import GradeCard, grade_card
from patients.display.ice_due import TOOL_NAMES, ice_due_of
from patients.display.previous_values import (
    Infusion,
    PreviousValue,
    previous_values,
    running_infusions,
)
from patients.display.scales_line import scales_line
from patients.display.signature import signature_of
from patients.display.text import capital, clock_ahead_text, day_of
from patients.display.timeline import AS_TABLE, TABLE_PARAMETERS, TIMELINE_KINDS
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
from patients.queries.courses import Closing, now_for, read_closing
from patients.queries.grades import GradeHistory
from patients.queries.status import (
    CourseStatus,
    read_course_status,
    read_history_for,
    read_weights_for,
    weights_among,
)
from patients.requests import SignedInRequest

FORM_PARTS: Final = frozenset({"unchanged", "running", "attribution"})
"""Ids of the parts of a form that an answer may replace; the page says which of them it has."""
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
    Tab(EntryKind.ICE.value, "ICE and consciousness", "ICE or CAPD, seizure, weakness"),
    Tab(EntryKind.TREATMENT.value, "Treatment", "tocilizumab, steroid, antibiotic…"),
    Tab(EntryKind.SYMPTOM.value, "Symptoms", "rigors, headache, nausea…"),
    Tab(EntryKind.TOXICITY.value, "Toxicity", "CTCAE: heart, liver, skin…"),
    Tab(EntryKind.JUDGEMENT.value, "Clinical judgement", "refractory, life-threatening, prolonged"),
    Tab(EntryKind.RISK.value, "Risk factors", "age, comorbidity, steroids"),
    Tab(EntryKind.ADMISSION.value, "Place of care", "home, ward, intensive care"),
    Tab(EntryKind.BLOOD_PRODUCT.value, "Blood product", "plasma, fibrinogen, platelets…"),
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


@dataclass(frozen=True, slots=True)
class BedsideData:
    """Data of the page and forms of one course: status, grade history, and what forms propose."""

    status: CourseStatus
    history: GradeHistory
    previous: Mapping[str, PreviousValue]
    running: list[Infusion]
    unchanged: list[UnchangedItem]
    attributions: Mapping[str, AttributionProposal]
    closing: Closing | None

    @property
    def course(self) -> Course:
        return self.status.course

    @property
    def closed(self) -> ClosedNotice | None:
        """The notice of a course that is closed or of a death; None while it is open and graded."""
        return closed_notice(self.closing, self._died_at, timezone.now())

    @property
    def clock_ahead(self) -> str:
        """A warning where the application's clock alone is ahead, else ""."""
        return "" if self.status.clock is None else clock_ahead_text(self.status.clock)

    @property
    def _died_at(self) -> datetime | None:
        if not self.status.current.ended:
            return None
        grades = self.history.grades
        last = grades[-1] if grades else None
        if last is None:
            return None
        return last.start if self.status.current.grade is not None else last.end


def read_bedside_data(course: Course, now: datetime) -> BedsideData:
    """Read the data of the page at ``now``, except for the timeline.

    Of a closed course they are those of its end.
    """
    closing = read_closing(course)
    if course.ended_at is not None:
        now = min(now, course.ended_at)
    status = read_course_status(course, now)
    history = read_history_for(course.pk, status.current)
    weights = weights_among(history.weights)
    running = running_infusions(status.current, weights)
    return BedsideData(
        status=status,
        history=history,
        previous=previous_values(status.current, running),
        running=running,
        unchanged=unchanged_items(status.current, weights),
        attributions=read_latest_attributions(status.current.latest),
        closing=closing,
    )


def read_unchanged_items(course: Course, now: datetime) -> list[UnchangedItem]:
    """Read the entries that can be charted again unchanged at ``now``."""
    status = read_course_status(course, now).current
    return unchanged_items(status, read_weights_for(course.pk, status.latest.values()))


def empty_form(kind: str, data: BedsideData, tool: str = "") -> EntryForm:
    """Build the empty form of ``kind`` with its proposals.

    A round of ICE asks by ``tool`` where that is given, else by the tool of the patient.
    """
    course, now = data.course, data.status.current.at
    proposed = read_proposals(
        kind, course, now, attributions=data.attributions, unchanged=data.unchanged
    )
    if proposed.round is not None and tool in TOOL_NAMES:
        proposed = replace(proposed, round=replace(proposed.round, asks_by=tool))
    return ENTRY_FORMS[kind](course=course, now=timezone.now(), proposed=proposed)


class MayDo(NamedTuple):
    """What the reader may do with a course; nothing can be charted or answered on a closed one."""

    chart: bool
    answer: bool
    move: bool


def may_do(reader: User, course: Course) -> MayDo:
    """Return what ``reader`` may do with ``course`` now."""
    is_open = course.ended_at is None
    return MayDo(
        chart=is_open and can_chart(reader, course),
        answer=is_open and can_answer_advice(reader, course),
        move=can_admit(reader, course),
    )


def rights_context(reader: User, course: Course) -> dict[str, Any]:
    """Build the context of what ``reader`` may do with ``course``, and why not more."""
    may = may_do(reader, course)
    return {
        "can_chart": may.chart,
        "can_answer": may.answer,
        "can_move": may.move,
        "may_reopen": may.move,
        "needs_reason": right_to(reader, Act.CHART, course).opens_by_reason,
        "emergency_until": course.emergency_until,
    }


def page_context(
    data: BedsideData, *, may_chart: bool, view: TimelineView | None = None
) -> dict[str, Any]:
    """Build the context of the page, except for its form; ``view`` is that of the timeline."""
    status, history, closed = data.status, data.history, data.closed
    is_open = data.closing is None
    may = MayDo(may_chart and is_open, may_chart and is_open, may_chart)
    timeline_at = status.current.at
    return {
        "banner": banner_of(status),
        "card": card_of(data),
        "previous": data.previous,
        "running": data.running,
        "guidance": panel_for_status(status, history, data.unchanged),
        "scales_line": scales_line(status),
        "timeline": timeline_of(data.course.pk, timeline_at, view, can_correct=may.chart),
        "closed": closed,
        "clock_ahead": data.clock_ahead,
        "may_reopen": may.move,
        "needs_reason": False,
        "emergency_until": None,
        "live": live_signatures(data),
        "form_template": "bedside/closed_form.html" if closed else "forms/entry_form.html",
        **shared_context(data.course, may),
    }


def card_of(data: BedsideData) -> GradeCard:
    """Build the grade card from data that were read already."""
    is_closed = data.closing is not None
    return build_card(data.course, data.status.current, data.history, closed=is_closed)


def build_card(
    course: Course, status: CurrentStatus, history: GradeHistory, *, closed: bool = False
) -> GradeCard:
    """Build the grade card of ``course``; ``closed``: ``status`` is that of its end."""
    return grade_card(
        course.pk,
        status,
        history,
        closed=closed,
        age_years=age_at_infusion(course),
        ice_due=ice_due_of(course, status),
    )


def live_signatures(data: BedsideData) -> dict[str, str]:
    """Return the digest of each part of the page that has no element of its own to carry it.

    ``values`` are what a form shows of the chart; ``state`` says whether the course is open, closed
    or ended by a death, and whether a clock is ahead.
    """
    status, grades = data.status, data.history.grades
    values = signature_of(
        sorted((name, value.text, value.at) for name, value in data.previous.items()),
        [(item.version, item.text) for item in data.unchanged],
        [(infusion.text, infusion.at) for infusion in data.running],
    )
    timeline = signature_of(
        status.recorded,
        grades[-1].start if grades else None,
        day_of(status.current.at),
        data.history.latest_other_at,
        data.course.identity_version,
    )
    closed = data.closed
    return {
        "values": values,
        "timeline": timeline,
        "state": f"{closed.signature if closed else 'open'}{' ahead' if data.clock_ahead else ''}",
    }


def form_context(form: EntryForm, kind: str) -> dict[str, Any]:
    """Build the context of a form of ``kind``: the form, and the address it is sent to."""
    action = reverse("patients:entries", args=[form.course.pk, kind])
    return {"form": form, "kind": kind, "action": action, "title": title_of(kind)}


def title_of(kind: str) -> str:
    """Return the title of the form of ``kind``."""
    return _TITLES.get(kind) or (TABS[kind].label if kind in TABS else EntryKind(kind).label)


def form_parts(named: str | None) -> frozenset[str]:
    """Return the parts of the form that a page ``named``; all for a page of an older script."""
    return FORM_PARTS if named is None else FORM_PARTS.intersection(named.split(","))


def shared_context(course: Course, may: MayDo) -> dict[str, Any]:
    """Build the context that every part needs, also when it is rendered alone."""
    return {
        "course_id": course.pk,
        "patient": course.patient,
        "not_observed": [(why.value, capital(why.label)) for why in ONE_TAP_REASONS],
        "can_chart": may.chart,
        "can_answer": may.answer,
        "can_move": may.move,
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
    view = TimelineView.of(request.GET)
    page = page_context(data, may_chart=can_chart(request.user, course), view=view)
    page |= rights_context(request.user, course)
    page |= form_context(empty_form(kind, data, request.GET.get("tool", "")), kind)
    page["table_query"] = _table_query(request.GET, view)
    if data.closing is None and "kind" in request.GET:
        page["form_template"] = "forms/entry_form.html"
    return render(request, "bedside/page.html", page | (context or {}), status=status)


def _table_query(asked: QueryDict, view: TimelineView) -> str | None:
    """Return what the table in the place of the timeline is asked for; None for the list."""
    if asked.get("view") != AS_TABLE:
        return None
    day = view.day.isoformat() if view.day else ""
    more = {name: asked[name] for name in TABLE_PARAMETERS if name in asked}
    return urlencode({"kind": view.kind, "day": day, **more})


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
    data = data or read_bedside_data(course, now_for(course))
    if request.htmx:
        fragment: dict[str, Any] = {
            "previous": data.previous,
            "running": data.running,
            "course": course,
        }
        fragment |= shared_context(course, may_do(request.user, course))
        fragment |= rights_context(request.user, course)
        return render(request, template, fragment | context, status=status)
    view = TimelineView.of(request.GET)
    page = page_context(data, may_chart=can_chart(request.user, course), view=view)
    page |= rights_context(request.user, course)
    page |= {"form_template": template, "course": course}
    return render(request, "bedside/page.html", page | context, status=status)
