"""Calls of other systems: which token opens what, what is recorded, and what a call never does."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
import time_machine
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from patients.exchange.access.assertions import AssertionRefusedError
from patients.exchange.access.callers import SystemRequest, for_programs, for_systems
from patients.exchange.access.hooks import caller_of_token, hook_caller
from patients.exchange.access.keys import add_keys, end_key, grant
from patients.exchange.access.refusals import CallRefusedError
from patients.models import Course, ExternalSystem, SystemKey
from tests.patients.exchange.signed import (
    WRITE,
    assertion,
    bearer,
    ec_key,
    make_system,
    public,
    token,
)

NAME = "ehr-1"
EHR = "https://ehr.example"
SERVICE = "http://testserver/cds-services/crs-grade"


@for_systems(WRITE)
def file(request: SystemRequest) -> HttpResponse:
    """What a view of the exchange does: it says who called, and of whom."""
    request.caller.require("system/Patient.r")
    if request.GET.get("of"):
        request.concerned_courses.append(Course.objects.get().pk)
    return HttpResponse(f"{request.caller.system.name} {request.user.username}")


@for_programs
def hook(request: HttpRequest) -> HttpResponse:
    try:
        return HttpResponse(hook_caller(request, SERVICE).system.name)
    except CallRefusedError as refused:
        return refused.response()


urlpatterns = [path("file/", file, name="file"), path("hook/", hook, name="hook")]


@pytest.fixture
def system(administrator: User) -> ExternalSystem:
    return make_system(NAME, administrator)


def with_token(text: str, client: Client | None = None, address: str = "/file/") -> Any:
    return (client or Client(enforce_csrf_checks=True)).post(address, **bearer(text))


@pytest.fixture
def valid(system: ExternalSystem) -> str:
    return token(NAME)


@pytest.fixture
def opened(valid: str, settings: Any) -> str:
    """A valid token, and the addresses of this file."""
    settings.ROOT_URLCONF = __name__
    return valid


def test_a_token_names_its_system_and_its_user(opened: str, system: ExternalSystem) -> None:
    answer = with_token(opened)
    assert answer.content.decode() == f"{NAME} {system.user.username}"
    assert not answer.cookies
    event = Event.objects.get(kind=EventKind.SYSTEM_WRITE)
    assert (event.by, event.course_id) == (system.user, None)
    assert event.details == {"method": "POST", "status": "200", "address": "file", "system": NAME}


def test_a_call_is_recorded_for_the_course_that_it_concerned(
    opened: str, course: Course, system: ExternalSystem
) -> None:
    assert with_token(opened, address="/file/?of=1").status_code == 200
    assert Client().get("/file/?of=1", **bearer(opened)).status_code == 200
    kinds = Event.objects.filter(course_id=course.pk, by=system.user).values_list("kind", flat=True)
    assert sorted(kinds) == [EventKind.SYSTEM_READ, EventKind.SYSTEM_WRITE]


@pytest.mark.parametrize("header", [
    "", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "bearer  ", "Bearer " + "x" * 5000,
    "Bearer \u00e9",
])  # fmt: skip
def test_without_a_valid_token_nothing_opens(header: str, opened: str) -> None:
    answer = Client().post("/file/", headers={"Authorization": header})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert answer["Content-Type"] == "application/fhir+json"
    assert answer["WWW-Authenticate"].startswith("Bearer ")
    (issue,) = json.loads(answer.content)["issue"]
    assert issue["code"] == "security"
    assert Event.objects.filter(kind=EventKind.SYSTEM_REFUSED, by=None).count() == 1


def test_a_session_of_a_person_opens_nothing_and_is_not_touched(
    opened: str, nurse_client: Client
) -> None:
    before = dict(nurse_client.session)
    answer = nurse_client.post("/file/")
    assert answer.status_code == 401
    assert not answer.cookies
    assert dict(nurse_client.session) == before
    assert with_token(opened, nurse_client).content.decode().startswith(NAME)


def test_a_token_ends_with_its_time(opened: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert with_token(opened).status_code == 401


def test_a_token_ends_with_its_key(opened: str, administrator: User) -> None:
    key = SystemKey.objects.get()
    assert end_key(key, administrator, timezone.now())
    assert not end_key(key, administrator, timezone.now())
    assert with_token(opened).status_code == 401


def test_a_token_ends_with_its_system(opened: str) -> None:
    ExternalSystem.objects.update(is_active=False)
    assert with_token(opened).status_code == 401


def test_what_a_system_may_no_longer_do_its_token_may_not(
    opened: str, system: ExternalSystem, administrator: User
) -> None:
    grant(system, ["system/Patient.rs"], administrator, timezone.now())
    answer = with_token(opened)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert 'scope="system/Observation.c"' in answer["WWW-Authenticate"]
    refused = Event.objects.get(kind=EventKind.SYSTEM_REFUSED)
    assert (refused.by, refused.details["status"]) == (system.user, "403")


def test_a_view_can_ask_for_more_than_its_address_does(
    system: ExternalSystem, settings: Any
) -> None:
    text = token(NAME, WRITE)
    settings.ROOT_URLCONF = __name__
    assert with_token(text).status_code == 403


def test_a_token_of_another_system_is_that_system(opened: str, administrator: User) -> None:
    make_system("lab-1", administrator)
    assert with_token(opened).content.decode().startswith(NAME)


def test_a_system_that_sends_too_often_waits(opened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patients.exchange.access.callers.REQUESTS_OF_A_SYSTEM", 1)
    with time_machine.travel(timezone.now().replace(second=30, microsecond=0), tick=False):
        assert [with_token(opened).status_code for _ in range(4)] == [200, 429, 429, 429]
        answer = with_token(opened)
    assert answer["Retry-After"] == "30"
    assert json.loads(answer.content)["issue"][0]["code"] == "throttled"
    assert Event.objects.filter(kind=EventKind.SYSTEM_REFUSED).count() == 1


def test_an_address_that_sends_wrong_tokens_too_often_waits(
    opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patients.exchange.access.callers.REFUSED_OF_AN_ADDRESS", 1)
    with time_machine.travel(timezone.now().replace(second=30, microsecond=0), tick=False):
        assert [with_token("x").status_code for _ in range(3)] == [401, 429, 429]
        assert with_token(opened).status_code == 200


@pytest.fixture
def ehr(system: ExternalSystem, administrator: User) -> ExternalSystem:
    """The system's record calls hooks with a key of its own."""
    add_keys(
        system,
        public(ec_key("hooks")),
        administrator,
        timezone.now(),
        issuer=EHR,
        jku=f"{EHR}/jwks",
    )
    return system


