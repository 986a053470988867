"""The database refuses times outside 1900 to 2200, whoever writes them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.vocabulary import EARLIEST, LATEST
from patients.models import (
    ChartingAct,
    Course,
    CoursePolicy,
    Move,
    PolicyVersion,
    SitePolicy,
    Transfer,
)
from tests.factories import chart

YEAR_1 = datetime(1, 1, 1, tzinfo=UTC)
OUTSIDE = (YEAR_1, EARLIEST - timedelta(seconds=1), LATEST + timedelta(seconds=1))


@pytest.mark.parametrize("at", OUTSIDE)
def test_an_infusion_outside_the_calendar_is_refused(course: Course, at: datetime) -> None:
    with pytest.raises(IntegrityError, match="course_infused_in_calendar"), transaction.atomic():
        Course.objects.create(
            patient=course.patient, product="another", infused_at=at, policy=course.policy,
            ward="7B", on_ward_id=course.on_ward_id, admitted_at=timezone.now(),
            admitted_by=course.admitted_by,
        )  # fmt: skip


def test_an_entry_outside_the_calendar_is_refused(course: Course, clinician: User) -> None:
    with pytest.raises(IntegrityError, match="entry_in_calendar"):
        chart(course, clinician, "note", YEAR_1, note="seen")


@pytest.mark.parametrize("at", OUTSIDE)
@pytest.mark.parametrize("column", ["recorded_at", "received_at"])
def test_an_act_outside_the_calendar_is_refused(
    course: Course, clinician: User, at: datetime, column: str
) -> None:
    times = {"recorded_at": timezone.now(), "received_at": timezone.now(), column: at}
    with pytest.raises(IntegrityError, match="act_in_calendar"), transaction.atomic():
        ChartingAct.objects.create(
            course=course, form_id=course.pk, recorded_by=clinician, source="bedside", **times
        )


def test_a_transfer_outside_the_calendar_is_refused(course: Course, clinician: User) -> None:
    with pytest.raises(IntegrityError, match="transfer_in_calendar"), transaction.atomic():
        Transfer.objects.create(
            course=course, form_id=course.pk, what=Move.MOVED, from_ward="7B", to_ward="ICU",
            at=YEAR_1, recorded_at=timezone.now(), recorded_by=clinician,
        )  # fmt: skip


@pytest.mark.parametrize("at", OUTSIDE)
def test_a_policy_decision_outside_the_calendar_is_refused(
    course: Course, clinician: User, at: datetime
) -> None:
    with pytest.raises(IntegrityError, match="site_policy_in_calendar"), transaction.atomic():
        SitePolicy.objects.create(
            form_id=course.pk, version=PolicyVersion.objects.get(pk=course.policy_id),
            valid_from=at, reason="decided", recorded_at=timezone.now(), recorded_by=clinician,
        )  # fmt: skip


@pytest.mark.parametrize("at", OUTSIDE)
def test_a_course_policy_outside_the_calendar_is_refused(
    course: Course, clinician: User, at: datetime
) -> None:
    act = course.acts.first()
    with pytest.raises(IntegrityError, match="course_policy_in_calendar"), transaction.atomic():
        CoursePolicy.objects.create(
            course=course, act=act, version_id=course.policy_id, valid_from=at
        )


def test_rows_stored_before_the_constraint_stay(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint"
            " WHERE conname LIKE '%_in_calendar' AND NOT convalidated AND conislocal"
            " ORDER BY conname"
        )
        names = [name for (name,) in cursor.fetchall()]
    assert names == [
        "act_in_calendar",
        "course_infused_in_calendar",
        "course_policy_in_calendar",
        "entry_in_calendar",
        "site_policy_in_calendar",
        "transfer_in_calendar",
    ]
