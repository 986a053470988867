"""Failed sign-ins slow down those that follow from the same address, and nobody elsewhere."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client
from time_machine import TimeMachineFixture

from crs_app.accounts.models import Role, SignInThrottle, User
from crs_app.record.models import Event

TABLET, ELSEWHERE = "10.4.7.31", "203.0.113.9"
PASSWORD = "correct horse 1"
MINUTE_S = 60
pytestmark = pytest.mark.usefixtures("clock")


def attempt(username: str, password: str, address: str, **headers: str) -> HttpResponse:
    client = Client(REMOTE_ADDR=address, headers=headers)
    sent = {"username": username, "password": password}
    answer = client.post("/accounts/sign-in/", sent)
    answer.enters = SESSION_KEY in client.session  # type: ignore[attr-defined]
    return answer


def fail(username: str, times: int = 1, address: str = TABLET) -> str:
    answers = [attempt(username, "wrong", address) for _ in range(times)]
    assert {answer.status_code for answer in answers} == {200}
    return answers[-1].content.decode()


def enters(username: str = "nurse", address: str = TABLET, **headers: str) -> bool:
    return bool(attempt(username, PASSWORD, address, **headers).enters)  # type: ignore[attr-defined]


def test_four_failures_are_forgiven(nurse: User) -> None:
    fail("nurse", 4)
    assert enters()
    (of_the_address,) = SignInThrottle.objects.all()
    assert len(of_the_address.failed_at) == 4


def test_a_count_that_a_success_deletes_while_it_is_made_is_made_again(
    nurse: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row is there when it is inserted, and gone when it is read (two tabs of one user)."""
    made: Callable[..., Any] = QuerySet.get_or_create
    times = [1, 1]

    def deleted_meanwhile(rows: QuerySet[Any], *values: Any, **fields: Any) -> Any:
        if rows.model is SignInThrottle and times:
            times.pop()
            raise IntegrityError
        return made(rows, *values, **fields)

    monkeypatch.setattr(QuerySet, "get_or_create", deleted_meanwhile)
    fail("nurse")
    assert (SignInThrottle.objects.count(), times) == (2, [])
    assert enters()


def test_each_failure_from_the_fifth_on_doubles_the_wait_up_to_thirty_minutes(
    nurse: User, clock: TimeMachineFixture
) -> None:
    fail("nurse", 4)
    for wait_s in (30, 60, 120, 240, 480, 960, 1800, 1800):
        assert "do not match" in fail("nurse")
        clock.shift(wait_s - 1)
        assert not enters()
        clock.shift(1)
    assert enters()


def test_the_wait_is_said_in_seconds_and_minutes(nurse: User, clock: TimeMachineFixture) -> None:
    fail("nurse", 5)
    assert "Too many failed sign-ins from here. Try again in 30 s" in fail("nurse")
    clock.shift(30)
    fail("nurse")
    assert "Try again in 1 min, or ask an administrator" in fail("nurse")


def test_a_try_that_has_to_wait_is_not_counted(nurse: User, clock: TimeMachineFixture) -> None:
    fail("nurse", 20)
    clock.shift(30)
    assert enters()


def test_a_stranger_holds_no_tablet(nurse: User) -> None:
    fail("nurse", 30, ELSEWHERE)
    assert not enters(address=ELSEWHERE)
    assert enters(address=TABLET)


def test_a_stranger_who_changes_address_within_a_network_of_ipv6_is_held(nurse: User) -> None:
    for number in range(5):
        fail("nurse", 1, f"2001:db8:1:2::{number:x}")
    assert not enters(address="2001:db8:1:2:ffff:ffff:ffff:ffff")
    assert enters(address="2001:db8:1:3::1")


def test_many_names_from_one_network_of_ipv6_are_one_address(nurse: User) -> None:
    for number in range(50):
        fail(f"name{number}", 1, f"2001:db8:1:2:{number:x}::7")
    assert not enters(address="2001:db8:1:2::1")
    assert enters(address="2001:db8:1:3::1")


def test_an_address_of_ipv4_written_as_ipv6_is_that_address(nurse: User) -> None:
    fail("nurse", 5, f"::ffff:{TABLET}")
    assert not enters(address=TABLET)
    assert enters(address="::ffff:10.4.7.32"), "and not all of IPv4"


