"""Open a course and record its first entries; create the patient where the record number is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from crs_app.accounts.models import Ward
from crs_app.accounts.name_text import without_unseen
from grading.engine.policy import Policy
from grading.plain_text import without_blanks_around
from patients.models import Course, Fact, Patient
from patients.models.identifiers import name_key, product_key, visible_text
from patients.queries.identity import (
    earlier_facts_of,
    lock_kept_record,
)
from patients.queries.policies import (
    PolicyPeriod,
    lock_site_policy,
    policy_at,
    read_site_policy_periods,
    version_of,
)
from patients.recording.identity import ANSWERED, answer_delay, record_identity
from patients.recording.inputs import ConflictError, NewEntry, Submission
from patients.recording.lock import lock_course
from patients.recording.record import RecordingResult, append_act
from patients.recording.wards import ward_for_patient


class IdentityDiffersError(ConflictError):
    """The record number belongs to ``patient``, whose name, birth date or sex differ."""

    def __init__(self, patient: Patient) -> None:
        super().__init__(
            f"This MRN belongs to {patient.name}, with another name, birth date or sex: "
            "check which is right."
        )
        self.patient = patient


class DelayDiffersError(ConflictError):
    """The chart of ``patient`` has another answer about developmental delay."""

    def __init__(self, patient: Patient) -> None:
        answer = "yes" if patient.developmental_delay else "no"
        super().__init__(
            f"The chart of {patient.name} has “{answer}”. If that is wrong, admit with “not known” "
            "and correct it on the page of the identity."
        )
        self.patient = patient


class AlreadyAdmittedError(ConflictError):
    """The patient has ``course`` of the same product from the same infusion.

    ``was_corrected``: it had them until it was corrected.
    """

    def __init__(self, course: Course, *, was_corrected: bool = False) -> None:
        sentence = f"This course is open already: {course.product}, the same infusion time."
        if was_corrected:
            sentence = (
                "This course is open already. Its product or infusion time was corrected since: "
                f"{course.product} now."
            )
        super().__init__(sentence)
        self.course = course


@dataclass(frozen=True, slots=True)
class Admission:
    """A new course. ``infused_at`` keeps its offset; ``age_years`` where no birth date is known.

    ``developmental_delay`` None is not answered; the answer is one about the patient.
    ``policy`` is the course's own, which no decision of the site touches; None follows the site's.
    """

    mrn: str
    name: str
    sex: str
    product: str
    infused_at: datetime
    ward: str
    bed: str = ""
    birth_date: date | None = None
    age_years: Decimal | None = None
    developmental_delay: bool | None = None
    policy: Policy | None = None


def admit_patient(
    admission: Admission, new_entries: Sequence[NewEntry], submission: Submission
) -> RecordingResult:
    """Open a course with its first entries; create the patient where the record number is new.

    The same form sent again is a replay: the result has the course that it opened. Raises
    IdentityDiffersError where the record number is another person's, DelayDiffersError where the
    patient's answer is another, AlreadyAdmittedError where the course exists, WardClosedError,
    AheadOfClockError for an infusion ahead of the database's clock, and FormReusedError where the
    form was saved before with other contents or by another user.
    """
    try:
        with transaction.atomic():
            return _admit(admission, new_entries, submission)
    except IntegrityError:
        # Two forms created one patient at once: the second attempt finds the row of the first.
        with transaction.atomic():
            return _admit(admission, new_entries, submission)


def _admit(
    admission: Admission, new_entries: Sequence[NewEntry], submission: Submission
) -> RecordingResult:
    patient = _patient(admission)
    same = _same_courses(admission, patient)
    course = next((one for one in same if _was_opened_by(submission, one)), None)
    coming: list[PolicyPeriod] = []
    answered: list[Course] = []
    if course is None and same:
        raise AlreadyAdmittedError(same[0])
    if course is None:
        _check_not_corrected(admission, patient)
        # Ward and policy are locked before any course, as by a renaming and by a decision.
        ward = ward_for_patient(admission.ward)
        if admission.policy is None:
            lock_site_policy()
        answered = _note_delay(admission, patient, submission)
        course, coming = _open_course(admission, patient, ward, submission)
    lock_course(course)
    result = append_act(course, new_entries, submission, coming)
    record_identity(answered, submission, Fact.DELAY.label, ANSWERED)
    return result


def _same_courses(admission: Admission, patient: Patient) -> list[Course]:
    """Return the courses of the same infusion of the same product, however it is written."""
    product = product_key(admission.product)
    courses = Course.objects.filter(patient=patient, infused_at=admission.infused_at)
    return [course for course in courses if product_key(course.product) == product]


def _was_opened_by(submission: Submission, course: Course) -> bool:
    return course.acts.filter(form_id=submission.form_id).exists()


def _patient(admission: Admission) -> Patient:
    """Return the patient, locked against a correction of the identity; create a new one.

    A record number that was joined to another leads to the record that was kept.
    """
    patient = lock_kept_record(admission.mrn)
    if patient is None:
        return Patient.objects.create(
            mrn=visible_text(admission.mrn),
            name=without_blanks_around(without_unseen(admission.name)),
            birth_date=admission.birth_date,
            sex=admission.sex,
            developmental_delay=admission.developmental_delay,
        )
    typed = (name_key(admission.name), admission.birth_date, admission.sex)
    if typed != (name_key(patient.name), patient.birth_date, patient.sex):
        raise IdentityDiffersError(patient)
    return patient


def _note_delay(admission: Admission, patient: Patient, submission: Submission) -> list[Course]:
    """Store the first answer about developmental delay of a patient who is known already.

    Returns the courses that it is about, for the record; none where nothing is answered.
    """
    answer, known = admission.developmental_delay, patient.developmental_delay
    if answer is None or answer == known:
        return []
    if known is not None:
        raise DelayDiffersError(patient)
    return answer_delay(patient, answer, submission)


def _check_not_corrected(admission: Admission, patient: Patient) -> None:
    """Raise AlreadyAdmittedError where a course had this product and infusion in the past."""
    for course in patient.courses.filter(identity_corrections__isnull=False).distinct():
        earlier = earlier_facts_of(course, Fact.PRODUCT, "product")
        products = set(map(product_key, (course.product, *earlier)))
        infusions = {course.infused_at}
        for text in earlier_facts_of(course, Fact.INFUSION, "infused_at"):
            infusions.add(datetime.fromisoformat(text))
        if product_key(admission.product) in products and admission.infused_at in infusions:
            raise AlreadyAdmittedError(course, was_corrected=True)


def _open_course(
    admission: Admission, patient: Patient, ward: Ward, submission: Submission
) -> tuple[Course, list[PolicyPeriod]]:
    """Create the course; return it and the site's policy periods that begin later.

    Ward and policy of the site are locked.
    """
    offset = admission.infused_at.utcoffset()
    if offset is None:
        raise ValueError("an infusion's time needs its offset")
    site = read_site_policy_periods() if admission.policy is None else []
    received_at = timezone.now()
    policy = admission.policy or policy_at(site, received_at)
    course = Course.objects.create(
        patient=patient,
        product=admission.product,
        infused_at=admission.infused_at,
        infused_offset_seconds=int(offset.total_seconds()),
        age_years=admission.age_years,
        policy=version_of(policy, received_at),
        keeps_own_policy=admission.policy is not None,
        ward=ward.name,
        on_ward=ward,
        bed=admission.bed,
        admitted_at=submission.recorded_at or received_at,
        admitted_by=submission.by,
    )
    return course, [period for period in site if period.valid_from > received_at]
