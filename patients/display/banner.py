"""The banner of a course: the patient's identity, and the day of therapy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from grading.engine.facts import Baseline
from grading.engine.units import format_number
from grading.engine.vocabulary import Sex
from patients.display.signature import signature_of
from patients.display.text import day_text
from patients.models import Course
from patients.queries.ages import patient_age_text
from patients.queries.status import CourseStatus


@dataclass(frozen=True, slots=True)
class Banner:
    """Values of the banner, which stays in sight while the page scrolls.

    ``is_closed``: the course was closed, so that its last grade is that of its end.
    """

    course_id: UUID
    name: str
    mrn: str
    birth_date: date | None
    age_text: str
    sex_letter: str
    product: str
    day: int
    infused_at: datetime
    weight_text: str
    weight_at: datetime | None
    baseline_text: str
    ward: str
    bed: str
    is_closed: bool

    @property
    def signature(self) -> str:
        """Digest that changes with anything that the banner shows."""
        return signature_of(self)


SEX_LETTERS: Final = {Sex.FEMALE: "F", Sex.MALE: "M", Sex.OTHER: "X", Sex.UNKNOWN: ""}


class BannerGrade(NamedTuple):
    """The grade beside the banner of a page of the past, at ``at``.

    ``missing``: too little was charted to know that it is 0.
    """

    at: datetime
    grade: int | None
    at_most: int | None
    missing: bool


def banner_of(course_status: CourseStatus) -> Banner:
    """Build the banner of a course."""
    status = course_status.current
    weight = status.latest.get("weight")
    return banner_at(
        course_status.course,
        status.at,
        weight_text=weight_text(status.weight_kg),
        weight_at=weight.at if weight else None,
        baseline_text=baseline_text(course_status.baseline),
    )


def banner_at(
    course: Course,
    at: datetime,
    *,
    weight_text: str = "",
    weight_at: datetime | None = None,
    baseline_text: str = "",
) -> Banner:
    """Build the banner of ``course`` at ``at``; a page that reads no weight or baseline has none.

    Name, number, product, ward and bed are those of ``course``, which may be as known earlier.
    """
    return Banner(
        course_id=course.pk,
        name=course.patient.name,
        mrn=course.patient.mrn,
        birth_date=course.patient.birth_date,
        age_text=patient_age_text(course, at),
        sex_letter=sex_letter(course.patient.sex),
        product=course.product,
        day=day_text(course.infused_at, at),
        infused_at=course.infused_at,
        weight_text=weight_text,
        weight_at=weight_at,
        baseline_text=baseline_text,
        ward=course.ward,
        bed=course.bed,
        is_closed=course.ended_at is not None,
    )


def weight_text(weight_kg: Decimal | None) -> str:
    """Return a weight as the banner has it: "72 kg"."""
    return "not charted" if weight_kg is None else f"{format_number(weight_kg)} kg"


def sex_letter(sex: str) -> str:
    """Return "F", "M" or "X"; "" where the sex is not known."""
    return SEX_LETTERS[Sex(sex)]


def baseline_text(baseline: Baseline) -> str:
    """Return the baseline pressure: "126/74"."""
    pair = (baseline.systolic_mmhg, baseline.diastolic_mmhg)
    if pair != (None, None):
        return "/".join("–" if value is None else format_number(value) for value in pair)
    if baseline.mean_arterial_pressure_mmhg is not None:
        return f"MAP {format_number(baseline.mean_arterial_pressure_mmhg)}"
    return "not established"