def of_hook(**changes: Any) -> str:
    now = int(timezone.now().timestamp())
    header = {"jku": f"{EHR}/jwks"} | changes.pop("header", {})
    claims = {"iss": EHR, "aud": SERVICE, "iat": now, "exp": now + 60, "sub": None} | changes
    return assertion(EHR, key=claims.pop("key", ec_key("hooks")), header=header, **claims)


def test_a_hook_is_called_by_the_system_whose_key_signed(
    ehr: ExternalSystem, settings: Any
) -> None:
    settings.ROOT_URLCONF = __name__
    signed = of_hook()
    assert Client().get("/hook/", **bearer(signed)).content.decode() == NAME
    again = Client().get("/hook/", **bearer(signed))
    assert (again.status_code, json.loads(again.content)["issue"][0]["code"]) == (401, "security")


HOOK_ATTACKS: dict[str, tuple[dict[str, Any], str]] = {
    "another address of keys": ({"header": {"jku": "https://x.example/jwks"}}, "unknown key"),
    "no address of keys": ({"header": {"jku": ""}}, "unknown key"),
    "unknown issuer": ({"iss": "https://x.example"}, "unknown key"),
    "another service": ({"aud": f"{SERVICE}/feedback"}, "audience"),
    "no iat": ({"iat": None}, "time"),
    "key of the token endpoint": ({"key": ec_key(NAME)}, "unknown key"),
    "expired": ({"exp": 1}, "expired"),
    "no jti": ({"jti": None}, "form"),
}


@pytest.mark.parametrize("attack", HOOK_ATTACKS)
def test_no_other_token_calls_a_hook(attack: str, ehr: ExternalSystem) -> None:
    changes, why = HOOK_ATTACKS[attack]
    with pytest.raises(AssertionRefusedError) as refused:
        caller_of_token(of_hook(**changes), SERVICE)
    assert refused.value.why == why
