"""Roles of the setting CRS_SECOND_FACTOR_ROLES need a second factor."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from crs_app.accounts.models import Role, User
from patients.models import Course
from tests.accounts.code_app import (
    code_of,
    second_step,
    set_up,
    with_password,
)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def needed(settings: Settings) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({Role.WARD_CLINICIAN})


@pytest.mark.usefixtures("needed")
def test_who_needs_a_second_factor_reaches_nothing_before_it_is_set_up(
    nurse: User, course: Course
) -> None:
    client, _ = with_password()
    pages = ("/", f"/courses/{course.pk}/", "/accounts/me/", "/roles/", "/accounts/me/password/")
    for path in pages:
        assert client.get(path)["Location"] == "/accounts/me/second-factor/", path
    swap = client.get("/", headers={"HX-Request": "true"})
    assert swap["HX-Redirect"] == "/accounts/me/second-factor/"
    poll = client.get("/", headers={"HX-Request": "true", "CRS-Poll": "1"})
    sent = client.post(f"/courses/{course.pk}/entries/note/", headers={"HX-Request": "true"})
    assert (poll.status_code, sent.status_code) == (401, 401)
    assert b"Not saved" in sent.content
    assert client.get("/accounts/me/second-factor/").status_code == 200
    set_up(client)
    assert client.get("/").status_code == 200
    client.post("/accounts/me/code-app/remove/")
    assert client.get("/")["Location"] == "/accounts/me/second-factor/"
    assert client.post("/accounts/sign-out/").status_code == 302


@pytest.mark.usefixtures("needed")
def test_who_has_shown_a_second_factor_goes_on(app: tuple[str, list[str]]) -> None:
    client, _ = with_password()
    second_step(client, code_of(app[0]))
    assert client.get("/").status_code == 200
    assert client.get("/accounts/me/second-factor/")["Location"] == "/accounts/me/"


@pytest.mark.usefixtures("needed")
def test_other_roles_need_none(intensivist: User) -> None:
    client, _ = with_password("icu")
    assert client.get("/").status_code == 200


def test_a_session_of_before_is_led_to_set_up_when_the_role_changes(
    nurse: User, administrator: User, settings: Settings
) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({Role.ICU_REVIEWER})
    client, _ = with_password()
    assert client.get("/").status_code == 200
    User.objects.filter(pk=nurse.pk).update(role=Role.ICU_REVIEWER)
    assert client.get("/")["Location"] == "/accounts/me/second-factor/"


def test_asking_for_a_second_factor_costs_a_page_no_statement(
    app: tuple[str, list[str]], settings: Settings
) -> None:
    client, _ = with_password()
    second_step(client, code_of(app[0]))
    client.get("/roles/")
    counts = []
    for roles in (frozenset(), frozenset(Role.values)):
        settings.SECOND_FACTOR_ROLES = roles
        with CaptureQueriesContext(connection) as statements:
            assert client.get("/roles/").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_misspelt_role_of_the_setting_stops_the_start(settings: Settings) -> None:
    settings.SECOND_FACTOR_ROLES = frozenset({"nurses"})
    with pytest.raises(ImproperlyConfigured, match="CRS_SECOND_FACTOR_ROLES names no role: nurses"):
        apps.get_app_config("accounts").ready()
