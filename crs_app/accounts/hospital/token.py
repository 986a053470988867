"""The identity token of the provider: who signed in, and every check of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from django.utils.crypto import constant_time_compare

from crs_app.accounts.hospital.refusals import RefusedError, Why

CLOCKS_DIFFER_AT_MOST_S: Final = 60
_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Signatures by a key pair: a secret that both sides know would let others make tokens."""
_NEEDED: Final = ("iss", "sub", "aud", "exp", "iat", "nonce")
_LONGEST_SUBJECT: Final = 255
_WHY: Final[tuple[tuple[type[Exception], Why], ...]] = (
    (jwt.InvalidSignatureError, Why.SIGNATURE),
    (jwt.ExpiredSignatureError, Why.EXPIRED),
    (jwt.InvalidIssuerError, Why.ISSUER),
    (jwt.InvalidAudienceError, Why.AUDIENCE),
)


@dataclass(frozen=True)
class Expected:
    """What a token must have; ``asked_at`` where its person must have signed in since."""

    issuer: str
    client_id: str
    nonce: str
    asked_at: float | None


def claims_of(token: object, keys: object, expected: Expected) -> Mapping[str, Any]:
    """Return the claims of a token that one of ``keys`` signed, for this site and this sign-in.

    :raises RefusedError: for any other token.
    """
    try:
        claims = _decoded(token, keys, expected)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, AttributeError) as fault:
        why = next((why for kind, why in _WHY if isinstance(fault, kind)), Why.TOKEN)
        raise RefusedError(why) from None
    # As ASCII, for half a character (JSON can write one) has no bytes to compare.
    if not constant_time_compare(ascii(claims["nonce"]), ascii(expected.nonce)):
        raise RefusedError(Why.NONCE)
    _check_party(claims, expected)
    _check_subject(claims)
    _check_asked(claims, expected)
    return claims


def _decoded(token: object, keys: object, expected: Expected) -> dict[str, Any]:
    if not isinstance(token, str):
        raise TypeError
    header = jwt.get_unverified_header(token)
    decoded: dict[str, Any] = jwt.decode(
        token,
        key=_key(header, keys),
        algorithms=_ALGORITHMS,
        audience=expected.client_id,
        issuer=expected.issuer,
        leeway=CLOCKS_DIFFER_AT_MOST_S,
        options={"require": list(_NEEDED)},
    )
    return decoded


def _key(header: Mapping[str, Any], keys: object) -> jwt.PyJWK:
    """Return the key that the token names; the only one where it names none."""
    algorithm = header["alg"]
    if algorithm not in _ALGORITHMS or not isinstance(keys, dict):
        raise RefusedError(Why.SIGNATURE)
    fitting = [
        key
        for key in keys["keys"]
        if key.get("kty") != "oct"
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and ("kid" not in header or key.get("kid") == header["kid"])
    ]
    if len(fitting) != 1:
        raise RefusedError(Why.SIGNATURE)
    return jwt.PyJWK(fitting[0], algorithm)


def _check_party(claims: Mapping[str, Any], expected: Expected) -> None:
    """Refuse a token that was issued to another application, or to several without saying which."""
    party = claims.get("azp")
    is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if party != expected.client_id and (party is not None or is_for_several):
        raise RefusedError(Why.AUDIENCE)


def _check_subject(claims: Mapping[str, Any]) -> None:
    subject = claims["sub"]  # a text: without one the token is refused before
    if not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise RefusedError(Why.TOKEN)


def _check_asked(claims: Mapping[str, Any], expected: Expected) -> None:
    """Refuse a person who signed in there before: at a shared tablet it may be somebody else."""
    if expected.asked_at is None:
        return
    at = claims.get("auth_time")
    # Compared so that a time which is no number (NaN is written in JSON) is refused as well.
    earliest = expected.asked_at - CLOCKS_DIFFER_AT_MOST_S
    if not isinstance(at, int | float) or not at >= earliest:
        raise RefusedError(Why.NOT_ASKED)
