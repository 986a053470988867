"""The only reader of more than one table: what a bedside page, a timeline and a board show."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from django.utils import timezone

from grading.engine.facts import Baseline
from grading.engine.units import shown
from grading.engine.vocabulary import Sex
from grading.service import Standing
from patients.attributed import last_said
from patients.carried_on import CarriedOn, carried_on
from patients.grade_card import grade_card, previous_values, running_infusions
from patients.models import Course
from patients.panels import Banner, Bedside, GradeCard
from patients.queries.status import Reading, held_beside, reading_of, weights_among, weights_for
from patients.wording import day_text

_SEX_LETTERS: Final = {Sex.FEMALE: "F", Sex.MALE: "M", Sex.OTHER: "X", Sex.UNKNOWN: ""}


def bedside_of(course: Course, now: datetime) -> Bedside:
    """Banner, grade card, previous values and running infusions of one course."""
    return beside_of(reading_of(course, now))


def beside_of(reading: Reading) -> Bedside:
    """``bedside_of`` for a course that was read already."""
    course = reading.course
    held = held_beside(course.pk, reading.standing)
    weights = weights_among(held.weights)
    return Bedside(
        held=held,
        banner=banner_of(reading),
        card=grade_card(course.pk, reading.standing, held.grades, held.authors),
        previous=previous_values(reading.standing, weights),
        running=running_infusions(reading.standing, weights),
        carried_on=carried_on(reading.standing, weights),
        proposed=last_said(reading.standing.latest),
    )


def carried_on_of(course: Course, now: datetime) -> list[CarriedOn]:
    """What a round at ``now`` may find unchanged."""
    standing = reading_of(course, now).standing
    return carried_on(standing, weights_for(course.pk, standing.latest.values()))


def card_of(course_id: uuid.UUID, standing: Standing) -> GradeCard:
    """The grade card of a course that stands at ``standing``."""
    held = held_beside(course_id, standing)
    return grade_card(course_id, standing, held.grades, held.authors)


def banner_of(reading: Reading) -> Banner:
    """Who it is about, on which day of therapy."""
    course, standing = reading.course, reading.standing
    weight = standing.latest.get("weight")
    return Banner(
        course_id=course.pk,
        name=course.patient.name,
        mrn=course.patient.mrn,
        birth_date=course.patient.birth_date,
        age_text=_age(course, standing.at),
        sex_letter=_SEX_LETTERS[Sex(course.patient.sex)],
        product=course.product,
        day=day_text(course.infused_at, standing.at),
        infused_at=course.infused_at,
        weight_text="not charted"
        if standing.weight_kg is None
        else f"{shown(standing.weight_kg)} kg",
        weight_at=weight.at if weight else None,
        baseline_text=_baseline_text(reading.baseline),
        ward=course.ward,
        bed=course.bed,
    )


def _age(course: Course, now: datetime) -> str:
    """Completed years today, months under two years; as given where no birth date is known."""
    born = course.patient.birth_date
    if born is None:
        return "" if course.age_years is None else f"{int(course.age_years)} y"
    today = timezone.localtime(now).date()
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    return f"{months // 12} y" if months >= 24 else f"{months} mo"


def _baseline_text(baseline: Baseline) -> str:
    pair = (baseline.systolic_mmhg, baseline.diastolic_mmhg)
    if pair != (None, None):
        return "/".join("–" if value is None else shown(value) for value in pair)
    if baseline.mean_arterial_pressure_mmhg is not None:
        return f"MAP {shown(baseline.mean_arterial_pressure_mmhg)}"
    return "not established"
