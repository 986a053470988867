"""The user of a shared tablet is switched by a name and its PIN, and in no other way."""

from __future__ import annotations

import threading

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client, RequestFactory
from django.urls import reverse
from time_machine import TimeMachineFixture

from crs_app.accounts.middleware import USE
from crs_app.accounts.models import TabletSignIn, User, Ward
from crs_app.accounts.switch import SwitchRefusedError, switch_to
from crs_app.accounts.wards import set_wards
from crs_app.record.models import Event
from patients.models import Course
from tests.accounts.tablet import OTHER_PIN, PASSWORD, PIN, SWITCH, Tablet
from tests.entry_forms import HTMX, words_of

HOUR_S, MINUTE_S = 3600, 60


def test_name_and_pin_switch_the_user_and_end_the_session_of_the_one_before(
    tablet: Tablet, nurse: User, intensivist: User
) -> None:
    assert tablet.is_used_by(intensivist)
    before = tablet.session.session_key
    assert tablet.switch(nurse).status_code == 302
    assert tablet.is_used_by(nurse)
    assert not Session.objects.filter(pk=before).exists()
    tablet.cookies[django_settings.SESSION_COOKIE_NAME] = before
    assert not tablet.is_used_by(intensivist)
    assert tablet.switch(intensivist, OTHER_PIN).status_code == 302
    assert tablet.is_used_by(intensivist)


def test_it_is_recorded_with_how_and_instead_of_whom(tablet: Tablet, nurse: User) -> None:
    tablet.switch(nurse, "9999")
    tablet.switch(nurse)
    failed, switched = Event.objects.filter(
        kind__in=("sign_in", "sign_in_failed"), by=nurse
    ).order_by("-number")[:2][::-1]
    assert (failed.kind, failed.details) == ("sign_in_failed", {"why": "pin"})
    assert switched.kind == "sign_in"
    assert switched.details == {"how": "pin", "instead_of": "icu"}
    assert switched.address == "10.4.7.31"


def test_three_wrong_ones_end_the_pin_and_ask_for_the_full_sign_in(
    tablet: Tablet, nurse: User, intensivist: User
) -> None:
    for left in ("2 tries left", "1 try left"):
        answer = tablet.switch(nurse, "9183")
        assert answer.status_code == 422
        assert f"Wrong PIN. {left}" in words_of(answer)
    assert "must sign in in full" in words_of(tablet.switch(nurse, "9183"))
    assert "must sign in in full" in words_of(tablet.switch(nurse))
    failed = Event.objects.filter(kind="sign_in_failed", by=nurse).order_by("number")
    whys = [event.details["why"] for event in failed]
    assert whys == ["pin", "pin", "pin", "no full sign-in here"]
    assert tablet.is_used_by(intensivist)
    page = tablet.get(SWITCH).content.decode()
    assert f'value="{nurse.pk}"' not in page
    assert "J. Ruiz" in page
    tablet.sign_in(nurse)
    tablet.sign_in(intensivist, None)
    assert tablet.switch(nurse).status_code == 302


def test_a_right_one_forgives_those_before_it(tablet: Tablet, nurse: User) -> None:
    for _ in range(2):
        tablet.switch(nurse, "9183")
        tablet.switch(nurse, "9183")
        assert tablet.switch(nurse).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_many_wrong_ones_at_once_no_more_than_three_are_verified(
    tablet: Tablet, nurse: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crs_app.accounts import tablets

    verified: list[str] = []
    monkeypatch.setattr(tablets, "check_password", lambda *_of: verified.append("one") or False)
    cookies = {name: cookie.value for name, cookie in tablet.cookies.items()}

    def guess() -> None:
        other = Tablet()
        other.cookies.load(cookies)
        for _ in range(4):
            other.switch(nurse, "9183")
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(verified) == 3


def test_a_pin_of_one_user_opens_no_other(tablet: Tablet, nurse: User, intensivist: User) -> None:
    assert tablet.switch(nurse, OTHER_PIN).status_code == 422
    assert tablet.is_used_by(intensivist)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"pin": PIN}, "Choose your name first"),
        ({"who": "", "pin": PIN}, "Choose your name first"),
        ({"who": "x", "pin": PIN}, "whole number"),
        ({"who": "0", "pin": PIN}, "greater than or equal to 1"),
        ({"who": "9" * 30, "pin": PIN}, "has not signed in on this tablet"),
        ({"who": "nurse"}, "required"),
        ({"who": "nurse", "pin": "407"}, "Type four digits"),
        ({"who": "nurse", "pin": "40711"}, "Type four digits"),
        ({"who": "nurse", "pin": "٤٠٧١"}, "Type four digits"),
        ({"who": "nurse", "pin": "4071\n"}, "Type four digits"),
    ],
)
def test_what_is_no_name_and_four_digits_is_refused_and_not_counted(
    tablet: Tablet, nurse: User, intensivist: User, sent: dict[str, str], sentence: str
) -> None:
    if sent.get("who") == "nurse":
        sent = {**sent, "who": str(nurse.pk)}
    answer = tablet.post(SWITCH, sent)
    assert answer.status_code == 422
    assert sentence in words_of(answer)
    assert tablet.is_used_by(intensivist)
    assert not TabletSignIn.objects.exclude(wrong_pins=0).exists()


