"""A printed course has the grades of the engine, every entry, and a drawing of what was charted."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.sentences import short_name
from patients.display.text import date_time_text
from patients.models import Course
from patients.paper import course as paper_course
from patients.recording.record import retract_entry
from tests.entry_forms import text_of, url
from tests.factories import ago, chart, correct, sending
from tests.patients.review.scale_course import ENTRIES, after, imported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]

THEN = "2026-11-27T03:40:00+00:00"
"""A rate ten times too high had been charted, and was corrected two minutes later."""
MISTYPED = "3.2"


@pytest.fixture
def reviewed(imported_once: Callable[[], Course], db: None) -> Course:
    return imported_once()


def page(client: Client, course: Course, name: str = "paper", **query: str) -> Any:
    return client.get(f"{url(name, course)}?{urlencode(query)}")


def drawn(answer: Any) -> ElementTree.Element:
    found = re.search(r"<svg.*</svg>", answer.content.decode(), re.DOTALL)
    assert found
    return ElementTree.fromstring(found[0])  # noqa: S314 - our own page


@pytest.mark.parametrize("query", [{}, {"known_at": THEN}])
def test_the_grades_are_those_of_the_course_at_random_instants(
    nurse_client: Client, reviewed: Course, query: dict[str, str]
) -> None:
    lines = page(nurse_client, reviewed, **query).context["grades"]
    until = datetime.fromisoformat(query.get("known_at", timezone.now().isoformat()))
    rng = Random(7)  # noqa: S311
    for _ in range(25):
        line = rng.choice(lines)
        end = until if line.end is None else line.end
        at = line.start + (end - line.start) * rng.random()
        asked = query | {"at": at.isoformat()}
        state = page(nurse_client, reviewed, "state", **asked).json()
        assert (line.grade, line.at_most) == (state["grade"], state["at_most"])
        names = {short_name(item["code"]) for item in state["criteria"]}
        assert set(filter(None, line.criteria.split(", "))) == names


def test_times_follow_upon_each_other_without_a_gap(nurse_client: Client, reviewed: Course) -> None:
    lines = page(nurse_client, reviewed).context["grades"]
    assert lines[0].start == reviewed.infused_at
    assert [line.end for line in lines[:-1]] == [line.start for line in lines[1:]]
    assert lines[-1].end is None


def test_a_grade_0_that_was_not_assessed_is_a_line_of_its_own(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=6), temperature_c="36.8", systolic_mmhg="120")
    known = ago(hours=5)
    chart(course, nurse, "oxygen", known, device="room_air")
    lines = page(nurse_client, course).context["grades"]
    assert [(line.is_assessed, line.end) for line in lines] == [(False, known), (True, None)]


def test_what_was_corrected_or_marked_as_an_error_stays_visible(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    at = ago(hours=3)
    (first,) = chart(course, nurse, "vitals", at, temperature_c="41.2").entries
    why = sending(nurse, answers={"reason": "Misread"})
    correct(first, at, {"temperature_c": "38.2"}, why)
    (wrong,) = chart(course, nurse, "note", ago(hours=2), note="Of another bed").entries
    retract_entry(wrong, sending(nurse, answers={"reason": "Other patient"}))
    said = text_of(page(nurse_client, course).content.decode())
    assert "Temp 38.2 °C" in said
    assert re.search(r"before the correction: Temp 41.2 °C \(Misread\), J. Ruiz", said)
    assert "Of another bed entered in error: Other patient" in said


def test_as_known_then_has_nothing_that_came_later(nurse_client: Client, reviewed: Course) -> None:
    then = text_of(page(nurse_client, reviewed, known_at=THEN).content.decode())
    now = text_of(page(nurse_client, reviewed).content.decode())
    assert "You are looking at the past" in then
    assert "before the correction" in now
    assert "before the correction" not in then
    assert "As known at 27 Nov 2026" in then


def test_a_time_that_has_not_come_is_refused(nurse_client: Client, course: Course) -> None:
    ahead = (timezone.now() + timedelta(hours=1)).isoformat()
    assert page(nurse_client, course, known_at=ahead).status_code == 400
    assert page(nurse_client, course, known_at="yesterday").status_code == 400


def test_of_more_entries_than_are_printed_the_latest_are_and_the_page_says_so(
    nurse_client: Client, course: Course, nurse: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper_course, "ENTRIES_AT_MOST", 2)
    for hours in (4, 3, 2):
        chart(course, nurse, "note", ago(hours=hours), note=f"{hours} hours ago")
    said = text_of(page(nurse_client, course).content.decode())
    assert f"Only entries since {date_time_text(ago(hours=3))} are printed." in said
    assert "2 hours ago" in said
    assert "4 hours ago" not in said


def test_the_drawing_is_well_formed_and_has_no_style_of_its_own(
    nurse_client: Client, reviewed: Course
) -> None:
    answer = page(nurse_client, reviewed)
    svg = drawn(answer)
    assert not [one for one in svg.iter() if "style" in one.attrib]
    bars = [one for one in svg.iter() if one.get("class") == "grade"]
    levels = [(line.grade, line.at_most) for line in answer.context["grades"]]
    changes = 1 + sum(before != after for before, after in pairwise(levels))
    assert len(bars) == changes
    assert [bar.get("data-grade") for bar in bars][-1] == str(levels[-1][0])
    titles = {one.text for one in svg.iter() if one.get("class") == "lane-title"}
    assert {"CRS grade", "Temperature", "Systolic pressure", "FiO2", "CRP"} <= titles
    left, width = float(bars[0].get("x", "")), sum(float(bar.get("width", "")) for bar in bars)
    assert left + width == pytest.approx(float(answer.context["drawing"].right), abs=1)


def test_a_dose_that_is_not_known_is_a_gap_and_a_small_one_is_exact(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vasopressor", ago(hours=5), drug="vasopressin", rate="0.04",
          unit="units/min")  # fmt: skip
    lanes = {lane.name: lane for lane in page(nurse_client, course).context["drawing"].lanes}
    assert lanes["Vasopressin"].last == "0.04 units/min"


def test_a_course_without_entries_and_before_the_infusion_can_be_printed(
    nurse_client: Client, course: Course
) -> None:
    early = (course.infused_at + timedelta(seconds=1)).isoformat()
    assert page(nurse_client, course, known_at=early).status_code == 200


def test_the_page_takes_as_many_statements_however_long_the_course(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    page(nurse_client, course)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            page(nurse_client, course)
        counts.append(len(queries))
        for minutes in range(1, 30):
            chart(course, nurse, "vitals", ago(minutes), temperature_c="38.5", systolic_mmhg="84")
    assert counts[0] == counts[1] <= 8


def test_astct_and_icans_are_printed_beside_the_grade(nurse: User, nurse_client: Client) -> None:
    course = imported(nurse, *ENTRIES)
    answer = page(nurse_client, course, known_at=after(25))
    assert answer.context["scales"] == [
        "ASTCT 3", "ICANS not assessed, could be 4 (ICE could not be done: language)",
    ]  # fmt: skip
    lines = [(line.name, line.text) for line in answer.context["scale_grades"]]
    assert lines == [
        ("ASTCT", "not assessed"), ("ASTCT", "0"), ("ASTCT", "1, could be 2"), ("ASTCT", "2"),
        ("ASTCT", "3"), ("ICANS", "not assessed"), ("ICANS", "0"),
        ("ICANS", "not assessed, could be 4"),
    ]  # fmt: skip
    assert "ASTCT and ICANS, beside the grade" in answer.content.decode()
