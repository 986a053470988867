"""The grade at an instant as known at another, as data: held against the grading of the file."""

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.course_result import result_json
from patients.exchange.course_file import import_course
from patients.models import Course
from tests.factories import ago, chart, correct, sending
from tests.grading.random_courses import instants, random_course

pytestmark = pytest.mark.django_db

COURSES = 40
INSTANTS_OF_EACH = 8


def ask(client: Client, course: Course, **query: str) -> Any:
    return client.get(f"{reverse('patients:state', args=[course.pk])}?{urlencode(query)}")


def of_file(document: dict[str, Any], at: str, known_at: str) -> dict[str, Any]:
    """The same answer, by the grading of the course file."""
    result = result_json(document, datetime.fromisoformat(at), datetime.fromisoformat(known_at))
    criteria, unknown = [], []
    if result["current"]["grade"] is not None:
        begun = [p for p in result["periods"] if not p["projected"]]
        criteria = [{"code": c["code"], "grade": c["grade"]} for c in begun[-1]["criteria"]]
        unknown = [
            {"code": u["code"], "could_reach": u["could_reach"]} for u in begun[-1]["unknown"]
        ]
    return {
        "grade": result["current"]["grade"],
        "at_most": result["current"]["at_most"],
        "criteria": criteria,
        "unknown": unknown,
    }


def in_order(answer: dict[str, Any]) -> dict[str, Any]:
    parts = {key: answer[key] for key in ("grade", "at_most")}
    lists = {
        key: sorted(answer[key], key=lambda item: item["code"]) for key in ("criteria", "unknown")
    }
    return {**parts, **lists}


def test_the_answer_is_that_of_the_course_file_at_random_instants(
    nurse_client: Client, nurse: User
) -> None:
    rng = Random(20261128)  # noqa: S311
    for number in range(COURSES):
        document = random_course(rng)
        document["patient"] |= {"mrn": f"R{number}", "name": "Random, Rosa"}
        document["therapy"]["product"] = "CAR-T"
        course = import_course(json.dumps(document), [nurse])
        pool = instants(document)
        for _ in range(INSTANTS_OF_EACH):
            at, known_at = rng.choice(pool), rng.choice(pool)
            answer = ask(nurse_client, course, at=at, known_at=known_at).json()
            assert answer["scales"] == {}
            assert datetime.fromisoformat(answer["at"]) == datetime.fromisoformat(at)
            assert in_order(answer) == in_order(of_file(document, at, known_at)), (
                json.dumps(document), at, known_at,
            )  # fmt: skip


def test_both_times_default_to_now(nurse_client: Client, course: Course, nurse: User) -> None:
    chart(course, nurse, "vitals", ago(5), temperature_c="39")
    answer = ask(nurse_client, course).json()
    assert (answer["grade"], answer["at_most"]) == (1, 1)
    assert answer["criteria"] == [{"code": "symptom.fever", "grade": 1}]
    assert answer["at"] == answer["known_at"]


def test_what_was_corrected_is_answered_as_it_was_known(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    wrong = chart(course, nurse, "vitals", ago(50), temperature_c="39").entries[0]
    before = timezone.now()
    correct(wrong, wrong.at, {"temperature_c": "37"}, sending(nurse))
    at = ago(40).isoformat()
    assert ask(nurse_client, course, at=at).json()["grade"] == 0
    assert ask(nurse_client, course, at=at, known_at=before.isoformat()).json()["grade"] == 1


def test_the_clock_alone_is_followed_past_what_is_known(nurse_client: Client, nurse: User) -> None:
    """A dose above Table 3 raises the grade after three hours, with nothing charted since."""
    document = {
        "format": "crs-course/1",
        "patient": {"mrn": "C1", "name": "Clock, Cleo", "age_years": 50, "sex": "female"},
        "therapy": {"product": "CAR-T", "infused_at": "2024-03-01T06:00:00+00:00"},
        "weight_kg": 80,
        "entries": [
            {"at": "2024-03-02T06:00:00+00:00", "kind": "vasopressor", "drug": "norepinephrine",
             "rate": 25, "unit": "ug/min"},
        ],
    }  # fmt: skip
    course = import_course(json.dumps(document), [nurse])
    known = "2024-03-02T06:30:00+00:00"
    for at, grade in (("2024-03-02T06:30:00+00:00", 2), ("2024-03-02T09:00:00+00:00", 3)):
        assert ask(nurse_client, course, at=at, known_at=known).json()["grade"] == grade


def test_nothing_charted_is_grade_0_after_the_infusion_and_none_before(
    nurse_client: Client, course: Course
) -> None:
    before_admission = (course.admitted_at - timedelta(hours=1)).isoformat()
    after, before = (course.infused_at + timedelta(minutes=sign * 5) for sign in (1, -1))
    for known in ({}, {"known_at": before_admission}):
        assert ask(nurse_client, course, at=after.isoformat(), **known).json()["grade"] == 0
        assert ask(nurse_client, course, at=before.isoformat(), **known).json()["grade"] is None


def test_a_death_of_another_cause_ends_the_grading(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "death", ago(hours=1), attribution="other")
    answer = ask(nurse_client, course).json()
    assert (answer["grade"], answer["at_most"], answer["criteria"]) == (None, None, [])
    assert ask(nurse_client, course, at=ago(hours=2).isoformat()).json()["grade"] == 0


@pytest.mark.parametrize("field", ["at", "known_at"])
@pytest.mark.parametrize(
    "typed",
    [
        "", "yesterday", "2026-11-28", "2026-11-28T10:00", "0001-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59-14:00", "2199-01-01T00:00:00Z", "\x00", "2026-13-01T00:00:00Z",
        "2020-01-01T00:00:00 00:00",
    ],
)  # fmt: skip
def test_a_bad_time_is_refused_by_name(
    field: str, typed: str, nurse_client: Client, course: Course
) -> None:
    answer = ask(nurse_client, course, **{field: typed})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_a_time_later_than_now_is_refused(nurse_client: Client, course: Course) -> None:
    soon = (timezone.now() + timedelta(minutes=1)).isoformat()
    answer = ask(nurse_client, course, known_at=soon)
    assert answer.status_code == 400
    assert answer.json() == {"errors": {"known_at": "lies in the future"}}


def test_the_number_of_statements_is_constant(
    nurse_client: Client, course: Course, django_assert_num_queries: Any
) -> None:
    """Session with user, course, period and the record of the download."""
    ask(nurse_client, course)
    with django_assert_num_queries(4):
        ask(nurse_client, course)
