"""The file of a cohort: who is in it, a row for each course, how far it is."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import MAIN_CHAIN, Event
from grading.course_file import read_course
from grading.course_result import grade_course
from patients.models import CohortExport, Course, Fact
from patients.recording.identity import IdentityChange, correct_identity, identity_token
from tests.factories import admit, ago, chart, end, sending
from tests.patients.exchange.test_export_file import rows_of, text_of

pytestmark = pytest.mark.django_db


def sent(client: Client, **fields: Any) -> Any:
    today = timezone.localdate()
    data = {
        "contents": "identified", "format": "csv", "purpose": "registry of 2026",
        "since": str(today - timedelta(days=30)), "until": str(today), **fields,
    }  # fmt: skip
    return client.post(reverse("patients:export_cohort"), data)


def rows(client: Client, **fields: Any) -> list[dict[str, str]]:
    return rows_of(text_of(sent(client, **fields)))


def names(client: Client, **fields: Any) -> set[str]:
    return {row["name"] for row in rows(client, **fields)}


def test_a_cohort_is_chosen_by_day_of_infusion_ward_and_end(
    nurse: User, intensivist_client: Client
) -> None:
    here = admit(nurse, name="Here, A", ward="7B")
    admit(nurse, name="There, B", ward="K4")
    admit(nurse, name="Before, C", infused_at=ago(hours=24 * 40))
    end(admit(nurse, name="Closed, D", ward="K4"), nurse)
    assert names(intensivist_client) == {"Here, A", "There, B", "Closed, D"}
    assert names(intensivist_client, wards=[here.on_ward_id]) == {"Here, A"}
    assert names(intensivist_client, only_closed="on") == {"Closed, D"}
    day = timezone.localdate(ago(hours=24 * 40))
    assert names(intensivist_client, since=str(day), until=str(day)) == {"Before, C"}


def test_a_progress_without_an_id_gets_one(nurse: User, intensivist_client: Client) -> None:
    admit(nurse, name="Here, A")
    page = sent(intensivist_client, run="on", purpose="")
    assert page.status_code == 422
    assert uuid.UUID(str(page.context["run_id"]))
    assert names(intensivist_client, run="on") == {"Here, A"}


def test_a_cohort_is_that_of_the_time_known_at(nurse: User, intensivist_client: Client) -> None:
    """An infusion that was corrected since counts where it was; who came later is not in it."""
    moved = admit(nurse, name="Moved, M")
    closed = admit(nurse, name="Closed, D")
    then = timezone.now()
    end(closed, nurse)
    admit(nurse, name="Later, L")
    earlier = {"infused_at": moved.infused_at - timedelta(days=60), "infused_offset_seconds": 0}
    change = IdentityChange(
        Fact.INFUSION, "typed wrong", identity_token([moved]), of_courses={moved.pk: earlier}
    )
    correct_identity(moved.patient_id, change, sending(nurse))
    assert names(intensivist_client) == {"Closed, D", "Later, L"}
    known = {"known_at": then.isoformat()}
    assert names(intensivist_client, **known) == {"Moved, M", "Closed, D"}
    assert names(intensivist_client, only_closed="on", **known) == set()


def test_the_row_of_a_course_has_the_numbers_of_the_engine(
    nurse: User, intensivist_client: Client
) -> None:
    """Peak, first times and hours are computed a second way: from the graded course file."""
    course = admit(nurse)
    at = course.infused_at
    for hours, kind, body in (
        (1, "vitals", {"temperature_c": "36.8", "systolic_mmhg": "120"}),
        (3, "oxygen", {"device": "room_air"}),
        (10, "vitals", {"temperature_c": "39.1", "systolic_mmhg": "118"}),
        (12, "vasopressor", {"drug": "norepinephrine", "rate": "25", "unit": "ug/min"}),
        (13, "treatment", {"agent": "tocilizumab", "dose_mg": "640"}),
        (20, "treatment", {"agent": "tocilizumab", "dose_mg": "640"}),
        (21, "treatment", {"agent": "dexamethasone", "dose_mg": "10"}),
        (22, "vasopressor", {"drug": "norepinephrine", "rate": "0", "unit": "ug/min"}),
        (23, "oxygen", {"device": "nasal_cannula", "flow_l_per_min": "2"}),
    ):
        chart(course, nurse, kind, at + timedelta(hours=hours), **body)
    end(course, nurse)
    [row] = rows(intensivist_client)
    lines = text_of(sent(intensivist_client, format="json")).splitlines()
    until = datetime.fromisoformat(row["graded_until"])
    result = grade_course(read_course(lines[0]), until)
    hours_at = dict.fromkeys(range(6), timedelta(0))
    for period in result.periods:
        hours_at[period.grade] += (period.end or until) - period.start
    assert result.maximum_at is not None
    assert row["peak_grade"] == str(result.maximum) == "3"
    assert datetime.fromisoformat(row["peak_at"]) == result.maximum_at
    assert row["hours_to_peak"] == "15.00"
    assert row["could_have_been"] == str(max(one.at_most for one in result.periods))
    hour = timedelta(hours=1)
    assert {grade: row[f"hours_at_grade_{grade}"] for grade in range(1, 6)} == {
        grade: f"{hours_at[grade] / hour:.2f}" for grade in range(1, 6)
    }
    assert row["hours_not_assessed"] == "3.00"
    zero = float(row["hours_at_grade_0"])
    assert zero == pytest.approx(hours_at[0] / hour - 3, abs=0.01)
    after = {
        name: (datetime.fromisoformat(row[name]) - at) / hour
        for name in (
            "first_grade_1_at", "first_grade_2_at", "first_grade_3_at", "first_oxygen_at",
            "first_vasopressor_at", "first_tocilizumab_at", "first_corticosteroid_at",
        )
    }  # fmt: skip
    assert list(after.values()) == [10, 12, 15, 23, 12, 13, 21]
    assert (row["tocilizumab_doses"], row["died_at"], row["scale"]) == ("2", "", "lee-2014")


def test_nothing_charted_is_not_grade_0_and_not_charted_is_empty(
    course: Course, intensivist_client: Client
) -> None:
    [row] = rows(intensivist_client)
    assert (row["peak_grade"], row["peak_at"]) == ("not assessed", "")
    assert (row["first_oxygen_at"], row["tocilizumab_doses"]) == ("", "")


def test_a_deidentified_cohort_has_other_columns_and_no_order(
    nurse: User, intensivist_client: Client
) -> None:
    for number in range(5):
        admit(nurse, name=f"SECRET {number}", bed=f"BED-{number}", product="many-cel")
    admit(nurse, birth_date=timezone.localdate() - timedelta(days=20), weight_kg="4")
    old = admit(nurse, name="SECRET, Old", birth_date=date(1920, 1, 1), product="one-cel")
    chart(old, nurse, "vitals", ago(hours=3), temperature_c="39", note="SECRET")
    run = uuid.uuid4()
    asked = {"contents": "deidentified", "purpose": "", "run": str(run)}
    text = text_of(sent(intensivist_client, **asked))
    assert not [word for word in ("SECRET", "BED", "TEST-", "7B", "one-cel") if word in text]
    found = rows_of(text)
    assert len(found) == 6
    assert {row["age_years"] for row in found} == {"56", "90+"}
    assert {row["product"] for row in found} == {"many-cel", "not shown"}
    done = CohortExport.objects.get(pk=run)
    assert (done.courses, done.looked_at, done.written, done.left_out) == (7, 7, 6, 1)
    assert done.is_whole
    ids = [str(pk) for pk in Course.objects.order_by("pk").values_list("pk", flat=True)]
    [*identified] = rows(intensivist_client)
    assert [row["course"] for row in identified] == ids


def test_an_open_course_does_not_tell_when_the_file_was_made(
    nurse: User, intensivist_client: Client
) -> None:
    """Hours up to the export, less the shifted infusion, would be the shift."""
    course = admit(nurse)
    chart(course, nurse, "vitals", course.infused_at + timedelta(hours=5), temperature_c="39")
    last = course.acts.order_by("recorded_at").last()
    assert last is not None
    [row] = rows(intensivist_client)
    assert datetime.fromisoformat(row["graded_until"]) == last.recorded_at


def test_json_lines_are_graded_by_the_command_line(nurse: User, intensivist_client: Client) -> None:
    for number in range(3):
        course = admit(nurse, name=f"Nowak {number}")
        chart(course, nurse, "vitals", ago(hours=3), temperature_c="39")
    for contents in ("identified", "deidentified"):
        text = text_of(sent(intensivist_client, format="json", contents=contents))
        command = [sys.executable, "-m", "grading", "--jsonl", "-"]
        answers = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        found = [json.loads(line) for line in answers.stdout.splitlines()]
        assert [one["current"]["grade"] for one in found] == [1, 1, 1]


def test_each_export_is_one_event_with_what_for_and_how_many(
    course: Course, intensivist_client: Client
) -> None:
    assert sent(intensivist_client, purpose="").status_code == 422
    intensivist_client.get(reverse("patients:export_cohort"))
    assert not Event.objects.filter(kind="export").exists()
    text_of(sent(intensivist_client))
    event = Event.objects.get(kind="export")
    assert (event.chain, event.purpose) == (MAIN_CHAIN, "registry of 2026")
    assert event.details["contents"] == "identified"
    assert event.details["courses"] == "up to 1"
    assert event.details["wards"] == "all"


def test_what_is_refused_says_so_at_its_field(intensivist_client: Client) -> None:
    page = sent(intensivist_client, since="2026-05-01", until="2026-04-01").content.decode()
    assert "This day is before the first one." in page
    for typed in ("tomorrow", "05/06/2026", "2026-6-5", "\uff12026-06-05"):
        page = sent(intensivist_client, since="0001-01-01", until=typed).content.decode()
        assert "No infusion is of the year 1. Check the year." in page
        assert "Write the date as year-month-day" in page


def test_progress_is_of_the_own_export_and_ends(
    course: Course, intensivist: User, intensivist_client: Client, auditor_client: Client
) -> None:
    run = uuid.uuid4()
    address = reverse("patients:export_progress", args=[run])
    assert b"Preparing" in intensivist_client.get(address).content
    response = sent(intensivist_client, run=str(run))
    lines = iter(response.streaming_content)
    next(lines)
    assert b"0 of 1 courses so far" in intensivist_client.get(address).content
    assert b"every 1s" in intensivist_client.get(address).content
    assert len(list(lines)) == 1
    done = intensivist_client.get(address).content
    assert b"done, 1 course." in done
    assert b"every 1s" not in done
    assert b"Preparing" in auditor_client.get(address).content
    assert b"done, 1 course." in intensivist_client.get(reverse("patients:export_cohort")).content


def test_a_file_that_is_broken_off_is_called_so(
    nurse: User, intensivist_client: Client, intensivist: User
) -> None:
    admit(nurse)
    admit(nurse, name="Second, S")
    run = uuid.uuid4()
    response = sent(intensivist_client, run=str(run))
    lines = iter(response.streaming_content)
    next(lines), next(lines)
    response._iterator.close()  # as a server does whose client has gone
    page = intensivist_client.get(reverse("patients:export_progress", args=[run])).content
    assert b"broken off after 1 courses. The file is not whole" in page


def test_a_second_file_under_the_same_id_gets_its_own(
    course: Course, intensivist_client: Client
) -> None:
    run = str(uuid.uuid4())
    assert text_of(sent(intensivist_client, run=run)) == text_of(sent(intensivist_client, run=run))
    assert CohortExport.objects.count() == 2


def test_a_course_more_is_one_statement_more(
    nurse: User, intensivist: User, intensivist_client: Client
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            text_of(sent(intensivist_client))
        return len(captured.captured_queries)

    admit(nurse)
    statements()  # the first one begins the session's clock
    one = statements()
    for number in range(4):
        admit(nurse, name=f"Nowak {number}")
    assert statements() == one + 4
