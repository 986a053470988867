"""A full sign-in on a tablet leads back for 12 hours, and ends before with what it rests on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app.accounts import people
from crs_app.accounts.models import Role, TabletSignIn, User
from crs_app.record.models import MAIN_CHAIN, Event
from tests.accounts.tablet import OTHER_PIN, SWITCH, Tablet
from tests.entry_forms import words_of

HOUR_S, MINUTE_S = 3600, 60


def test_another_tablet_knows_neither_name_nor_pin(tablet: Tablet, nurse: User) -> None:
    other = Tablet()
    assert "J. Ruiz" not in words_of(other.get(SWITCH))
    assert other.switch(nurse).status_code == 422
    other.cookies["crs-tablet"] = "0" * 43
    assert other.switch(nurse).status_code == 422
    assert other.user_id is None


def test_the_twelve_hours_are_those_of_the_full_sign_in(
    nurse: User, intensivist: User, time_machine: TimeMachineFixture, site_in_utc: None
) -> None:
    time_machine.move_to("2026-03-01 07:00:00Z", tick=False)
    tablet = Tablet()
    tablet.sign_in(nurse)
    time_machine.shift(6 * HOUR_S)
    tablet.sign_in(intensivist, OTHER_PIN)
    time_machine.shift(6 * HOUR_S - MINUTE_S)
    tablet.switch(nurse)
    assert tablet.is_used_by(nurse)
    time_machine.shift(MINUTE_S)
    assert not tablet.is_used_by(nurse), "her 12 hours are over, however late she came back"
    assert tablet.switch(nurse).status_code == 422
    assert tablet.switch(intensivist, OTHER_PIN).status_code == 302
    assert tablet.is_used_by(intensivist)
    page = words_of(tablet.get(SWITCH))
    assert "J. Ruiz" not in page
    assert "A. Osei was here, ICU reviewer until 2 Mar 01:00" in page


def last_event() -> tuple[str, User | None, dict[str, str]]:
    event = Event.objects.filter(chain=MAIN_CHAIN).latest("number")
    return event.kind, event.by, event.details


def by(administrator: User) -> people.By:
    return people.By(administrator, "10.0.0.1", timezone.now())


@pytest.mark.parametrize(
    "what",
    [
        "password",
        "role",
        "role and back",
        "deactivated",
        "deactivated and back",
        "signed out everywhere",
        "session",
    ],
)
def test_what_ends_a_sign_in_ends_its_pin_too(
    tablet: Tablet, nurse: User, intensivist: User, administrator: User, what: str
) -> None:
    if what == "password":
        nurse.set_password("a longer horse 2")
        nurse.save(update_fields=["password"])
    elif what.startswith("role"):
        people.change_role(by(administrator), nurse.pk, Role.AUDITOR)
        if "back" in what:
            people.change_role(by(administrator), nurse.pk, Role.WARD_CLINICIAN)
    elif what.startswith("deactivated"):
        people.deactivate(by(administrator), nurse.pk)
        if "back" in what:
            people.reactivate(by(administrator), nurse.pk)
    elif what == "signed out everywhere":
        people.sign_out_everywhere(by(administrator), nurse.pk)
    else:
        tablet.switch(nurse)
        desk = Tablet()
        desk.sign_in(nurse, None)
        (code,) = {
            one.code for one in desk.get("/accounts/me/").context["sessions"] if not one.is_this
        }
        desk.post(reverse("accounts:end_one", args=[code]))
        tablet.switch(intensivist, OTHER_PIN)
    assert tablet.switch(nurse).status_code == 422
    assert last_event() == ("sign_in_failed", nurse, {"why": "no full sign-in here"})
    assert tablet.is_used_by(intensivist)
    assert ("J. Ruiz" in words_of(tablet.get(SWITCH))) == (what != "deactivated")


def test_signing_out_ends_the_pin_and_not_that_of_others(
    tablet: Tablet, nurse: User, intensivist: User
) -> None:
    tablet.post("/accounts/sign-out/")
    assert last_event() == ("signed_out", intensivist, {"pin": "ended"})
    assert tablet.switch(intensivist, OTHER_PIN).status_code == 422
    assert last_event() == ("sign_in_failed", intensivist, {"why": "no full sign-in here"})
    assert tablet.user_id is None
    assert tablet.switch(nurse).status_code == 302
    assert tablet.is_used_by(nurse)


def test_the_cookie_names_the_tablet_to_the_server_alone(
    tablet: Tablet, nurse: User, settings: Any
) -> None:
    cookie = tablet.cookies["crs-tablet"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert timedelta(seconds=cookie["max-age"]) == timedelta(hours=12)
    assert len(cookie.value) >= 43
    assert not TabletSignIn.objects.filter(tablet=cookie.value).exists(), "a digest is stored"
    name, _, counted = cookie.value.partition(".")
    tablet.sign_in(nurse)
    again, _, counted_again = tablet.cookies["crs-tablet"].value.partition(".")
    assert again == name, "one tablet has one name"
    assert counted_again != counted, "and another cookie after each use"


def test_a_name_of_a_tablet_that_nobody_gave_is_replaced(nurse: User) -> None:
    tablet = Tablet()
    tablet.cookies["crs-tablet"] = "planted"
    tablet.sign_in(nurse)
    assert tablet.cookies["crs-tablet"].value != "planted"


def copy_of(tablet: Tablet) -> Tablet:
    """Another machine, to which somebody took the cookie of the tablet."""
    other = Tablet(REMOTE_ADDR="10.4.7.99")
    other.cookies["crs-tablet"] = tablet.cookies["crs-tablet"].value
    return other


@pytest.mark.parametrize("is_thief_first", [True, False])
@pytest.mark.parametrize("how", ["switch", "full sign-in"])
def test_a_copy_of_the_cookie_is_found_at_the_next_use_and_both_end(
    tablet: Tablet,
    nurse: User,
    intensivist: User,
    time_machine: TimeMachineFixture,
    is_thief_first: bool,
    how: str,
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    thief = copy_of(tablet)
    first, second = (thief, tablet) if is_thief_first else (tablet, thief)
    assert first.switch(nurse).status_code == 302
    time_machine.shift(5 * MINUTE_S)
    if how == "switch":
        assert second.switch(nurse).status_code == 422
        assert second.user_id is None
    else:
        second.sign_in(intensivist, None)
        assert second.is_used_by(intensivist), "who knows the password goes on"
    assert not first.is_used_by(nurse)
    why = {"why": "two browsers with the cookie of one tablet"}
    (found,) = Event.objects.filter(details=why)
    assert found.by == (nurse if how == "switch" else intensivist)
    for browser in (first, second):
        assert browser.switch(nurse).status_code == 422
        assert browser.switch(intensivist, OTHER_PIN).status_code == 422
    tablet.sign_in(nurse)
    assert tablet.switch(nurse).status_code == 302
    assert thief.switch(nurse).status_code == 422


def test_two_taps_and_a_lost_answer_are_no_copy(
    tablet: Tablet, nurse: User, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    before = tablet.cookies["crs-tablet"].value
    assert tablet.switch(nurse).status_code == 302
    after = tablet.cookies["crs-tablet"].value
    time_machine.shift(5 * MINUTE_S - 1)
    tablet.cookies["crs-tablet"] = before
    assert tablet.switch(nurse).status_code == 302
    assert tablet.cookies["crs-tablet"].value == after
    time_machine.shift(HOUR_S)
    assert tablet.switch(nurse).status_code == 302
    assert tablet.is_used_by(nurse)


@pytest.mark.parametrize("changed", ["{name}", "{name}.0.{proof}", "{name}.9.{proof}", "{name}.x."])
def test_a_count_that_the_server_did_not_write_names_no_tablet(
    tablet: Tablet, nurse: User, changed: str, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    name, _, proof = tablet.cookies["crs-tablet"].value.split(".")
    tablet.switch(nurse)
    tablet.switch(nurse)
    time_machine.shift(5 * MINUTE_S)
    other = Tablet()
    other.cookies["crs-tablet"] = changed.format(name=name, proof=proof)
    assert other.switch(nurse).status_code == 422
    assert other.user_id is None


def test_sign_ins_of_the_day_before_are_deleted(
    nurse: User, intensivist: User, time_machine: TimeMachineFixture
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    Tablet().sign_in(nurse)
    time_machine.shift(12 * HOUR_S + 1)
    Tablet().sign_in(intensivist)
    assert [one.user for one in TabletSignIn.objects.all()] == [intensivist]


def test_a_deactivated_user_has_no_page_even_between_pin_and_session(
    tablet: Tablet, nurse: User, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crs_app.accounts import switch as module

    before = module.valid_sign_in

    def too_late(*of: Any) -> Any:
        people.deactivate(by(administrator), nurse.pk)
        return before(*of)

    monkeypatch.setattr(module, "valid_sign_in", too_late)
    assert tablet.switch(nurse).status_code == 422
    assert not tablet.is_used_by(nurse)