def test_a_held_name_holds_no_other_on_the_same_tablet(nurse: User, intensivist: User) -> None:
    fail("nurse", 5)
    assert enters("icu")


def test_another_spelling_of_the_name_is_the_same_name(nurse: User) -> None:
    fail("NURSE", 3)
    fail("Nurse", 2)
    assert not enters()


def test_failures_of_more_than_fifteen_minutes_ago_do_not_add_up(
    nurse: User, clock: TimeMachineFixture
) -> None:
    for _ in range(9):
        fail("nurse")
        clock.shift(4 * MINUTE_S)
    assert enters()


def test_after_fifteen_quiet_minutes_the_wait_begins_at_thirty_seconds(
    nurse: User, clock: TimeMachineFixture
) -> None:
    fail("nurse", 5)
    clock.shift(30)
    fail("nurse")
    clock.shift(60 + 15 * MINUTE_S)
    fail("nurse", 4)
    assert "do not match" in fail("nurse")
    clock.shift(30)
    assert enters()


def test_from_the_fiftieth_failure_of_an_address_every_name_waits(
    nurse: User, intensivist: User, clock: TimeMachineFixture
) -> None:
    """A password sprayed over many names; another address goes on."""
    for number in range(49):
        fail(f"name{number}")
    assert enters(), "the right password is not the fiftieth failure"
    fail("name49")
    assert not enters()
    assert not enters("icu")
    assert enters(address=ELSEWHERE)
    clock.shift(30)
    assert enters()
    fail("name50")
    clock.shift(59)
    assert not enters("icu")
    clock.shift(1)
    assert enters("icu")


def test_a_wait_reads_alike_for_a_name_that_nobody_has(nurse: User) -> None:
    found = re.compile("Too many failed sign-ins.*")
    assert found.findall(fail("nurse", 6)) == found.findall(fail("nobody", 6)) != []


def test_an_administrator_lets_a_user_in_at_once(
    nurse: User, intensivist: User, administrator_client: Client
) -> None:
    """From a held name and from a held address; others of that address wait on."""
    fail("nurse", 5)
    for number in range(50):
        fail(f"name{number}")
    assert not enters()
    page = administrator_client.get(f"/people/{nurse.pk}/").content.decode()
    assert "5 wrong passwords" in page
    assert TABLET in page
    let_in = administrator_client.post(f"/people/{nurse.pk}/unlock/", {"your_password": PASSWORD})
    assert let_in.status_code == 302
    assert enters()
    assert not enters("icu")


def test_failures_of_a_name_before_its_user_was_created_hold_nobody(
    make_user: Callable[..., User], administrator_client: Client, clock: TimeMachineFixture
) -> None:
    """Who tries too early is not held once the user is there, and the count begins at one."""
    fail("e.nowak", 6)
    assert "Too many failed sign-ins" in fail("e.nowak")
    person = make_user("e.nowak", Role.WARD_CLINICIAN)
    fail("e.nowak", 4)
    assert enters("e.nowak")
    fail("e.nowak", 5)
    assert not enters("e.nowak")
    assert "5 wrong passwords" in administrator_client.get(f"/people/{person.pk}/").content.decode()
    administrator_client.post(f"/people/{person.pk}/unlock/", {"your_password": PASSWORD})
    assert enters("e.nowak")


def test_a_header_of_the_sender_does_not_change_the_address(nurse: User) -> None:
    for number in range(5):
        attempt("nurse", "wrong", TABLET, **{"X-Forwarded-For": f"198.51.100.{number}"})
    assert not enters()


def test_behind_a_proxy_the_address_is_the_browser_s(nurse: User, settings: Any) -> None:
    """What the browser wrote itself before its address counts for nothing."""
    settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = True, ["172.16.0.0/12"]
    for number in range(5):
        named = {"X-Forwarded-For": f"198.51.100.{number}, {ELSEWHERE}, 172.16.0.9"}
        attempt("nurse", "wrong", "172.16.0.2", **named)
    assert not enters(address="172.16.0.2", **{"X-Forwarded-For": ELSEWHERE})
    assert enters(address="172.16.0.2", **{"X-Forwarded-For": TABLET})
    assert {one.address for one in SignInThrottle.objects.all()} == {ELSEWHERE}


