"""Read who a patient was and where, as it was known at an instant.

Patient and course have the present values in their columns. Each change of one is a row with both
values and the time of recording: a correction, a join of records, a transfer.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from crs_app.accounts.models import display_name_of
from patients.models import Course, Move, Patient
from patients.queries.courses import Closing

SQL_CHANGES_OF_COURSE: Final = """
SELECT CAST(json_build_object(
    'moves', (
        SELECT json_agg(json_build_array(move.recorded_at, move.what, move.from_ward, move.from_bed,
            move.to_ward, move.to_bed, move.at, move.reason, author.username, author.first_name,
            author.last_name) ORDER BY move.recorded_at, move.id)
        FROM patients_transfer AS move JOIN accounts_user AS author
            ON author.id = move.recorded_by_id
        WHERE move.course_id = %(course)s
    ),
    'joins', json_agg(json_build_array(joining.recorded_at, joining.kept_id, joining.joined_id,
        joining.undoes_id IS NOT NULL, joining.courses) ORDER BY joining.id)
        FILTER (WHERE joining.id IS NOT NULL),
    'patients', (
        SELECT json_agg(json_build_array(id, name, mrn, birth_date, sex,
            developmental_delay)) FROM patients_patient
        WHERE id = ANY(array_agg(joining.kept_id) || array_agg(joining.joined_id))
    ),
    'corrections', (
        SELECT json_agg(json_build_array(recorded_at, patient_id, course_id, before, after)
            ORDER BY id)
        FROM patients_identitycorrection
        WHERE course_id = %(course)s OR (course_id IS NULL AND patient_id = ANY(
            array_agg(joining.kept_id) || array_agg(joining.joined_id) || %(patient)s::uuid))
    )
) AS text)
FROM (SELECT) AS one LEFT JOIN patients_patientjoin AS joining
    ON joining.courses @> jsonb_build_array(jsonb_build_object('id', %(course)s::uuid))
"""
"""One JSON text: every change of the course's ward and bed and of the identity, in order."""


class Change(NamedTuple):
    """A change of one column that was recorded at a time."""

    recorded_at: datetime
    before: Any
    after: Any


def value_then(current: Any, changes: Iterable[Change], known_at: datetime) -> Any:
    """Return what a column had at ``known_at``; ``changes`` are all of it, in order."""
    value = current
    for change in reversed(list(changes)):
        if change.recorded_at <= known_at:
            return change.after
        value = change.before
    return value


@dataclass(frozen=True, slots=True)
class CourseThen:
    """A course as it was known at a moment, and how it was closed; None where it was open."""

    course: Course
    closing: Closing | None


def course_then(course: Course, changes: str, known_at: datetime) -> CourseThen:
    """Return ``course`` as it was known at ``known_at``, by the text of SQL_CHANGES_OF_COURSE."""
    found: Mapping[str, Any] = json.loads(changes)
    joins = [_Join(datetime.fromisoformat(at), *rest) for at, *rest in found["joins"] or ()]
    corrections = [
        _Correction(datetime.fromisoformat(at), *rest) for at, *rest in found["corrections"] or ()
    ]
    moves = [_Move(datetime.fromisoformat(at), *rest) for at, *rest in found["moves"] or ()]
    patients = {row[0]: row for row in found["patients"] or ()}
    patient = _patient_then(course, joins, corrections, patients, known_at)
    columns = {
        column: value_then(
            getattr(course, column), _changes_of(column, course, joins, corrections), known_at
        )
        for column in _OF_COURSE
    }
    columns["ward"], columns["bed"] = value_then(
        (course.ward, course.bed),
        [Change(one.recorded_at, (one.from_ward, one.from_bed), (one.to_ward, one.to_bed))
         for one in moves],
        known_at,
    )  # fmt: skip
    ends = [one for one in moves if one.what != Move.MOVED]
    closing = value_then(
        None if course.ended_at is None else Closing(course.ended_at, "", ""),
        [_closing_by(one) for one in ends],
        known_at,
    )
    columns["ended_at"] = None if closing is None else closing.at
    return CourseThen(as_course_of(patient, course, columns), closing)


