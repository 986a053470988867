"""What the bedside page's template is given: the same for the page and for each part of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from patients.advice import panel_beside
from patients.answers import GUIDANCE
from patients.entry_form import EntryForm
from patients.forms import ENTRY_FORMS
from patients.guidance_forms import RETURNS_AFTER
from patients.models import Course, EntryKind
from patients.queries.status import reading_of
from patients.remark_forms import ONE_TAP_REASONS
from patients.timeline import beside_of
from patients.timeline_page import timeline_of
from patients.timeline_rows import GRADE_CHANGE
from patients.transfer import TRANSFER
from patients.wording import capital

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
    reading = reading_of(course, now)
    beside = beside_of(reading)
    ticks = beside.carried_on if kind == EntryKind.VITALS else ()
    return {
        "banner": beside.banner,
        "card": beside.card,
        "previous": beside.previous,
        "running": beside.running,
        "guidance": panel_beside(reading, beside.held, beside.carried_on),
        "timeline": timeline_of(course.pk, now, can_correct=may_chart),
        "form_template": "patients/_entry_form.html",
        **form_context(
            ENTRY_FORMS[kind](course=course, carried_on=ticks, proposed=beside.proposed), kind
        ),
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
