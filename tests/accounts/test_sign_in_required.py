"""Every page needs a sign-in, which ends after some idle time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from pytest_django import Settings
from time_machine import TimeMachineFixture

from crs_app import settings as project_settings
from grading.engine.policy import DEFAULT_POLICY

SAMPLES = {"uuid": str(UUID(int=1)), "int": "1", "str": "x", "slug": "x", "path": "x"}
OPEN = {
    "/health/", "/livez", "/metrics", "/readyz",
    "/shell/", "/worker.js", "/manifest.webmanifest",
    "/help/", "/help/x/", "/accounts/sign-in/",
    "/accounts/sign-in/second-step/",
    "/accounts/sign-in/passkey/", "/accounts/sign-out/", "/accounts/start/x/", "/accounts/switch/",
    "/accounts/hospital/", "/accounts/hospital/return/",
}  # fmt: skip


def addresses(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        address = prefix + sample(entry)
        if isinstance(entry, URLPattern):
            yield address
        else:
            yield from addresses(entry, address)


def sample(entry: URLPattern | URLResolver) -> str:
    assert isinstance(entry.pattern, RoutePattern), "this walk knows path(), not re_path()"
    route = str(entry.pattern)
    for name, converter in entry.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        kind = {"string": "str"}.get(kind, kind)
        for written in (f"<{kind}:{name}>", f"<{name}>"):
            route = route.replace(written, SAMPLES[kind])
    assert "<" not in route, f"no sample for {route}"
    return route


ADDRESSES = sorted(set(addresses(get_resolver())))


def is_of_programs(address: str) -> bool:
    return address.startswith(("/fhir", "/hl7", "/oauth/", "/cds-services", "/smart/"))


PROGRAMS = [address for address in ADDRESSES if is_of_programs(address)]
PAGES = [address for address in ADDRESSES if address not in OPEN and not is_of_programs(address)]


def test_the_walk_finds_the_pages() -> None:
    assert {"/", *OPEN} <= set(ADDRESSES)
    assert len(PROGRAMS) > 15
    assert len(PAGES) > 80


@pytest.mark.django_db
@pytest.mark.parametrize("address", PROGRAMS)
@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_program_without_a_token_is_refused_and_never_sent_to_a_page(
    client: Client, address: str, method: str
) -> None:
    answer = getattr(client, method)(address)
    assert answer.status_code in (401, 403, 405), answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("method", ["put", "delete"])
def test_strangers_are_sent_to_the_sign_in_page(client: Client, address: str, method: str) -> None:
    answer = getattr(client, method)(address)
    assert answer.status_code == 302
    assert answer.url.startswith(resolve_url(settings.LOGIN_URL))


@pytest.mark.django_db
@pytest.mark.parametrize("address", PAGES)
def test_a_fragment_is_never_replaced_by_the_sign_in_page(client: Client, address: str) -> None:
    read = client.get(address, headers={"HX-Request": "true"})
    assert read.headers["HX-Refresh"] == "true"
    write = client.post(address, headers={"HX-Request": "true"})
    assert write.status_code == 401
    assert b"Not saved" in write.content


@pytest.mark.django_db
def test_health_needs_no_sign_in_and_tells_nothing(client: Client) -> None:
    answer = client.get("/health/")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_health_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_address: Any) -> None:
        raise psycopg.OperationalError("could not connect to ward-db as crs")

    monkeypatch.setattr(psycopg, "connect", refuse)
    answer = client.get("/health/")
    assert (answer.status_code, answer.content) == (503, b"no database\n")


POLL = {"HX-Request": "true", "CRS-Poll": "yes"}


def signed_in(client: Client) -> bool:
    """Whether a poll is answered: it changes nothing of the session."""
    return client.get("/policy/", headers=POLL).status_code == 200


@pytest.fixture
def half_an_hour(settings: Settings) -> None:
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(minutes=30)


@pytest.mark.usefixtures("half_an_hour")
def test_who_is_idle_neither_reads_nor_writes(
    nurse_client: Client, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to("2026-03-01 10:00:00Z", tick=False)
    nurse_client.get("/policy/")
    time_machine.shift(29 * 60)
    nurse_client.get("/policy/")
    time_machine.shift(29 * 60)
    nurse_client.get("/policy/")
    assert signed_in(nurse_client)
    time_machine.shift(30 * 60)
    nurse_client.get("/policy/")
    assert not signed_in(nurse_client)


@pytest.mark.usefixtures("half_an_hour")
@pytest.mark.parametrize(
    "reads", [{"HX-Request": "true"}, {"CRS-Poll": "yes"}, {"Accept": "application/json"}]
)
def test_a_page_that_refreshes_itself_keeps_nobody_signed_in(
    nurse_client: Client, time_machine: TimeMachineFixture, reads: dict[str, str]
) -> None:
    time_machine.move_to("2026-03-01 10:00:00Z", tick=False)
    nurse_client.get("/policy/")
    for _ in range(6):
        time_machine.shift(5 * 60)
        nurse_client.get("/policy/", headers=reads)
    assert not signed_in(nurse_client)


def test_the_idle_time_is_a_setting(
    nurse_client: Client, time_machine: TimeMachineFixture, settings: Settings
) -> None:
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=2)
    time_machine.move_to("2026-03-01 10:00:00Z", tick=False)
    nurse_client.get("/policy/")
    time_machine.shift(119 * 60)
    nurse_client.get("/policy/")
    assert signed_in(nurse_client)


def test_a_locked_page_outlasts_the_three_hour_rule() -> None:
    three_hours = timedelta(minutes=DEFAULT_POLICY.high_dose_minutes)
    assert three_hours + timedelta(minutes=30) < project_settings.SIGNED_OUT_AFTER


@pytest.mark.django_db
def test_pages_come_from_here_alone_and_are_kept_nowhere(client: Client) -> None:
    headers = client.get("/health/").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
