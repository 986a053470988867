"""Who the patient is, where, and at which grade, as it was known at a moment."""

from __future__ import annotations

from dataclasses import dataclass

from grading.engine import entries as kinds
from grading.engine.vocabulary import Sex
from patients.display.banner import SEX_LETTERS, baseline_text
from patients.display.text import date_text, day_text
from patients.display.timeline import place_text
from patients.queries.ages import patient_age_text
from patients.queries.flowsheet import FlowsheetData


@dataclass(frozen=True, slots=True)
class PatientThen:
    """Who the patient is and where, as it was known at the moment looked at."""

    name: str
    mrn: str
    birth_text: str
    age_text: str
    sex_letter: str
    weight_text: str
    product: str
    day: int
    baseline_text: str
    place: str
    grade: int | None
    at_most: int | None


def patient_then(data: FlowsheetData) -> PatientThen:
    """Build the values of the bar over a page of the review."""
    course, patient = data.course, data.course.patient
    charted = [e for e in data.in_force if isinstance(e, kinds.BaselineFacts)]
    grade, at_most = data.grade or (None, None)
    return PatientThen(
        name=patient.name,
        mrn=patient.mrn,
        birth_text="" if patient.birth_date is None else date_text(patient.birth_date),
        age_text=patient_age_text(course, data.instant),
        sex_letter=SEX_LETTERS[Sex(patient.sex)],
        weight_text="not charted" if data.weight_kg is None else f"{data.weight_kg} kg",
        product=course.product,
        day=day_text(course.infused_at, data.instant),
        baseline_text=baseline_text(data.facts.baseline.with_entries(charted)),
        place=place_text(course.ward, course.bed),
        grade=grade,
        at_most=at_most,
    )
