"""The page of one's own account: password, and the sessions that are open."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from time_machine import TimeMachineFixture

from crs_app.accounts.models import User
from crs_app.accounts.own_sessions import device_name, sessions_of

PASSWORD, NEW = "correct horse 1", "a longer horse 2"
TABLET = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


def signed_in(username: str = "nurse", **meta: str) -> Client:
    client = Client(**meta)  # type: ignore[arg-type]
    sent = {"username": username, "password": PASSWORD}
    assert client.post("/accounts/sign-in/", sent).status_code == 302
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/me/").status_code == 200


def change(client: Client, old: str = PASSWORD, new: str = NEW, again: str = NEW) -> Any:
    sent = {"old_password": old, "new_password1": new, "new_password2": again}
    return client.post("/accounts/me/password/", sent)


def test_a_changed_password_ends_all_other_sessions(nurse: User) -> None:
    here, other = signed_in(), signed_in()
    key = here.session.session_key
    assert change(here).status_code == 302
    assert is_signed_in(here)
    assert here.session.session_key != key
    assert not is_signed_in(other)
    sent = {"username": "nurse", "password": PASSWORD}
    assert Client().post("/accounts/sign-in/", sent).status_code == 200


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"old": "wrong"}, "not your password"),
        ({"new": "short", "again": "short"}, "12 characters"),
        ({"again": "another horse 3"}, "match"),
        ({"new": "password1234", "again": "password1234"}, "too common"),
    ],
)
def test_a_password_that_will_not_do_is_refused(
    nurse: User, sent: dict[str, str], sentence: str
) -> None:
    answer = change(signed_in(), **sent)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert is_signed_in(signed_in())


def test_the_present_password_cannot_be_guessed_here(nurse: User) -> None:
    client = signed_in()
    for _ in range(5):
        change(client, old="wrong")
    answer = change(client)
    assert answer.status_code == 422
    assert "Too many failed sign-ins" in answer.content.decode()


def test_sessions_are_listed_with_device_and_address(nurse: User, intensivist: User) -> None:
    here = signed_in(REMOTE_ADDR="10.0.0.1")
    signed_in(REMOTE_ADDR="10.4.7.31", HTTP_USER_AGENT=TABLET)
    signed_in("icu", REMOTE_ADDR="10.9.9.9")
    page = here.get("/accounts/me/").content.decode()
    assert "Chrome on Android" in page
    assert "10.4.7.31" in page
    assert "10.9.9.9" not in page
    assert page.count("this one") == 1


def test_a_session_has_one_time_of_its_sign_in(
    nurse: User, time_machine: TimeMachineFixture
) -> None:
    """The list shows the time from which the 12 hours are counted."""
    time_machine.move_to("2026-03-01 10:00:00Z", tick=False)
    here = signed_in()
    here.get("/accounts/me/")
    time_machine.move_to("2026-03-01 10:05:00Z", tick=False)
    (shown,) = sessions_of(nurse, here.session.session_key)
    assert shown.since == datetime(2026, 3, 1, 10, tzinfo=UTC)
    began = shown.since.timestamp()
    assert [key for key, kept in here.session.items() if kept == began] == ["password_at"]
    assert here.session["use"]["signed_in"] == began


def test_one_session_is_ended_and_no_key_is_shown(nurse: User) -> None:
    here, other = signed_in(), signed_in()
    page = here.get("/accounts/me/").content.decode()
    key = other.session.session_key
    assert key is not None
    assert key not in page
    (address,) = re.findall(r'action="(/accounts/me/sessions/[0-9a-f]+/end/)"', page)
    assert here.post(address).status_code == 302
    assert is_signed_in(here)
    assert not is_signed_in(other)


def test_nobody_ends_the_session_of_another_user(nurse: User, intensivist: User) -> None:
    here, other = signed_in(), signed_in()
    page = here.get("/accounts/me/").content.decode()
    (address,) = re.findall(r'action="(/accounts/me/sessions/[0-9a-f]+/end/)"', page)
    signed_in("icu").post(address)
    assert is_signed_in(other)


def test_all_other_sessions_are_ended(nurse: User, intensivist: User) -> None:
    here, others, of_another = signed_in(), [signed_in(), signed_in()], signed_in("icu")
    assert here.post("/accounts/me/sessions/end-others/").status_code == 302
    assert is_signed_in(here)
    assert not any(map(is_signed_in, others))
    assert is_signed_in(of_another)


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (TABLET, "Chrome on Android"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0) Version/18.0 Safari/605.1", "Safari on iPad"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox on Linux"),
        ("curl/8", "Browser"),
        ("<script>", "Browser"),
    ],
)
def test_a_device_has_a_short_name(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_ending_the_others_does_not_begin_the_twelve_hours_again(nurse: User) -> None:
    here = signed_in()
    assert is_signed_in(here)
    began = here.session["use"]["signed_in"]
    here.post("/accounts/me/sessions/end-others/")
    assert is_signed_in(here)
    assert here.session["use"]["signed_in"] == began
