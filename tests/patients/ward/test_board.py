"""The board: open courses by urgency, closed ones by themselves."""

from datetime import timedelta

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from patients.recording.admit import admit_patient
from patients.recording.record import record_entries
from patients.ward.address import BoardAddress
from patients.ward.board import closed_board, open_board_rows
from tests.entry_forms import HTMX
from tests.factories import AdmissionFactory, chart, end, sending


def test_an_ended_course_leaves_the_board(course: Course, clinician: User) -> None:
    end(course, clinician)
    assert open_board_rows(timezone.now()) == []
    (row,) = closed_board(BoardAddress(ended=True)).rows
    assert (row.course_id, row.grade, row.highest) == (course.pk, 0, 0)
    late = record_entries(course, [], sending(clinician))
    assert late.status.grade == 0


def test_the_board_shows_every_course_by_urgency(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    other = admit_patient(AdmissionFactory(name="ZZ"), [], sending(clinician)).course
    at = timezone.now() - timedelta(minutes=20)
    chart(other, clinician, "vasopressor", at, drug="norepinephrine", rate="20", unit="ug/min")
    assert nurse_client.get(reverse("patients:board"), {"ended": ""}).context["rows"] == []
    answer = nurse_client.get(reverse("patients:board"))
    first, second = answer.context["rows"]
    assert (first.course_id, first.grade, first.at_most) == (other.pk, 2, 2)
    assert first.next_change.grade == 3
    assert first.next_change.direction == "up"
    assert (second.course_id, second.grade) == (course.pk, 0)
    seen = {"seen": answer.context["signature"]}
    assert nurse_client.get(reverse("patients:board"), seen, **HTMX).status_code == 204
    chart(course, clinician, "vitals", temperature_c="39")
    assert nurse_client.get(reverse("patients:board"), seen, **HTMX).status_code == 200


def test_the_board_costs_the_same_for_any_number_of_courses(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    nurse_client.get(reverse("patients:board"))
    with CaptureQueriesContext(connection) as one:
        nurse_client.get(reverse("patients:board"))
    for _ in range(3):
        admit_patient(AdmissionFactory(), [], sending(clinician))
    with CaptureQueriesContext(connection) as four:
        nurse_client.get(reverse("patients:board"))
    assert len(one) == len(four)
