"""Second factors: an app's codes and recovery codes, set up, asked for at sign-in, removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import caches
from django.core.cache.backends import locmem
from django.db import connection
from django.test import Client
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings
from time_machine import TimeMachineFixture

from crs_app.accounts.factors.recovery import make_recovery_codes
from crs_app.accounts.models import User
from crs_app.accounts.verify import one_of_few
from crs_app.record.models import Event, EventKind
from tests.accounts.code_app import (
    ELSEWHERE,
    PASSWORD,
    SECOND_STEP,
    SIGN_IN,
    STEP_S,
    TABLET,
    code_of,
    enters,
    second_step,
    set_up,
    with_password,
)

pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.parametrize(
    "path", ["signup/", "login/", "email/", "password/reset/", "2fa/", "2fa/webauthn/login/"]
)
def test_no_page_of_the_library_has_an_address(nurse_client: Client, path: str) -> None:
    assert nurse_client.get(f"/accounts/{path}").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")


def test_after_the_password_the_code_of_the_app_is_asked_for(
    nurse: User, app: tuple[str, list[str]]
) -> None:
    client, answer = with_password(next="/roles/")
    assert answer["Location"] == SECOND_STEP
    assert not enters(client)
    assert client.get("/roles/").status_code == 302
    assert "Jo" in client.get(SECOND_STEP).content.decode()
    assert second_step(client, code_of(app[0]))["Location"] == "/roles/"
    assert enters(client)
    last = Event.objects.filter(kind=EventKind.SIGN_IN).order_by("number").last()
    assert last is not None
    assert last.details == {"method": "password and code"}


def test_who_has_none_is_asked_for_none(nurse: User) -> None:
    client, answer = with_password()
    assert answer["Location"] == "/"
    assert enters(client)


def test_a_code_is_refused_the_second_time_at_another_worker_too(
    nurse: User, app: tuple[str, list[str]]
) -> None:
    code = code_of(app[0])
    first, _ = with_password()
    assert second_step(first, code).status_code == 302
    for memory in (locmem._caches, locmem._expire_info):  # type: ignore[attr-defined]
        memory.clear()  # another process has memory of its own
    del caches["default"]
    second, _ = with_password()
    assert "it was used before" in second_step(second, code).content.decode()
    assert not enters(second)


def test_the_code_that_sets_up_an_app_signs_nobody_in(
    nurse: User, clock: TimeMachineFixture
) -> None:
    secret, _ = set_up(with_password()[0])
    client, _ = with_password()
    assert "it was used before" in second_step(client, code_of(secret)).content.decode()
    assert not enters(client)
    clock.shift(STEP_S)
    assert second_step(client, code_of(secret)).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_one_code_sent_many_times_at_once_one_is_accepted(app: tuple[str, list[str]]) -> None:
    code = code_of(app[0])
    browsers = [with_password(address=f"10.4.7.{last}")[0] for last in range(6)]

    def send(browser: Client) -> bool:
        try:
            second_step(browser, code)
            return enters(browser)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(browsers)) as pool:
        assert sum(pool.map(send, browsers)) == 1


def test_a_code_of_a_minute_ago_or_in_a_minute_is_wrong(app: tuple[str, list[str]]) -> None:
    client, _ = with_password()
    for steps in (-2, 2):
        second_step(client, code_of(app[0], steps))
        assert not enters(client)
    second_step(client, code_of(app[0], -1))
    assert enters(client)


@pytest.mark.parametrize(
    "sent", ["", "abc", "0" * 21, "\uff11" * 6, "12\x0034", "-1", "\U0001d7d9" * 6]
)
def test_what_is_no_code_is_refused_in_words(app: tuple[str, list[str]], sent: str) -> None:
    client, _ = with_password()
    answer = second_step(client, sent)
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.content.decode()
    assert not enters(client)


def test_each_recovery_code_works_once(app: tuple[str, list[str]]) -> None:
    _, codes = app
    client, _ = with_password()
    second_step(client, codes[3])
    assert enters(client)
    assert "9 left" in client.get("/accounts/me/").content.decode()
    again, _ = with_password()
    second_step(again, codes[3])
    assert not enters(again)
    second_step(again, codes[4].replace(" ", ""))
    assert enters(again)


def test_recovery_codes_take_no_more_threads_than_passwords(app: tuple[str, list[str]]) -> None:
    """Each takes a slow hash, and who has no account may try one where a password has to wait."""
    _, codes = app
    (client, _), (other, _) = with_password(), with_password()
    with one_of_few(), one_of_few():
        assert "Many people are signing in" in second_step(client, codes[0]).content.decode()
        assert not enters(client)
        assert "Many people are signing in" not in second_step(other, "123456").content.decode()
    assert second_step(client, codes[0]).status_code == 302, "what was refused was not tried"


def test_recovery_codes_are_stored_as_hashes_alone(
    app: tuple[str, list[str]], settings: Settings
) -> None:
    """Whoever reads the database and knows the key of the site still has no code."""
    argon2 = "django.contrib.auth.hashers.Argon2PasswordHasher"
    settings.PASSWORD_HASHERS = [argon2, *settings.PASSWORD_HASHERS]
    nurse = User.objects.get(username="nurse")
    Authenticator.objects.filter(type="recovery_codes").delete()
    codes = make_recovery_codes(nurse)
    assert len(set(codes)) == 10
    data = Authenticator.objects.get(type="recovery_codes").data
    assert all(one.startswith("argon2$argon2id$") for one in data["hashes"])
    assert set(data) == {"salt", "hashes"}
    client, _ = with_password()
    second_step(client, codes[0])
    assert enters(client)


def test_recovery_codes_of_an_earlier_version_work_and_are_hashed_by_the_first_try(
    app: tuple[str, list[str]],
) -> None:
    nurse = User.objects.get(username="nurse")
    Authenticator.objects.filter(type="recovery_codes").delete()
    before = RecoveryCodes.activate(nurse)
    codes = before.generate_codes()
    assert before.validate_code(codes[0])
    client, _ = with_password()
    second_step(client, codes[0])
    assert not enters(client)
    assert set(Authenticator.objects.get(type="recovery_codes").data) == {"salt", "hashes"}
    second_step(client, codes[1])
    assert enters(client)
    assert "8 left" in client.get("/accounts/me/").content.decode()


def test_secrets_are_stored_encrypted(app: tuple[str, list[str]]) -> None:
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert app[0] not in stored
    assert not [code for code in app[1] if code.replace(" ", "") in stored]


def test_a_secret_of_another_key_of_the_site_is_a_wrong_code(
    app: tuple[str, list[str]], settings: Settings
) -> None:
    settings.SECRET_KEY, old = "another", settings.SECRET_KEY
    client, _ = with_password()
    assert second_step(client, code_of(app[0])).status_code == 200
    assert not enters(client)
    settings.SECRET_KEY_FALLBACKS = [old]
    second_step(client, code_of(app[0]))
    assert enters(client)


def test_wrong_codes_wait_like_wrong_passwords_and_a_right_password_forgets_none(
    app: tuple[str, list[str]], clock: TimeMachineFixture
) -> None:
    for _ in range(5):
        client, _ = with_password()
        assert "it was used before" in second_step(client, "000000").content.decode()
    client, _ = with_password()
    assert "Try again in 30 s" in second_step(client, code_of(app[0])).content.decode()
    failed = Event.objects.filter(kind=EventKind.SIGN_IN_FAILED).order_by("number")
    assert [event.details["why"] for event in failed] == ["code"] * 5 + ["code held"]
    assert not enters(client)
    elsewhere, _ = with_password(address=ELSEWHERE)
    second_step(elsewhere, code_of(app[0]))
    assert enters(elsewhere)
    clock.shift(31)
    second_step(client, code_of(app[0]))
    assert enters(client)


def test_an_administrator_sees_wrong_codes_and_lets_in_at_once(
    nurse: User, app: tuple[str, list[str]], administrator: User
) -> None:
    client, _ = with_password()
    for _ in range(5):
        second_step(client, "000000")
    admin, _ = with_password("admin", address=ELSEWHERE)
    assert "5 wrong codes or keys" in admin.get(f"/people/{nurse.pk}/").content.decode()
    admin.post(f"/people/{nurse.pk}/unlock/")
    second_step(client, code_of(app[0]))
    assert enters(client)


def test_a_right_code_lets_in_where_the_password_has_to_wait(app: tuple[str, list[str]]) -> None:
    for _ in range(5):
        with_password(password="wrong")
    client, held = with_password()
    assert "Too many failed sign-ins" in held.content.decode()
    assert "With it you need not wait" in held.content.decode()
    client, wrong = with_password(code="000000")
    assert "it was used before" in wrong.content.decode()
    assert not enters(client)
    client, answer = with_password(code=code_of(app[0]), next="/roles/")
    assert answer["Location"] == "/roles/"
    assert enters(client)


def test_a_right_code_lets_in_where_the_whole_address_has_to_wait(
    app: tuple[str, list[str]],
) -> None:
    for number in range(50):
        with_password(f"guess{number}", "wrong")
    client, held = with_password()
    assert "Too many failed sign-ins" in held.content.decode()
    client, _ = with_password(code=code_of(app[0]))
    assert enters(client)


def test_a_right_code_with_a_wrong_password_lets_nobody_in(app: tuple[str, list[str]]) -> None:
    for _ in range(5):
        with_password(password="wrong")
    client, answer = with_password(password="wrong", code=code_of(app[0]))
    assert "do not match" in answer.content.decode()
    assert not enters(client)


def test_a_name_without_a_code_app_waits_alike(nurse: User, intensivist: User) -> None:
    for name in ("icu", "nobody"):
        for _ in range(5):
            with_password(name, "wrong")
        _, answer = with_password(name, code="123456")
        assert "it was used before" in answer.content.decode()
        assert "Too many failed sign-ins" in answer.content.decode()


def test_the_second_step_waits_ten_minutes_and_for_nobody_else(
    nurse: User, app: tuple[str, list[str]], clock: TimeMachineFixture
) -> None:
    assert Client().get(SECOND_STEP)["Location"] == SIGN_IN
    client, _ = with_password()
    clock.shift(601)
    assert second_step(client, code_of(app[0]))["Location"] == SIGN_IN
    assert not enters(client)


@pytest.mark.parametrize("change", ["deactivated", "another password", "sessions ended"])
def test_the_second_step_ends_with_what_ends_a_session(
    nurse: User, app: tuple[str, list[str]], change: str
) -> None:
    client, _ = with_password()
    if change == "deactivated":
        User.objects.filter(pk=nurse.pk).update(is_active=False)
    elif change == "another password":
        nurse.set_password("a longer horse 2")
        nurse.save(update_fields=["password"])
    else:
        User.objects.filter(pk=nurse.pk).update(sessions_ended=99)
    assert second_step(client, code_of(app[0]))["Location"] == SIGN_IN
    assert not enters(client)


def test_the_session_gets_another_key_at_each_step(app: tuple[str, list[str]]) -> None:
    client = Client(REMOTE_ADDR=TABLET)
    client.post("/accounts/sign-in/passkey/")  # a session of before
    keys = [client.session.session_key]
    client.post(SIGN_IN, {"username": "nurse", "password": PASSWORD})
    keys.append(client.session.session_key)
    second_step(client, code_of(app[0]))
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3


def test_the_password_alone_does_not_unlock_a_locked_tablet(
    nurse: User, app: tuple[str, list[str]], clock: TimeMachineFixture
) -> None:
    client, _ = with_password()
    second_step(client, code_of(app[0]))
    client.get("/")
    clock.shift(11 * 60)
    assert client.get("/")["Location"].startswith(SIGN_IN)
    assert client.post(SIGN_IN, {"username": "nurse", "password": PASSWORD}).status_code == 302
    assert client.get("/")["Location"].startswith(SIGN_IN)
    second_step(client, code_of(app[0]))
    assert client.get("/").status_code == 200
