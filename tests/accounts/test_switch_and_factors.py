"""A shared tablet and second factors: a switch by passkey, and what a switch by PIN is worth."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from time_machine import TimeMachineFixture

from crs_app.accounts.models import Role, User
from crs_app.record.models import Event, EventKind
from tests.accounts.software_key import SoftwareKey, add_key
from tests.accounts.tablet import OTHER_PIN, SWITCH, Tablet

SET_UP = "/accounts/me/second-factor/"


@pytest.fixture
def shared() -> Tablet:
    """A tablet that opens the site by its name."""
    return Tablet(REMOTE_ADDR="10.4.7.31", HTTP_HOST="localhost")


@pytest.fixture
def key(shared: Tablet, nurse: User) -> SoftwareKey:
    """The nurse's passkey, added on another device."""
    made, other_device = SoftwareKey(), Tablet(HTTP_HOST="localhost")
    other_device.sign_in(nurse, pin=None)
    add_key(other_device, made)
    return made


def switch_by(shared: Tablet, key: SoftwareKey, page: str = "") -> Any:
    asked = shared.post(SWITCH, {"ask": "passkey"}).json()
    return shared.post(SWITCH, {"credential": key.sign(asked), "next": page})


def sign_in_by_key(shared: Tablet, nurse: User, key: SoftwareKey) -> None:
    shared.post(SWITCH, {"full": "yes"})
    shared.post("/accounts/sign-in/", {"username": "nurse", "password": "correct horse 1"})
    asked = shared.get("/accounts/sign-in/second-step/").context["asked"]
    sent = {"credential": key.sign(asked)}
    assert shared.post("/accounts/sign-in/second-step/", sent).status_code == 302


def test_a_passkey_switches_from_a_locked_and_from_an_open_tablet(
    shared: Tablet, nurse: User, intensivist: User, key: SoftwareKey
) -> None:
    sign_in_by_key(shared, nurse, key)
    shared.sign_in(intensivist, OTHER_PIN)
    answer = switch_by(shared, key, "/roles/")
    assert (answer.status_code, answer["Location"]) == (302, "/roles/")
    assert shared.is_used_by(nurse)
    assert shared.switch(intensivist, OTHER_PIN).status_code == 302
    shared.lock()
    switch_by(shared, key)
    assert shared.is_used_by(nurse)
    last = Event.objects.filter(kind=EventKind.SIGN_IN).order_by("number").last()
    assert last is not None
    assert last.details == {"how": "passkey", "instead_of": "icu"}


def test_a_passkey_switches_only_to_who_signed_in_on_this_tablet(
    shared: Tablet, nurse: User, intensivist: User, key: SoftwareKey
) -> None:
    shared.sign_in(intensivist, OTHER_PIN)
    answer = switch_by(shared, key)
    assert answer.status_code == 422
    assert "J. Ruiz must sign in in full" in answer.content.decode()
    failed = Event.objects.get(kind=EventKind.SIGN_IN_FAILED)
    assert (failed.by, failed.details) == (nurse, {"why": "no full sign-in here"})
    assert shared.is_used_by(intensivist)


def test_a_switch_by_passkey_ends_twelve_hours_after_the_full_sign_in(
    shared: Tablet,
    nurse: User,
    intensivist: User,
    key: SoftwareKey,
    time_machine: TimeMachineFixture,
) -> None:
    sign_in_by_key(shared, nurse, key)
    time_machine.move_to(timezone.now() + timedelta(hours=7))
    shared.sign_in(intensivist, OTHER_PIN)
    time_machine.move_to(timezone.now() + timedelta(hours=4, minutes=55))
    switch_by(shared, key)
    assert shared.is_used_by(nurse)
    time_machine.move_to(timezone.now() + timedelta(minutes=6))
    assert not shared.is_used_by(nurse)
    assert switch_by(shared, key).status_code == 422


def test_a_security_key_and_a_stolen_passkey_switch_nobody(
    shared: Tablet, nurse: User, intensivist: User, key: SoftwareKey
) -> None:
    sign_in_by_key(shared, nurse, key)
    shared.sign_in(intensivist, OTHER_PIN)
    key.verifies_user = False
    assert switch_by(shared, key).status_code == 422
    for sent in ("", "{}", "[]"):
        assert shared.post(SWITCH, {"credential": sent}).status_code == 422
    assert shared.is_used_by(intensivist)


def test_a_switch_by_pin_is_worth_what_the_full_sign_in_showed(
    shared: Tablet, nurse: User, intensivist: User, key: SoftwareKey, settings: Settings
) -> None:
    sign_in_by_key(shared, nurse, key)
    assert shared.set_pin("4071").status_code == 302
    shared.sign_in(intensivist, OTHER_PIN)
    settings.SECOND_FACTOR_ROLES = frozenset(Role.values)
    shared.switch(nurse)
    assert shared.is_used_by(nurse)
    shared.switch(intensivist, OTHER_PIN)
    assert shared.get("/")["Location"] == SET_UP


def test_a_second_factor_that_is_added_or_removed_ends_the_pins_of_before(
    shared: Tablet, nurse: User, intensivist: User
) -> None:
    shared.sign_in(nurse)
    shared.sign_in(intensivist, OTHER_PIN)
    elsewhere = Tablet(HTTP_HOST="localhost")
    elsewhere.sign_in(nurse, pin=None)
    add_key(elsewhere, SoftwareKey())
    assert shared.switch(nurse).status_code == 422
    assert shared.is_used_by(intensivist)
