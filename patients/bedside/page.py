"""The context of the bedside page and of its parts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from grading.service import Standing
from patients.bedside.timeline import timeline_of
from patients.display.banner import Banner, banner_of
from patients.display.grade_card import GradeCard, grade_card
from patients.display.previous_values import (
    Infusion,
    PreviousValue,
    previous_values,
    running_infusions,
)
from patients.display.text import capital
from patients.display.timeline import GRADE_CHANGE, GUIDANCE, TRANSFER
from patients.forms.attribution import AttributionProposal, latest_attributions
from patients.forms.entry_form import EntryForm
from patients.forms.notes import ONE_TAP_REASONS
from patients.forms.proposals import Proposals, read_proposals
from patients.forms.registry import ENTRY_FORMS
from patients.forms.unchanged import UnchangedItem, unchanged_items
from patients.guidance.forms import RETURNS_AFTER
from patients.guidance.panel import panel_beside
from patients.models import Course, EntryKind
from patients.queries.grades import GradeHistory
from patients.queries.status import (
    CourseStatus,
    read_course_status,
    read_history_for,
    read_weights_for,
    weights_among,
)


@dataclass(frozen=True, slots=True)
class BedsideData:
    """Everything of one course that its page shows beside the timeline and the form.

    ``held`` is what it was read from, for what else the page tells.
    """

    held: GradeHistory
    banner: Banner
    card: GradeCard
    previous: Mapping[str, PreviousValue]
    running: list[Infusion]
    carried_on: list[UnchangedItem]
    proposed: Mapping[str, AttributionProposal]


def read_bedside_data(course: Course, now: datetime) -> BedsideData:
    """Banner, grade card, previous values and running infusions of one course."""
    return bedside_data(read_course_status(course, now))


def bedside_data(reading: CourseStatus) -> BedsideData:
    """``read_bedside_data`` for a course that was read already."""
    course = reading.course
    held = read_history_for(course.pk, reading.standing)
    weights = weights_among(held.weights)
    return BedsideData(
        held=held,
        banner=banner_of(reading),
        card=grade_card(course.pk, reading.standing, held.grades, held.authors),
        previous=previous_values(reading.standing, weights),
        running=running_infusions(reading.standing, weights),
        carried_on=unchanged_items(reading.standing, weights),
        proposed=latest_attributions(reading.standing.latest),
    )


def proposals_for(kind: str, course: Course, now: datetime, data: BedsideData) -> Proposals:
    """Return what an empty form of ``kind`` proposes on the page that shows ``data``."""
    return read_proposals(kind, course, now, attributions=data.proposed, unchanged=data.carried_on)


def unchanged_items_of(course: Course, now: datetime) -> list[UnchangedItem]:
    """What a round at ``now`` may find unchanged."""
    standing = read_course_status(course, now).standing
    return unchanged_items(standing, read_weights_for(course.pk, standing.latest.values()))


def card_of(course_id: uuid.UUID, standing: Standing) -> GradeCard:
    """The grade card of a course that stands at ``standing``."""
    held = read_history_for(course_id, standing)
    return grade_card(course_id, standing, held.grades, held.authors)


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
"""How many of the tabs stand in a row; the others are one tap further, under More."""
TIMELINE_KINDS: Final = (
    ("", "All"),
    (GRADE_CHANGE, "Grade changes"),
    (GUIDANCE, "Answers to guidance"),
    (TRANSFER, "Ward and bed"),
    *((kind.value, kind.label) for kind in EntryKind if kind is not EntryKind.RETRACTION),
)


def page_context(course: Course, kind: str, now: datetime, *, may_chart: bool) -> dict[str, Any]:
    """Everything that the bedside page shows, with the empty form of ``kind``."""
    reading = read_course_status(course, now)
    beside = bedside_data(reading)
    proposed = proposals_for(kind, course, now, beside)
    return {
        "banner": beside.banner,
        "card": beside.card,
        "previous": beside.previous,
        "running": beside.running,
        "guidance": panel_beside(reading, beside.held, beside.carried_on),
        "timeline": timeline_of(course.pk, now, can_correct=may_chart),
        "form_template": "forms/entry_form.html",
        **form_context(ENTRY_FORMS[kind](course=course, now=now, proposed=proposed), kind),
        **shared_context(course, may_chart=may_chart),
    }


def form_context(form: EntryForm, kind: str) -> dict[str, Any]:
    """A form of ``kind`` and where it is sent."""
    action = reverse("patients:entries", args=[form.course.pk, kind])
    return {"form": form, "kind": kind, "action": action}


def shared_context(course: Course, *, may_chart: bool) -> dict[str, Any]:
    """What every part of the page needs, whichever part is rendered alone."""
    return {
        "course_id": course.pk,
        "patient": course.patient,
        "not_observed": [(why.value, capital(why.label)) for why in ONE_TAP_REASONS],
        "can_chart": may_chart,
        "tabs": [*TABS.items()][:IN_SIGHT],
        "more_tabs": [*TABS.items()][IN_SIGHT:],
        "timeline_kinds": TIMELINE_KINDS,
        "returns_after": tuple(RETURNS_AFTER.items()),
    }