def test_a_user_without_a_pin_is_named_and_signs_in_in_full(nurse: User, intensivist: User) -> None:
    tablet = Tablet()
    tablet.sign_in(nurse, None)
    tablet.sign_in(intensivist)
    assert "must sign in in full" in words_of(tablet.switch(nurse))
    assert "J. Ruiz full sign-in" in words_of(tablet.get(SWITCH))
    assert tablet.is_used_by(intensivist)


def test_tries_pass_the_one_throttle(tablet: Tablet, nurse: User) -> None:
    for _ in range(5):
        Client(REMOTE_ADDR="10.4.7.31").post(
            "/accounts/sign-in/", {"username": "nurse", "password": "wrong"}
        )
    answer = tablet.switch(nurse)
    assert answer.status_code == 422
    assert "Too many failed sign-ins from here" in words_of(answer)
    assert TabletSignIn.objects.get(user=nurse).wrong_pins == 0


def test_wrong_pins_count_as_failed_sign_ins(tablet: Tablet, nurse: User) -> None:
    for _ in range(3):
        tablet.switch(nurse, "9183")
    stranger = Client(REMOTE_ADDR="10.4.7.31")
    sent = {"username": "nurse", "password": "wrong"}
    answers = [words_of(stranger.post("/accounts/sign-in/", sent)) for _ in range(3)]
    assert ["Too many" in answer for answer in answers] == [False, False, True]


def test_when_too_many_are_verified_it_says_so_and_counts_nothing(
    tablet: Tablet, nurse: User
) -> None:
    from crs_app.accounts import verify

    with verify._verifying, verify._verifying:
        answer = tablet.switch(nurse)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert TabletSignIn.objects.get(user=nurse).wrong_pins == 0


def test_another_site_cannot_switch(tablet: Tablet, nurse: User, intensivist: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = tablet.cookies
    assert strict.post(SWITCH, {"who": nurse.pk, "pin": PIN}).status_code == 403
    assert tablet.is_used_by(intensivist)


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)",
        "http:///evil.example", "/accounts/sign-in/?next=//evil.example", SWITCH, "/nowhere/",
        "/accounts/sign-out/", "%2f%2fevil.example",
    ],
)  # fmt: skip
def test_it_leads_to_pages_of_this_site_alone(tablet: Tablet, nurse: User, page: str) -> None:
    shown = tablet.get(SWITCH, {"next": page})
    assert shown.status_code == 200
    assert "evil" not in shown.content.decode()
    assert tablet.switch(nurse, page=page)["Location"] == "/"


def test_it_returns_to_the_page_of_before_if_the_user_may_see_it(
    tablet: Tablet, nurse: User, intensivist: User, course: Course
) -> None:
    chart = reverse("patients:bedside", args=[course.pk])
    before = Event.objects.filter(chain=course.pk).count()
    assert tablet.switch(nurse, page=f"{chart}?kind=oxygen")["Location"] == f"{chart}?kind=oxygen"
    assert Event.objects.filter(chain=course.pk).count() == before, "nobody has opened it yet"
    assert tablet.switch(intensivist, OTHER_PIN, page=chart)["Location"] == chart
    set_wards(nurse, [Ward.objects.create(name="K4")])
    assert tablet.switch(nurse, page=chart)["Location"] == "/", "a patient of another ward"
    for closed in ("/people/", "/record/", f"{chart}locked/x", "/guidance/answers.csv"):
        assert tablet.switch(nurse, page=closed)["Location"] == "/"


