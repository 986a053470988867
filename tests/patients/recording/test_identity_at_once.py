"""A correction of an identity, and a moved entry, while someone else saves on the same courses."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
from django.core.management import call_command
from django.db import connection

from crs_app.accounts.models import User
from patients.models import Course, Entry, Fact, IdentityCorrection, Patient
from patients.queries.courses import read_course
from patients.queries.identity import courses_of_patient
from patients.recording.admit import IdentityDiffersError, admit_patient
from patients.recording.identity import (
    ChangedMeanwhileError,
    IdentityChange,
    MrnInUseError,
    correct_identity,
    identity_token,
)
from patients.recording.move import move_entry
from tests.factories import AdmissionFactory, UserFactory, admit, ago, chart, sending

CHILD_BORN, BORN = date(2017, 5, 5), date(1971, 5, 5)


def correct_birth(course: Course, born: date, by: User) -> None:
    """Corrects the birth date, looking again as often as someone charts meanwhile."""
    for _ in range(50):
        seen = identity_token(list(courses_of_patient(course.patient_id)))
        change = IdentityChange(Fact.BIRTH, "passport", seen, of_patient={"birth_date": born})
        try:
            correct_identity(course.patient_id, change, sending(by))
        except ChangedMeanwhileError:
            continue
        return
    raise AssertionError("never free of someone who charts")


def low_pressure(course: Course, by: User, minutes: float) -> None:
    """Charts what is low for an adult and normal for a child."""
    chart(course, by, "vitals", ago(minutes), systolic_mmhg="92", diastolic_mmhg="50")


def at_once(*acts: Callable[[], object]) -> None:
    failures: list[BaseException] = []
    ready = threading.Barrier(len(acts), timeout=10)

    def run(act: Callable[[], object]) -> None:
        ready.wait()
        try:
            act()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_a_course_read_before_a_correction_is_graded_by_what_is_true(clinician: User) -> None:
    """A page reads the course, someone corrects it, then the page saves."""
    course = admit(clinician, birth_date=CHILD_BORN)
    for minutes in range(60, 30, -1):
        low_pressure(course, clinician, minutes)
    stale = read_course(course.pk)
    correct_birth(course, BORN, clinician)
    low_pressure(stale, clinician, 5)
    assert stale.patient.birth_date == BORN
    call_command("verify_grades")


@pytest.mark.django_db(transaction=True)
def test_saves_and_corrections_at_once_leave_grades_that_agree() -> None:
    nurse, doctor = UserFactory(), UserFactory()
    course = admit(nurse, birth_date=CHILD_BORN)

    def save() -> None:
        for n in range(8):
            low_pressure(read_course(course.pk), nurse, 60 - n)

    def correct() -> None:
        for born in (BORN, CHILD_BORN, BORN):
            correct_birth(course, born, doctor)

    at_once(save, correct)
    assert Entry.objects.filter(course=course, kind="vitals").count() == 8
    assert IdentityCorrection.objects.count() == 3
    call_command("verify_grades")


@pytest.mark.django_db(transaction=True)
def test_entries_moved_both_ways_at_once_wait_for_no_one_for_ever() -> None:
    nurse = UserFactory()
    one, other = admit(nurse), admit(nurse, product="another")
    ours = [chart(one, nurse, "vitals", ago(60 - n), temperature_c="38.6") for n in range(4)]
    theirs = [chart(other, nurse, "vitals", ago(30 - n), temperature_c="38.6") for n in range(4)]

    def move_all(results: list[object], to: Course) -> None:
        for result in results:
            entry = Entry.objects.select_related("course__patient", "course__policy", "act").get(
                pk=result.entries[0].pk  # type: ignore[attr-defined]
            )
            move_entry(entry, read_course(to.pk), sending(nurse, answers={"reason": "swap"}), {})

    at_once(
        partial(move_all, list(ours), other),
        partial(move_all, list(theirs), one),
        lambda: [low_pressure(read_course(one.pk), nurse, 10 - n) for n in range(4)],
    )
    assert Entry.objects.filter(kind="retraction").count() == 8
    call_command("verify_grades")


@pytest.mark.django_db(transaction=True)
def test_two_numbers_that_look_the_same_at_once_are_one_patient() -> None:
    nurse = UserFactory()
    first = AdmissionFactory(mrn="IN 1", product="one")
    second = AdmissionFactory(mrn="in  1", product="two")
    for _ in range(3):
        number = uuid.uuid4().hex[:8]
        at_once(
            *(
                partial(
                    admit_patient,
                    AdmissionFactory(mrn=f"{each.mrn}{number}", product=each.product),
                    [],
                    sending(nurse),
                )
                for each in (first, second)
            )
        )
    assert Patient.objects.count() == 3
    assert Course.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_one_number_for_two_patients_at_once_is_one_patients() -> None:
    nurse = UserFactory()
    courses = [admit(nurse), admit(nurse, product="another")]
    refused: list[object] = []

    def take(course: Course) -> None:
        seen = identity_token(list(courses_of_patient(course.patient_id)))
        change = IdentityChange(Fact.MRN, "wristband", seen, of_patient={"mrn": "NEW 1"})
        try:
            correct_identity(course.patient_id, change, sending(nurse))
        except MrnInUseError as error:
            refused.append(error.patient.pk)

    at_once(*(partial(take, course) for course in courses))
    assert refused == [Patient.objects.get(mrn="NEW 1").pk]
    call_command("verify_grades")


@pytest.mark.django_db(transaction=True)
def test_an_admission_during_a_correction_is_graded_by_what_is_true() -> None:
    nurse = UserFactory()
    course = admit(nurse, birth_date=CHILD_BORN)

    def admit_second() -> None:
        again = AdmissionFactory(mrn=course.patient.mrn, product="another", birth_date=CHILD_BORN)
        try:
            admit_patient(again, [], sending(nurse))
        except IdentityDiffersError:
            return  # The correction was first.

    at_once(admit_second, partial(correct_birth, course, BORN, nurse))
    assert set(Patient.objects.values_list("birth_date", flat=True)) == {BORN}
    call_command("verify_grades")
