"""The other files of an export: the episode summary item by item, and what people stated."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event
from grading.systems import HEADLINE
from patients.exchange.deidentified import ExportKey, mask_of
from patients.exchange.exported import exported
from patients.models import Course, GuidanceAnswer, SummaryStatement
from patients.queries.export import read_to_export
from tests.factories import admit, ago, chart, end
from tests.patients.exchange.test_deidentified import shift_of
from tests.patients.exchange.test_export_cohort import sent as cohort_sent
from tests.patients.exchange.test_export_file import document_of, rows_of, sent, text_of
from tests.patients.guidance_panel import DOSE, ICU, answered
from tests.patients.review.sign_off_form import another, signed
from tests.patients.summary.test_statements import fever

pytestmark = pytest.mark.django_db
PARTS = ("summary", "stated")


@pytest.fixture
def told(grade_3: Course, nurse: User, nurse_client: Client, intensivist_client: Client) -> Course:
    """A course with everything that people state, and words in each that nobody may read."""
    answered(nurse_client, grade_3, DOSE, "done", agent="tocilizumab", dose_mg="320")
    answered(nurse_client, grade_3, ICU, "not_appropriate", why="other", in_words="SECRET bed")
    fever(nurse_client, grade_3)
    latest = SummaryStatement.objects.get().pk
    answer = fever(
        nurse_client, grade_3, seen=latest, temperature_c="38.9", words="SECRET wrong patient"
    )
    assert answer.status_code == 302, answer.content.decode()[:3000]
    signed(intensivist_client, grade_3, **another(4, words="SECRET worse"))
    return grade_3


def test_the_summary_in_a_file_is_that_of_the_page(
    told: Course, nurse: User, nurse_client: Client
) -> None:
    end(told, nurse)
    [period] = document_of(sent(nurse_client, told, part="summary"))["periods"]
    address = reverse("patients:summary_json", args=[told.pk])
    page = json.loads(nurse_client.get(address).content)
    assert period["items"] == page["items"]
    assert period["known_until"] == page["period"]["known_until"]
    assert period["items"]["crs.onset"]["state"] == "answered"


def test_a_cohort_has_each_item_of_each_course_with_its_entries_and_the_form(
    told: Course, clinician: User, intensivist_client: Client
) -> None:
    quiet = admit(clinician, name="Quiet, Q")
    asked = {"part": "summary", "form": " 4100  rev. 10 "}
    rows = rows_of(text_of(cohort_sent(intensivist_client, **asked)))
    assert {row["course"] for row in rows} == {str(told.pk), str(quiet.pk)}
    assert {(row["form"], row["items_revision"]) for row in rows} == {("4100 rev. 10", "1")}
    found = {(row["item"], row["field"]): row for row in rows if row["course"] == str(told.pk)}
    highest = found["crs.grade.max.lee2014", "grade"]
    assert (highest["value"], highest["scale"]) == ("3", "lee-2014")
    assert highest["evidence"]
    assert found["crs.fever.home", "temperature_c"]["value"] == "38.9"
    dose = json.loads(found["crs.rx.tocilizumab", ""]["value"])
    assert [one["dose_mg"] for one in dose] == ["320"]
    unanswered = [row for row in rows if row["course"] == str(quiet.pk)]
    onset = next(row for row in unanswered if row["item"] == "crs.onset")
    assert (onset["state"], onset["value"]) == ("not_known", "")


def test_after_day_100_is_a_period_of_its_own(clinician: User, nurse_client: Client) -> None:
    course = admit(clinician, infused_at=ago(hours=24 * 120))
    chart(course, clinician, "vitals", ago(hours=24 * 119), temperature_c="39")
    chart(course, clinician, "vitals", ago(hours=24), temperature_c="39.5")
    first, second = document_of(sent(nurse_client, course, part="summary"))["periods"]
    assert (first["name"], second["name"]) == ("to_day_100", "after_day_100")
    assert first["items"]["crs.fever.max"]["value"]["value"] == "39"
    assert second["items"]["crs.fever.max"]["value"]["value"] == "39.5"


def test_a_file_has_every_sign_off_answer_and_statement_with_its_author(
    told: Course, nurse_client: Client
) -> None:
    rows = rows_of(text_of(sent(nurse_client, told, part="stated", format="csv")))
    assert [(row["kind"], row["item"], row["answer"]) for row in rows] == [
        ("answer_to_advice", DOSE, "done"),
        ("answer_to_advice", ICU, "not_appropriate"),
        ("statement", "crs.fever.home", "yes"),
        ("statement", "crs.fever.home", "yes"),
        ("sign_off", "", "another_grade"),
    ]
    done, refused, first, second, sign_off = rows
    assert done["entry"] == str(GuidanceAnswer.objects.get(code=DOSE).treatment_id)
    assert (refused["words"], refused["author"]) == ("SECRET bed", "J. Ruiz")
    assert (first["temperature_c"], second["temperature_c"]) == ("38.6", "38.9")
    assert (second["number"], second["replaces"]) == ("2", "1")
    assert (sign_off["computed_grade"], sign_off["stated_grade"]) == ("3", "4")
    assert (sign_off["reason"], sign_off["words"]) == ("sicker", "SECRET worse")
    assert sign_off["role"] == "ICU reviewer"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_deidentified_no_word_name_or_id_and_no_day_is_left(
    told: Course, nurse_client: Client, intensivist_client: Client, part: str, kind: str
) -> None:
    asked = {"part": part, "contents": "deidentified", "format": kind, "purpose": ""}
    days = {f"{timezone.now() - timedelta(days=ago):%Y-%m-%d}" for ago in range(8)}
    if abs(shift_of(nurse_client, told)) <= timedelta(days=8):  # one day may become another
        days = set()
    for send_it in (
        lambda: sent(nurse_client, told, **asked),
        lambda: cohort_sent(intensivist_client, **asked),
    ):
        text = text_of(send_it())
        secrets = ("SECRET", "Ruiz", "OKONKWO", "TEST-", "7B", "reviewer")
        assert not [word for word in secrets if word in text]
        ids = {str(pk) for pk in told.entries.values_list("pk", flat=True)}
        assert not [one for one in {*ids, str(told.pk), str(told.patient_id)} if one in text]
        assert not [day for day in days if day in text]


def test_deidentified_each_time_is_shifted_as_in_the_course_file(
    told: Course, nurse_client: Client
) -> None:
    known = document_of(sent(nurse_client, told, part="summary"))
    hidden = document_of(sent(nurse_client, told, part="summary", contents="deidentified"))
    course = exported(read_to_export(told, HEADLINE, timezone.now()))
    shift = mask_of(course, ExportKey(settings.EXPORT_KEY.encode())).shift
    onsets = [
        datetime.fromisoformat(one["periods"][0]["items"]["crs.onset"]["value"])
        for one in (known, hidden)
    ]
    assert onsets[1] - onsets[0] == shift
    first, second = (
        datetime.fromisoformat(one["periods"][0]["items"]["crs.fever.home"]["value"]["date"])
        for one in (known, hidden)
    )
    assert second - first == shift
    states = [
        {name: item["state"] for name, item in one["periods"][0]["items"].items()}
        for one in (known, hidden)
    ]
    assert states[0] == states[1]
    of_file = document_of(sent(nurse_client, told, contents="deidentified"))
    entries = {one["id"] for one in of_file["entries"]}
    evidence = hidden["periods"][0]["items"]["crs.onset"]["evidence"]
    assert evidence
    assert set(evidence) <= entries


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("contents", ["identified", "deidentified"])
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_same_bytes_later_for_the_same_time_known_at(
    told: Course, nurse: User, nurse_client: Client, part: str, contents: str, kind: str
) -> None:
    then = timezone.now()
    asked: dict[str, Any] = {
        "part": part, "contents": contents, "format": kind, "known_at": then.isoformat(),
    }  # fmt: skip
    first = sent(nurse_client, told, **asked)
    before = text_of(first)
    chart(told, nurse, "vitals", ago(hours=2), temperature_c="40.5")
    fever(nurse_client, told, seen=SummaryStatement.objects.latest("pk").pk, words="again")
    second = sent(nurse_client, told, **asked)
    assert text_of(second) == before
    assert re.search(rf'filename="course-{part}-{contents}-', second["Content-Disposition"])


def test_the_record_says_which_part_was_exported(told: Course, nurse_client: Client) -> None:
    text_of(sent(nurse_client, told, part="stated"))
    event = Event.objects.get(kind="export")
    assert event.details["part"] == "sign-offs, answers to advice, statements"
    refused = sent(nurse_client, told, part="everything")
    assert refused.status_code == 422


def test_a_newborn_is_left_out_of_each_part(clinician: User, intensivist_client: Client) -> None:
    admit(clinician, birth_date=timezone.localdate() - timedelta(days=20), weight_kg="4")
    for part in PARTS:
        asked = {"part": part, "contents": "deidentified", "purpose": ""}
        assert rows_of(text_of(cohort_sent(intensivist_client, **asked))) == []
