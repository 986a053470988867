"""A course is exported as FHIR: to systems by a token, to people who may export, by a command."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from patients.exchange.fhir_export import fhir_bundle
from patients.models import Course, ExternalSystem
from patients.recording.record import retract_entry
from tests.factories import ago, chart, correct, sending
from tests.patients.exchange import signed
from tests.patients.exchange.fhir_documents import bundle, observation, patient


@pytest.fixture
def system(administrator: User) -> ExternalSystem:
    return signed.make_system("ehr-1", administrator)


@pytest.fixture
def headers(system: ExternalSystem) -> dict[str, str]:
    headers: dict[str, str] = signed.bearer(signed.token(system.name))["headers"]
    return headers


def address_of(course: Course) -> str:
    return reverse("patients:fhir_export", args=[course.pk])


def of_type(document: Any, kind: str) -> list[dict[str, Any]]:
    found = [entry["resource"] for entry in document["entry"]]
    return [one for one in found if one["resourceType"] == kind]


def temperatures(document: Any) -> list[tuple[str, str]]:
    """Status and code of each sign."""
    return [
        (one["status"], one["code"]["coding"][0]["code"])
        for one in of_type(document, "Observation")
        if one["code"].get("coding", [{}])[0].get("code") == "8310-5"
    ]


def test_a_system_reads_what_is_charted_with_its_own_identifier_system(
    course: Course, nurse: User, headers: dict[str, str], system: ExternalSystem
) -> None:
    chart(course, nurse, "vitals", temperature_c="38.20")
    answer = Client().get(address_of(course), headers=headers)
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    assert b'"value":38.20' in answer.content
    (found,) = of_type(answer.json(), "Patient")
    assert found["identifier"][0]["system"] == system.mrn_system
    event = Event.objects.get(kind=EventKind.SYSTEM_READ)
    assert (event.by, event.course_id) == (system.user, course.pk)


def test_the_bundle_says_who_charted_and_which_message_it_came_in(
    course: Course, nurse: User, headers: dict[str, str]
) -> None:
    chart(course, nurse, "vitals", ago(minutes=30), temperature_c="38.2")
    sent = bundle(
        patient(course), observation(ago(minutes=10), value="39.1"),
        identifier={"system": "urn:ehr", "value": "b-7"},
    )  # fmt: skip
    answer = Client().post("/fhir", sent, content_type="application/fhir+json", headers=headers)
    assert answer.status_code == 200
    document = json.loads(fhir_bundle(course, timezone.now()))
    sources = [
        entity["what"]["identifier"]
        for one in of_type(document, "Provenance")
        for entity in one.get("entity", [])
        if entity["role"] == "source"
    ]
    assert sources == [{"system": "urn:crs:message:ehr-1", "value": "urn:ehr|b-7"}]
    names = {one["name"][0]["text"] for one in of_type(document, "Practitioner")}
    assert names >= {"J. Ruiz"}
    devices = {one["deviceName"][0]["name"] for one in of_type(document, "Device")}
    assert devices == {"CRS bedside", "health record ehr-1"}


def test_replaced_entries_are_there_unless_the_current_ones_are_asked_for(
    course: Course, nurse: User, headers: dict[str, str]
) -> None:
    first = chart(course, nurse, "vitals", ago(minutes=30), temperature_c="38.2")
    before = timezone.now()
    correct(first.entries[0], first.entries[0].at, {"temperature_c": "39.2"}, sending(nurse))

    def read(**query: str) -> Any:
        answer = Client().get(address_of(course), query, headers=headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    assert temperatures(read()) == [("entered-in-error", "8310-5"), ("corrected", "8310-5")]
    assert temperatures(read(current="true")) == [("corrected", "8310-5")]
    then = read(known_at=before.isoformat())
    assert temperatures(then) == [("final", "8310-5")]
    assert then["timestamp"] == before.isoformat()
    grades = [
        one["valueInteger"]
        for one in of_type(then, "Observation")
        if "lee-2014" in str(one["code"])
    ]
    assert grades[-1] == 1


@pytest.mark.parametrize(
    ("query", "accept", "status"),
    [
        ({"known_at": "yesterday"}, "*/*", 400),
        ({"known_at": "2999-01-01T00:00:00+00:00"}, "*/*", 400),
        ({"known_at": "1990-01-01T00:00:00+00:00"}, "*/*", 400),
        ({"current": "yes"}, "*/*", 400),
        ({"curent": "true"}, "*/*", 400),
        ({}, "application/fhir+xml", 406),
        ({"_format": "xml"}, "*/*", 406),
        ({}, "application/fhir+json; fhirVersion=4.0", 200),
    ],
)
def test_what_cannot_be_answered_is_refused_by_an_outcome(
    query: dict[str, str], accept: str, status: int, course: Course, headers: dict[str, str]
) -> None:
    answer = Client().get(address_of(course), query, headers={**headers, "Accept": accept})
    assert answer.status_code == status, answer.content
    if status != 200:
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_a_person_who_may_export_gets_the_file_from_the_page_that_prints(
    course: Course, nurse_client: Client, administrator_client: Client
) -> None:
    page = nurse_client.get(reverse("patients:paper", args=[course.pk])).content.decode()
    assert address_of(course) in page
    answer = nurse_client.get(address_of(course))
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert of_type(answer.json(), "Patient")
    assert Event.objects.filter(kind=EventKind.EXPORT, course_id=course.pk).count() == 1
    assert administrator_client.get(address_of(course)).status_code == 403


def test_a_call_without_a_token_is_refused_and_a_browser_is_led_to_the_sign_in(
    course: Course,
) -> None:
    answer = Client().get(address_of(course))
    assert (answer.status_code, answer.json()["resourceType"]) == (401, "OperationOutcome")
    assert course.patient.mrn not in answer.content.decode()
    answer = Client().get(address_of(course), headers={"Accept": "text/html"})
    assert answer.status_code == 302


def test_the_command_writes_the_same_document_and_leaves_a_row_of_the_record(
    course: Course, nurse: User
) -> None:
    entry = chart(course, nurse, "vitals", temperature_c="38.2").entries[0]
    known_at = timezone.now()
    retract_entry(entry, sending(nurse, answers={"reason": "wrong patient"}))
    out = StringIO()
    call_command("export_fhir", str(course.pk), "--known-at", known_at.isoformat(), stdout=out)
    assert out.getvalue().rstrip("\n") == fhir_bundle(course, known_at)
    assert Event.objects.filter(kind=EventKind.EXPORT, course_id=course.pk).exists()
    out = StringIO()
    call_command("export_fhir", str(course.pk), stdout=out)
    retracted = [
        one for one in of_type(json.loads(out.getvalue()), "Provenance") if "reason" in one
    ]
    assert retracted[0]["reason"][0]["text"] == "wrong patient"


@pytest.mark.parametrize(
    "arguments",
    [
        ["00000000-0000-4000-8000-000000000000"],
        ["{course}", "--known-at", "2999-01-01T00:00:00+00:00"],
        ["{course}", "--known-at", "2026-01-01"],
        ["4471"],
    ],
)
def test_the_command_says_what_it_cannot_do(arguments: list[str], course: Course) -> None:
    with pytest.raises(CommandError):
        call_command("export_fhir", *(one.format(course=course.pk) for one in arguments))
