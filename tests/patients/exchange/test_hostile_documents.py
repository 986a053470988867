"""What a damaged or hostile system sends is answered in the words of its door, and ends nothing."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event
from patients.exchange import fhir_api
from patients.exchange.access.keys import add_keys
from patients.exchange.access.limits import REFUSED_OF_AN_ADDRESS
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.hl7_receive import receive_frame
from patients.models import Course, Entry, EntryKind, HeldItem, InboundMessage, Verdict
from tests.patients.exchange import signed
from tests.patients.exchange.fhir_documents import (
    MRN_SYSTEM,
    bundle,
    norepinephrine,
    observation,
    patient,
)
from tests.patients.exchange.hl7_messages import laboratory, oru

FHIR = "application/fhir+json"
OF_NOBODY = {"identifier": [{"system": MRN_SYSTEM, "value": "a\0b"}]}
NAME, ISSUER = "ehr-1", "https://ehr.example"


@pytest.fixture
def headers(administrator: User) -> dict[str, str]:
    signed.make_system(NAME, administrator)
    headers: dict[str, str] = signed.bearer(signed.token(NAME))["headers"]
    return headers


def post(raw: bytes, headers: dict[str, str], address: str = "/fhir", kind: str = FHIR) -> Any:
    client = Client(raise_request_exception=False)
    return client.post(address, raw, content_type=kind, headers=headers)


def get(address: str, headers: dict[str, str], **query: str) -> Any:
    return Client(raise_request_exception=False).get(address, query, headers=headers)


def is_outcome(answer: Any) -> bool:
    is_json = answer["Content-Type"].startswith(FHIR)
    return is_json and answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.django_db(transaction=True)
def test_a_character_that_cannot_be_stored_is_refused_and_kept(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    answer = post(bundle(patient(course) | OF_NOBODY, observation(at)), headers)
    assert answer.status_code == 400
    assert is_outcome(answer)
    named = {"system": "urn:x", "value": "a\0b"}
    answer = post(bundle(patient(course), observation(at), identifier=named), headers)
    assert answer.status_code == 200, answer.content
    verdicts = InboundMessage.objects.order_by("received_at").values_list("verdict", flat=True)
    assert list(verdicts) == [Verdict.NOT_ACCEPTED, Verdict.ACCEPTED]
    found = get("/fhir/Patient", headers, identifier=f"{MRN_SYSTEM}|a\0b")
    assert (found.status_code, found.json()["total"]) == (200, 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("escaped", ["a\0b", "\\X00\\", "\\X0000\\"])
def test_an_hl7_message_with_one_is_answered_so_that_the_line_goes_on(
    escaped: str, course: Course
) -> None:
    system = laboratory()
    answered = receive_frame(system, Frame(oru(escaped, "A1")))
    assert answered.code.value == "AE"
    answered = receive_frame(system, Frame(oru(course, f"A2{escaped}")))
    assert answered.answer is not None
    assert b"\0" not in answered.answer
    assert InboundMessage.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_large_document_is_read_as_its_door_promises(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    padding = b" " * 600_000
    answer = post(bundle(patient(course), observation(at)) + padding, headers)
    assert answer.status_code == 200
    segment = b"NTE|1||" + padding + b"\r"
    message = oru(course, "B1") + segment
    answer = post(message, headers, "/hl7", "x-application/hl7-v2+er7")
    assert answer.status_code == 200
    assert answer.content.split(b"\r")[1] == b"MSA|AA|B1"


def test_a_document_with_more_resources_than_a_chart_can_wait_for_is_refused(
    course: Course, headers: dict[str, str], at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fhir_api, "MOST_RESOURCES", 2)
    raw = bundle(patient(course), observation(at), observation(at, id="another"))
    answer = post(raw, headers)
    assert answer.status_code == 413
    assert is_outcome(answer)
    assert not InboundMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_bags_of_one_drug_and_many_values_of_one_time_do_not_hold_the_course(
    course: Course, headers: dict[str, str], at: datetime
) -> None:
    started = time.process_time()
    bags = [norepinephrine(at, str(one + 1), id=f"bag-{one}") for one in range(120)]
    values = [observation(at, value=f"38.{one % 10}", id=f"o-{one}") for one in range(120)]
    assert post(bundle(patient(course), *bags, *values), headers).status_code == 200
    assert time.process_time() - started < 8
    assert Entry.objects.filter(course=course, kind=EntryKind.VASOPRESSOR).count() == 1
    held = HeldItem.objects.filter(course=course)
    assert held.filter(reason="duplicate.conflict").count() == 120


@pytest.mark.parametrize("name", ["date", "_lastUpdated"])
@pytest.mark.parametrize("prefix", ["eq", "ge", "le"])
@pytest.mark.parametrize("end", ["9999-12-31", "9999-12-31T23:59:59.999999Z", "0001-01-01"])
def test_the_ends_of_the_calendar_can_be_searched_for(
    name: str, prefix: str, end: str, course: Course, headers: dict[str, str]
) -> None:
    asked = {"patient": str(course.patient_id), name: f"{prefix}{end}"}
    assert get("/fhir/Observation", headers, **asked).status_code == 200


@pytest.mark.parametrize("fails", ["context.userId", "patient"])
def test_a_hook_with_a_character_that_cannot_be_stored_is_answered(
    fails: str, course: Course, administrator: User
) -> None:
    system = signed.make_system(NAME, administrator)
    keys = signed.public(signed.ec_key("hooks"))
    add_keys(system, keys, administrator, timezone.now(), issuer=ISSUER)
    path = "/cds-services/crs-grade"
    body = {
        "hook": "patient-view",
        "hookInstance": "6f2cca3f-849b-4134-ba30-da8da2b50fc5",
        "context": {"userId": "P/7" + "\0" * (fails == "context.userId"), "patientId": "p1"},
        "prefetch": {"patient": patient(course) | (OF_NOBODY if fails == "patient" else {})},
    }
    token = signed.assertion(
        ISSUER, key=signed.ec_key("hooks"), sub=None, aud=f"http://testserver{path}",
        iat=int(time.time()),
    )  # fmt: skip
    authorized = {"Authorization": f"Bearer {token}"}
    answer = post(json.dumps(body).encode(), authorized, path, "application/json")
    expected: dict[str, tuple[int, Any]] = {"context.userId": (400, None), "patient": (200, [])}
    assert (answer.status_code, answer.json().get("cards")) == expected[fails]


@pytest.mark.parametrize(
    ("address", "media_type"),
    [
        ("/fhir/Observation", "application/fhir+json"),
        ("/hl7", "text/plain; charset=utf-8"),
        ("/cds-services/crs-grade", "application/json"),
    ],
)
def test_a_fault_here_is_answered_in_the_words_of_the_door(
    address: str, media_type: str, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("38.7 of OKONKWO")

    monkeypatch.setattr("patients.exchange.access.limits.RequestCount.objects.raw", fails)
    answer = post(b"{}", headers, address)
    assert answer.status_code == 500
    assert answer["Content-Type"] == media_type
    assert "OKONKWO" not in answer.content.decode()


def test_addresses_of_one_ipv6_network_share_their_limit(headers: dict[str, str]) -> None:
    del headers
    statuses = [
        Client(REMOTE_ADDR=f"2001:db8::{one:x}").get("/fhir/Observation").status_code
        for one in range(1, REFUSED_OF_AN_ADDRESS + 3)
    ]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert Client(REMOTE_ADDR="2001:db8:0:1::1").get("/fhir/Observation").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_who_reads_a_refused_message_stands_in_the_record_of_its_patient(
    course: Course, administrator_client: Client
) -> None:
    contradicting = oru(course, "A1", name="SOMEBODY^ELSE")
    assert receive_frame(laboratory(), Frame(contradicting)).code.value == "AE"
    message = InboundMessage.objects.get()
    assert message.course == course
    page = administrator_client.get(f"/systems/messages/{message.pk}/")
    assert page.status_code == 200
    event = Event.objects.filter(course_id=course.pk, details__message_id=str(message.pk)).get()
    assert event.details["page"] == "message that was not accepted, as sent"
