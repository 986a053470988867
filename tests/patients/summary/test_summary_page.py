"""The page of a summary and its JSON: the drawn course, not known, day 100, as known at."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from patients.models import Course
from patients.summary.summary import Part, span_of
from tests.factories import admit, ago, chart, end
from tests.patients.review.reviewed_course import FILE
from tests.patients.review.scale_course import ENTRIES, after, imported

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]

DRAWN = "2026-11-28T08:40:00+00:00"
MISTYPED = "2026-11-27T03:40:00+00:00"
"""A rate ten times too high had been charted, and was corrected two minutes later."""


@pytest.fixture
def drawn(imported_once: Callable[[], Course], db: None) -> Course:
    return imported_once()


def page(client: Client, course: Course, name: str = "summary", **query: str) -> Any:
    return client.get(f"{reverse(f'patients:{name}', args=[course.pk])}?{urlencode(query)}")


def items(client: Client, course: Course, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = page(client, course, "summary_json", **query).json()["items"]
    return found


def hours(text: str) -> int:
    """Seconds of "41:10"."""
    number, minutes = text.split(":")
    return int(number) * 3600 + int(minutes) * 60


def test_the_drawn_course_has_the_drawn_answers(nurse_client: Client, drawn: Course) -> None:
    found = items(nurse_client, drawn, known_at=DRAWN)
    values = {key: item["value"] for key, item in found.items()}
    assert values["crs.occurred"] == "yes"
    assert values["crs.onset"] == values["crs.fever.onset"] == "2026-11-24T18:30:00+00:00"
    assert values["crs.fever.max"] == {"value": "39.8", "at": "2026-11-26T20:00:00+00:00"}
    peak = values["crs.grade.max.lee2014"]
    assert (peak["grade"], peak["at"]) == (3, "2026-11-26T18:30:00+00:00")
    assert values["crs.grade.max.lee2014.time"]["after_infusion_s"] == hours("80:30")
    assert values["crs.vasopressor.hours"]["seconds"] == hours("41:10")
    highest = values["crs.vasopressor.max"]
    assert (highest["ug_per_min"], highest["high_dose_s"]) == ("23.04", hours("8:15"))
    assert (highest["from"], highest["to"]) == (
        "2026-11-27T10:40:00+00:00",
        "2026-11-27T14:20:00+00:00",
    )
    assert values["crs.oxygen.days"]["seconds"] == hours("48:40")
    assert values["crs.oxygen.days"]["calendar_days"] == 3
    assert values["crs.rx.tocilizumab"] == [
        {
            "agent": "tocilizumab",
            "at": "2026-11-27T11:40:00+00:00",
            "dose_mg": "576",
            "dose_mg_per_kg": "8",
        }
    ]
    assert [one["volume_ml"] for one in values["crs.rx.fluid"]] == ["500"] * 3
    assert found["crs.ventilation"]["state"] == "no"
    assert "a device is charted" in found["crs.ventilation"]["why"][0]
    states = {key for key, item in found.items() if item["state"] == "not_known"}
    assert states == {
        "crs.fever.home", "crs.cardiac.lvef.min", "crs.rx.steroids", "crs.rx.other",
        "organ.grade3_4", "icans.grade.max",
    }  # fmt: skip
    assert found["crs.resolved"]["state"] == "not_stated"


def test_time_at_each_grade_is_that_of_the_command_line(
    nurse_client: Client, drawn: Course
) -> None:
    command = [sys.executable, "-m", "grading", "--format", "json", "--now", DRAWN, str(FILE)]
    result = subprocess.run(command, capture_output=True, check=True)
    times: dict[int, timedelta] = defaultdict(timedelta)
    for period in json.loads(result.stdout)["periods"]:
        if not period["projected"]:
            start, to = (datetime.fromisoformat(period[name]) for name in ("from", "to"))
            times[period["grade"]] += to - start
    shown = items(nurse_client, drawn, known_at=DRAWN)["crs.grade.time.lee2014"]["value"]
    assert shown["grade_0_s"] + shown["not_assessed_s"] == times[0].total_seconds()
    for grade in (1, 2, 3, 4):
        assert shown[f"grade_{grade}_s"] == times[grade].total_seconds()
    assert shown["grade_3_s"] == hours("10:25")


def test_each_answer_opens_its_entries(nurse_client: Client, drawn: Course) -> None:
    text = page(nurse_client, drawn, known_at=DRAWN).content.decode()
    row = text[text.index('id="crs.grade.max.lee2014"') :].split("</tr>")[0]
    assert "FiO2 50\u00a0%" in row
    assert "charted 12 h 25 min later" in row
    assert f"/courses/{drawn.pk}/review/instant/?at=2026-11-26T18:30" in row
    ids = {str(one) for one in drawn.entries.values_list("pk", flat=True)}
    for key, item in items(nurse_client, drawn, known_at=DRAWN).items():
        assert set(item["evidence"]) <= ids, key
        assert item["evidence"] or item["why"] or item["details"], key


def test_the_past_is_shown_as_it_was_known(nurse_client: Client, drawn: Course) -> None:
    then = items(nurse_client, drawn, known_at=MISTYPED)
    today = items(nurse_client, drawn)
    assert then["crs.vasopressor.max"]["value"]["ug_per_min"] == "43.2"
    assert today["crs.vasopressor.max"]["value"]["ug_per_min"] == "23.04"
    text = page(nurse_client, drawn, known_at=MISTYPED).content.decode()
    assert "As known at 27 Nov 2026 03:40." in text
    assert "Answer…" not in text
    assert then["crs.rx.tocilizumab"]["state"] == "not_known"
    assert "576" not in text


def test_a_summary_as_known_earlier_stays_the_same_to_the_byte(
    nurse_client: Client, drawn: Course, intensivist_client: Client
) -> None:
    before = page(nurse_client, drawn, "summary_json", known_at=DRAWN).content
    address = reverse("patients:summary_state", args=[drawn.pk, "fever_at_home"])
    sent = {"form_id": "0f3c9c4e-6a2b-4a57-8a53-3f4c1b0d9e11", "seen": "0"}
    assert (
        intensivist_client.post(address, sent | {"answer": "no", "source": "family"}).status_code
        == 302
    )
    assert page(nurse_client, drawn, "summary_json", known_at=DRAWN).content == before
    assert items(nurse_client, drawn)["crs.fever.home"]["state"] == "no"


def test_nothing_charted_is_never_no(nurse_client: Client, course: Course) -> None:
    found = items(nurse_client, course)
    assert {item["state"] for item in found.values()} <= {"not_known", "not_stated", "answered"}
    assert found["crs.occurred"]["state"] == "not_known"
    assert "never assessed" in found["crs.occurred"]["why"][0]
    assert found["crs.grade.max.lee2014"]["state"] == "not_known"
    times = found["crs.grade.time.lee2014"]["value"]
    assert times["grade_0_s"] == 0


def test_vasopressin_alone_has_an_equivalent_of_0_and_an_unknown_dose_has_none(
    nurse: User, nurse_client: Client, course: Course
) -> None:
    """The equation of Table 3 has no term for vasopressin: its dose never leaves one unknown."""
    vasopressin = {"drug": "vasopressin", "rate": None}
    chart(course, nurse, "vasopressor", ago(90), **vasopressin)
    found = items(nurse_client, course)["crs.vasopressor.max"]
    assert (found["state"], found["value"]["ug_per_min"]) == ("answered", "0")
    assert found["value"]["every_dose_known"]
    chart(course, nurse, "vasopressor", ago(60), drug="norepinephrine", rate=None)
    assert items(nurse_client, course)["crs.vasopressor.max"]["state"] == "not_known"


def test_a_drug_without_a_row_in_table_3_has_no_equivalent(
    nurse: User, nurse_client: Client, course: Course
) -> None:
    drug = {"drug": "angiotensin_ii", "rate": "10", "unit": "ng/kg/min"}
    chart(course, nurse, "vasopressor", ago(60), **drug)
    assert items(nurse_client, course)["crs.vasopressor.max"]["state"] == "not_known"


def test_no_crs_is_said_only_when_nothing_more_can_be_charted(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(
        course, nurse, "vitals", ago(60), temperature_c="36.8", systolic_mmhg="120",
        diastolic_mmhg="70",
    )  # fmt: skip
    chart(course, nurse, "oxygen", ago(60), device="room_air")
    assert items(nurse_client, course)["crs.occurred"]["state"] == "not_known"
    end(course, nurse)
    found = items(nurse_client, course)
    assert found["crs.occurred"]["state"] == "no"
    assert found["crs.oxygen.days"]["state"] == "no"
    assert found["crs.rx.steroids"]["state"] == "not_known"


def test_what_runs_at_the_end_of_a_closed_course_is_not_still_running(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    drug = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}
    chart(course, nurse, "vasopressor", ago(60), **drug)
    chart(course, nurse, "oxygen", ago(60), device="cpap", fio2_percent="50")
    names = ("crs.vasopressor.hours", "crs.oxygen.days", "crs.ventilation")

    def texts() -> list[str]:
        address = reverse("patients:summary", args=[course.pk])
        summary = nurse_client.get(address).context["summary"]
        found = [summary.answer(one) for one in names]
        return [" ".join((one.text, *one.details)) for one in found]

    words = ("running", "on oxygen", "on it")
    for text, what in zip(texts(), words, strict=True):
        assert f"still {what}" in text
    end(course, nurse)
    for text, what in zip(texts(), words, strict=True):
        assert f"{what} at end of course" in text
        assert "still" not in text


def test_a_fever_of_another_cause_is_no_onset(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    chart(course, nurse, "vitals", ago(hours=5), temperature_c="39.1", attribution="other")
    chart(course, nurse, "vitals", ago(hours=3), temperature_c="38.4", attribution="uncertain")
    sure = ago(hours=1)
    chart(course, nurse, "symptom", sure, term="rigors", present=True)
    found = items(nurse_client, course)
    assert found["crs.fever.max"]["value"]["value"] == "39.1"
    onset = found["crs.onset"]
    assert "cause uncertain" in onset["details"][1]
    assert "an earlier fever was of another cause" in found["crs.fever.onset"]["details"][1]


@pytest.mark.parametrize(
    ("infused_at", "first_of_the_second"),
    [
        ("2026-11-23T11:00+01:00", "2027-03-04T00:00+01:00"),
        ("2026-12-23T23:59+01:00", "2027-04-03T00:00+02:00"),
        ("2026-07-25T00:00+02:00", "2026-11-03T00:00+01:00"),
    ],
)
def test_day_100_is_a_calendar_day_of_the_site_and_the_last_of_the_first_period(
    infused_at: str, first_of_the_second: str
) -> None:
    zone, infused = ZoneInfo("Europe/Berlin"), datetime.fromisoformat(infused_at)
    boundary = datetime.fromisoformat(first_of_the_second)
    first, second = (span_of(part, infused, zone) for part in Part)
    assert (first.start, first.end, second.start) == (infused, boundary, boundary)
    assert first.end.tzinfo is UTC
    day = infused.astimezone(zone).date()
    assert (boundary.astimezone(zone).date() - day).days == 101


@pytest.fixture
def long_course(nurse: User) -> Course:
    infused_at = ago(hours=24 * 120).replace(hour=12, minute=0, second=0, microsecond=0)
    course = admit(nurse, infused_at=infused_at)
    last = datetime.combine(
        infused_at.date() + timedelta(days=100), datetime.min.time(), UTC
    ) + timedelta(hours=23, minutes=59)
    chart(course, nurse, "vitals", infused_at + timedelta(days=3), temperature_c="39.0")
    for at in (last, last + timedelta(minutes=1)):
        chart(course, nurse, "treatment", at, agent="tocilizumab", dose_mg="640")
    chart(course, nurse, "vitals", last + timedelta(days=2), temperature_c="36.9")
    return course


def test_a_dose_of_the_last_minute_of_day_100_is_in_the_first_period(
    nurse_client: Client, long_course: Course
) -> None:
    first = items(nurse_client, long_course)
    second = items(nurse_client, long_course, part="after_day_100")
    for found in (first, second):
        assert len(found["crs.rx.tocilizumab"]["value"]) == 1
    assert first["crs.rx.tocilizumab"]["value"][0]["at"].endswith("T23:59:00+00:00")
    assert second["crs.rx.tocilizumab"]["value"][0]["at"].endswith("T00:00:00+00:00")
    assert second["crs.onset"]["details"] == ["before this period"]
    assert "from the period before" in second["crs.occurred"]["details"][0]
    assert second["crs.onset"]["value"] == first["crs.onset"]["value"]


def test_a_period_that_has_not_begun_answers_nothing(nurse_client: Client, drawn: Course) -> None:
    answer = page(nurse_client, drawn, part="after_day_100")
    assert "Day 100 is 3 Mar 2027. This period has not begun." in answer.content.decode()
    assert items(nurse_client, drawn, part="after_day_100") == {}
    assert answer.context["summary"].last_day == date(2027, 3, 3)


def test_the_form_that_is_filled_in_is_printed_as_it_was_named(
    nurse_client: Client, drawn: Course
) -> None:
    named = page(nurse_client, drawn, "summary_json", form="CIBMTR <4100>, revision 10").json()
    assert (named["form"], named["items_revision"]) == ("CIBMTR <4100>, revision 10", "1")
    text = page(nurse_client, drawn, form="CIBMTR <4100>, revision 10").content.decode()
    assert "For: <b>CIBMTR &lt;4100&gt;, revision 10</b>" in text
    assert page(nurse_client, drawn, "summary_json").json()["form"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"part": "day_7"},
        {"form": "x" * 61},
        {"form": "a\u202eb"},
        {"known_at": "yesterday"},
        {"known_at": "2199-01-01T00:00:00+00:00"},
        {"known_date": "2026-11-31", "known_time": "10:00"},
    ],
)
def test_an_address_that_cannot_be_shown_says_why(
    nurse_client: Client, drawn: Course, query: dict[str, str]
) -> None:
    for name in ("summary", "summary_json"):
        assert page(nurse_client, drawn, name, **query).status_code == 400
    kept = page(nurse_client, drawn, known_date="2026-11-31", known_time="10:00")
    assert 'value="2026-11-31"' in kept.content.decode()


def test_astct_stands_beside_lee_and_an_icans_never_assessed_is_not_known(
    nurse_client: Client, drawn: Course
) -> None:
    found = items(nurse_client, drawn, known_at=DRAWN)
    keys = list(found)
    for about in ("max", "time"):
        lee = keys.index(f"crs.grade.{about}.lee2014")
        assert keys[lee + 1] == f"crs.grade.{about}.astct2019"
    highest = found["crs.grade.max.astct2019"]["value"]
    assert (highest["grade"], highest["at"]) == (3, "2026-11-26T13:20:00+00:00")
    assert found["icans.grade.max"]["value"] is None
    assert "never assessed" in found["icans.grade.max"]["why"][0]
    assert found["icans.grade.time"]["value"]["grade_0_s"] == 0
    text = page(nurse_client, drawn, known_at=DRAWN).content.decode()
    row = text[text.index('id="icans.grade.max"') :].split("</tr>")[0]
    assert "not known" in row


def test_icans_is_answered_by_its_assessments(nurse: User, nurse_client: Client) -> None:
    known_at = after(48)
    assessed = items(nurse_client, imported(nurse, *ENTRIES), known_at=known_at)
    highest = assessed["icans.grade.max"]
    assert highest["value"] == {"grade": 1, "at": after(30), "not_ruled_out": 4}
    assert any("grade 0 since" in detail for detail in highest["details"])
    times = assessed["icans.grade.time"]["value"]
    assert (times["grade_1_s"], times["not_assessed_s"]) == (12 * 3600, 12 * 3600)


def test_a_0_of_icans_is_not_known_while_a_higher_grade_is_not_ruled_out(
    nurse: User, nurse_client: Client
) -> None:
    course = imported(nurse, *ENTRIES[:7])
    found = items(nurse_client, course, known_at=after(24))["icans.grade.max"]
    assert found["state"] == "not_known"
    assert "grade 4 was not ruled out" in found["why"][0]
    calm = items(nurse_client, course, known_at=after(21.5))["icans.grade.max"]
    assert (calm["state"], calm["value"]["grade"]) == ("answered", 0)
