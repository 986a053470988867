"""The key of unsent text goes to signed-in pages of its user alone, and outlives what it must."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from crs_app.accounts.models import Role, User
from crs_app.accounts.unsent import key_of_unsent_text
from patients.models import Course
from tests.accounts.tablet import OTHER_PIN, SWITCH, Tablet


def key_on(answer: HttpResponse) -> str | None:
    found = re.search(r'data-unsent-key="([^"]+)"', answer.content.decode())
    return found[1] if found else None


def key_of(client: Client) -> str | None:
    return key_on(client.get("/roles/"))


@pytest.fixture
def tablet(nurse: User, intensivist: User) -> Tablet:
    shared = Tablet()
    shared.sign_in(intensivist, OTHER_PIN)
    shared.sign_in(nurse)
    return shared


def test_it_has_256_bits_and_stands_in_pages_that_nothing_keeps(tablet: Tablet) -> None:
    page = tablet.get("/roles/")
    assert len(base64.b64decode(key_on(page) or "", validate=True)) == 32
    assert "no-store" in page["Cache-Control"]
    assert not tablet.session.get("unsent_key")


def test_it_is_the_same_after_a_sign_out_a_switch_and_on_another_tablet(
    tablet: Tablet, nurse: User, intensivist: User
) -> None:
    before = key_of(tablet)
    tablet.switch(intensivist, OTHER_PIN)
    assert key_of(tablet) not in (None, before), "each user has an own one"
    tablet.switch(nurse)
    assert key_of(tablet) == before
    tablet.post("/accounts/sign-out/")
    Session.objects.all().delete()
    tablet.sign_in(nurse)
    other = Tablet()
    other.sign_in(nurse, None)
    assert key_of(tablet) == key_of(other) == before


def test_a_restored_database_that_gives_an_id_to_another_user_gives_no_key(
    tablet: Tablet, nurse: User, rf: RequestFactory
) -> None:
    request = rf.get("/roles/")
    request.user = User(pk=nurse.pk, username="somebody.else")
    assert key_of_unsent_text(request) not in ("", key_of(tablet))
    request.user = User(pk=nurse.pk, username=nurse.username)
    assert key_of_unsent_text(request) == key_of(tablet)


def test_without_the_site_s_secret_nobody_computes_it(
    nurse: User, make_user: Callable[..., User], settings: Any
) -> None:
    before = Client()
    before.force_login(nurse)
    first = key_of(before)
    settings.SECRET_KEY = "another secret"
    after = Client()
    after.force_login(nurse)
    assert key_of(after) not in (None, first)


def test_strangers_locked_tablets_and_the_page_of_the_switch_get_none(
    tablet: Tablet, course: Course
) -> None:
    chart = reverse("patients:bedside", args=[course.pk])
    locked = reverse("patients:locked", args=[course.pk])
    assert key_on(tablet.get(chart))
    assert key_on(tablet.get(SWITCH, {"next": chart})) is None
    assert key_on(Client().get("/accounts/sign-in/")) is None
    tablet.lock()
    for address in (locked, SWITCH, "/accounts/sign-in/"):
        page = tablet.get(address)
        assert page.status_code == 200
        assert key_on(page) is None, address


def test_one_who_may_read_a_page_gets_the_own_key_and_no_other(
    make_user: Callable[..., User], nurse: User
) -> None:
    """An administrator who opens the page of a user is given nothing of that user."""
    admin, of_nurse = Client(), Client()
    admin.force_login(make_user("admin", Role.ADMINISTRATOR))
    of_nurse.force_login(nurse)
    page = admin.get(reverse("people:person", args=[nurse.pk]))
    assert (key_of(of_nurse) or "") not in page.content.decode()
