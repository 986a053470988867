"""The token endpoint: who gets a token, and every try that gets none."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from authlib.oauth2.rfc7523.assertion import private_key_jwt_sign
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from joserfc.jwk import ECKey, RSAKey

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from patients.exchange.access import limits
from patients.exchange.access.keys import add_keys, end_key, grant, read_key_set
from patients.models import AccessToken, ExternalSystem, SystemKey, UsedAssertion
from tests.patients.exchange.signed import (
    TOKEN_URL,
    WRITE,
    ask_token,
    assertion,
    ec_key,
    make_system,
    public,
    rsa_key,
)

NAME = "ehr-1"


@pytest.fixture
def system(administrator: User) -> ExternalSystem:
    return make_system(NAME, administrator)


def refused_why() -> str:
    event = Event.objects.filter(kind=EventKind.TOKEN_REFUSED).latest("number")
    return event.details["why"]


def test_a_signed_assertion_gets_a_short_token_of_which_a_digest_is_kept(
    system: ExternalSystem, client: Client
) -> None:
    answer = ask_token(client, assertion(NAME))
    body = answer.json()
    assert answer.status_code == 200
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, WRITE)
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies
    kept = AccessToken.objects.get()
    assert body["access_token"] not in (kept.digest, str(kept.__dict__))
    assert kept.expires_at - kept.issued_at == timedelta(minutes=5)
    event = Event.objects.get(kind=EventKind.TOKEN_ISSUED)
    assert event.by == system.user
    assert event.details == {"system": NAME, "key": NAME, "may": WRITE}


def test_an_rsa_key_and_several_keys_work_beside_each_other(
    system: ExternalSystem, administrator: User, client: Client
) -> None:
    keys = [rsa_key("rsa"), ec_key("next")]
    add_keys(system, public(*keys), administrator, timezone.now())
    for key in (*keys, ec_key(NAME)):
        assert ask_token(client, assertion(NAME, key=key)).status_code == 200


def test_what_a_client_of_authlib_signs_is_accepted(system: ExternalSystem, client: Client) -> None:
    key = ec_key(NAME).as_dict(private=True)
    signed = private_key_jwt_sign(
        key, NAME, TOKEN_URL, alg="ES384", header={"kid": NAME}, expires_in=200
    )
    assert ask_token(client, signed).status_code == 200


def in_s(seconds: float) -> int:
    return int(time.time() + seconds)


def unsigned() -> str:
    payload = assertion(NAME).split(".")[1]
    head = _base64(b'{"alg":"none","kid":"ehr-1"}')
    return f"{head}.{payload}."


def signed_with_public_key() -> str:
    """HS256, whose secret is the public key that everybody has (the classical confusion)."""
    _, payload, _ = assertion(NAME).split(".")
    head = _base64(json.dumps({"alg": "HS256", "kid": "rsa"}).encode())
    secret = rsa_key("rsa").as_pem(private=False)
    made = hmac.digest(secret, f"{head}.{payload}".encode(), "sha256")
    return f"{head}.{payload}.{_base64(made)}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(header: dict[str, Any]) -> str:
    _, payload, signature = assertion(NAME).split(".")
    text = json.dumps({"alg": "ES384", "kid": NAME} | header).encode()
    return f"{_base64(text)}.{payload}.{signature}"


def changed_payload() -> str:
    header, _, signature = assertion(NAME).split(".")
    other = assertion(NAME).split(".")[1]
    return f"{header}.{other}.{signature}"


ATTACKS: dict[str, tuple[Callable[[], str], str]] = {
    "no signature": (unsigned, "algorithm"),
    "public key as a secret": (signed_with_public_key, "algorithm"),
    "RS256": (lambda: assertion(NAME, key=rsa_key("rsa"), header={"alg": "RS256"}), "algorithm"),
    "ES256": (
        lambda: assertion(
            NAME, key=ECKey.generate_key("P-256", {"kid": NAME}), header={"alg": "ES256"}
        ),
        "algorithm",
    ),
    "kid of another key of the system": (
        lambda: assertion(NAME, key=rsa_key("rsa"), header={"kid": NAME}), "algorithm"
    ),
    "kid of the key of another system": (
        lambda: assertion(NAME, key=ec_key("lab-1")), "unknown key"
    ),
    "own key under the kid of the system": (
        lambda: assertion(NAME, key=ECKey.generate_key("P-384", {"kid": NAME})), "signature"
    ),
    "kid that is no text": (lambda: with_header({"kid": {"a": 1}}), "unknown key"),
    "kid with a path": (lambda: with_header({"kid": "../../dev/null"}), "unknown key"),
    "no kid": (lambda: with_header({"kid": None}), "unknown key"),
    "key of its own in the header": (
        lambda: assertion(
            NAME,
            key=ec_key("own"),
            header={"kid": NAME, "jwk": ec_key("own").as_dict(private=False)},
        ),
        "signature",
    ),
    "address of a key set": (
        lambda: assertion(NAME, header={"jku": "https://elsewhere.example/keys"}), "unknown key"
    ),
    "critical header": (lambda: with_header({"crit": ["x"], "x": 1}), "form"),
    "claims of another assertion": (changed_payload, "signature"),
    "expired": (lambda: assertion(NAME, exp=in_s(-1)), "expired"),
    "valid for six minutes": (lambda: assertion(NAME, exp=in_s(360)), "valid for too long"),
    "no exp": (lambda: assertion(NAME, exp=None), "time"),
    "exp as text": (lambda: assertion(NAME, exp=str(in_s(60))), "time"),
    "exp that is true": (lambda: assertion(NAME, exp=True), "time"),
    "iat in the future": (lambda: assertion(NAME, iat=in_s(60)), "time"),
    "iat an hour ago": (lambda: assertion(NAME, iat=in_s(-3600)), "time"),
    "not yet valid": (lambda: assertion(NAME, nbf=in_s(60)), "time"),
    "another audience": (lambda: assertion(NAME, aud="http://testserver/fhir"), "audience"),
    "audience with a slash": (
        lambda: assertion(NAME, aud="http://testserver/oauth/token/"), "audience"
    ),
    "two audiences": (
        lambda: assertion(NAME, aud=["http://testserver/oauth/token", "https://x.example"]),
        "audience",
    ),
    "no jti": (lambda: assertion(NAME, jti=None), "form"),
    "jti that is a number": (lambda: assertion(NAME, jti=7), "form"),
    "issuer differs": (lambda: assertion(NAME, iss="lab-1"), "issuer"),
    "subject is another system": (lambda: assertion(NAME, sub="lab-1"), "unknown key"),
    "unknown system": (lambda: assertion(NAME, sub="no-such", iss="no-such"), "unknown key"),
    "system with a zero byte": (lambda: assertion(NAME, sub="a\0b"), "unknown key"),
    "no token": (lambda: "no token", "form"),
    "letters of another alphabet": (lambda: "é.é.é", "form"),
    "too long": (lambda: assertion(NAME, more="x" * 9000), "form"),
    "nested too deep": (
        lambda: f"{base64.urlsafe_b64encode(b'[' * 4000).decode()}.e30.e30", "form"
    ),
}  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_nobody_else_gets_a_token(
    attack: str, system: ExternalSystem, administrator: User, client: Client
) -> None:
    add_keys(system, public(rsa_key("rsa")), administrator, timezone.now())
    make_system("lab-1", administrator)
    make, why = ATTACKS[attack]
    answer = ask_token(client, make())
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert refused_why() == why
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": None}, "invalid_scope"),
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"scope": "system/Observation.u"}, "invalid_scope"),
        ({"scope": "system/Observation.sr"}, "invalid_scope"),
        ({"scope": "user/Observation.c"}, "invalid_scope"),
        ({"scope": "system/Patient.rs system/Condition.rs"}, "invalid_scope"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": None}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_client"),
        ({"client_assertion": None}, "invalid_client"),
        ({"client_id": "lab-1"}, "invalid_client"),
    ],
)
def test_a_request_of_another_form_is_refused(
    changes: dict[str, Any], error: str, system: ExternalSystem, client: Client
) -> None:
    answer = ask_token(client, assertion(NAME), **changes)
    assert (answer.json()["error"], answer.status_code in (400, 401)) == (error, True)
    assert not AccessToken.objects.exists()


def test_a_system_gets_no_more_than_it_is_granted(
    system: ExternalSystem, administrator: User, client: Client
) -> None:
    grant(system, ["system/Patient.rs"], administrator, timezone.now())
    assert ask_token(client, assertion(NAME)).json()["error"] == "invalid_scope"
    assert ask_token(client, assertion(NAME), scope="system/Patient.r").status_code == 200


@pytest.mark.parametrize("body", [
    "grant_type=client_credentials&grant_type=client_credentials",
    "&".join(f"f{number}=1" for number in range(600)),
])  # fmt: skip
def test_a_body_that_is_repeated_or_has_too_many_fields_is_refused_in_json(
    body: str, client: Client, db: None
) -> None:
    answer = client.post("/oauth/token", body, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_fields_in_the_address_count_for_nothing(system: ExternalSystem, client: Client) -> None:
    answer = client.post(f"/oauth/token?grant_type=client_credentials&scope={WRITE}")
    assert answer.json()["error"] == "unsupported_grant_type"


def test_another_method_is_refused_in_json(client: Client, db: None) -> None:
    answer = client.get("/oauth/token")
    assert (answer.status_code, answer["Allow"], answer.json()["error"]) == (
        405, "POST", "invalid_request",
    )  # fmt: skip


def test_a_key_that_has_ended_and_a_system_that_is_switched_off_get_nothing(
    system: ExternalSystem, administrator: User, client: Client
) -> None:
    add_keys(system, public(ec_key("next")), administrator, timezone.now())
    end_key(SystemKey.objects.get(kid=NAME), administrator, timezone.now())
    assert ask_token(client, assertion(NAME)).status_code == 401
    assert ask_token(client, assertion(NAME, key=ec_key("next"))).status_code == 200
    ExternalSystem.objects.update(is_active=False)
    assert ask_token(client, assertion(NAME, key=ec_key("next"))).status_code == 401


def test_a_refusal_does_not_say_whether_a_system_exists(
    system: ExternalSystem, client: Client
) -> None:
    known = ask_token(client, assertion(NAME, key=ec_key("own")))
    unknown = ask_token(client, assertion("no-such", key=ec_key("own")))
    assert known.content == unknown.content


def test_too_many_tokens_wait_for_the_next_minute(
    system: ExternalSystem, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patients.exchange.access.token_server.TOKENS_OF_A_SYSTEM", 2)
    answers = [ask_token(client, assertion(NAME)) for _ in range(3)]
    assert [answer.status_code for answer in answers] in ([200, 200, 429], [200, 200, 200])
    if answers[-1].status_code == 429:
        assert 1 <= int(answers[-1]["Retry-After"]) <= 60


def test_an_address_that_tries_too_often_waits(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("patients.exchange.access.token_views.TOKENS_OF_AN_ADDRESS", 0)
    answer = ask_token(client, "x")
    assert (answer.status_code, answer.json()["error"]) == (429, "temporarily_unavailable")
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert not Event.objects.filter(kind=EventKind.TOKEN_REFUSED).exists()


def test_requests_are_counted_by_the_minute(db: None) -> None:
    now = timezone.now()
    for _ in range(3):
        limits.count("a", 3, now)
    with pytest.raises(limits.TooManyError) as over:
        limits.count("a", 3, now)
    assert over.value.is_first
    limits.count("b", 3, now)
    limits.count("a", 3, now + timedelta(minutes=1))


def test_what_the_endpoint_offers_is_told(client: Client, db: None) -> None:
    told = client.get("/fhir/.well-known/smart-configuration").json()
    assert told["token_endpoint"] == "http://testserver/oauth/token"
    assert told["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert told["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    assert WRITE in told["scopes_supported"]


@pytest.mark.django_db(transaction=True)
def test_of_one_assertion_sent_many_times_at_once_one_gets_a_token(administrator: User) -> None:
    make_system(NAME, administrator)
    sent, many = assertion(NAME), 8
    ready = threading.Barrier(many)

    def send() -> int:
        try:
            ready.wait(timeout=10)
            status: int = ask_token(Client(), sent).status_code
            return status
        finally:
            connection.close()

    with ThreadPoolExecutor(many) as pool:
        answers = [one.result(timeout=30) for one in [pool.submit(send) for _ in range(many)]]
    assert sorted(answers) == [200, *(401,) * (many - 1)]
    assert AccessToken.objects.count() == UsedAssertion.objects.count() == 1
    assert refused_why() == "used before"


def test_without_a_database_the_answer_is_json_too(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr("patients.exchange.access.token_views.count", fails)
    answer = ask_token(client, "x")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer.json()["error"] == "temporarily_unavailable"


def test_a_wrong_signature_uses_up_no_jti(system: ExternalSystem, client: Client) -> None:
    wrong = assertion(NAME, jti="one", key=ECKey.generate_key("P-384", {"kid": NAME}))
    assert ask_token(client, wrong).status_code == 401
    assert ask_token(client, assertion(NAME, jti="one")).status_code == 200
    assert ask_token(client, assertion(NAME, jti="one")).status_code == 401


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_short_and_private_keys_are_not_registered() -> None:
    short = RSAKey.generate_key(1024, {"kid": "short"})
    for text in (
        json.dumps({"keys": [short.as_dict(private=False)]}),
        json.dumps(ec_key("a").as_dict(private=True)),
        json.dumps(ECKey.generate_key("P-256", {"kid": "p"}).as_dict(private=False)),
        json.dumps({"keys": [ec_key("a").as_dict(private=False) | {"use": "enc"}]}),
        json.dumps({"kty": "oct", "k": "AAAA", "kid": "secret"}),
        json.dumps({"keys": []}), "[]", "no", "[" * 5000,
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            read_key_set(text)
