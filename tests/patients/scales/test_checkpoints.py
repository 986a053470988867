"""Courses whose checkpoints are older than the scales: graded once from the start, and kept."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.models import Course, GradeCheckpoint
from patients.queries.grades import periods_known_now
from patients.recording.verify import differences
from tests.entry_forms import send, url
from tests.factories import ago, chart

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_owner")]


@pytest.fixture
def old(course: Course, clinician: User) -> Course:
    """A course with a fever that was charted by the version before the scales."""
    for hours in range(30, 2, -1):
        chart(course, clinician, "vitals", ago(hours=hours), temperature_c="39.1")
    chart(course, clinician, "oxygen", ago(hours=2), device="simple_mask")
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE patients_gradecheckpoint"
            " SET state = state - 'other_scales', holds_other_scales = false"
        )
        cursor.execute("SET session_replication_role = origin")
    return course


def held(course: Course) -> list[bool]:
    stored = GradeCheckpoint.objects.filter(course=course).order_by("at")
    assert stored
    return [one.holds_other_scales and "other_scales" in one.state for one in stored]


def line_of(client: Client, course: Course) -> str:
    return client.get(url("scales_line", course)).content.decode()


def test_a_page_of_such_a_course_is_right_before_anything_is_saved(
    old: Course, nurse_client: Client
) -> None:
    assert "ASTCT <b>3</b>" in line_of(nurse_client, old)
    assert not any(held(old))


def test_the_first_save_grades_it_once_from_the_start_and_keeps_its_history(
    old: Course, nurse_client: Client
) -> None:
    rows = [period.pk for period in periods_known_now(old, HEADLINE)]
    assert send(nurse_client, old, "vitals", heart_rate="99").status_code == 200
    assert all(held(old))
    assert [period.pk for period in periods_known_now(old, HEADLINE)] == rows
    kept = set(GradeCheckpoint.objects.filter(course=old).values_list("pk", flat=True))
    assert send(nurse_client, old, "vitals", heart_rate="98").status_code == 200
    assert kept <= set(GradeCheckpoint.objects.filter(course=old).values_list("pk", flat=True))
    assert "ASTCT <b>3</b>" in line_of(nurse_client, old)
    assert differences(old) == []


def test_regrade_does_the_same_for_every_course_without_an_act(old: Course) -> None:
    acts, out = old.acts.count(), StringIO()
    call_command("regrade", stdout=out)
    assert out.getvalue().strip() == "1 courses checked, 0 regraded"
    assert all(held(old))
    assert old.acts.count() == acts
