"""Join two records of one person, or undo a join, and regrade the courses."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from patients.models import Course, Patient, PatientJoin
from patients.queries.identity import courses_of_patient, joins_in_force, read_clock
from patients.recording.identity import (
    ChangedMeanwhileError,
    IdentityFormReusedError,
    identity_token,
    infusion_of,
    record_identity,
    regrade_courses,
)
from patients.recording.inputs import ConflictError, Submission
from patients.recording.lock import lock_course


class CannotJoinError(ConflictError):
    """The two records cannot be joined, or the join not be undone; the sentence says why."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Join ``joined`` to ``kept`` for a reason; ``seen`` is the ``join_token`` of the preview."""

    kept: uuid.UUID
    joined: uuid.UUID
    reason: str
    seen: str


def join_token(kept: uuid.UUID, joined: uuid.UUID) -> str:
    """Return the optimistic-lock token of what a preview of a join rests on."""
    return identity_token(courses_of_both(kept, joined))


@transaction.atomic(durable=True)
def join_records(request: JoinRequest, submission: Submission) -> PatientJoin:
    """Give the courses of one record to the other, and regrade the courses of both.

    The record that is kept gives the identity. The same ``form_id`` again is a replay. Raises
    CannotJoinError, ChangedMeanwhileError and IdentityFormReusedError; then nothing is stored.
    """
    patients = _lock_patients(request.kept, request.joined)
    before = PatientJoin.objects.filter(form_id=submission.form_id).first()
    if before is not None:
        sent = (request.kept, request.joined, request.reason, submission.by.pk)
        stored = (before.kept_id, before.joined_id, before.reason, before.recorded_by_id)
        if stored != sent or before.undoes_id is not None:
            raise IdentityFormReusedError
        return before
    kept, joined = patients[request.kept], patients[request.joined]
    courses = _lock_courses(request.kept, request.joined)
    if request.seen != identity_token(courses):
        raise ChangedMeanwhileError
    check_can_join(kept, joined, courses)
    coming = [course for course in courses if course.patient_id == joined.pk]
    joining = PatientJoin.objects.create(
        form_id=submission.form_id,
        kept=kept,
        joined=joined,
        courses=[_listed(course) for course in coming],
        reason=request.reason,
        recorded_at=read_clock(),
        recorded_by=submission.by,
    )
    Course.objects.filter(pk__in=[course.pk for course in coming]).update(
        patient=kept, identity_version=F("identity_version") + 1
    )
    regrade_courses(courses, submission, {"identity": "join"}, {})
    record_identity(courses, submission, "two records joined", request.reason)
    return joining


@transaction.atomic(durable=True)
def undo_join(joining: PatientJoin, seen: str, submission: Submission) -> PatientJoin:
    """Give the courses that came over back to their own record, and regrade the courses of both.

    Raises as ``join_records`` does.
    """
    _lock_patients(joining.kept_id, joining.joined_id)
    before = PatientJoin.objects.filter(form_id=submission.form_id).first()
    if before is not None:
        sent = (joining.pk, submission.answers["reason"], submission.by.pk)
        if (before.undoes_id, before.reason, before.recorded_by_id) != sent:
            raise IdentityFormReusedError
        return before
    courses = _lock_courses(joining.kept_id, joining.joined_id)
    check_can_undo(joining)
    if seen != identity_token(courses):
        raise ChangedMeanwhileError
    undone = PatientJoin.objects.create(
        form_id=submission.form_id,
        kept=joining.kept,
        joined=joining.joined,
        undoes=joining,
        courses=joining.courses,
        reason=submission.answers["reason"],
        recorded_at=read_clock(),
        recorded_by=submission.by,
    )
    for course_id, age in ages_of(joining).items():
        Course.objects.filter(pk=course_id).update(
            patient=joining.joined, age_years=age, identity_version=F("identity_version") + 1
        )
    regrade_courses(courses, submission, {"identity": "join undone"}, {})
    record_identity(courses, submission, "join undone", submission.answers["reason"])
    return undone


def check_can_join(kept: Patient, joined: Patient, courses: Sequence[Course]) -> None:
    """Raise CannotJoinError, with the sentence why, where two records cannot become one."""
    if kept.pk == joined.pk:
        raise CannotJoinError("These are one record already.")
    for one in (joined, kept):
        if joins_in_force().filter(joined=one).exists():
            raise CannotJoinError(f"MRN {one.mrn} was joined to another record already.")
        if not any(course.patient_id == one.pk for course in courses):
            raise CannotJoinError(f"MRN {one.mrn} has no course: there is nothing to join.")
    coming = [course for course in courses if course.patient_id == joined.pk]
    _check_nothing_is_lost(kept, joined, coming)
    infusions = {infusion_of(course) for course in courses if course.patient_id == kept.pk}
    for course in coming:
        if infusion_of(course) in infusions:
            raise CannotJoinError(
                f"Both records have a course of {course.product} with the same infusion time. One "
                "infusion is one course: its entries cannot be merged. Move the entries of one "
                "course to the other and end it, or correct the infusion time that is wrong."
            )


def _check_nothing_is_lost(kept: Patient, joined: Patient, coming: Sequence[Course]) -> None:
    """Raise CannotJoinError where the kept record lacks a fact that the joined one has."""
    if kept.birth_date is None and any(course.age_years is None for course in coming):
        raise CannotJoinError(
            f"MRN {kept.mrn} has no birth date and MRN {joined.mrn} has one. Correct that first, "
            "or keep the other record."
        )
    if kept.developmental_delay is None and joined.developmental_delay is not None:
        raise CannotJoinError(
            f"MRN {joined.mrn} has an answer about developmental delay and MRN {kept.mrn} has "
            "none. Answer it there first, or keep the other record."
        )


def check_can_undo(joining: PatientJoin) -> None:
    """Raise CannotJoinError where a join cannot be undone now."""
    if joining.undoes_id is not None or hasattr(joining, "undone_by"):
        raise CannotJoinError("This join was undone already.")
    if joins_in_force().filter(joined=joining.kept_id).exists():
        raise CannotJoinError(
            f"MRN {joining.kept.mrn} was itself joined to another record since. Undo that first."
        )


def ages_of(joining: PatientJoin) -> dict[uuid.UUID, Decimal | None]:
    """Return the courses that came over, each with the age that was charted for it."""
    return {
        uuid.UUID(one["id"]): None if one["age_years"] is None else Decimal(one["age_years"])
        for one in joining.courses
    }


def _lock_patients(*patient_ids: uuid.UUID) -> dict[uuid.UUID, Patient]:
    patients = Patient.objects.select_for_update().filter(pk__in=patient_ids).order_by("pk")
    return {patient.pk: patient for patient in patients}


def courses_of_both(*patient_ids: uuid.UUID) -> list[Course]:
    """Read the courses of two records, in the order in which they are locked."""
    courses = [course for pk in set(patient_ids) for course in courses_of_patient(pk)]
    return sorted(courses, key=lambda course: course.pk)


def _lock_courses(*patient_ids: uuid.UUID) -> list[Course]:
    courses = courses_of_both(*patient_ids)
    for course in courses:
        lock_course(course)
    return courses


def _listed(course: Course) -> dict[str, str | None]:
    age = course.age_years
    return {"id": str(course.pk), "age_years": None if age is None else str(age)}
