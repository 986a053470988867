"""The only reader of more than one table: what a bedside page, a timeline and a board show."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils import timezone

from grading.engine import entries as grading_entries
from grading.engine.facts import Baseline
from grading.engine.units import shown
from grading.engine.vasopressors import needs_weight
from grading.engine.vocabulary import Sex
from grading.service import Standing, regrade
from patients.answers import AnswerRow
from patients.attributed import last_said
from patients.carried_on import CarriedOn, carried_on
from patients.chart import (
    EntryRow,
    all_charted,
    charted,
    facts_of,
    infusion_and_weights,
    weights_in_force,
)
from patients.grade_card import (
    Author,
    grade_card,
    previous_values,
    running_infusions,
)
from patients.grades_held import Held, grades_held
from patients.models import Course, Entry
from patients.panels import (
    Banner,
    Bedside,
    GradeCard,
)
from patients.resumed import resumed
from patients.wording import (
    day_text,
)

_SEX_LETTERS: Final = {Sex.FEMALE: "F", Sex.MALE: "M", Sex.OTHER: "X", Sex.UNKNOWN: ""}


@dataclass(frozen=True, slots=True)
class Reading:
    """A course as it stands at an instant, read from its latest checkpoint and what came after.

    ``for_guidance`` and ``answers`` are what guidance needs beside the standing.
    """

    course: Course
    standing: Standing
    baseline: Baseline
    for_guidance: Sequence[EntryRow]
    answers: Mapping[str, AnswerRow]


def reading_of(course: Course, now: datetime) -> Reading:
    """Where ``course`` stands at ``now``: computed, never cached."""
    read = resumed(course, now)
    entries = all_charted(read.in_force)
    facts = facts_of(course, read.rulings)
    standing = regrade(facts, entries, resume=read.resume, now=now).standing
    if standing is None:
        raise ValueError("a course was regraded without an instant to stand at")
    said = [entry for entry in entries if isinstance(entry, grading_entries.BaselineFacts)]
    baseline = facts.baseline.with_entries(said)
    return Reading(course, standing, baseline, read.for_guidance, read.answers)


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


def held_beside(
    course_id: uuid.UUID, standing: Standing, new: Iterable[grading_entries.Entry] = ()
) -> Held:
    """Grades, authors and weights that the page tells beside ``standing`` and ``new`` entries."""
    latest = standing.latest.values()
    shown_ids = {entry.id for entry in latest}
    return grades_held(
        course_id,
        standing.at,
        shown_ids.union(*(criterion.evidence for criterion in standing.criteria)),
        weights_since=reckoned_since([*latest, *new]),
    )


def authors_of(entry_ids: Iterable[str]) -> dict[str, Author]:
    """Who charted these entries, and for when."""
    ids = list(entry_ids)
    if not ids:
        return {}
    entries = Entry.objects.filter(pk__in=ids).select_related("recorded_by").defer("body")
    return {str(e.pk): Author(e.recorded_by.display_name, e.at) for e in entries}


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


def weights_for(
    course_id: uuid.UUID, read: Iterable[grading_entries.Entry]
) -> list[grading_entries.Weight]:
    """The weights of the course that a running dose among the entries needs, else none."""
    since = reckoned_since(read)
    return [] if since is None else weights_of(course_id, since)


def reckoned_since(read: Iterable[grading_entries.Entry]) -> datetime | None:
    """The earliest running dose among the entries that is reckoned with a charted weight."""
    reckoned = [
        e.at
        for e in read
        if isinstance(e, grading_entries.Vasopressor)
        and e.runs
        and e.weight_kg is None
        and needs_weight(e.drug, e.unit)
    ]
    return min(reckoned, default=None)


def weights_of(course_id: uuid.UUID, since: datetime) -> list[grading_entries.Weight]:
    """The weight that held at ``since`` and those after it, as far as in force, in order."""
    return weights_among(weights_in_force(course_id, since))


def weights_among(rows: Iterable[EntryRow]) -> list[grading_entries.Weight]:
    """The weights among ``rows``, as grading reads them."""
    return [entry for entry in all_charted(rows) if isinstance(entry, grading_entries.Weight)]


def infusion_before(
    course_id: uuid.UUID, at: datetime, drug: str, correcting: Entry | None
) -> tuple[grading_entries.Vasopressor | None, list[grading_entries.Weight]]:
    """The entry in force about ``drug`` that one at ``at`` follows, None for the first; weights.

    The weights are those that held from then on. ``correcting`` is the entry whose place the one
    at ``at`` takes.
    """
    apart_from = correcting.pk if correcting is not None else None
    row, weights = infusion_and_weights(course_id, at, drug, apart_from=apart_from)
    read = charted(row) if row is not None else None
    before = read if isinstance(read, grading_entries.Vasopressor) else None
    return before, weights_among(weights)
