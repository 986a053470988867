"""ASTCT and ICANS of the courses that the board shows, on a page of their own."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from crs_app.accounts.models import User
from crs_app.searches import seal
from patients.models import Course
from tests.entry_forms import text_of
from tests.factories import admit, ago, chart

pytestmark = pytest.mark.django_db


def page(client: Client, **query: str) -> str:
    return text_of(client.get(reverse("patients:ward_scales"), query).content.decode())


@pytest.fixture
def on_norepinephrine(course: Course, nurse: User) -> Course:
    chart(course, nurse, "vitals", ago(hours=3), temperature_c="39.1", systolic_mmhg="104")
    chart(course, nurse, "oxygen", ago(hours=3), device="room_air")
    chart(
        course, nurse, "vasopressor", ago(hours=2),
        drug="norepinephrine", rate="6", unit="ug/min",
    )  # fmt: skip
    return course


def test_each_course_has_its_grade_and_both_scales(
    nurse_client: Client, nurse: User, on_norepinephrine: Course
) -> None:
    chart(on_norepinephrine, nurse, "ice", ago(hours=1), score=8)
    shown = page(nurse_client)
    assert on_norepinephrine.patient.name in shown
    row = shown[shown.index(on_norepinephrine.patient.mrn) :]
    assert row.split()[1:3] == ["3", "1"], "ASTCT 3 and ICANS 1 beside Lee 2"
    assert "Lee 2014 is the grade" in shown


def test_it_shows_what_the_board_shows(
    nurse_client: Client, nurse: User, on_norepinephrine: Course
) -> None:
    other = admit(nurse, name="HAAS, Milo")
    assert "HAAS, Milo" in page(nurse_client)
    narrowed = page(nurse_client, q=on_norepinephrine.patient.mrn)
    assert "HAAS, Milo" not in narrowed
    assert "No open course here" in page(nurse_client, show="severe", q=other.patient.mrn)


def test_the_board_leads_to_it_with_its_filter(
    nurse_client: Client, on_norepinephrine: Course
) -> None:
    asked = {"q": on_norepinephrine.patient.mrn, "sort": "place"}
    board = nurse_client.get(reverse("patients:board"), asked).content.decode()
    in_address = asked | {"q": seal(asked["q"])}
    there = f"{reverse('patients:ward_scales')}?{urlencode(in_address)}"
    assert escape(there) in board


def test_closed_courses_are_on_the_board_alone(nurse_client: Client) -> None:
    answer = nurse_client.get(reverse("patients:ward_scales"), {"ended": "1"})
    assert answer.status_code == 302
    assert "ended" in answer["Location"]
