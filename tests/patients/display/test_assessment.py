"""Grade 0 is shown only where temperature, pressure and oxygen were charted after the infusion."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.bedside.page import card_of, read_bedside_data
from patients.display.grade_card import GradeCard
from patients.models import Course, Entry
from patients.recording.record import retract_entry
from patients.ward.board import open_board_rows
from tests.entry_forms import HTMX, send, text_of, url
from tests.factories import ago, chart, sending

NORMAL = {
    "vitals": {"temperature_c": "36.8", "systolic_mmhg": "122"},
    "oxygen": {"device": "room_air"},
}


def card(course: Course) -> GradeCard:
    return card_of(read_bedside_data(course, timezone.now()))


def page_text(client: Client, course: Course) -> str:
    return text_of(client.get(url("bedside", course)).content.decode())


def test_a_course_without_a_value_is_not_grade_0(nurse_client: Client, course: Course) -> None:
    text = page_text(nurse_client, course)
    assert "CRS grade now – " in text
    assert "Not yet assessed: no temperature, no blood pressure, no oxygen" in text
    assert "– not assessed" in text
    for untrue in ("Grade 0", "grade 0", "No CRS criterion", "maximum"):
        assert untrue not in text
    board = text_of(nurse_client.get("/").content.decode())
    assert "– not assessed" in board
    assert "Grade 0" not in board
    assert "maximum" not in board


def test_what_is_missing_is_named_until_all_is_charted(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "vitals", ago(20), **NORMAL["vitals"])
    assert card(course).not_assessed_text == "Not yet assessed: no oxygen"
    chart(course, clinician, "oxygen", ago(10), **NORMAL["oxygen"])
    assert card(course).shown_grade == 0
    assert abs(card(course).since - ago(10)) < timedelta(seconds=5), "not since the infusion"
    text = page_text(nurse_client, course)
    assert "No CRS criterion met in the values charted" in text
    (row,) = open_board_rows(timezone.now())
    assert (row.assessed, row.maximum) == (True, 0)


def test_a_criterion_needs_nothing_else(course: Course, clinician: User) -> None:
    chart(course, clinician, "vitals", ago(20), temperature_c="38.9")
    assert card(course).shown_grade == 1
    (row,) = open_board_rows(timezone.now())
    assert row.assessed


def test_what_was_measured_before_the_infusion_does_not_count(
    course: Course, clinician: User
) -> None:
    before = course.infused_at - timedelta(hours=2)
    for kind, body in NORMAL.items():
        chart(course, clinician, kind, before, **body)
    assert len(card(course).missing) == 3
    (row,) = open_board_rows(timezone.now())
    assert not row.assessed


def test_a_retracted_value_does_not_count(course: Course, clinician: User) -> None:
    for kind, body in NORMAL.items():
        chart(course, clinician, kind, ago(20), **body)
    retract_entry(Entry.objects.get(kind="oxygen"), sending(clinician, answers={"reason": "x"}))
    assert card(course).missing == ("oxygen",)
    (row,) = open_board_rows(timezone.now())
    assert not row.assessed


@pytest.mark.parametrize("pressure", ["systolic_mmhg", "mean_arterial_pressure_mmhg"])
def test_an_old_value_is_old_and_not_missing(
    course: Course, clinician: User, pressure: str
) -> None:
    chart(course, clinician, "vitals", ago(hours=20), temperature_c="36.8", **{pressure: "90"})
    chart(course, clinician, "oxygen", ago(hours=20), **NORMAL["oxygen"])
    assert card(course).missing == ()


def test_a_bound_above_0_is_shown_with_what_is_missing(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "symptom", ago(20), term="confusion", present=True)
    assert re.search(r"Not yet assessed: .*; could be \d", page_text(nurse_client, course))


def test_a_rise_from_nothing_is_no_rise_from_0(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    answer = send(nurse_client, course, "vitals", temperature="38.9")
    assert answer.context["saved"].announcement == "Not assessed to grade 1"
    assert "Grade – → 1" in text_of(answer.content.decode())
    text = page_text(nurse_client, course)
    assert "Grade – → 1 at" in text
    assert "Grade 0 → 1" not in text
    html = nurse_client.get(url("timeline", course), {"kind": "grade_change"}, **HTMX).content
    assert "Grade – → 1" in text_of(html.decode())


def test_a_rise_from_a_grade_0_that_was_assessed_says_0(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    for kind, body in NORMAL.items():
        chart(course, clinician, kind, ago(20), **body)
    answer = send(nurse_client, course, "vitals", temperature="38.9")
    assert answer.context["saved"].announcement == "Grade 0 to grade 1"
    assert "Grade 0 → 1 at" in page_text(nurse_client, course)


def test_guidance_says_what_is_missing(nurse_client: Client, course: Course) -> None:
    text = text_of(nurse_client.get(url("guidance", course), **HTMX).content.decode())
    assert "Not yet assessed: no temperature" in text
    assert "grade 0" not in text
