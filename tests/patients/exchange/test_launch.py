"""A launch from a health record: who and which patient it opens, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import settings as site
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import SignInThrottle, User
from crs_app.record.models import Event, EventKind
from patients.exchange.smart import views as smart_views
from patients.exchange.smart.issuers import (
    issuer_of,
    name_identity,
    public_keys,
    switch_issuer,
)
from patients.models import Course
from tests.factories import end
from tests.health_record import MRN_SYSTEM, FakeRecord
from tests.hospital_provider import CLIENT_SECRET
from tests.patients.exchange.launching import SUBJECT, bedside, launch, register, sent_to


def refused_why() -> str:
    return Event.objects.filter(kind=EventKind.LAUNCH_REFUSED).latest("number").details["why"]


def assert_refused(client: Client, answer: HttpResponse, why: str, status: int = 403) -> str:
    assert (answer.status_code, refused_why()) == (status, why)
    assert "_auth_user_id" not in client.session
    return answer.content.decode()


def test_a_launch_opens_the_patient_for_the_linked_user(
    record: FakeRecord, course: Course, nurse: User
) -> None:
    client = Client()
    answer = launch(client, record)
    assert (answer.status_code, answer["Location"]) == (302, bedside(course))
    page = client.get(bedside(course)).content.decode()
    title = page.partition("<title>")[2].partition("</title>")[0]
    assert title.startswith(f"{course.patient.name}, MRN {course.patient.mrn}, 56 y")
    assert 'href="/"' not in page
    assert record.used_launches == ["xyz"]
    event = Event.objects.get(kind=EventKind.LAUNCHED)
    assert (event.by, event.course_id, event.details["record"]) == (nurse, course.pk, "St. Anna")


def test_what_is_asked_of_the_record(record: FakeRecord) -> None:
    asked = parse_qs(urlsplit(sent_to(Client(), record)).query)
    assert asked["aud"] == [record.iss]
    assert asked["launch"] == ["xyz"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://testserver/smart/return"]
    assert CLIENT_SECRET not in str(asked)


def test_this_application_can_sign_by_a_key_of_its_own(
    record: FakeRecord, administrator: User, course: Course
) -> None:
    register(record, administrator, client_secret="")
    (record.public_key,) = Client().get("/smart/keys.json").json()["keys"]
    assert "d" not in record.public_key
    assert launch(Client(), record)["Location"] == bedside(course)
    register(record, administrator, client_secret=None)
    assert public_keys() == [record.public_key]


def test_a_secret_is_stored_encrypted(record: FakeRecord) -> None:
    found = issuer_of(record.iss)
    assert found is not None
    assert found.client_secret
    assert CLIENT_SECRET not in str(found.__dict__)


@pytest.mark.parametrize("secret", [CLIENT_SECRET, ""])
def test_a_credential_that_can_no_longer_be_read_is_named_and_can_be_entered_again(
    secret: str, record: FakeRecord, administrator: User, settings: Any
) -> None:
    register(record, administrator, client_secret=secret)
    settings.SECRET_KEY = "another"
    client = Client()
    assert_refused(client, launch(client, record), "credential")
    assert client.get("/smart/keys.json").json() == {"keys": []}
    register(record, administrator, client_secret=secret)
    record.public_key = next(iter(public_keys()), {})
    assert launch(Client(), record).status_code == 302


@pytest.mark.parametrize("change", ["", "/", "x"])
def test_an_issuer_that_is_not_registered_letter_by_letter_opens_nothing(
    change: str, record: FakeRecord
) -> None:
    client = Client()
    iss = f"{record.iss}{change}" if change else ""
    answer = client.get("/smart/launch", {"iss": iss, "launch": "xyz"})
    assert_refused(client, answer, "unknown record")


def test_a_record_that_is_switched_off_opens_nothing(
    record: FakeRecord, administrator: User
) -> None:
    client = Client()
    begun = sent_to(client, record)
    found = issuer_of(record.iss)
    assert found is not None
    switch_issuer(found, administrator, timezone.now(), is_active=False)
    assert_refused(client, client.get(record.return_address(begun)), "unknown record")


def test_a_return_works_once_and_in_its_own_browser(record: FakeRecord) -> None:
    client, other = Client(), Client()
    address = record.return_address(sent_to(client, record))
    assert_refused(other, other.get(address), "state")
    again = Client()
    again.cookies.update(client.cookies)
    assert client.get(address).status_code == 302
    assert_refused(again, again.get(address), "state")


def test_launches_in_two_tabs_return_each_in_either_order(
    record: FakeRecord, course: Course
) -> None:
    client = Client()
    first, second = (sent_to(client, record) for _ in range(2))
    for address in (second, first):
        assert client.get(record.return_address(address))["Location"] == bedside(course)


def test_a_browser_begins_so_many_launches_and_the_newest_return(
    record: FakeRecord, course: Course
) -> None:
    client, now = Client(), timezone.now()
    addresses = []
    for minute in range(9):
        with time_machine.travel(now + timedelta(seconds=minute)):
            addresses.append(sent_to(client, record))
    with time_machine.travel(now + timedelta(seconds=10)):
        assert_refused(client, client.get(record.return_address(addresses[0])), "state")
        for address in addresses[:0:-1]:
            assert client.get(record.return_address(address))["Location"] == bedside(course)
    left = [one.value for name, one in client.cookies.items() if name.startswith("crs-launch-")]
    assert not any(left)


def test_a_launch_that_was_cancelled_there_opens_nothing(record: FakeRecord) -> None:
    client = Client()
    state = parse_qs(urlsplit(sent_to(client, record)).query)["state"][0]
    answer = client.get("/smart/return", {"state": state, "error": "access_denied"})
    assert_refused(client, answer, "cancelled")


TOKENS: dict[str, tuple[Callable[[FakeRecord], None], str]] = {
    "another nonce": (lambda record: _claim(record, nonce="x"), "token: nonce"),
    "another issuer": (lambda record: _claim(record, iss="https://x.example"), "token: issuer"),
    "another audience": (lambda record: _claim(record, aud="x"), "token: audience"),
    "expired": (lambda record: _claim(record, exp=1), "token: expired"),
    "another key": (lambda record: setattr(record, "sign_with", "other"), "token: signature"),
    "no signature": (lambda record: setattr(record, "algorithm", "none"), "token: signature"),
    "a shared secret": (lambda record: setattr(record, "algorithm", "HS256"), "token: signature"),
    "none": (lambda record: record.answer.update(id_token=None), "token: token"),
}


def _claim(record: FakeRecord, **changes: Any) -> None:
    record.change = lambda claims: claims.update(changes)


@pytest.mark.parametrize("case", TOKENS)
def test_an_identity_token_that_is_not_valid_opens_nothing(case: str, record: FakeRecord) -> None:
    change, why = TOKENS[case]
    change(record)
    client = Client()
    assert_refused(client, launch(client, record), why)


PATIENTS: dict[str, tuple[Callable[[FakeRecord], object], str]] = {
    "no patient in the answer": (lambda record: record.answer.update(patient=None), "no patient"),
    "an id that leads elsewhere": (
        lambda record: record.answer.update(patient="../Patient/pat-2"), "no patient"
    ),
    "another patient is read": (lambda record: record.patient.update(id="pat-2"), "no patient"),
    "another resource": (
        lambda record: record.patient.update(resourceType="Group"), "no patient"
    ),
    "a mark that is not known here": (
        lambda record: record.patient.update(implicitRules="urn:x:rules"), "modifier"
    ),
    "a record that is out of use": (
        lambda record: record.patient.update(active=False), "record out of use"
    ),
    "a number of another system": (
        lambda record: _numbers(record, ("urn:other", "TEST-1")), "no record number"
    ),
    "two numbers": (
        lambda record: _numbers(record, (MRN_SYSTEM, "1"), (MRN_SYSTEM, "2")), "no record number"
    ),
    "no number": (lambda record: record.patient.update(identifier=7), "no record number"),
    "a patient who is not here": (lambda record: _numbers(record, (MRN_SYSTEM, "99")), "no course"),
    "born on another day": (
        lambda record: record.patient.update(birthDate="1971-03-01"), "contradiction"
    ),
}  # fmt: skip


def _numbers(record: FakeRecord, *numbers: tuple[str, str]) -> None:
    record.patient["identifier"] = [{"system": s, "value": value} for s, value in numbers]


@pytest.mark.parametrize("case", PATIENTS)
def test_a_patient_who_is_not_surely_the_one_is_not_opened(case: str, record: FakeRecord) -> None:
    change, why = PATIENTS[case]
    change(record)
    client = Client()
    assert_refused(client, launch(client, record), why)


def test_the_number_of_a_record_that_was_joined_there_does_not_count(
    record: FakeRecord, course: Course
) -> None:
    former = {"system": MRN_SYSTEM, "value": "F-1", "use": "old"}
    present = {"system": MRN_SYSTEM, "value": f" {course.patient.mrn} "}
    record.patient["identifier"] = [former, present]
    assert launch(Client(), record)["Location"] == bedside(course)
    client = Client()
    record.patient["identifier"] = [former | {"value": course.patient.mrn}]
    assert_refused(client, launch(client, record), "no record number")


def test_a_record_that_was_replaced_there_opens_nothing_and_names_the_other(
    record: FakeRecord,
) -> None:
    record.patient |= {
        "active": True,
        "link": [{"type": "replaced-by", "other": {"reference": "Patient/pat-2"}}],
    }
    client = Client()
    page = assert_refused(client, launch(client, record), "record out of use")
    assert "the sender replaced this record of the patient by Patient/pat-2" in page


def test_without_an_open_course_the_page_says_so_with_the_number(
    record: FakeRecord, course: Course, clinician: User
) -> None:
    end(course, clinician)
    client = Client()
    page = assert_refused(client, launch(client, record), "no course")
    assert f"No course of the patient with MRN {course.patient.mrn} is open here." in page


def test_who_is_not_linked_or_deactivated_or_may_open_no_chart_is_refused(
    record: FakeRecord, nurse: User, administrator: User
) -> None:
    now = timezone.now()
    client = Client()
    name_identity(record.iss, SUBJECT, administrator, administrator, now)
    assert_refused(client, launch(client, record), "role")
    name_identity(record.iss, SUBJECT, None, administrator, now)
    assert_refused(client, launch(client, record), "unknown user")
    name_identity(record.iss, "Practitioner/7", nurse, administrator, now)
    record.person = {"fhirUser": "Practitioner/7"}
    assert launch(client, record).status_code == 302
    User.objects.filter(pk=nurse.pk).update(is_active=False)
    other = Client()
    assert_refused(other, launch(other, record), "deactivated")


def test_an_identity_that_is_two_users_opens_nothing(
    record: FakeRecord, intensivist: User, administrator: User
) -> None:
    name_identity(record.iss, "Practitioner/7", intensivist, administrator, timezone.now())
    record.person = {"fhirUser": "Practitioner/7"}
    client = Client()
    assert_refused(client, launch(client, record), "two users")


def test_a_record_that_does_not_answer_is_said_to(record: FakeRecord) -> None:
    client = Client()
    begun = sent_to(client, record)
    address = record.return_address(begun)
    record.is_broken = True
    record.codes.clear()
    answer = client.get(address)
    assert_refused(client, answer, "no answer", 503)
    assert answer["Retry-After"]


def test_a_launch_that_finds_others_at_work_opens_when_the_page_is_loaded_again(
    record: FakeRecord, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    address = record.return_address(sent_to(client, record))
    with monkeypatch.context() as patched:
        patched.setattr("patients.exchange.smart.views._asking", BoundedSemaphore(1))
        assert smart_views._asking.acquire(blocking=False)
        answer = client.get(address)
        assert "Load this page again" in assert_refused(client, answer, "busy", 503)
        assert answer["Retry-After"]
    assert client.get(address)["Location"] == bedside(course)
    assert client.get(address).status_code == 403


def test_the_cookie_of_a_begun_launch_is_the_browser_s_alone(record: FakeRecord) -> None:
    client = Client()
    sent_to(client, record)
    (cookie,) = [one for name, one in client.cookies.items() if name.startswith("crs-launch-")]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 600)
    assert site.SESSION_COOKIE_NAME not in client.cookies


def test_refused_launches_are_recorded_up_to_a_limit_and_hold_nobody_s_password(
    record: FakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patients.exchange.smart.views.REFUSED_OF_AN_ADDRESS", 2)
    with time_machine.travel(timezone.now().replace(second=30), tick=False):
        for _ in range(4):
            assert Client().get("/smart/launch", {"iss": "x", "launch": "y"}).status_code == 403
    assert Event.objects.filter(kind=EventKind.LAUNCH_REFUSED).count() == 2
    assert not SignInThrottle.objects.exists()
