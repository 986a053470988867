"""A user sets a PIN for this tablet, at a full sign-in or after it; weak ones are refused."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app.accounts.models import TabletSignIn, User
from crs_app.accounts.pin_forms import is_weak
from crs_app.record.models import Event
from tests.accounts.tablet import OTHER_PIN, PASSWORD, PIN, SET_PIN, Tablet
from tests.entry_forms import text_of


@pytest.fixture
def tablet(nurse: User) -> Tablet:
    signed_in = Tablet()
    signed_in.sign_in(nurse, None)
    return signed_in


@pytest.mark.parametrize(
    "pin",
    [
        "0000", "1111", "1234", "4321", "7890", "0987", "9012", "1212", "6969", "1122", "1221",
        "1112", "1987", "2004", "2580", "0852", "7301",
    ],
)  # fmt: skip
def test_a_weak_pin_is_refused(pin: str) -> None:
    assert is_weak(pin, "ruiz7301")


@pytest.mark.parametrize("pin", [PIN, OTHER_PIN, "1357", "0246", "9021"])
def test_other_pins_are_taken(pin: str) -> None:
    assert not is_weak(pin, "nurse")


@pytest.mark.parametrize(
    ("pin", "again", "sentence"),
    [
        ("1234", "1234", "easy to guess"),
        ("0000", "0000", "easy to guess"),
        (PIN, OTHER_PIN, "not the same"),
        ("407", "407", "Type four digits"),
        ("40710", "40710", "Type four digits"),
        ("٤٠٧١", "٤٠٧١", "Type four digits"),
        ("", "", "required"),
    ],
)
def test_what_is_refused_sets_nothing(tablet: Tablet, pin: str, again: str, sentence: str) -> None:
    answer = tablet.set_pin(pin, again)
    assert answer.status_code == 422
    assert sentence in text_of(answer.content.decode())
    assert TabletSignIn.objects.get().pin == ""
    assert pin == "" or f'value="{pin}"' not in answer.content.decode()


def test_a_pin_is_kept_hashed_by_argon2_under_the_site_s_secret(
    tablet: Tablet, nurse: User, settings: Any
) -> None:
    from django.contrib.auth.hashers import check_password

    from crs_app import settings as of_the_site

    settings.PASSWORD_HASHERS = of_the_site.PASSWORD_HASHERS
    assert tablet.set_pin(PIN, your_password=PASSWORD).status_code == 302
    kept = TabletSignIn.objects.get()
    assert kept.pin.startswith("argon2$argon2id$")
    assert not check_password(PIN, kept.pin), "nobody finds it from the row alone"
    assert tablet.switch(nurse).status_code == 302
    settings.SECRET_KEY = "another secret"
    assert Tablet().switch(nurse).status_code == 422


def test_a_colleague_at_an_open_tablet_sets_no_pin(
    tablet: Tablet, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    for _ in range(2):
        time_machine.shift(8 * 60)
        tablet.post("/accounts/active/")
    assert tablet.set_pin(PIN).status_code == 422
    assert tablet.set_pin(PIN, your_password="wrong").status_code == 422
    assert TabletSignIn.objects.get().pin == ""
    assert tablet.set_pin(PIN, your_password=PASSWORD).status_code == 302
    assert TabletSignIn.objects.get().pin


def test_a_new_full_sign_in_needs_a_new_pin(tablet: Tablet, nurse: User) -> None:
    tablet.set_pin(PIN)
    tablet.sign_in(nurse, None)
    assert tablet.switch(nurse).status_code == 422


def test_it_is_set_on_the_way_from_the_sign_in_to_the_page(nurse: User) -> None:
    tablet = Tablet()
    sent = {"username": "nurse", "password": PASSWORD, "set_pin": "yes", "next": "/roles/"}
    answer = tablet.post("/accounts/sign-in/", sent)
    assert answer["Location"] == f"{SET_PIN}?next=%2Froles%2F"
    page = tablet.get(answer["Location"])
    assert page.status_code == 200
    assert "Your own password" not in text_of(page.content.decode())
    assert tablet.set_pin(PIN, next="/roles/")["Location"] == "/roles/"
    assert tablet.set_pin(PIN, next="//evil.example/")["Location"] == "/accounts/me/"


def test_setting_and_ending_it_is_recorded(tablet: Tablet, nurse: User) -> None:
    tablet.set_pin(PIN)
    tablet.post(SET_PIN, {"end": "yes"})
    events = Event.objects.filter(kind="sign_in_methods_changed", by=nurse).order_by("number")
    assert [event.details for event in events] == [{"pin": "set"}, {"pin": "ended"}]
    assert tablet.switch(nurse).status_code == 422


def test_a_browser_that_lost_its_cookie_gets_a_new_name(tablet: Tablet, nurse: User) -> None:
    del tablet.cookies["crs-tablet"]
    assert tablet.set_pin(PIN).status_code == 302
    assert tablet.cookies["crs-tablet"].value
    assert tablet.switch(nurse).status_code == 302


def test_another_site_sets_no_pin(tablet: Tablet) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = tablet.cookies
    assert strict.post(SET_PIN, {"pin": PIN, "pin_again": PIN}).status_code == 403
