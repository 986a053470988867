"""A de-identified course: nothing of whose it is, and the same grades."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from crs_app.accounts.models import User
from grading.course_file import read_course
from grading.course_result import grade_course
from patients.exchange.deidentified import (
    OLDER,
    ExportKey,
    NeonateError,
    completed_years,
    deidentified,
)
from patients.exchange.exported import ExportedCourse
from patients.models import Course, EntryKind
from patients.recording.inputs import NewEntry
from tests.factories import admit, ago, chart, correct, record, sending
from tests.grading import strategies
from tests.grading.random_courses import instants
from tests.grading.test_policy_changes import OVERRIDES
from tests.patients.exchange.test_export_file import document_of, rows_of, sent, text_of

KEY = ExportKey(b"a key of the tests")
laws = settings(
    max_examples=int(os.environ.get("LAW_EXAMPLES", "150")),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TEXTS = ("Müller", "bed 12", "Jo Ruiz")
ages = st.sampled_from(({}, {"birth_date": "1930-01-01"}, {"birth_date": None, "age_years": "119"}))
remarks = st.lists(
    st.fixed_dictionaries(
        {"kind": st.just("note"), "note": st.sampled_from(TEXTS), "minute": st.integers(0, 600)}
    ),
    max_size=3,
)


def as_exported(document: Mapping[str, Any], course_id: str = "") -> ExportedCourse:
    """A course file as an export would have it: each entry with its id and time of recording."""
    entries = [
        {"recorded_at": one["at"], "note": TEXTS[place % len(TEXTS)], **one,
         "id": one.get("id", f"entry {place}")}
        for place, one in enumerate(document["entries"])
    ]  # fmt: skip
    whole = {**document, "entries": entries}
    infused_at = datetime.fromisoformat(document["therapy"]["infused_at"])
    return ExportedCourse(
        course_id or str(uuid.uuid4()), "patient", whole, [], infused_at, None, "7B", "12", {}
    )


def graded(document: Any, now: datetime, known_at: datetime | None, shift: timedelta) -> Any:
    """Periods, bounds, codes and advice, moved back by the shift."""
    result = grade_course(read_course(document), now + shift, known_at and known_at + shift)
    return (
        [
            (
                one.start - shift, one.end and one.end - shift, one.grade, one.at_most,
                [each.code for each in one.criteria], [each.code for each in one.unknown],
            )
            for one in (*result.periods, *result.projected)
        ],
        result.status.grade,
        result.maximum,
        [item.code for item in result.guidance],
    )  # fmt: skip


@laws
@given(st.data(), ages, remarks)
def test_grades_are_the_same_before_and_after(
    data: st.DataObject, age: dict[str, Any], notes: list[dict[str, Any]]
) -> None:
    """At any instant, as known at any instant; notes that are left out change nothing."""
    document = data.draw(strategies.courses())
    document = {**document, "patient": {**document["patient"], **age}}
    infused_at = datetime.fromisoformat(document["therapy"]["infused_at"])
    for note in notes:
        at = infused_at + timedelta(minutes=note["minute"])
        corrects = data.draw(st.sampled_from([None, *_free(document)]))
        entry = {"kind": "note", "note": note["note"], "at": at.isoformat()}
        entry |= {"id": str(uuid.uuid4())}
        if corrects is not None:
            entry |= {"replaces": corrects}
        document = {**document, "entries": [*document["entries"], entry]}
    changes = {
        data.draw(st.sampled_from(instants(document))): data.draw(st.sampled_from(OVERRIDES))
        for _ in range(data.draw(st.integers(0, 2)))
    }
    later = sorted(changes.items(), key=lambda one: datetime.fromisoformat(one[0]))
    document["later_policies"] = [{"from": at, "policy": policy} for at, policy in later]
    now, known_at = data.draw(strategies.times(document))
    course = as_exported(document)
    try:
        hidden = deidentified(course, KEY, frozenset())
    except NeonateError:
        assume(False)
    until = datetime.fromisoformat(now or document["entries"][-1]["at"])
    known = None if known_at is None else datetime.fromisoformat(known_at)
    shift = KEY.shift(course)
    before = graded(course.document, until, known, timedelta(0))
    assert graded(hidden.document, until, known, shift) == before
    assert not any(text in json.dumps(hidden.document) for text in (*TEXTS, "note"))


def _free(document: Mapping[str, Any]) -> list[str]:
    """Ids of entries that nothing replaces yet."""
    replaced = {one.get("replaces") for one in document["entries"]}
    return [one["id"] for one in document["entries"] if one.get("id") not in (None, *replaced)]


@given(st.uuids(), st.binary(min_size=1))
def test_days_are_shifted_by_whole_days_and_never_by_none(course: uuid.UUID, key: bytes) -> None:
    days = ExportKey(key).shift(as_exported(_PLAIN, str(course))) / timedelta(days=1)
    assert days == int(days)
    assert 1 <= abs(days) <= 182


@pytest.mark.parametrize("year", [1900, 2199])
def test_times_stay_within_those_that_a_file_may_have(year: int) -> None:
    edge = "1900-01-02" if year == 1900 else "2199-12-31"
    document = {**_PLAIN, "therapy": {"infused_at": f"{edge}T10:00:00+00:00", "product": ""}}
    document["entries"] = [{"kind": "weight", "weight_kg": "70", "at": f"{edge}T10:00:00+00:00"}]
    for number in range(20):
        hidden = deidentified(as_exported(document, str(number)), KEY, frozenset())
        read = read_course(hidden.document)
        (weight,) = read.entries
        assert 1900 <= weight.at.year <= 2199
        assert weight.at == read.facts.infused_at
        assert f"{weight.at:%Y-%m-%d}" != edge


_PLAIN: dict[str, Any] = {
    "format": "crs-course/1",
    "patient": {"mrn": "M-1", "name": "A", "age_years": "54", "sex": "female"},
    "therapy": {"product": "CAR-T", "infused_at": "2026-03-01T10:00:00+01:00"},
    "entries": [],
}


@pytest.mark.parametrize(("age", "shown"), [("89.9", "89"), ("90", "90"), ("103", "90")])
def test_an_age_over_89_is_90(age: str, shown: str) -> None:
    document = {**_PLAIN, "patient": {**_PLAIN["patient"], "age_years": age}}
    hidden = deidentified(as_exported(document), KEY, frozenset())
    assert hidden.document["patient"]["age_years"] == shown
    assert completed_years(hidden.document) <= OLDER


def test_a_policy_that_calls_people_over_90_children_keeps_its_meaning() -> None:
    """The limit of the age stays on the same side of the age that is shown."""
    for limit, shown in ((95, OLDER), (110, 110), (18, 18)):
        document = {
            **_PLAIN,
            "patient": {**_PLAIN["patient"], "age_years": "97"},
            "policy": {"adult_age_years": limit},
        }
        hidden = deidentified(as_exported(document), KEY, frozenset()).document
        assert hidden["policy"]["adult_age_years"] == shown
        assert read_course(hidden).facts.is_adult == read_course(document).facts.is_adult


def test_a_correction_by_a_text_does_not_bring_back_what_it_replaced() -> None:
    """A text that replaced a value becomes a retraction; what retracts a text goes with it."""
    at = {"at": "2026-03-01T12:00:00+01:00"}
    document = {
        **_PLAIN,
        "entries": [
            {"id": "fever", "kind": "vitals", "temperature_c": "39", **at},
            {"id": "text", "kind": "note", "note": "not his", "replaces": "fever", **at},
            {"id": "lone", "kind": "note", "note": "slept", **at},
            {"id": "gone", "kind": "retraction", "replaces": "lone", **at},
            {"id": "why", "kind": "not_observed", "what": "vital_signs", "reason": "other",
             "note": "with his wife", **at},
            {"id": "asleep", "kind": "not_observed", "what": "vital_signs", "reason": "asleep",
             "replaces": "why", **at},
        ],
    }  # fmt: skip
    hidden = deidentified(as_exported(document), KEY, frozenset()).document
    assert [(one["kind"], "replaces" in one) for one in hidden["entries"]] == [
        ("vitals", False),
        ("retraction", True),
        ("not_observed", False),
    ]
    assert grade_course(read_course(hidden)).maximum == 0


@pytest.fixture
def told(nurse: User) -> Course:
    """A course with a text in every place that can hold one."""
    course = admit(nurse, mrn="MRN-4711", name="SECRET, Sara", ward="7B", bed="BED-99")
    chart(course, nurse, "vitals", ago(hours=9), temperature_c="39", note="SECRET vital")
    wrong = chart(course, nurse, "oxygen", ago(hours=8), device="room_air").entries[0]
    body = {"device": "venturi_mask", "fio2_percent": "50", "note": "SECRET oxygen"}
    correct(wrong, wrong.at, body, sending(nurse, answers={"reason": "SECRET reason"}))
    chart(course, nurse, "note", ago(hours=7), note="SECRET note")
    chart(course, nurse, "not_observed", ago(hours=6), what="vital_signs", reason="other",
          note="SECRET visit")  # fmt: skip
    other = {"attribution": "other", "systolic_mmhg": "80", "note": "SECRET cause"}
    answers = {"attribution_reason": "SECRET sepsis"}
    record(course, nurse, [NewEntry(EntryKind.VITALS, ago(hours=5), other)], answers=answers)
    chart(course, nurse, "treatment", ago(hours=4), agent="other", note="SECRET drug")
    return course


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["json", "csv"])
def test_no_text_name_number_place_author_or_day_is_in_the_file(
    told: Course, nurse: User, nurse_client: Client, kind: str
) -> None:
    text = text_of(sent(nurse_client, told, contents="deidentified", format=kind))
    hidden = {"SECRET", "Sara", "4711", "7B", "BED-99", "Ruiz", "1970", "axicabtagene"}
    if abs(shift_of(nurse_client, told)) > timedelta(days=3):  # else one day becomes another
        hidden |= {f"{ago(hours=hours):%Y-%m-%d}" for hours in (0, 9, 48)}
    hidden |= {str(told.pk), str(told.patient_id), *map(str, told.entries.values_list("pk"))}
    assert [one for one in hidden if one in text] == []
    assert "SECRET vital" in text_of(sent(nurse_client, told))


def shift_of(client: Client, course: Course) -> timedelta:
    asked: list[dict[str, str]] = [{}, {"contents": "deidentified"}]
    known, hidden = (
        datetime.fromisoformat(document_of(sent(client, course, **one))["therapy"]["infused_at"])
        for one in asked
    )
    return hidden - known


@pytest.mark.django_db
def test_a_deidentified_file_graded_has_the_grades_of_the_identified_one(
    told: Course, nurse_client: Client
) -> None:
    known = document_of(sent(nurse_client, told))
    hidden = document_of(sent(nurse_client, told, contents="deidentified"))
    first, second = (
        datetime.fromisoformat(one["therapy"]["infused_at"]) for one in (known, hidden)
    )
    shift = second - first
    assert shift % timedelta(days=1) == timedelta(0)
    for hours in (0, 4.5, 7.5, 8.5, 20):
        now = ago(hours=hours)
        assert graded(hidden, now, None, shift) == graded(known, now, None, timedelta(0))


@pytest.mark.django_db
def test_ids_are_the_same_in_every_file_and_others_with_another_key(
    told: Course, nurse_client: Client, settings: Any
) -> None:
    asked = {"contents": "deidentified"}
    first = document_of(sent(nurse_client, told, **asked))
    rows = rows_of(text_of(sent(nurse_client, told, format="csv", **asked)))
    assert [row["entry"] for row in rows] == [one["id"] for one in first["entries"]]
    assert all(re.fullmatch("[0-9a-f]{32}", row["entry"]) for row in rows)
    settings.EXPORT_KEY = "another"
    second = document_of(sent(nurse_client, told, **asked))
    assert second["patient"]["mrn"] != first["patient"]["mrn"]
    assert {one["id"] for one in second["entries"]}.isdisjoint(
        one["id"] for one in first["entries"]
    )


@pytest.mark.django_db
def test_a_product_is_shown_once_five_courses_have_it(nurse: User, nurse_client: Client) -> None:
    for number in range(4):
        admit(nurse, name=f"Nowak {number}", product="rare-cel")
    last = admit(nurse, name="Nowak, Ewa", product="rare-cel ")
    asked = {"contents": "deidentified"}
    assert document_of(sent(nurse_client, last, **asked))["therapy"]["product"] == "not shown"
    fifth = admit(nurse, name="Nowak, Ola", product="rare-cel")
    assert document_of(sent(nurse_client, fifth, **asked))["therapy"]["product"] == "rare-cel"


def test_a_row_of_what_is_kept_is_enough() -> None:
    """What an export adds to a course later must be hidden by intention, not kept by accident."""
    hidden = deidentified(replace(as_exported(_PLAIN), bed="9"), KEY, frozenset())
    assert (hidden.ward, hidden.bed, hidden.authors) == ("", "", {})
