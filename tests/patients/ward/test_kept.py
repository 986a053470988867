"""A process keeps what it has read of a course: no change of any kind may be missed for that."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from patients.ward import kept
from patients.ward.board import open_board_rows
from patients.ward.row import BoardRow
from tests.factories import admit, ago, chart, correct, move, sending
from tests.patients.policy.policy_form import Make
from tests.patients.review.sign_off_form import signed

pytestmark = pytest.mark.django_db


def rows_read_anew(now: datetime) -> list[BoardRow]:
    """The rows as a process reads them that has kept nothing."""
    before = dict(kept._kept)
    kept._kept.clear()
    rows = open_board_rows(now)
    kept._kept.clear()
    kept._kept.update(before)
    return rows


def assert_nothing_is_old(now: datetime | None = None) -> list[BoardRow]:
    now = now or timezone.now()
    rows = open_board_rows(now)
    assert rows == rows_read_anew(now)
    return rows


def test_every_kind_of_change_is_seen(
    course: Course,
    clinician: User,
    intensivist_client: Client,
    decided: Make,
) -> None:
    assert_nothing_is_old()
    fever = chart(course, clinician, "vitals", ago(90), temperature_c="38.6").entries[0]
    assert [row.grade for row in assert_nothing_is_old()] == [1]
    correct(fever, fever.at, {"temperature_c": "36.6"}, sending(clinician))
    assert [row.grade for row in assert_nothing_is_old()] == [0]
    chart(course, clinician, "oxygen", ago(60), device="cpap")
    assert [row.grade for row in assert_nothing_is_old()] == [3]
    signed(intensivist_client, course, ago(30))
    (row,) = assert_nothing_is_old()
    assert row.sign_off is not None
    decided(cpap_grade=4)
    assert [row.grade for row in assert_nothing_is_old()] == [4]
    move(course, clinician, bed="another")
    assert [row.bed for row in assert_nothing_is_old()] == ["another"]


def test_the_clock_is_seen(course: Course, clinician: User) -> None:
    """Minute by minute over a dose that becomes high, and an entry ahead of its time."""
    started = timezone.now().replace(second=0, microsecond=0) - timedelta(hours=2)
    dose = {"drug": "norepinephrine", "rate": "25", "unit": "ug/min"}
    chart(course, clinician, "vasopressor", started, **dose)
    ahead = chart(
        course, clinician, "vitals", timezone.now() + timedelta(minutes=3), heart_rate="90"
    ).entries[0]
    grades = []
    for minute in range(0, 24 * 60, 7):
        (row,) = assert_nothing_is_old(timezone.now() + timedelta(minutes=minute))
        grades.append(row.grade)
    assert grades[0] == 2
    assert 3 in grades
    assert row.last_observation_at == ahead.at
    (before,) = assert_nothing_is_old(started)
    assert before.last_observation_at == started


def test_only_a_course_that_changed_is_read_again(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    others = [admit(clinician, name=f"NAME, {number}") for number in range(3)]
    nurse_client.get("/")
    chart(others[0], clinician, "vitals", temperature_c="39")
    with CaptureQueriesContext(connection) as captured:
        nurse_client.get("/")
    read: list[Any] = [q["sql"] for q in captured if "unnest" in q["sql"] and "wanted" in q["sql"]]
    assert len(read) == 1
    assert others[0].pk.hex in read[0]
    assert course.pk.hex not in read[0]
