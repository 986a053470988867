"""The facts of an identity in words: present and earlier values, with author and reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from patients.display.identity import (
    FACTS_OF_COURSE,
    FACTS_OF_PATIENT,
    change_texts,
    fact_label,
    fact_text,
)
from patients.display.site_times import site_time
from patients.display.text import date_text
from patients.models import ActSource, Course, Fact, IdentityCorrection, Patient, PatientJoin
from patients.queries.identity import corrections_of, joins_of

_MAY_BE_EMPTY: Final = frozenset({"birth_date", "age_years", "developmental_delay"})
"""Columns that an admission may leave empty: their first value is not in the history then."""


class HistoryRow(NamedTuple):
    """A line of the history: a fact, its value from ``at`` on, and who recorded it.

    ``before`` is what the correction replaced, "" at admission. ``is_present``: the value is the
    present one.
    """

    at: datetime
    what: str
    value: str
    before: str
    author: str
    why: str
    is_present: bool


def present_texts(course: Course) -> dict[str, str]:
    """Return the present value of each fact that can be corrected, in words."""
    patient = course.patient
    birth = fact_text("birth_date", patient.birth_date)
    if patient.birth_date is None:
        birth = fact_text("age_years", course.age_years)
    return {
        Fact.NAME: patient.name,
        Fact.BIRTH: birth,
        Fact.SEX: fact_text("sex", patient.sex),
        Fact.DELAY: fact_text("developmental_delay", patient.developmental_delay),
        Fact.MRN: patient.mrn,
        Fact.INFUSION: fact_text("infused_at", course.infused_at, course.infused_offset_seconds),
        Fact.PRODUCT: course.product,
    }


def identity_history(course: Course, courses: Sequence[Course]) -> list[HistoryRow]:
    """Return every value of every fact of a patient and its courses, newest first."""
    patient = course.patient
    corrections = corrections_of(patient.pk, courses)
    rows = [row for one in corrections for row in _corrected(one, courses)]
    rows += [_joined(one) for one in joins_of(patient.pk)]
    first = min(courses, key=lambda one: one.admitted_at)
    rows += _at_admission(patient, None, first, corrections, courses)
    for one in courses:
        rows += _at_admission(one, one, one, corrections, courses)
    return _mark_present(sorted(rows, key=lambda row: row.at, reverse=True))


def _mark_present(rows: Sequence[HistoryRow]) -> list[HistoryRow]:
    seen: set[str] = set()
    marked = []
    for row in rows:
        marked.append(row._replace(is_present=row.what not in seen or not row.value))
        seen.add(row.what)
    return marked


def _corrected(one: IdentityCorrection, courses: Sequence[Course]) -> list[HistoryRow]:
    names = [column for column in one.after if column != "infused_offset_seconds"]
    return [
        HistoryRow(
            one.recorded_at,
            _label(column, one.course, courses),
            after,
            before,
            one.recorded_by.display_name,
            one.reason,
            is_present=True,
        )
        for column, (before, after) in zip(names, change_texts(one.before, one.after), strict=True)
    ]


def _joined(joining: PatientJoin) -> HistoryRow:
    undone = joining.undoes_id is not None
    verb = "parted from" if undone else "joined to"
    return HistoryRow(
        joining.recorded_at,
        "Join undone" if undone else "Records joined",
        f"{joining.joined.name}, MRN {joining.joined.mrn}, {verb} "
        f"{joining.kept.name}, MRN {joining.kept.mrn}",
        "",
        joining.recorded_by.display_name,
        joining.reason,
        is_present=True,
    )


def _at_admission(
    row: Patient | Course,
    course: Course | None,
    admitted: Course,
    corrections: Sequence[IdentityCorrection],
    courses: Sequence[Course],
) -> list[HistoryRow]:
    """Return the first value of each fact, as it was when ``admitted`` was opened."""
    columns = FACTS_OF_PATIENT if course is None else FACTS_OF_COURSE
    own = [one for one in corrections if one.course_id == (course.pk if course else None)]
    imported = admitted.acts.order_by("recorded_at").values_list("source", flat=True).first()
    why = "in the imported file" if imported == ActSource.IMPORT else "at admission"
    rows = []
    for column in columns:
        first = next((one for one in reversed(own) if column in one.before), None)
        value = first.before[column] if first else getattr(row, column)
        if value is None and column in _MAY_BE_EMPTY:
            continue
        offset = getattr(row, "infused_offset_seconds", None)
        if first and "infused_offset_seconds" in first.before:
            offset = first.before["infused_offset_seconds"]
        rows.append(
            HistoryRow(
                admitted.admitted_at,
                _label(column, course, courses),
                fact_text(column, value, offset),
                "",
                admitted.admitted_by.display_name,
                why,
                is_present=True,
            )
        )
    return rows


def _label(column: str, course: Course | None, courses: Sequence[Course]) -> str:
    """Return the name of a fact; where there are several courses, with the course it is about."""
    label = fact_label(column)
    if course is None or len(courses) == 1:
        return label
    return f"{label}, {course.product} of {date_text(site_time(course.infused_at))}"