def as_course_of(patient: Patient, course: Course, values: Mapping[str, Any]) -> Course:
    """Return a copy of ``course`` as one of ``patient``, with ``values`` in its columns."""
    copied = copy.copy(course)
    copied._state = copy.copy(course._state)
    copied._state.fields_cache = dict(course._state.fields_cache)
    for column, value in values.items():
        setattr(copied, column, value)
    copied.patient = patient
    return copied


class _Join(NamedTuple):
    recorded_at: datetime
    kept: str
    joined: str
    is_undone: bool
    courses: list[dict[str, str | None]]


class _Correction(NamedTuple):
    recorded_at: datetime
    patient: str
    course: str | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]


class _Move(NamedTuple):
    recorded_at: datetime
    what: str
    from_ward: str
    from_bed: str
    to_ward: str
    to_bed: str
    at: str
    reason: str
    username: str
    first_name: str
    last_name: str


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _day(value: Any) -> date | None:
    return None if value is None else date.fromisoformat(value)


def _as_stored(value: Any) -> Any:
    return value


_OF_COURSE: Final[Mapping[str, Callable[[Any], Any]]] = {
    "product": _as_stored,
    "infused_at": datetime.fromisoformat,
    "infused_offset_seconds": _as_stored,
    "age_years": _number,
}
_OF_PATIENT: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _as_stored,
    "mrn": _as_stored,
    "birth_date": _day,
    "sex": _as_stored,
    "developmental_delay": _as_stored,
}
"""The columns that a correction changes, and how its JSON is read."""


def _changes_of(
    column: str, course: Course, joins: Iterable[_Join], corrections: Iterable[_Correction]
) -> list[Change]:
    read = _OF_COURSE[column]
    changes = [
        Change(one.recorded_at, read(one.before[column]), read(one.after[column]))
        for one in corrections
        if one.course == str(course.pk) and column in one.after
    ]
    if column == "age_years":
        # A join that is undone gives the course back with the age that it had come with.
        for one in joins:
            if one.is_undone:
                [came] = [each for each in one.courses if each["id"] == str(course.pk)]
                age = _number(came["age_years"])
                changes.append(Change(one.recorded_at, age, age))
    return sorted(changes, key=lambda change: change.recorded_at)


def _patient_then(
    course: Course,
    joins: Iterable[_Join],
    corrections: Iterable[_Correction],
    patients: Mapping[str, Any],
    known_at: datetime,
) -> Patient:
    owners = [
        Change(one.recorded_at, one.kept, one.joined)
        if one.is_undone
        else Change(one.recorded_at, one.joined, one.kept)
        for one in joins
    ]
    owner = value_then(str(course.patient_id), owners, known_at)
    then = copy.copy(course.patient)
    if owner != str(course.patient_id):
        pk, name, mrn, born, sex, delay = patients[owner]
        then = Patient(
            id=uuid.UUID(pk),
            name=name,
            mrn=mrn,
            birth_date=_day(born),
            sex=sex,
            developmental_delay=delay,
        )
    for column, read in _OF_PATIENT.items():
        changes = [
            Change(one.recorded_at, read(one.before[column]), read(one.after[column]))
            for one in corrections
            if one.course is None and one.patient == owner and column in one.after
        ]
        setattr(then, column, value_then(getattr(then, column), changes, known_at))
    return then


def _closing_by(move: _Move) -> Change:
    if move.what == Move.REOPENED:
        return Change(move.recorded_at, None, None)
    author = display_name_of(move.username, move.first_name, move.last_name)
    closing = Closing(datetime.fromisoformat(move.at), move.reason, author)
    return Change(move.recorded_at, None, closing)