def test_old_counts_are_deleted(db: None, clock: TimeMachineFixture) -> None:
    fail("one", 1, ELSEWHERE)
    clock.shift(31 * MINUTE_S)
    fail("two")
    assert {one.address for one in SignInThrottle.objects.all()} == {TABLET}


def test_what_was_typed_is_kept_nowhere(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "crs_app.accounts"):
        attempt("my-password-in-the-wrong-field", "hunter2", TABLET)
    stored = str(list(SignInThrottle.objects.values()))
    for text in (stored, caplog.text):
        assert "my-password" not in text
        assert "hunter2" not in text


def test_every_sign_in_failure_and_wait_is_logged(
    nurse: User, caplog: pytest.LogCaptureFixture
) -> None:
    """In the record too: the same events in the same order."""
    with caplog.at_level(logging.INFO, "crs_app.accounts"):
        fail("nurse")
        fail("nobody")
        client = Client(REMOTE_ADDR=TABLET)
        client.post("/accounts/sign-in/", {"username": "nurse", "password": PASSWORD})
        client.post("/accounts/sign-out/")
        fail("nurse", 6)
    lines = [record.getMessage() for record in caplog.records]
    failed = f"sign_in_failed by=nurse address={TABLET} why=password"
    assert lines == [
        failed,
        f"sign_in_failed by=unknown address={TABLET} why=password",
        f"sign_in by=nurse address={TABLET}",
        f"signed_out by=nurse address={TABLET}",
        *[failed] * 5,
        f"sign_in_failed by=nurse address={TABLET} why=held",
    ]
    recorded = Event.objects.filter(address=TABLET).order_by("number")
    assert [event.kind for event in recorded] == [line.split()[0] for line in lines]


def test_a_stranger_does_not_fill_the_record_by_what_no_wait_bounds(
    nurse: User, clock: TimeMachineFixture, settings: Any
) -> None:
    """Tries within a wait, with a code under ever other names, with keys, links and at a switch."""
    stranger = Client(REMOTE_ADDR=TABLET)
    fail("nurse", 4)
    for number in range(45):
        fail(f"name{number}")
    verified = Event.objects.filter(kind="sign_in_failed").count()
    assert verified == 49

    def flood(rounds: int) -> None:
        for number in range(rounds):
            sent = {"username": f"other{number}", "password": "wrong", "code": "123456"}
            stranger.post("/accounts/sign-in/", sent)
            stranger.post("/accounts/sign-in/passkey/", {"credential": "{}"})
            stranger.post("/accounts/switch/", {"who": nurse.pk, "pin": "4071"})
            stranger.get(f"/accounts/start/{number}/")

    flood(30)
    assert Event.objects.filter(kind="sign_in_failed").count() <= verified + 52
    before = Event.objects.filter(kind="sign_in_failed").count()
    flood(5)
    assert Event.objects.filter(kind="sign_in_failed").count() == before
    clock.shift(MINUTE_S)
    flood(5)
    (again,) = Event.objects.filter(kind="sign_in_failed").order_by("number")[before:]
    assert int(again.details["passed_over"]) > 50
    assert fail("nurse", 1, ELSEWHERE), "another address is recorded as before"
    clock.shift(31 * MINUTE_S)
    flood(1)
    assert Event.objects.filter(kind="sign_in_failed").count() >= before + 5


def test_a_password_is_stored_by_argon2(settings: Any) -> None:
    from crs_app import settings as of_the_site

    assert of_the_site.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    settings.PASSWORD_HASHERS = of_the_site.PASSWORD_HASHERS
    user = User(username="x")
    user.set_password(PASSWORD)
    assert user.password.startswith("argon2$argon2id$")


def test_a_password_of_before_becomes_argon2_at_the_next_sign_in(
    nurse: User, settings: Any
) -> None:
    from django.contrib.auth.hashers import make_password

    from crs_app import settings as of_the_site

    settings.PASSWORD_HASHERS = of_the_site.PASSWORD_HASHERS
    User.objects.filter(pk=nurse.pk).update(
        password=make_password(PASSWORD, hasher="pbkdf2_sha256")
    )
    assert enters()
    nurse.refresh_from_db()
    assert nurse.password.startswith("argon2$")
