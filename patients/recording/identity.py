"""Correct who a patient is, or what was infused when, and regrade every course of the patient."""

from __future__ import annotations

import copy
import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import F

from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from grading.engine.facts import CourseFacts
from grading.engine.periods import Period
from grading.service import CurrentStatus, regrade
from grading.systems import HEADLINE
from patients.models import ActSource, Course, Fact, IdentityCorrection, Patient
from patients.models.identifiers import mrn_key, mrn_look, name_key, product_key
from patients.queries.course_then import as_course_of
from patients.queries.entries import (
    SplitEntries,
    course_facts,
    entries_in_force,
    parse_entries,
    split_by_use,
)
from patients.queries.identity import (
    courses_of_patient,
    read_clock,
    read_patient_by_mrn,
    read_state_of_courses,
)
from patients.queries.policies import (
    ALWAYS,
    PolicyPeriod,
    period_at,
    periods_in_effect,
    read_policy_periods,
)
from patients.recording.inputs import ConflictError, Submission
from patients.recording.lock import lock_course
from patients.recording.record import append_act

Value = str | date | datetime | Decimal | int | None


@dataclass(frozen=True, slots=True)
class IdentityChange:
    """New values of the columns of a patient, and of those of its courses by their ids.

    ``seen`` is the ``identity_token`` that the preview had.
    """

    fact: Fact
    reason: str
    seen: str
    of_patient: Mapping[str, Value] = field(default_factory=dict)
    of_courses: Mapping[uuid.UUID, Mapping[str, Value]] = field(default_factory=dict)


class ChangedMeanwhileError(ConflictError):
    """Someone has charted or corrected since the preview was made."""

    def __init__(self) -> None:
        super().__init__(
            "Someone has charted or corrected since this was shown. Look again at what changes."
        )


class IdentityFormReusedError(ConflictError):
    """This form was saved before, with other contents or by another user."""

    def __init__(self) -> None:
        super().__init__(
            "This form was sent before, with other contents or by someone else. Reload the page."
        )


class MrnInUseError(ConflictError):
    """The new record number is that of ``patient``."""

    def __init__(self, patient: Patient) -> None:
        super().__init__(
            f"MRN {patient.mrn} is in use: {patient.name}. If both records are of one person, an "
            "administrator can join them."
        )
        self.patient = patient


class SameCourseError(ConflictError):
    """The patient has ``course`` of the same product from the same infusion."""

    def __init__(self, course: Course) -> None:
        super().__init__(
            f"This patient already has a course of {course.product} with this infusion time. One "
            "infusion is one course: end the one that was opened in error."
        )
        self.course = course


def identity_token(courses: Sequence[Course]) -> str:
    """Return the optimistic-lock token of what a preview of a correction rests on.

    It has the identity of ``courses`` as they were read, which a page shows, and not one that was
    corrected since; ends and acts are read now, so that what else is shown must be read later.
    """
    versions = {course.pk: course.identity_version for course in courses}
    state = [
        (course_id, versions[course_id], ended_at, last_act)
        for course_id, _, ended_at, last_act in read_state_of_courses(courses)
    ]
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def correct_identity(
    patient_id: uuid.UUID, change: IdentityChange, submission: Submission
) -> list[IdentityCorrection]:
    """Record a correction, change the present values, and regrade every course from its start.

    The earlier grades stay as known before. The same ``form_id`` again is a replay: it returns the
    recorded rows. Raises ChangedMeanwhileError, MrnInUseError, SameCourseError and
    IdentityFormReusedError; then nothing is stored.
    """
    try:
        with transaction.atomic(durable=True):
            return _correct(patient_id, change, submission)
    except IntegrityError:
        # Someone has taken the number between the check and the change.
        owner = read_patient_by_mrn(str(change.of_patient.get("mrn", "")))
        if owner is None or owner.pk == patient_id:
            raise
        raise MrnInUseError(owner) from None


def _correct(
    patient_id: uuid.UUID, change: IdentityChange, submission: Submission
) -> list[IdentityCorrection]:
    # The lock waits for every admission of this patient that has begun, and lets no other begin.
    patient = Patient.objects.select_for_update().get(pk=patient_id)
    before = list(IdentityCorrection.objects.filter(form_id=submission.form_id, patient=patient))
    if before:
        sent = (submission.request_digest, submission.by.pk)
        if (before[0].request_digest, before[0].recorded_by_id) != sent:
            raise IdentityFormReusedError
        return before
    courses = list(courses_of_patient(patient_id))
    for course in courses:
        lock_course(course)
    if change.seen != identity_token(courses):
        raise ChangedMeanwhileError
    check_free(patient, courses, change)
    stored = _store_rows(patient, courses, change, submission)
    decided = {
        course.pk: policies_decided_again(course, changed.infused_at)
        for course, changed in zip(courses, with_change(patient, courses, change), strict=True)
    }
    _apply(patient, courses, change)
    regrade_courses(courses, submission, {"identity": change.fact.value}, decided)
    record_identity(courses, submission, change.fact.label, change.reason)
    return stored


ANSWERED: Final = "Answered at admission"


def answer_delay(patient: Patient, answer: bool, submission: Submission) -> list[Course]:
    """Store the first answer about developmental delay of a locked patient; returns its courses.

    Nothing is regraded: the grade of Lee 2014, which alone is stored, does not depend on it.
    """
    courses = list(courses_of_patient(patient.pk))
    for course in courses:
        lock_course(course)
    values = {"developmental_delay": answer}
    change = IdentityChange(Fact.DELAY, ANSWERED, seen="", of_patient=values)
    _store_rows(patient, courses, change, submission)
    _apply(patient, courses, change)
    patient.developmental_delay = answer
    return courses


