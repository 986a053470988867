"""The pages of a review once a course was closed, or grading ended with a death."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from crs_app.accounts.models import User
from patients.display.text import date_time_text
from patients.models import Course
from patients.recording.record import retract_entry
from tests.entry_forms import text_of, url
from tests.factories import ago, chart, correct, end, sending
from tests.patients.ward.test_transfer import send as send_transfer

pytestmark = pytest.mark.django_db


def test_a_closed_course_says_why_it_was_closed_on_every_page_of_the_review(
    intensivist_client: Client, nurse_client: Client, grade_2: Course
) -> None:
    send_transfer(nurse_client, grade_2, what="ended", reason="Discharged home.")
    for name in ("sign_off", "review", "flowsheet"):
        text = text_of(intensivist_client.get(url(name, grade_2)).content.decode())
        assert re.search(r"Course closed [\d: A-Za-z]*, discharged home, by", text), name


def test_after_a_death_of_another_cause_the_panel_says_that_grading_ended(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    died_at = ago(hours=0.5)
    chart(grade_2, clinician, "death", died_at, attribution="other")
    for name in ("review", "sign_off"):
        address = f"{url(name, grade_2)}?{urlencode({'at': ago(hours=0.1).isoformat()})}"
        text = text_of(intensivist_client.get(address).content.decode())
        said = f"Grading ended {date_time_text(died_at)}: death, other cause."
        assert f"{said} Nothing to sign after it." in text, name
    panel = text_of(intensivist_client.get(url("review", grade_2)).content.decode())
    assert panel.count(said) == 2


def test_a_closed_course_is_reviewed_no_further_for_an_entry_that_was_taken_back(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    """After the end one entry was retracted and one was given another time."""
    error, misdated = (
        chart(grade_2, clinician, "vitals", ago(minutes), systolic_mmhg="85").entries[0]
        for minutes in (2, 4)
    )
    ended_at = ago(10)
    retract_entry(error, sending(clinician))
    correct(misdated, ago(15), {"systolic_mmhg": "85"}, sending(clinician))
    end(grade_2, clinician, ended_at)
    panel = intensivist_client.get(url("sign_off", grade_2)).context["panel"]
    assert panel.lines[-1].end == ended_at


def test_a_closed_course_is_reviewed_up_to_a_later_entry_in_force(
    intensivist_client: Client, clinician: User, grade_2: Course
) -> None:
    last = chart(grade_2, clinician, "vitals", ago(4), systolic_mmhg="85").entries[0]
    end(grade_2, clinician, ago(10))
    panel = intensivist_client.get(url("sign_off", grade_2)).context["panel"]
    assert panel.lines[-1].end == last.at


def test_the_pages_of_a_closed_course_show_its_end_and_not_now(
    intensivist_client: Client, clinician: User, course: Course
) -> None:
    """The grade falls by the clock 24 h after the bolus: two days after the end as well."""
    closed_at = ago(hours=47)
    with time_machine.travel(closed_at, tick=False):
        chart(course, clinician, "vitals", ago(minutes=30), systolic_mmhg="85")
        chart(course, clinician, "fluid_bolus", ago(minutes=20), volume_ml="500")
        chart(course, clinician, "vitals", ago(minutes=10), systolic_mmhg="110")
    now = intensivist_client.get(url("review", course)).context["cursor"]
    assert now.grade < 2
    end(course, clinician, closed_at)
    for name in ("review", "flowsheet", "summary", "scales", "paper"):
        answer = intensivist_client.get(url(name, course))
        head = text_of(answer.content.decode().split('class="who-row"')[1].split("</div>")[0])
        assert head.strip().endswith("Grade 2 at end of course"), name
        if name != "scales":
            assert answer.context["cursor"].grade == 2, name
            assert answer.context["cursor"].at == closed_at, name
    printed = answer.context
    assert [line.grade for line in printed["grades"]][-1] == 2
    assert "end of course" in text_of(answer.content.decode())
    heading = intensivist_client.get(url("review", course)).content.decode()
    assert "At end of course" in text_of(heading.split('id="at-cursor-title"')[1])
