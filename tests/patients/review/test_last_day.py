"""The last 24 hours in the grade card: what is drawn, what is said of it, and what is left open."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.models import Course
from patients.review.last_day import LastDay
from tests.entry_forms import send
from tests.factories import ago, chart, end
from tests.patients.review.reviewed_course import import_reviewed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]
AS_OF = datetime(2026, 11, 28, 8, 40, tzinfo=UTC)


def drawn(client: Client, course: Course) -> LastDay:
    answer: Any = client.get(reverse("patients:last_day", args=[course.pk]))
    assert answer.status_code == 200
    day: LastDay = answer.context["day"]
    assert day.words in answer.content.decode().replace("&#39;", "'")
    return day


def words_of(day: LastDay) -> dict[str, str]:
    return {lane.key: lane.words for lane in day.lanes}


def test_the_day_has_the_grades_and_the_values_of_the_review_page(
    nurse: User, nurse_client: Client
) -> None:
    with time_machine.travel(AS_OF, tick=False):
        day = drawn(nurse_client, import_reviewed(nurse))
    # Of 24 h, 12 wide each: grade 3 by the clock from 10:55 UTC to 19:40, then 2.
    grades = [block for block in day.blocks if block.grade is not None]
    assert [(block.grade, block.x, block.width) for block in grades] == [
        (2, 0.0, 27.0), (3, 27.0, 105.0), (2, 132.0, 156.0),
    ]  # fmt: skip
    assert day.grades == "Grade 2 until 27 Nov 10:55, 3 until 27 Nov 19:40, 2 at the end."
    assert [lane.limit_text for lane in day.lanes] == ["38", "65", "40", "20"]
    assert words_of(day)["fio2_percent"] == ("FiO2: 30 to 45 %, last 32 (estimated) from 05:10.")
    assert day.lanes[2].path.estimated
    assert words_of(day)["norepinephrine_equivalent"].endswith("last 0 from 06:30.")


def test_nothing_is_drawn_where_nothing_was_charted(course: Course, nurse_client: Client) -> None:
    day = drawn(nurse_client, course)
    assert [block for block in day.blocks if block.grade is not None] == []
    assert day.grades == "Grade – at the end."
    assert set(words_of(day).values()) == {
        "Temperature: nothing charted.", "Mean pressure: nothing charted.",
        "FiO2: nothing charted.", "Norepinephrine equivalent: nothing charted.",
    }  # fmt: skip


def test_a_line_is_broken_over_a_long_gap_and_ends_where_it_was_measured_last(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    for hours, value in ((23, "38.2"), (22, "38.4"), (12, "37.0"), (7, "37.2")):
        chart(course, nurse, "vitals", ago(hours=hours), temperature_c=value)
    path = drawn(nurse_client, course).lanes[0].path
    assert (path.line.count("M"), path.line.count("L")) == (2, 2)
    assert path.ends.startswith("M204.0 ")


def test_oxygen_that_is_not_known_is_a_gap(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "oxygen", ago(hours=30), device="venturi_mask", fio2_percent="28")
    chart(course, nurse, "oxygen", ago(hours=12), device="high_flow_nasal_cannula")
    lane = drawn(nurse_client, course).lanes[2]
    assert (lane.path.line, lane.path.ends) == ("M0.0 77.1 H144.0", "")
    assert "last not known" in lane.words


def test_a_dose_without_a_limit_in_force_has_no_limit_line(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "vasopressor", ago(hours=3), drug="dobutamine", rate="5", unit="ug/kg/min")
    lane = drawn(nurse_client, course).lanes[3]
    assert (lane.limit_text, lane.limit) == ("", "")


def test_a_patient_without_a_mean_pressure_has_the_systolic_one(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "vitals", ago(hours=2), systolic_mmhg="112")
    lane = drawn(nurse_client, course).lanes[1]
    assert (lane.label, lane.limit_text) == ("SBP", "90")


def test_a_closed_course_shows_the_day_before_its_end(
    course: Course, nurse: User, nurse_client: Client
) -> None:
    chart(course, nurse, "vitals", ago(hours=1), temperature_c="39")
    end(course, nurse)
    with time_machine.travel(ago(hours=0) + timedelta(hours=48), tick=False):
        nurse_client.force_login(nurse)
        assert "39" in drawn(nurse_client, course).lanes[0].words


def test_a_save_neither_reads_nor_sends_the_day(course: Course, nurse_client: Client) -> None:
    """The card in its answer has the empty place alone, which keeps what the page shows."""
    answer = send(nurse_client, course, "vitals", temperature="38.5")
    body = answer.content.decode()
    assert 'id="last-day"' in body
    assert "mini-lane" not in body
    assert reverse("patients:last_day", args=[course.pk]) not in body