def check_free(patient: Patient, courses: Sequence[Course], change: IdentityChange) -> None:
    """Raise MrnInUseError or SameCourseError where the new values are another's."""
    if (mrn := change.of_patient.get("mrn")) is not None:
        owner = read_patient_by_mrn(str(mrn))
        if owner is not None and owner.pk != patient.pk:
            raise MrnInUseError(owner)
    infusions: dict[tuple[str, datetime], Course] = {}
    for course in with_change(patient, courses, change):
        other = infusions.setdefault(infusion_of(course), course)
        if other is not course:
            raise SameCourseError(other if other.pk not in change.of_courses else course)


def infusion_of(course: Course) -> tuple[str, datetime]:
    """Return a key that is equal for two courses of one infusion: the key of the product, and when
    it was infused.
    """
    return product_key(course.product), course.infused_at


def with_change(
    patient: Patient, courses: Sequence[Course], change: IdentityChange
) -> list[Course]:
    """Return copies of ``courses`` as they would be after ``change``; nothing is stored."""
    corrected = copy.copy(patient)
    for column, value in change.of_patient.items():
        setattr(corrected, column, value)
    return [
        as_course_of(corrected, course, change.of_courses.get(course.pk, {})) for course in courses
    ]


class GradedAs(NamedTuple):
    """The periods and the status of a course, and the entries that they rest on."""

    periods: tuple[Period, ...]
    status: CurrentStatus
    entries: SplitEntries


def grade_as(course: Course, now: datetime, decided: Sequence[PolicyPeriod] = ()) -> GradedAs:
    """Grade ``course`` with the values that it has in memory, from its start; store nothing.

    ``decided`` are the policies that the change decides again.
    """
    rows = entries_in_force(course.pk, after=None)
    policy_periods = periods_in_effect([*read_policy_periods(course), *decided])
    facts: CourseFacts = course_facts(course, policy_periods)
    regraded = regrade(facts, parse_entries(rows), now=now, system=HEADLINE)
    if regraded.status is None:
        raise ValueError("a course was regraded without an instant")
    return GradedAs(regraded.periods, regraded.status, split_by_use(course, rows, after=None))


def policies_decided_again(course: Course, infused_at: datetime) -> list[PolicyPeriod]:
    """Return the policies to decide again where ``course`` was infused at ``infused_at``, earlier.

    A policy that was decided for the whole course begins at its infusion, and must begin earlier.
    """
    periods = read_policy_periods(course)
    own = period_at(periods, course.infused_at)
    if own is None or own.site_policy_id is not None or not ALWAYS < infused_at < own.valid_from:
        return []
    return [own._replace(valid_from=infused_at), *periods[periods.index(own) + 1 :]]


def regrade_courses(
    courses: Sequence[Course],
    submission: Submission,
    answers: Mapping[str, Any],
    decided: Mapping[uuid.UUID, Sequence[PolicyPeriod]],
) -> None:
    """Regrade locked ``courses`` from their start, each by one act, after the rows have changed.

    ``decided`` are the policies that are decided again, by course.
    """
    sent = replace(submission, source=ActSource.IDENTITY, answers={**submission.answers, **answers})
    for course in courses:
        lock_course(course)
        append_act(course, (), sent, decided.get(course.pk, ()), from_start=True)


def record_identity(
    courses: Iterable[Course], submission: Submission, what: str, reason: str
) -> None:
    """Record in each course that its identity was changed; the last statements of a transaction."""
    for course_id in sorted(course.pk for course in courses):
        record_event(
            EventKind.IDENTITY,
            by=submission.by,
            course_id=course_id,
            purpose=reason,
            details={"what": what},
        )


def _store_rows(
    patient: Patient, courses: Sequence[Course], change: IdentityChange, submission: Submission
) -> list[IdentityCorrection]:
    now = read_clock()
    by_id = {course.pk: course for course in courses}
    changed: list[tuple[Course | None, Patient | Course, Mapping[str, Value]]] = [
        (by_id[pk], by_id[pk], values) for pk, values in change.of_courses.items()
    ]
    if change.of_patient:
        changed.insert(0, (None, patient, change.of_patient))
    return [
        IdentityCorrection.objects.create(
            form_id=submission.form_id,
            patient=patient,
            course=course,
            fact=change.fact,
            before={column: _as_json(getattr(row, column)) for column in values},
            after={column: _as_json(value) for column, value in values.items()},
            reason=change.reason,
            recorded_at=now,
            recorded_by=submission.by,
            request_digest=submission.request_digest,
            by_emergency=submission.by_emergency,
        )
        for course, row, values in changed
    ]


def _apply(patient: Patient, courses: Sequence[Course], change: IdentityChange) -> None:
    values: dict[str, Any] = dict(change.of_patient)
    if "mrn" in values:
        values |= {"mrn_key": mrn_key(values["mrn"]), "mrn_look": mrn_look(values["mrn"])}
    if "name" in values:
        values["name_key"] = name_key(values["name"])
    if values:
        Patient.objects.filter(pk=patient.pk).update(**values)
    for course in courses:
        Course.objects.filter(pk=course.pk).update(
            identity_version=F("identity_version") + 1, **change.of_courses.get(course.pk, {})
        )


def _as_json(value: Value) -> str | int | None:
    """Return a column's value as ``before`` and ``after`` have it: times in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
