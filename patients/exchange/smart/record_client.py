"""What this application asks of a health record: its configuration, a token, keys, one Patient.

Every answer is bounded in time and size, and no redirect is followed. Of what comes back, the
identity token is believed by its signature, the Patient by its id and record number.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import requests
from joserfc import jwt

from crs_app.accounts.hospital.provider import ProviderSession
from crs_app.accounts.hospital.token import Expected, claims_of
from crs_app.hospital_sign_in import origin_of
from patients.exchange.access.refusals import FHIR_JSON
from patients.exchange.formats.fhir_modifiers import modifier_of, out_of_use
from patients.exchange.smart.addresses import is_private_address
from patients.exchange.smart.issuers import Endpoints, key_of, secret_of
from patients.exchange.smart.refusals import LaunchRefusedError, Reason
from patients.models import LaunchIssuer

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIVES_S: Final = 240
_LONGEST_ID: Final = 64


@dataclass(frozen=True)
class Launched:
    """What a health record says of a launch: who signed in there, and the Patient that is open."""

    identities: tuple[str, ...]
    patient: Mapping[str, Any]


def read_configuration(iss: str) -> Endpoints:
    """Read where a health record signs people in.

    Raises LaunchRefusedError where it does not answer, or does not offer what is needed.
    """
    found = _asked("GET", f"{iss.rstrip('/')}/.well-known/smart-configuration")
    names = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    if any(not is_private_address(found.get(name)) for name in names):
        raise LaunchRefusedError(Reason.CONFIGURATION)
    methods = found.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise LaunchRefusedError(Reason.CONFIGURATION)
    return Endpoints(*(found[name] for name in names))


def launched(issuer: LaunchIssuer, code: str, *, verifier: str, nonce: str, back: str) -> Launched:
    """Exchange a code, verify who signed in, and read the Patient of the launch.

    Raises LaunchRefusedError where the health record does not answer.
    Raises crs_app.accounts.hospital.refusals.RefusedError for an identity token that is not
        valid here.
    """
    answer = _token(issuer, code, verifier, back)
    keys = _asked("GET", issuer.jwks_uri)
    expected = Expected(issuer.openid_issuer, issuer.client_id, nonce, None)
    claims = claims_of(answer.get("id_token"), keys, expected)
    named = (claims.get("fhirUser"), claims["sub"])
    identities = tuple(name for name in named if isinstance(name, str) and name)
    return Launched(identities, _patient(issuer, answer))


def _token(issuer: LaunchIssuer, code: str, verifier: str, back: str) -> dict[str, Any]:
    sent = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    if issuer.private_key:
        proof = {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": _assertion(issuer)}
        return _asked("POST", issuer.token_endpoint, data=sent | proof)
    # RFC 6749, section 2.3.1: both parts are encoded as a form is.
    basic = (quote(issuer.client_id, safe=""), quote(secret_of(issuer), safe=""))
    return _asked("POST", issuer.token_endpoint, data=sent, auth=basic)


def _assertion(issuer: LaunchIssuer) -> str:
    key, now = key_of(issuer), int(time.time())
    claims = {
        "iss": issuer.client_id,
        "sub": issuer.client_id,
        "aud": issuer.token_endpoint,
        "iat": now,
        "exp": now + _ASSERTION_LIVES_S,
        "jti": str(uuid.uuid4()),
    }
    return jwt.encode({"alg": "ES384", "kid": key.kid}, claims, key, ["ES384"])


def _patient(issuer: LaunchIssuer, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Read the Patient that the token is for; a launch without one opens nothing."""
    patient_id, token = answer.get("patient"), answer.get("access_token")
    if not isinstance(patient_id, str) or not _is_id(patient_id) or not isinstance(token, str):
        raise LaunchRefusedError(Reason.NO_PATIENT)
    if str(answer.get("token_type", "")).lower() != "bearer" or not token.isascii():
        raise LaunchRefusedError(Reason.NO_ANSWER)
    address = f"{issuer.iss.rstrip('/')}/Patient/{patient_id}"
    headers = {"Authorization": f"Bearer {token}", "Accept": FHIR_JSON}
    found = _asked("GET", address, headers=headers)
    if found.get("resourceType") != "Patient" or found.get("id") != patient_id:
        raise LaunchRefusedError(Reason.NO_PATIENT)
    if modifier_of(found):
        raise LaunchRefusedError(Reason.MODIFIED)
    if why := out_of_use(found):
        raise LaunchRefusedError(Reason.OUT_OF_USE, doubt=why)
    return found


def _is_id(text: str) -> bool:
    """Return whether this is an id of FHIR R4: letters, digits, hyphens and dots."""
    return (
        0 < len(text) <= _LONGEST_ID
        and all(letter.isascii() and (letter.isalnum() or letter in "-.") for letter in text)
        and text not in (".", "..")
    )


def _asked(method: str, address: str, **options: Any) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    try:
        with ProviderSession(origin_of(address)) as session:
            response = session.request(method, address, **options)
        found = json.loads(response.content)
    except (requests.RequestException, ValueError, RecursionError):
        raise LaunchRefusedError(Reason.NO_ANSWER) from None
    if response.status_code != HTTPStatus.OK or not isinstance(found, dict):
        raise LaunchRefusedError(Reason.NO_ANSWER)
    return found
