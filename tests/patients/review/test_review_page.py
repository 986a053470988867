"""The review page: the grade at the cursor and why, the table, and what was known at a time.

The course is one of five days with a late entry that raises the grade, a correction that lowers it,
a rise by the clock and a time at which something was not known.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from crs_app.accounts.models import User
from grading.engine.systems.lee_2014 import LEE_2014
from grading.engine.units import format_number
from patients.display.text import keep_units
from patients.exchange.course_file import import_course
from patients.models import Course
from patients.queries.series import read_course_values
from patients.review.page import table_rows
from patients.review.series import nights, review_series
from tests.patients.review.reviewed_course import FILE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]

CLOCK_RISE = "2026-11-27T10:55:00+00:00"
MISTYPED = "2026-11-27T03:40:00+00:00"
"""A rate ten times too high had been charted, and was corrected two minutes later."""


@pytest.fixture
def reviewed(imported_once: Callable[[], Course], db: None) -> Course:
    return imported_once()


def page(client: Client, course: Course, name: str = "review", **query: str) -> Any:
    return client.get(f"{reverse(f'patients:{name}', args=[course.pk])}?{urlencode(query)}")


def test_the_grade_at_an_instant_is_shown_with_its_reasons(
    nurse_client: Client, reviewed: Course
) -> None:
    answer = page(nurse_client, reviewed, at="2026-11-27T13:00:00+00:00")
    cursor = answer.context["cursor"]
    assert (cursor.grade, cursor.could_be) == (3, None)
    assert [line.code for line in cursor.criteria] == [
        "oxygen.at_least_40", "vasopressor.high_dose", "organ_toxicity.grade_2", "symptom.fever",
    ]  # fmt: skip
    evidence = cursor.criteria[1].evidence
    assert [line.age for line in evidence] == ["2 h 20 min"]
    assert keep_units("0.32 mcg/kg/min × 72 kg = 23.04 mcg/min") in answer.content.decode()


def test_a_rise_by_the_clock_says_so(nurse_client: Client, reviewed: Course) -> None:
    run = page(nurse_client, reviewed, at=CLOCK_RISE).context["cursor"].run
    assert run.begins == datetime.fromisoformat(CLOCK_RISE)
    assert (run.before, run.by_clock) == (2, True)


def test_what_was_known_then_is_shown_and_nothing_of_today(
    nurse_client: Client, reviewed: Course
) -> None:
    then = page(nurse_client, reviewed, at=MISTYPED, known_at=MISTYPED)
    today = page(nurse_client, reviewed, at=MISTYPED)
    assert (then.context["cursor"].grade, today.context["cursor"].grade) == (3, 2)
    text = then.content.decode()
    assert "As known at 27 Nov 2026 03:40." in text
    assert keep_units("43.2 mcg/min") in text
    plotted = page(nurse_client, reviewed, "review_series", known_at=MISTYPED).json()
    known = datetime.fromisoformat(MISTYPED).timestamp()
    assert all(at <= known for one in plotted["series"] for at in one["at"])
    assert all(period["from"] <= known for period in plotted["periods"])


def test_a_past_page_stays_the_same_whatever_is_charted_later(nurse: User, client: Client) -> None:
    """A file cut at a time, and the whole file asked for that time, show the same page."""
    client.force_login(nurse)
    raw = json.loads(FILE.read_text())
    instant = datetime.fromisoformat(MISTYPED)
    cut = {**raw, "patient": {**raw["patient"], "mrn": "CUT"}}
    cut["entries"] = [
        entry
        for entry in raw["entries"]
        if datetime.fromisoformat(entry.get("recorded_at", entry["at"])) <= instant
    ]
    raw["patient"]["mrn"] = "WHOLE"
    whole, until_then = (import_course(json.dumps(one), [nurse]) for one in (raw, cut))

    def rendered(course: Course, view: str) -> str:
        query = {"known_at": MISTYPED, "view": view, "range": "all"}
        text = page(client, course, **query).content.decode()
        start, end = text.index('<div class="review">'), text.index("<footer")
        return text[start:end].replace(str(course.pk), "COURSE").replace(course.patient.mrn, "MRN")

    assert rendered(whole, "table") == rendered(until_then, "table")


@pytest.mark.parametrize(
    "query",
    [
        {"at": "tomorrow"}, {"known_at": "2999-01-01T00:00:00Z"}, {"range": "year"},
        {"axis": "x"}, {"view": "3d"}, {"known_date": "11/27/2026", "known_time": "04:40"},
        {"known_date": "2026-11-27"}, {"at": "\x00"},
        {"at": "0001-01-01T00:00"}, {"at": "2999-01-01T00:00:00Z"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["review", "review_cursor", "review_series"])
def test_an_address_that_cannot_be_shown_says_why(
    name: str, query: dict[str, str], nurse_client: Client, course: Course
) -> None:
    answer = page(nurse_client, course, name, **query)
    assert answer.status_code == 400
    field = next(iter(query)).replace("known_date", "known_at")
    shown = answer.content.decode()
    assert field in shown
    assert not re.search(r"1900|2200|\w\.\.\s", shown)
    if "This address cannot be shown" in answer.content.decode():
        assert f'href="{answer.wsgi_request.path}"' in answer.content.decode()


def test_every_cell_of_the_table_is_the_value_of_grading(reviewed: Course) -> None:
    until = datetime(2026, 11, 28, 8, 40, tzinfo=UTC)
    plotted = review_series(read_course_values(reviewed, until, until))
    rows = {row.at: row for row in table_rows(plotted.periods, plotted.series, plotted.treatments)}
    for series in plotted.series:
        for point in series.points:
            cell = rows[point.at].cells[series.key]
            value = "–" if point.value is None else format_number(point.value, 1)
            assert cell.split(" (")[0] == value
    for period in plotted.periods:
        assert (rows[period.start].grade, rows[period.start].at_most) == (
            period.grade, period.at_most,
        )  # fmt: skip


@pytest.mark.parametrize("hours", [24, 72])
def test_hours_that_end_before_now_are_those_round_the_cursor(
    hours: int, nurse_client: Client, reviewed: Course, time_machine: Any
) -> None:
    """Else a link with a cursor of last week would show an empty table."""
    time_machine.move_to(datetime(2026, 12, 8, 9, 40, tzinfo=UTC), tick=False)
    nurse_client.force_login(User.objects.get(username="nurse"))
    asked = {"range": f"{hours}h", "at": "2026-11-27T13:00:00+00:00"}
    rows = page(nurse_client, reviewed, view="table", **asked).context["rows"]
    assert datetime(2026, 11, 27, 13, tzinfo=UTC) in {row.at for row in rows}
    window = page(nurse_client, reviewed, "review_series", **asked).json()["window"]
    assert window[1] - window[0] == hours * 3600
    last = page(nurse_client, reviewed, "review_series", range=f"{hours}h").json()["window"]
    assert last[1] == datetime(2026, 12, 8, 9, 40, tzinfo=UTC).timestamp()


def test_lanes_run_from_start_to_end_without_a_break(reviewed: Course) -> None:
    until = datetime(2026, 11, 28, 8, 40, tzinfo=UTC)
    lanes = {
        lane.code: lane for lane in review_series(read_course_values(reviewed, until, until)).lanes
    }
    [(begins, ends)] = lanes["vasopressor.high_dose"].spans
    assert begins == datetime.fromisoformat(CLOCK_RISE)
    assert ends is not None
    assert ends > begins


def test_any_instant_shows_what_was_not_met_and_the_advice(
    nurse_client: Client, reviewed: Course
) -> None:
    answer = page(nurse_client, reviewed, "instant", at="2026-11-27T13:00:00+00:00")
    found = {rule.code: rule.text for rule in answer.context["not_met"]}
    assert found["life_threatening"] == "not judged"
    assert found["oxygen.below_40"] == "a higher rule of this kind is met"
    assert found["hypotension.low_pressure"] == "BP 100/56"
    assert found.keys().isdisjoint(line.code for line in answer.context["cursor"].criteria)
    assert any(
        "Tocilizumab given at 11:40" in line.summary
        for line in answer.context["grade_context"].advice
    )
    assert (answer.context["before"].grade, answer.context["after"].grade) == (2, 2)
    then = page(
        nurse_client, reviewed, "instant", at="2026-11-27T13:00:00+00:00",
        known_at="2026-11-27T13:00:00+00:00",
    )  # fmt: skip
    assert then.context["cursor"].could_be == 4
    assert then.context["after"] is None


def test_every_rule_says_what_was_found(nurse_client: Client, course: Course) -> None:
    answer = page(nurse_client, course, "instant")
    assert len(answer.context["not_met"]) == len(LEE_2014.rules) - 1
    assert all(rule.text for rule in answer.context["not_met"])


def test_nothing_charted_is_an_empty_page(nurse_client: Client, course: Course) -> None:
    answer = page(nurse_client, course, view="table", range="24h")
    assert answer.status_code == 200
    assert "Nothing was charted" in answer.content.decode() or answer.context["rows"]


def test_nights_are_whole_over_the_end_of_summer_time() -> None:
    since = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert len(nights(since, since + timedelta(days=2))) == 2


def test_the_number_of_statements_is_constant(
    nurse_client: Client, reviewed: Course, course: Course, django_assert_num_queries: Any
) -> None:
    """Session with user, course, checkpoint with the acts beside that time, course, sign-offs.

    The record comes last. The table reads the whole course besides, and the plots read it by a
    request of their own.
    """
    page(nurse_client, course)
    for one in (course, reviewed):
        for view, statements in (("plots", 6), ("table", 7)):
            with django_assert_num_queries(statements):
                page(nurse_client, one, view=view)
        for name, statements in (("review_cursor", 4), ("review_series", 3), ("review_latest", 3)):
            with django_assert_num_queries(statements):
                page(nurse_client, one, name)


def test_the_number_of_statements_of_the_past_is_constant(
    nurse_client: Client, reviewed: Course, course: Course, django_assert_num_queries: Any
) -> None:
    """Those of now, and the sign-offs; what is different today adds the course of today."""
    page(nurse_client, course)
    for one in (course, reviewed):
        known_at = page(nurse_client, one).context["latest"].isoformat()
        with django_assert_num_queries(6):
            page(nurse_client, one, known_at=known_at)
        with django_assert_num_queries(8):
            page(nurse_client, one, known_at=known_at, different="1")
