"""A course moves to another ward or bed, ends and is reopened: by whom, when, from where."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Transfer
from patients.ward.transfer import location_token


def send(client: Client, course: Course, what: str, **fields: Any) -> Any:
    course.refresh_from_db()
    form = {"form_id": str(uuid.uuid4()), "what": what, "seen": location_token(course), **fields}
    return client.post(reverse("patients:transfer", args=[course.pk]), form)


def test_a_move_is_recorded_and_shown(nurse_client: Client, nurse: User, course: Course) -> None:
    answer = send(nurse_client, course, "moved", ward="ICU", bed="3")
    assert answer.status_code == 302
    course.refresh_from_db()
    assert (course.ward, course.bed) == ("ICU", "3")
    moved = Transfer.objects.get()
    assert (moved.from_ward, moved.from_bed) == ("7B", "12")
    assert (moved.to_ward, moved.to_bed) == ("ICU", "3")
    assert moved.recorded_by == nurse
    page = nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode()
    assert "Moved from 7B 12 to ICU 3" in page
    address = reverse("patients:timeline", args=[course.pk])
    filtered = nurse_client.get(address, {"kind": "transfer"})
    assert "Moved from 7B 12 to ICU 3" in filtered.content.decode()


def test_a_course_leaves_the_board_and_comes_back(nurse_client: Client, course: Course) -> None:
    assert send(nurse_client, course, "ended", reason="Discharged home").status_code == 302
    assert course.patient.name not in nurse_client.get(reverse("patients:board")).content.decode()
    page = nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode()
    assert "Course ended on 7B 12, off the board" in page
    assert "Discharged home" in page
    assert send(nurse_client, course, "reopened", reason="Fever at home").status_code == 302
    assert course.patient.name in nurse_client.get(reverse("patients:board")).content.decode()


@pytest.mark.parametrize(
    ("what", "fields", "sentence"),
    [
        ("moved", {"ward": "", "bed": "3"}, "Give the ward"),
        ("moved", {"ward": "7B", "bed": "12"}, "there already"),
        ("moved", {"ward": "ICU", "observed_time": "25:00"}, "24-hour clock"),
        ("moved", {"ward": "x" * 61}, "at most 60"),
        ("ended", {}, "Say why the course ends"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_typed(
    nurse_client: Client, course: Course, what: str, fields: dict[str, str], sentence: str
) -> None:
    answer = send(nurse_client, course, what, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert fields.get("bed", "") in answer.content.decode()
    assert not Transfer.objects.exists()


def test_a_time_before_the_infusion_is_refused(nurse_client: Client, course: Course) -> None:
    before = timezone.localtime(course.infused_at) - timedelta(days=1)
    answer = send(
        nurse_client, course, "moved", ward="ICU",
        observed_date=f"{before:%Y-%m-%d}", observed_time=f"{before:%H:%M}",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "before the infusion" in answer.content.decode()


def test_the_second_of_two_moves_is_refused_with_the_first(
    nurse_client: Client, course: Course
) -> None:
    """Both saw bed 12; the first moved the patient to the ICU."""
    seen = location_token(course)
    send(nurse_client, course, "moved", ward="ICU", bed="3")
    answer = send(nurse_client, course, "moved", ward="7B", bed="14", seen=seen)
    assert answer.status_code == 409
    assert "the course is on ICU 3 now" in answer.content.decode()
    course.refresh_from_db()
    assert course.bed == "3"


def test_a_form_sent_twice_moves_once(nurse_client: Client, course: Course) -> None:
    seen, form_id = location_token(course), str(uuid.uuid4())
    fields = {"ward": "ICU", "bed": "3", "seen": seen, "form_id": form_id}
    for _ in range(2):
        assert send(nurse_client, course, "moved", **fields).status_code == 302
    assert send(nurse_client, course, "moved", **fields | {"bed": "4"}).status_code == 409
    assert Transfer.objects.count() == 1


def test_an_ended_course_is_not_ended_twice(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "ended", reason="Home")
    assert send(nurse_client, course, "ended", reason="Home").status_code == 409
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM patients_transfer",
        "UPDATE patients_transfer SET to_bed = '9'",
        "TRUNCATE patients_transfer",
    ],
)
def test_the_database_keeps_what_was_moved(nurse_client: Client, course: Course, sql: str) -> None:
    send(nurse_client, course, "moved", ward="ICU", bed="3")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
