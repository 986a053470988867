"""The database changes an identity only with the row that says who corrected it and why."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, IdentityCorrection, Patient, PatientJoin
from tests.factories import admit

# Not even the owner of the tables may; the web role has no such right to begin with.
pytestmark = pytest.mark.usefixtures("as_owner")


def run(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def refused(sql: str, *parameters: Any) -> str:
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        run(sql, *parameters)
    return str(refusal.value)


def correction(by: User, course: Course, **fields: Any) -> IdentityCorrection:
    values: dict[str, Any] = {
        "form_id": uuid.uuid4(),
        "patient": course.patient,
        "fact": "name",
        "before": {"name": course.patient.name},
        "after": {"name": "WEBER, Luca"},
        "reason": "wristband",
        "recorded_at": timezone.now(),
        "recorded_by": by,
    }
    return IdentityCorrection.objects.create(**values | fields)


@pytest.mark.parametrize(
    "assignment",
    [
        "name = 'X'",
        "birth_date = '2019-01-01'",
        "birth_date = NULL",
        "sex = 'other'",
        "mrn = 'X'",
        "developmental_delay = true",
    ],
)
def test_an_identity_is_not_rewritten(course: Course, assignment: str) -> None:
    assert "only with its correction" in refused(f"UPDATE patients_patient SET {assignment}")  # noqa: S608


@pytest.mark.parametrize(
    "assignment",
    [
        "product = 'X'",
        "infused_at = infused_at - interval '1 day'",
        "infused_offset_seconds = 3600",
        "age_years = 3",
        "patient_id = '00000000-0000-0000-0000-000000000000'",
        "identity_version = identity_version + 1",
        "policy_id = policy_id + 1",
        "admitted_at = now()",
    ],
)
def test_what_a_grade_rests_on_is_not_rewritten(course: Course, assignment: str) -> None:
    assert "may change" in refused(f"UPDATE patients_course SET {assignment}")  # noqa: S608


def test_exactly_the_value_of_the_correction_may_be_written(course: Course, nurse: User) -> None:
    with transaction.atomic():
        correction(nurse, course)
        assert "only with its correction" in refused("UPDATE patients_patient SET name = 'X'")
        assert "only with" in refused("UPDATE patients_patient SET name = 'WEBER, Luca', sex = 'x'")
        run("UPDATE patients_patient SET name = 'WEBER, Luca'")
    assert Patient.objects.get().name == "WEBER, Luca"


def test_a_delay_is_answered_only_with_the_row_that_says_so(course: Course, nurse: User) -> None:
    before, after = {"developmental_delay": None}, {"developmental_delay": False}
    sql = "UPDATE patients_patient SET developmental_delay = %s"
    with transaction.atomic():
        correction(nurse, course, fact="delay", before=before, after=after)
        assert "only with its correction" in refused(sql, True)
        run(sql, False)
    assert Patient.objects.get().developmental_delay is False


def test_a_correction_of_another_patient_or_another_time_opens_nothing(
    course: Course, clinician: User, nurse: User
) -> None:
    other = admit(clinician, product="another")
    correction(nurse, other)
    sql = "UPDATE patients_patient SET name = 'WEBER, Luca' WHERE id = %s"
    assert "only with its correction" in refused(sql, course.patient_id)
    row = correction(nurse, course, before={"name": "SOMEONE, Else"})
    assert "only with its correction" in refused(sql, course.patient_id)
    assert row.transaction_id == IdentityCorrection.objects.get(pk=row.pk).transaction_id != 0


@pytest.mark.django_db(transaction=True)
def test_a_correction_opens_the_columns_in_its_own_transaction_alone(
    course: Course, nurse: User
) -> None:
    correction(nurse, course, transaction_id=7)
    sql = "UPDATE patients_patient SET name = 'WEBER, Luca'"
    assert "only with its correction" in refused(sql)


@pytest.mark.parametrize("table", ["identitycorrection", "patientjoin", "patient"])
def test_rows_are_never_removed(course: Course, clinician: User, nurse: User, table: str) -> None:
    correction(nurse, course)
    join_of(course, admit(clinician, product="another"), nurse)
    run("SET CONSTRAINTS ALL IMMEDIATE")
    assert "refused" in refused(f"DELETE FROM patients_{table}")  # noqa: S608
    assert "refused" in refused(f"TRUNCATE patients_{table} CASCADE")


@pytest.mark.parametrize("table", ["identitycorrection", "patientjoin"])
def test_rows_are_never_rewritten(course: Course, clinician: User, nurse: User, table: str) -> None:
    correction(nurse, course)
    join_of(course, admit(clinician, product="another"), nurse)
    assert "append-only" in refused(f"UPDATE patients_{table} SET reason = 'x'")  # noqa: S608


def join_of(kept: Course, joined: Course, by: User, **fields: Any) -> PatientJoin:
    values: dict[str, Any] = {
        "form_id": uuid.uuid4(),
        "kept": kept.patient,
        "joined": joined.patient,
        "courses": [{"id": str(joined.pk), "age_years": None}],
        "reason": "one person",
        "recorded_at": timezone.now(),
        "recorded_by": by,
    }
    return PatientJoin.objects.create(**values | fields)


def test_a_course_changes_its_patient_only_with_a_join(
    course: Course, clinician: User, nurse: User
) -> None:
    other, third = admit(clinician, product="another"), admit(clinician, product="third")
    sql = "UPDATE patients_course SET patient_id = %s WHERE id = %s"
    assert "may change" in refused(sql, course.patient_id, other.pk)
    join_of(course, other, nurse)
    assert "may change" in refused(sql, third.patient_id, other.pk)
    assert "may change" in refused(sql, course.patient_id, third.pk)
    run(sql, course.patient_id, other.pk)
    assert Course.objects.get(pk=other.pk).patient_id == course.patient_id


def test_a_number_is_one_patient_however_it_is_written(course: Course) -> None:
    Patient.objects.create(mrn="In 1", name="A", sex="female")
    for written in ("IN  1", "in 1", "\u200b\uff29\uff2e\u00a01"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Patient.objects.create(mrn=written, name="B", sex="female")
