"""A grade 0 of which too little was charted to know it: every page says that, and none says 0."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.display.text import moment_text
from patients.models import Course
from tests.entry_forms import text_of, url
from tests.factories import ago, chart, correct, sending
from tests.patients.review.sign_off_form import another, signed

pytestmark = pytest.mark.django_db
NOT_YET = "Not yet assessed: no temperature, no blood pressure, no oxygen."


def page(client: Client, course: Course, name: str, **query: str) -> Any:
    return client.get(f"{url(name, course)}?{urlencode(query)}")


def text(client: Client, course: Course, name: str, **query: str) -> str:
    return text_of(page(client, course, name, **query).content.decode())


@pytest.mark.parametrize("name", ["review", "instant"])
def test_nothing_charted_is_not_called_grade_0(
    name: str, nurse_client: Client, course: Course
) -> None:
    said = text(nurse_client, course, name)
    assert NOT_YET in said
    assert "– not assessed" in said
    assert "Nothing unknown could make it higher" not in said
    assert "No rule was met" not in said


def test_the_same_is_said_at_the_cursor_before_the_first_values(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=6), temperature_c="36.8", systolic_mmhg="120")
    chart(course, nurse, "oxygen", ago(hours=5), device="room_air")
    assert NOT_YET in text(nurse_client, course, "review_cursor", at=ago(hours=7).isoformat())
    between = text(nurse_client, course, "review_cursor", at=ago(hours=5.5).isoformat())
    assert "Not yet assessed: no oxygen." in between
    after = text(nurse_client, course, "review_cursor", at=ago(hours=4).isoformat())
    assert "Grade 0. Nothing unknown could make it higher." in after
    known_then = text(nurse_client, course, "review", known_at=ago(hours=0).isoformat())
    assert "Grade 0." in known_then


def test_the_table_the_plots_and_the_flowsheet_know_a_grade_0_from_the_same_time(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=6), temperature_c="36.8", systolic_mmhg="120")
    assert page(nurse_client, course, "review_series").json()["assessed_since"] is None
    assert "no higher" not in text(nurse_client, course, "flowsheet")
    known = ago(hours=3)
    chart(course, nurse, "oxygen", known, device="room_air")
    plotted = page(nurse_client, course, "review_series").json()
    assert plotted["assessed_since"] == known.timestamp()
    rows = page(nurse_client, course, "review", view="table").context["rows"]
    assert {row.shown_grade for row in rows if row.at < known} == {None}
    assert {row.shown_grade for row in rows if row.at >= known} == {0}
    sheet = page(nurse_client, course, "flowsheet", bin="1").context["sheet"]
    (grade,) = [row for section in sheet.sections for row in section.rows if row.key == "grade"]
    assert [cell.shown for cell in grade.cells][:2] == ["not assessed", ""]
    assert "not assessed" in text(nurse_client, course, "flowsheet")


def test_a_flowsheet_knows_what_was_charted_before_and_after_its_hours(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    before = ago(hours=30).isoformat()
    assert page(nurse_client, course, "flowsheet", end=before).context["cursor"].missing
    chart(course, nurse, "vitals", ago(hours=29), temperature_c="36.8", systolic_mmhg="120")
    oxygen_not_known_yet = ago().isoformat()
    chart(course, nurse, "oxygen", ago(hours=29), device="room_air")
    assert not page(nurse_client, course, "flowsheet", end=before).context["cursor"].missing
    chart(course, nurse, "note", ago(hours=2), note="Family informed")
    sheet = page(nurse_client, course, "flowsheet").context["sheet"]
    (grade,) = [row for section in sheet.sections for row in section.rows if row.key == "grade"]
    assert "not assessed" not in {cell.shown for cell in grade.cells}
    known_then = page(nurse_client, course, "flowsheet", known_at=oxygen_not_known_yet)
    assert known_then.context["cursor"].missing


def test_a_reviewer_is_not_led_to_agree_with_a_grade_0_that_is_not_known(
    intensivist_client: Client, course: Course, nurse: User
) -> None:
    panel = intensivist_client.get(url("sign_off", course)).content.decode()
    assert "Not assessed: temperature, blood pressure and oxygen were not all charted." in panel
    assert "Agree: no criterion met, not assessed" in text_of(panel)
    assert "checked" not in panel
    for name in ("sign_off", "review", "instant"):
        shown = page(intensivist_client, course, name)
        assert "grade 0" not in text_of(shown.content.decode()).lower(), name
        assert not re.search(r"(<strong>|class=\"sign\">)0<", shown.content.decode()), name
    chart(course, nurse, "vitals", ago(hours=6), temperature_c="36.8", systolic_mmhg="120")
    chart(course, nurse, "oxygen", ago(hours=5), device="room_air")
    panel = intensivist_client.get(url("sign_off", course)).content.decode()
    assert f"Not assessed until {moment_text(ago(hours=5))}: temperature" in panel
    assert "Agree: grade 0" in text_of(panel)
    assert "checked" in panel


def test_a_sign_off_is_no_proof_of_a_grade_0(
    intensivist_client: Client, course: Course, nurse: User
) -> None:
    """What was signed is corrected, then a 0 that nobody assessed is signed: no page says 0."""
    reading = chart(course, nurse, "vitals", ago(hours=3), temperature_c="39").entries[0]
    signed(intensivist_client, course, reading.at)
    correct(reading, reading.at, {"heart_rate": "90"}, sending(nurse))
    since = ago(hours=0).isoformat()

    def said() -> dict[str, str]:
        pages = {name: url(name, course) for name in ("bedside", "review", "sign_off", "handover")}
        pages |= {"board": reverse("patients:board"), "waiting": reverse("patients:reviews")}
        return {
            name: text_of(intensivist_client.get(at).content.decode()) for name, at in pages.items()
        }

    pages = said()
    assert "signed 1, not assessed now" in pages["board"]
    assert "signed 1, no criterion met now" in pages["bedside"]
    assert "signed 1, not assessed now" in pages["review"]
    signed(intensivist_client, course, reading.at)
    again = said()
    assert "signed, no criterion met" in again["bedside"]
    for name, shown in [*pages.items(), *again.items()]:
        assert not re.search(r"computed (now|then) 0|grade 0\b|signed 0", shown.lower()), name
    then = text(intensivist_client, course, "review", known_at=since)
    assert "not assessed" in then
    assert not re.search(r"computed (now|then) 0|grade 0\b", then.lower())


def test_a_grade_above_0_needs_nothing_else(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vitals", ago(hours=2), temperature_c="39")
    shown = text(nurse_client, course, "review")
    before, after = shown.split("not assessed")  # of the time before it, in the list of periods
    assert re.search(r"– \d+ \w+ \d\d:\d\d $", before)
    assert "Grade 1" in before
    assert "What waits in other patients" in after


def test_what_was_before_and_after_a_grade_is_no_grade_0_that_nobody_assessed(
    intensivist_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vasopressor", ago(hours=4), drug="dopamine", rate="5", unit="ug/kg/min")
    intensivist_client.post(url("seen", course), {"known_at": ago(hours=0).isoformat()})
    dopamine = course.entries.get(kind="vasopressor")
    stop = chart(course, nurse, "vasopressor", ago(hours=2), drug="dopamine", rate="0").entries[0]
    at = {"at": ago(hours=3).isoformat()}
    shown = text(intensivist_client, course, "instant", **at)
    assert "(no criterion met before)" in shown
    assert "before: no criterion met" in shown
    assert "after: no criterion met" in shown
    assert "(no criterion met before)" in text(intensivist_client, course, "review", **at)
    correct(dopamine, ago(hours=5), {"drug": "dopamine", "rate": "0"}, sending(nurse))
    for name in ("instant", "review", "sign_off"):
        for query in (at, {"at": stop.at.isoformat()}, {}):
            assert "grade 0" not in text(intensivist_client, course, name, **query).lower(), name


def test_the_list_of_disagreements_computes_no_grade_0_that_nobody_assessed(
    intensivist_client: Client, course: Course
) -> None:
    signed(intensivist_client, course, **another(2))
    page = intensivist_client.get(reverse("patients:disagreements")).content.decode()
    assert re.search(r"<td>–</td>\s*<td>2</td>\s*<td>no criterion met<", page)
