"""Systems with keys, assertions and tokens, as another system makes them."""

from __future__ import annotations

import json
import time
import uuid
from functools import cache
from typing import Any

from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from crs_app.accounts.models import User
from patients.exchange.access.keys import add_keys, grant, read_key_set
from patients.exchange.access.scopes import SUPPORTED
from patients.exchange.register import register_system
from patients.models import ExternalSystem, SystemKind

TOKEN_URL = "http://testserver/oauth/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
WRITE = "system/Observation.c"


@cache
def ec_key(kid: str) -> ECKey:
    """A key pair of this name on P-384; made once."""
    return ECKey.generate_key("P-384", {"kid": kid})


@cache
def rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid})


def make_system(
    name: str, administrator: User, *, scopes: tuple[str, ...] = SUPPORTED
) -> ExternalSystem:
    """A system of this name with one EC key of the same name; ``scopes`` are granted."""
    now = timezone.now()
    system = register_system(name, SystemKind.EHR, by=administrator, mrn_system="urn:hospital:mrn")
    add_keys(system, public(ec_key(name)), administrator, now)
    grant(system, scopes, administrator, now)
    return system


def public(*keys: Any) -> Any:
    """The public halves, read as an administrator pastes them."""
    return read_key_set(jwks(*keys))


def jwks(*keys: Any) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def assertion(name: str, **changes: Any) -> str:
    """An assertion of the system; ``key``, ``header`` and claims as a test wants them."""
    key = changes.pop("key", None) or ec_key(name)
    algorithm = "RS384" if isinstance(key, RSAKey) else "ES384"
    header = {"alg": algorithm, "kid": key.kid, "typ": "JWT"} | changes.pop("header", {})
    header = {name: value for name, value in header.items() if value != ""}
    now = int(time.time())
    claims = {
        "iss": name, "sub": name, "aud": TOKEN_URL, "exp": now + 240, "jti": str(uuid.uuid4()),
    } | changes  # fmt: skip
    claims = {claim: value for claim, value in claims.items() if value is not None}
    return jwt.encode(header, claims, key, [header["alg"]])


def ask_token(client: Client, signed: str, **changes: Any) -> Any:
    """The answer of the token endpoint."""
    sent = {
        "grant_type": "client_credentials",
        "scope": WRITE,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
    } | changes
    return client.post("/oauth/token", {name: value for name, value in sent.items() if value})


def token(name: str, scope: str = " ".join(SUPPORTED)) -> str:
    answer = ask_token(Client(), assertion(name), scope=scope)
    assert answer.status_code == 200, answer.content
    text: str = answer.json()["access_token"]
    return text


def bearer(text: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {text}"}}
