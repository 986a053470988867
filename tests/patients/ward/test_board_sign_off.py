"""The sign-off of each course on the board, and a board that is sent again when it changes."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course, GradeReview
from patients.queries.reviews import SIGNED_AGAIN_AFTER
from tests.factories import ago, chart, correct, sending
from tests.patients.review.sign_off_form import another, signed

pytestmark = pytest.mark.django_db
HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
BOARD = "/"


def cell(client: Client) -> str:
    answer = client.get(BOARD)
    assert answer.status_code == 200
    html = answer.content.decode()
    found = re.search(r'<td class="board-signed">(.*?)</td>', html, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def looks(client: Client, seen: str) -> int:
    return client.get(BOARD, {"seen": seen}, **HTMX).status_code


def test_each_course_has_the_mark_of_what_is_most_urgent(
    nurse_client: Client, intensivist_client: Client, clinician: User, course: Course
) -> None:
    assert cell(nurse_client) == ""
    chart(course, clinician, "vitals", ago(30), temperature_c="38.6")
    assert cell(nurse_client) == "○ not signed: not signed"
    signed(intensivist_client, course, **another(2))
    assert cell(nurse_client) == "≠ signed with another grade: stated 2, computed then 1"
    oxygen = chart(course, clinician, "oxygen", ago(20), device="nasal_cannula").entries[0]
    assert cell(nurse_client) == "! needs a new look: new look"
    signed(intensivist_client, course, oxygen.at)
    correct(oxygen, oxygen.at, {"device": "room_air"}, sending(clinician))
    assert cell(nurse_client) == "≠ signed, the computed grade fell: signed 2, computed now 1"


def test_the_filter_finds_who_waits_for_a_sign_off_or_a_new_look(
    nurse_client: Client, intensivist_client: Client, clinician: User, course: Course
) -> None:
    def found() -> tuple[int, int]:
        shown = nurse_client.get(BOARD, {"show": "sign_off"}).context["board"]
        return len(shown.rows), shown.counts.get("sign_off", 0)

    assert found() == (0, 0)
    chart(course, clinician, "vitals", ago(30), temperature_c="38.6")
    assert found() == (1, 1)
    signed(intensivist_client, course)
    assert found() == (0, 0)
    oxygen = chart(course, clinician, "oxygen", ago(20), device="nasal_cannula").entries[0]
    assert found() == (1, 1)
    signed(intensivist_client, course, oxygen.at)
    assert found() == (0, 0)
    correct(oxygen, oxygen.at, {"device": "room_air"}, sending(clinician))
    assert found() == (1, 1)


def test_a_sign_off_changes_the_board_when_it_is_made_and_when_its_shift_is_over(
    nurse_client: Client,
    nurse: User,
    intensivist_client: Client,
    grade_2: Course,
    time_machine: Any,
) -> None:
    seen = nurse_client.get(BOARD).context["signature"]
    assert looks(nurse_client, seen) == 204
    signed(intensivist_client, grade_2, grade_2.entries.get(kind="vitals").at)
    assert looks(nurse_client, seen) == 200
    signed(intensivist_client, grade_2)
    shift_ends = GradeReview.objects.latest("pk").recorded_at + SIGNED_AGAIN_AFTER
    time_machine.move_to(shift_ends - timedelta(minutes=1))
    nurse_client = Client()  # the session of before has ended
    nurse_client.force_login(nurse)
    assert cell(nurse_client) == "✓ signed: signed 2"
    seen = nurse_client.get(BOARD).context["signature"]
    assert looks(nurse_client, seen) == 204
    time_machine.move_to(shift_ends + timedelta(seconds=1))
    assert looks(nurse_client, seen) == 200
    assert cell(nurse_client) == "○ not signed: not signed"
