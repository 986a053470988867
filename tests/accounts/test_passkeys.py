"""Passkeys and security keys: added, used at sign-in, refused, removed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from tests.accounts.software_key import (
    NEW_KEY,
    PASSKEY_SIGN_IN,
    SECOND_STEP,
    SoftwareKey,
    add_key,
    browser,
    sign_in_by,
)

PASSWORD = {"username": "nurse", "password": "correct horse 1"}


@pytest.fixture
def signed_in(nurse: User) -> Client:
    client = browser()
    assert client.post("/accounts/sign-in/", PASSWORD).status_code == 302
    return client


def enters(client: Client) -> bool:
    return SESSION_KEY in client.session


def test_a_passkey_signs_in_without_name_and_password(signed_in: Client, nurse: User) -> None:
    key = SoftwareKey()
    added = add_key(signed_in, key, name="my telephone")
    assert "are not shown again" in added.content.decode()
    assert "my telephone" in signed_in.get("/accounts/me/").content.decode()

    stranger = browser()
    answer = sign_in_by(stranger, key, next="/roles/")
    assert (answer.status_code, answer["Location"]) == (302, "/roles/")
    assert stranger.session[SESSION_KEY] == str(nurse.pk)
    assert stranger.session.get_expire_at_browser_close()
    last = Event.objects.filter(kind=EventKind.SIGN_IN).order_by("number").last()
    assert last is not None
    assert (last.by_id, last.details) == (nurse.pk, {"method": "passkey"})


def test_a_key_added_as_second_step_does_not_open_the_door_of_passkeys(signed_in: Client) -> None:
    key = SoftwareKey()
    add_key(signed_in, key, kind="second")
    stranger = browser()
    answer = sign_in_by(stranger, key)
    assert "sign in with your password first" in answer.content.decode()
    assert not enters(stranger)

    assert stranger.post("/accounts/sign-in/", PASSWORD)["Location"] == SECOND_STEP
    assert not enters(stranger)
    asked = stranger.get(SECOND_STEP).context["asked"]
    assert stranger.post(SECOND_STEP, {"credential": key.sign(asked)}).status_code == 302
    assert enters(stranger)


def test_a_passkey_is_a_second_step_after_the_password_too(signed_in: Client) -> None:
    key, another = SoftwareKey(), SoftwareKey()
    add_key(signed_in, key)
    stranger = browser()
    stranger.post("/accounts/sign-in/", PASSWORD)
    another.user_handle = key.user_handle
    asked = stranger.get(SECOND_STEP).context["asked"]
    wrong = stranger.post(SECOND_STEP, {"credential": another.sign(asked)})
    assert "was not accepted" in wrong.content.decode()
    assert not enters(stranger)
    asked = wrong.context["asked"]
    assert stranger.post(SECOND_STEP, {"credential": key.sign(asked)}).status_code == 302
    assert enters(stranger)


@pytest.mark.parametrize(
    "made",
    [SoftwareKey(verifies_user=False), SoftwareKey(is_kept=False), SoftwareKey(origin="http://x")],
    ids=["without PIN", "not kept on the device", "of another site"],
)
def test_what_is_no_passkey_is_not_added(signed_in: Client, made: SoftwareKey) -> None:
    assert add_key(signed_in, made).status_code == 422
    assert not Authenticator.objects.exists()


def test_a_browser_need_not_say_that_the_key_is_kept(signed_in: Client) -> None:
    key = SoftwareKey(is_kept=None)
    assert add_key(signed_in, key).status_code == 200
    stranger = browser()
    sign_in_by(stranger, key)
    assert enters(stranger)


@pytest.mark.parametrize("door", ["of passkeys", "of the second step"])
def test_a_stolen_passkey_without_its_pin_opens_nothing(signed_in: Client, door: str) -> None:
    """Also where the challenge is one of the second step, at which a key need not verify."""
    key = SoftwareKey()
    add_key(signed_in, key)
    key.verifies_user = False
    thief = browser()
    if door == "of passkeys":
        answer: Any = sign_in_by(thief, key)
    else:
        thief.post("/accounts/sign-in/", PASSWORD)
        asked = thief.get(SECOND_STEP).context["asked"]
        answer = thief.post(PASSKEY_SIGN_IN, {"credential": key.sign(asked)})
    assert answer.status_code == 200
    assert not enters(thief)


def test_a_signature_of_before_opens_nothing(signed_in: Client) -> None:
    key = SoftwareKey()
    add_key(signed_in, key)
    stranger = browser()
    kept = key.sign(stranger.post(PASSKEY_SIGN_IN).json())
    stranger.post(PASSKEY_SIGN_IN, {"credential": kept})
    assert enters(stranger)
    for listener in (browser(), stranger):
        listener.post("/accounts/sign-out/")
        listener.post(PASSKEY_SIGN_IN, {"credential": kept})
        assert not enters(listener)


def test_a_deactivated_user_is_refused(signed_in: Client, nurse: User) -> None:
    key = SoftwareKey()
    add_key(signed_in, key)
    User.objects.filter(pk=nurse.pk).update(is_active=False)
    stranger = browser()
    assert "was not accepted" in sign_in_by(stranger, key).content.decode()
    assert not enters(stranger)


def test_a_passkey_lets_in_where_a_password_has_to_wait(signed_in: Client) -> None:
    key = SoftwareKey()
    add_key(signed_in, key)
    stranger = browser()
    for _ in range(6):
        stranger.post("/accounts/sign-in/", PASSWORD | {"password": "wrong"})
    assert b"Too many" in stranger.post("/accounts/sign-in/", PASSWORD).content
    sign_in_by(stranger, key)
    assert enters(stranger)


def test_failed_passkeys_hold_passwords_of_their_address_and_no_passkey(
    signed_in: Client, time_machine: TimeMachineFixture
) -> None:
    """One that nobody has made, and a user who never signed in on the tablet, count alike."""
    key = SoftwareKey()
    add_key(signed_in, key)
    time_machine.move_to(timezone.now(), tick=False)
    stranger, tablet = browser(), browser()
    tablet.defaults["REMOTE_ADDR"] = "10.4.7.31"
    for door, sent in (
        (PASSKEY_SIGN_IN, {"credential": "{}"}),
        ("/accounts/switch/", {"credential": "{}"}),
        ("/accounts/switch/", {"who": "1000000", "pin": "4071"}),
    ):
        for _ in range(17):
            stranger.post(door, sent)
    assert b"Too many" in stranger.post("/accounts/sign-in/", PASSWORD).content
    sign_in_by(stranger, key)
    assert enters(stranger)
    tablet.post("/accounts/sign-in/", PASSWORD)
    assert tablet.get(SECOND_STEP).status_code == 200

    time_machine.shift(timedelta(seconds=31))
    again = browser()
    assert again.post("/accounts/sign-in/", PASSWORD)["Location"] == SECOND_STEP


def test_failed_keys_after_the_password_hold_codes_and_no_key(signed_in: Client) -> None:
    key = SoftwareKey()
    add_key(signed_in, key)
    stranger = browser()
    stranger.post("/accounts/sign-in/", PASSWORD)
    for _ in range(5):
        stranger.post(SECOND_STEP, {"credential": "{}"})
    assert b"Too many" in stranger.post(SECOND_STEP, {"code": "000000"}).content
    asked = stranger.get(SECOND_STEP).context["asked"]
    stranger.post(SECOND_STEP, {"credential": key.sign(asked)})
    assert enters(stranger)


NUL_KEY = {"id": "a\0b", "rawId": "a", "type": "public-key"}
NO_ANSWERS: list[Any] = [
    "", "{", "[]", "5", "null", '"x"', "{}", "[" * 9000, json.dumps({"response": 5}),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}),
    json.dumps(NUL_KEY | {"response": {"clientDataJSON": "A\0", "attestationObject": "AA"}}),
    json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": {
        "clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA",
        "userHandle": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
    }}),
]  # fmt: skip


@pytest.mark.parametrize("sent", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_what_no_browser_sends_is_refused_in_words(signed_in: Client, sent: str) -> None:
    stranger = browser()
    stranger.post(PASSKEY_SIGN_IN)
    answer = stranger.post(PASSKEY_SIGN_IN, {"credential": sent})
    assert answer.status_code == 200
    assert "was not accepted" in answer.content.decode()
    signed_in.post(NEW_KEY, {"ask": "passkey"})
    assert signed_in.post(NEW_KEY, {"name": "x", "credential": sent}).status_code == 422
    assert not Authenticator.objects.exists()


def test_nothing_but_the_key_is_stored_of_what_a_browser_sends(signed_in: Client) -> None:
    key = SoftwareKey()
    made = json.loads(key.make(signed_in.post(NEW_KEY, {"ask": "second"}).json()))
    made["clientExtensionResults"]["more"] = made["opens_alone"] = "\0"
    signed_in.post(NEW_KEY, {"name": "x", "credential": json.dumps(made)})
    stored = Authenticator.objects.get(type="webauthn")
    assert set(stored.data["credential"]) == {
        "id", "rawId", "type", "response", "clientExtensionResults",
    }  # fmt: skip
    assert stored.data["opens_alone"] is False


def test_a_key_has_a_plain_name(signed_in: Client) -> None:
    for name in ("", "x" * 41, "a\nb"):
        options = signed_in.post(NEW_KEY, {"ask": "passkey"}).json()
        sent = {"name": name, "credential": SoftwareKey().make(options)}
        assert signed_in.post(NEW_KEY, sent).status_code == 422


def test_a_key_is_added_once_and_twenty_of_a_user_at_most(signed_in: Client, nurse: User) -> None:
    """A key that stood there twice would sign in after its removal."""
    key = SoftwareKey()
    assert add_key(signed_in, key).status_code == 200
    again = add_key(signed_in, key, kind="second", name="again")
    assert "This key was added before." in again.content.decode()
    stored = Authenticator.objects.get(type="webauthn")
    Authenticator.objects.bulk_create(
        Authenticator(user=nurse, type=stored.type, data={**stored.data, "name": f"key {number}"})
        for number in range(19)
    )
    assert "You have 20 keys." in add_key(signed_in, SoftwareKey()).content.decode()
    assert Authenticator.objects.filter(type="webauthn").count() == 20


def test_a_user_renames_an_own_key_which_signs_in_as_before(
    signed_in: Client, intensivist: User
) -> None:
    key, other = SoftwareKey(), SoftwareKey()
    add_key(signed_in, key)
    stored = Authenticator.objects.get(type="webauthn")
    address = f"/accounts/me/keys/{stored.pk}/name/"
    assert f'href="{address}"' in signed_in.get("/accounts/me/").content.decode()
    assert signed_in.post(address, {"name": "My telephone"})["Location"] == "/accounts/me/"
    page = signed_in.get("/accounts/me/").content.decode()
    assert "“My telephone”" in page
    assert "key renamed, by you" in page
    for name in ("", "x" * 41, "a\nb"):
        assert signed_in.post(address, {"name": name}).status_code == 422
    options = signed_in.post(NEW_KEY, {"ask": "passkey"}).json()
    signed_in.post(NEW_KEY, {"name": "Key of the ward", "credential": other.make(options)})
    taken = signed_in.post(address, {"name": "Key of the ward"})
    assert "Another of your keys has this name." in taken.content.decode()
    stranger = browser()
    sign_in_by(stranger, key)
    assert enters(stranger)
    stranger.force_login(intensivist)
    assert stranger.post(address, {"name": "Mine"}).status_code == 404
    stored.refresh_from_db()
    assert stored.data["name"] == "My telephone"


def test_renaming_a_key_asks_for_the_own_password_after_a_quarter_of_an_hour(
    signed_in: Client, time_machine: TimeMachineFixture
) -> None:
    add_key(signed_in, SoftwareKey())
    stored = Authenticator.objects.get(type="webauthn")
    start = timezone.now()
    for minutes in (8, 16):
        time_machine.move_to(start + timedelta(minutes=minutes))
        signed_in.post("/accounts/active/")
    address = f"/accounts/me/keys/{stored.pk}/name/"
    assert signed_in.post(address, {"name": "Another"}).status_code == 422
    stored.refresh_from_db()
    assert stored.data["name"] != "Another"


def test_a_removed_passkey_opens_nothing_and_the_password_is_enough_again(
    signed_in: Client, nurse: User
) -> None:
    key = SoftwareKey()
    add_key(signed_in, key)
    stored = Authenticator.objects.get(type="webauthn")
    assert signed_in.post(f"/accounts/me/keys/{stored.pk}/remove/").status_code == 302
    assert not Authenticator.objects.exists()
    page = signed_in.get("/accounts/me/").content.decode()
    assert "passkey added, by you" in page
    assert "key removed, by you" in page
    stranger = browser()
    sign_in_by(stranger, key)
    assert not enters(stranger)
    stranger.post("/accounts/sign-in/", PASSWORD)
    assert enters(stranger)
    changes = Event.objects.filter(kind=EventKind.SIGN_IN_METHODS_CHANGED).order_by("number")
    assert [event.details["change"] for event in changes] == ["passkey added", "key removed"]


def test_the_challenge_of_a_stranger_is_kept_for_ten_minutes(db: None) -> None:
    browser().post(PASSKEY_SIGN_IN)
    (session,) = Session.objects.all()
    assert session.expire_date < timezone.now() + timedelta(minutes=11)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    browser().post(PASSKEY_SIGN_IN)
    assert not Session.objects.filter(pk=session.pk).exists(), "the next one clears it away"


def test_a_key_belongs_to_the_name_of_the_site(signed_in: Client) -> None:
    asked = signed_in.post(NEW_KEY, {"ask": "passkey"}).json()["publicKey"]
    assert asked["rp"] == {"id": "localhost", "name": settings.SITE_NAME}
    assert asked["user"]["name"] == "nurse"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    challenge = browser().post(PASSKEY_SIGN_IN).json()["publicKey"]
    assert (challenge["rpId"], challenge["userVerification"]) == ("localhost", "required")
    assert not challenge.get("allowCredentials")
