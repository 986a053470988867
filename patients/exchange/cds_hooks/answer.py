"""Answer a hook: find the open course of the patient and make its cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from patients.display.grade_card import grade_card
from patients.display.text import clock_text
from patients.exchange.cds_hooks.cards import Card, lee_source
from patients.exchange.cds_hooks.grade_cards import grade_card_of, guidance_cards_of
from patients.exchange.cds_hooks.hook_request import HookRequest, RefusedRequestError
from patients.exchange.cds_hooks.order_cards import order_cards_of
from patients.exchange.cds_hooks.orders import Order, orders_of
from patients.exchange.cds_hooks.services import Hook
from patients.exchange.formats.fhir_patient import check_against_chart, record_numbers
from patients.exchange.formats.received import RefusedDocumentError
from patients.guidance.advice import advice_of
from patients.guidance.panel import build_panel
from patients.models import Course, ExternalSystem, Patient
from patients.queries.ages import age_at_infusion
from patients.queries.courses import now_for
from patients.queries.exchange import read_open_course, read_patient_of
from patients.queries.status import CourseStatus, read_course_status, read_history_for


@dataclass(frozen=True, slots=True)
class Answer:
    """The cards for a patient; ``course`` None: no open course, and no card."""

    course: Course | None
    cards: Sequence[Card] = ()


def answer_hook(system: ExternalSystem, request: HookRequest) -> Answer:
    """Return the cards that ``request`` is answered with; raises RefusedRequestError."""
    hook, orders = request.service.hook, orders_of(request)
    course = _course_of(system, request.patient)
    if course is None:
        return Answer(None)
    if _is_another_person(request.patient, course.patient):
        return Answer(course, [_other_person()])
    if hook.has_orders and not orders:
        return Answer(course)
    status = read_course_status(course, now_for(course))
    if hook is Hook.ENCOUNTER_START:
        return Answer(course, _baseline_cards(status))
    return Answer(course, _cards(status, orders, hook))


def _cards(status: CourseStatus, orders: Sequence[Order], hook: Hook) -> list[Card]:
    course = status.course
    history = read_history_for(course.pk, status.current)
    shown = grade_card(course.pk, status.current, history, age_years=age_at_infusion(course))
    advice = advice_of(status, history)
    if hook.has_orders:
        return order_cards_of(orders, advice, shown, with_dose=hook is Hook.ORDER_SIGN)
    grade = grade_card_of(shown, clock_text(shown.as_of, shown.as_of))
    return [] if grade is None else [grade, *guidance_cards_of(build_panel(advice, history, ()))]


def _baseline_cards(status: CourseStatus) -> list[Card]:
    missing = []
    if (
        status.baseline.systolic_mmhg is None
        and status.baseline.mean_arterial_pressure_mmhg is None
    ):
        missing.append("no baseline blood pressure")
    if status.current.weight_kg is None:
        missing.append("no weight")
    if not missing:
        return []
    return [
        Card(
            f"CRS chart: {' and '.join(missing)} charted",
            "info",
            "Without a baseline pressure a fall of pressure cannot be judged. Without a weight no "
            "dose is worked out and rates by weight are not converted.",
            lee_source("baseline", "Baseline before therapy"),
        )
    ]


def _is_another_person(sent: Mapping[str, Any], patient: Patient) -> bool:
    """Return whether birth date or family name contradict the chart of the same number."""
    chart = {"name": patient.name}
    if patient.birth_date is not None:
        chart["birth_date"] = patient.birth_date.isoformat()
    try:
        check_against_chart(sent, "prefetch.patient", chart)
    except RefusedDocumentError as refusal:
        if refusal.reason == "structure":
            raise RefusedRequestError(
                HTTPStatus.BAD_REQUEST, f"{refusal.place}: {refusal.words}."
            ) from None
        return True
    return False


def _other_person() -> Card:
    return Card(
        "CRS grade not shown: name or birth date differ from the CRS chart of this MRN",
        "warning",
        "The record number is the same, the person may not be. Check the number in both charts.",
        lee_source("patient.contradiction", "Identity"),
    )


def _course_of(system: ExternalSystem, patient: Mapping[str, Any]) -> Course | None:
    """Return the open course of the MRN that the patient has in the system's own numbers.

    A number that the patient has no more counts where the present one is not on the chart.
    """
    if not system.mrn_system:
        return None
    numbers = record_numbers(patient, system.mrn_system)
    if len(numbers) > 1:
        raise RefusedRequestError(
            HTTPStatus.BAD_REQUEST, "prefetch.patient.identifier: several record numbers."
        )
    found = read_patient_of([*numbers, *record_numbers(patient, system.mrn_system, former=True)])
    return None if found is None else read_open_course(found[0])
