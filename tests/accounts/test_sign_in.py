"""Signing in, and what stops guessing."""

import uuid

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client
from time_machine import TimeMachineFixture

from crs_app.accounts import sessions
from crs_app.accounts.models import SignInThrottle, User
from patients.models import Course
from tests.entry_forms import url

PASSWORD = "correct horse 1"
MINUTE_S = 60
pytestmark = pytest.mark.usefixtures("clock")


def attempt(client: Client, username: str, password: str) -> HttpResponse:
    return client.post("/accounts/sign-in/", {"username": username, "password": password})


def fail(client: Client, username: str, times: int) -> str:
    answer = None
    for _ in range(times):
        answer = attempt(client, username, "wrong")
    assert answer is not None
    assert answer.status_code == 200
    return answer.content.decode()


def enters(client: Client, user: User) -> bool:
    attempt(client, user.username, PASSWORD)
    return SESSION_KEY in client.session


def test_the_right_password_leads_to_the_page_asked_for(client: Client, nurse: User) -> None:
    answer = client.post(
        "/accounts/sign-in/?next=/courses/admit/", {"username": "nurse", "password": PASSWORD}
    )
    assert answer.headers["Location"] == "/courses/admit/"


def test_a_page_elsewhere_is_not_a_page_to_lead_to(client: Client, nurse: User) -> None:
    answer = client.post(
        "/accounts/sign-in/?next=//elsewhere.example/", {"username": "nurse", "password": PASSWORD}
    )
    assert answer.headers["Location"] == "/"


def test_a_wrong_password_and_an_unknown_name_read_the_same(client: Client, nurse: User) -> None:
    sentence = "Username and password do not match"
    assert sentence in fail(client, "nurse", 1)
    assert sentence in fail(client, "nobody", 1)


def test_an_empty_form_is_no_attempt(client: Client, nurse: User) -> None:
    assert attempt(client, "nurse", "").status_code == 200
    assert not SignInThrottle.objects.exists()


def test_a_deactivated_user_does_not_enter(client: Client, nurse: User) -> None:
    nurse.is_active = False
    nurse.save(update_fields=["is_active"])
    assert not enters(client, nurse)


def test_signing_out_needs_a_post_and_ends_the_session(nurse_client: Client) -> None:
    assert nurse_client.get("/accounts/sign-out/").status_code == 405
    answer = nurse_client.post("/accounts/sign-out/")
    assert answer.headers["Location"] == "/accounts/sign-in/"
    assert SESSION_KEY not in nurse_client.session


def test_a_short_password_is_refused(nurse: User) -> None:
    from django.contrib.auth.password_validation import validate_password

    with pytest.raises(ValidationError, match="12 characters"):
        validate_password("short-one", nurse)


@pytest.mark.parametrize(
    "asked",
    [
        "/accounts/sign-in/",
        "/accounts/sign-in/?next=/accounts/sign-in/",
        "http://testserver/accounts/sign-in/",
        "/accounts/sign-out/",
        "/accounts/sign-in/#x",
        "?next=x",
        "#x",
        "nothing",
        "people:list",
        "http://[",
        "\x00",
    ],
)
def test_a_page_of_signing_in_is_not_a_page_to_lead_to(
    client: Client, nurse: User, nurse_client: Client, asked: str
) -> None:
    """Neither for who signs in, nor for who is signed in already."""
    sent = {"username": "nurse", "password": PASSWORD, "next": asked}
    assert client.post("/accounts/sign-in/", sent).headers["Location"] == "/"
    again = nurse_client.get("/accounts/sign-in/", {"next": asked})
    assert (again.status_code, again.headers["Location"]) == (302, "/")


def test_a_message_is_not_shown_to_the_next_person(
    nurse_client: Client, course: Course, intensivist: User
) -> None:
    """The nurse does not follow the redirect that would show it; the tablet goes on."""
    sent = {"form_id": str(uuid.uuid4()), "reason_not_observed": "asleep"}
    assert nurse_client.post(url("not_observed", course), sent).status_code == 302
    assert "asleep" not in str(nurse_client.cookies)
    nurse_client.post("/accounts/sign-out/")
    assert "asleep" not in nurse_client.get("/accounts/sign-in/").content.decode()
    attempt(nurse_client, "icu", PASSWORD)
    board = nurse_client.get("/").content.decode()
    assert "A. Osei" in board
    assert "asleep" not in board


def test_a_message_is_not_shown_to_who_signs_in_over_another(
    nurse_client: Client, course: Course, intensivist: User, clock: TimeMachineFixture
) -> None:
    """The nurse's session has ended by itself."""
    sent = {"form_id": str(uuid.uuid4()), "reason_not_observed": "asleep"}
    assert nurse_client.post(url("not_observed", course), sent).status_code == 302
    clock.shift(5 * 60 * MINUTE_S)
    assert "asleep" not in nurse_client.get("/accounts/sign-in/").content.decode()
    attempt(nurse_client, "icu", PASSWORD)
    assert "asleep" not in nurse_client.get("/").content.decode()


def test_expired_sessions_are_deleted_a_few_at_each_sign_in(
    client: Client, nurse: User, clock: TimeMachineFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        Client().force_login(nurse)
    clock.shift(13 * 60 * MINUTE_S)
    still = Client()
    still.force_login(nurse)
    monkeypatch.setattr(sessions, "AT_ONCE", 3)
    assert enters(client, nurse)
    assert Session.objects.count() == 4
    assert sessions.delete_expired_sessions() == 2
    assert Session.objects.count() == 2
    assert still.get("/").status_code == 200


def test_the_token_of_forms_ends_with_the_browser(client: Client, db: None) -> None:
    client.get("/accounts/sign-in/")
    cookie = client.cookies["csrftoken"]
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