def test_a_locked_tablet_is_switched_and_unlocked(
    tablet: Tablet, nurse: User, intensivist: User, course: Course, time_machine: TimeMachineFixture
) -> None:
    tablet.lock()
    display = reverse("patients:locked", args=[course.pk])
    assert tablet.get(display).status_code == 200
    names = tablet.get(SWITCH, {"next": reverse("patients:bedside", args=[course.pk])}, **HTMX)
    assert names.status_code == 200
    assert f'value="{intensivist.pk}"' in names.content.decode()
    checked = [line for line in names.content.decode().split("<label") if "checked" in line]
    assert [f'value="{intensivist.pk}"' in line for line in checked] == [True], "who was here"
    assert course.patient.name not in names.content.decode()
    assert tablet.switch(intensivist, OTHER_PIN).status_code == 302
    assert tablet.is_used_by(intensivist)
    began = TabletSignIn.objects.get(user=intensivist).signed_in_at
    assert tablet.session[USE]["signed_in"] == began.timestamp()


def test_a_locked_page_of_a_tablet_where_nobody_is_named_gets_nothing(db: None) -> None:
    assert Client().get(SWITCH, **HTMX).status_code == 204


def test_a_full_sign_in_of_another_user_needs_no_sign_out(
    tablet: Tablet, nurse: User, intensivist: User
) -> None:
    answer = tablet.post(SWITCH, {"full": "yes", "next": "/roles/"})
    assert answer["Location"] == "/accounts/sign-in/?next=%2Froles%2F"
    assert not tablet.is_used_by(intensivist)
    sent = {"username": "nurse", "password": PASSWORD, "next": "/roles/"}
    assert tablet.post("/accounts/sign-in/", sent)["Location"] == "/roles/"
    assert tablet.is_used_by(nurse)
    assert tablet.switch(intensivist, OTHER_PIN).status_code == 302


def test_a_switch_asks_for_the_password_again_before_what_matters(
    tablet: Tablet, administrator: User, nurse: User
) -> None:
    tablet.sign_in(administrator)
    tablet.switch(nurse)
    tablet.switch(administrator)
    page = tablet.get(reverse("people:act", args=[nurse.pk, "deactivate"]))
    assert "Your own password" in words_of(page)


def test_no_way_of_switching_goes_round_the_full_sign_in(tablet: Tablet, nurse: User) -> None:
    """A passkey, or whatever verifies a user, passes the same door."""
    request = RequestFactory().post(SWITCH)
    request.session = tablet.session
    with pytest.raises(SwitchRefusedError):
        switch_to(request, nurse, how="passkey")


def test_a_page_of_the_user_before_is_not_filled_for_the_next_one(
    tablet: Tablet, nurse: User, intensivist: User, course: Course
) -> None:
    """A tab that stayed open: its poll ends, and whatever is pressed there loads the page again."""
    live = f"/courses/{course.pk}/live/"
    of_before = HTMX["headers"] | {"CRS-User": str(intensivist.pk)}
    page = tablet.get(f"/courses/{course.pk}/").content.decode()
    assert f'"CRS-User": "{intensivist.pk}"' in page
    assert tablet.get(live, headers=of_before).status_code == 200
    tablet.switch(nurse)
    poll = tablet.get(live, headers={**of_before, "CRS-Poll": "yes"})
    assert (poll.status_code, poll.content) == (401, b"")
    pressed = tablet.get(live, headers=of_before)
    assert (pressed.headers["HX-Refresh"], pressed.content) == ("true", b"")
    sent = tablet.post(f"/courses/{course.pk}/entries/note/", {}, headers=of_before)
    assert sent.status_code == 401
    assert (
        tablet.get(live, headers=HTMX["headers"] | {"CRS-User": str(nurse.pk)}).status_code == 200
    )
    assert tablet.is_used_by(nurse)


def test_the_rights_are_those_of_the_user_who_came(
    tablet: Tablet, nurse: User, administrator: User
) -> None:
    tablet.sign_in(administrator)
    assert tablet.get("/people/").status_code == 200
    tablet.switch(nurse)
    assert tablet.get("/people/").status_code == 403
