"""Verify a JSON Web Token by which another system says who it is.

One verifier for the token endpoint (RFC 7523, SMART Backend Services) and for CDS Hooks. Only the
two signatures that SMART App Launch 2.2 names are accepted, each with the kind of key that it is
made by: a token cannot choose its own algorithm, and no secret is shared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, RSAKey

ALGORITHMS: Final = ("RS384", "ES384")
LIVES_AT_MOST: Final = timedelta(minutes=5)
"""From now to ``exp``, and from ``iat`` to now: SMART App Launch 2.2, Backend Services."""
CLOCKS_DIFFER_AT_MOST: Final = timedelta(seconds=10)
LONGEST_ASSERTION: Final = 8 * 1024
_LONGEST_NAME: Final = 255

Key = RSAKey | ECKey


class Fault(StrEnum):
    """Why a token is not accepted; the record keeps this word."""

    FORM = "form"
    ALGORITHM = "algorithm"
    KEY = "unknown key"
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    TOO_LONG = "valid for too long"
    TIME = "time"
    REPEATED = "used before"


class AssertionRefusedError(Exception):
    """The token is not accepted; ``is_signed`` where its signature was found right before."""

    def __init__(self, why: Fault, *, is_signed: bool = False) -> None:
        super().__init__(why.value)
        self.why = why
        self.is_signed = is_signed


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says of its own key; it counts for nothing before the signature is verified."""

    algorithm: str
    kid: str
    jku: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must have: who signed it, for which address, and when it is looked at."""

    issuer: str
    audience: str
    now: datetime
    has_subject: bool
    needs_issued_at: bool


@dataclass(frozen=True, slots=True)
class Assertion:
    """A token that was accepted: its name, which counts once, and until when it is valid."""

    jti: str
    expires_at: datetime


def header_of(text: str) -> Header:
    """Read the header, to find the key by it.

    Raises AssertionRefusedError where it is no token, or names no key or another algorithm.
    """
    header = _parsed(text, lambda: jws.extract_compact(text.encode("ascii")).headers())
    algorithm, kid, jku = header.get("alg"), header.get("kid"), header.get("jku", "")
    if algorithm not in ALGORITHMS:
        raise AssertionRefusedError(Fault.ALGORITHM)
    if "crit" in header or header.get("b64", True) is not True:
        raise AssertionRefusedError(Fault.FORM)
    if not _is_name(kid) or not isinstance(jku, str):
        raise AssertionRefusedError(Fault.KEY)
    return Header(algorithm, kid, jku)


def claimed(text: str, name: str) -> str:
    """Return a claim that is not verified yet, to find the keys of its issuer; "" without it.

    Raises AssertionRefusedError where it is no token.
    """
    payload = _parsed(text, lambda: jws.extract_compact(text.encode("ascii")).payload)
    claims = _parsed(text, lambda: _object(payload))
    value = claims.get(name)
    return value if _is_name(value) else ""


def verify(text: str, jwk: Mapping[str, Any], expected: Expected) -> Assertion:
    """Return the accepted token, signed by the private half of ``jwk``.

    The caller must have found ``jwk`` by the header, and takes ``jti`` once.

    Raises AssertionRefusedError for any other token.
    """
    header = header_of(text)
    key = key_from(jwk)
    if algorithm_of(key) != header.algorithm:
        raise AssertionRefusedError(Fault.ALGORITHM)
    # Headers that nobody needs here do not matter; those that must be understood were refused.
    registry = jws.JWSRegistry(algorithms=[header.algorithm], strict_check_header=False)
    try:
        claims = _parsed(text, lambda: jwt.decode(text, key, registry=registry).claims)
    except BadSignatureError:
        raise AssertionRefusedError(Fault.SIGNATURE) from None
    return _accepted(claims, expected)


def key_from(jwk: Mapping[str, Any]) -> Key:
    """Return the public key of a JSON Web Key.

    Raises ValueError where it is none that can sign as ``ALGORITHMS`` ask.
    """
    try:
        key: Key = (RSAKey if jwk.get("kty") == "RSA" else ECKey).import_key(dict(jwk))
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise ValueError("not a public key") from fault
    algorithm_of(key)
    return key


def algorithm_of(key: Key) -> str:
    """Return the one algorithm of ``ALGORITHMS`` that fits the key.

    Raises ValueError where none does, or the key is too short for RFC 7518, section 3.3.
    """
    if isinstance(key, RSAKey) and key.public_key.key_size >= 2048:
        return "RS384"
    if isinstance(key, ECKey) and key.curve_name == "P-384":
        return "ES384"
    raise ValueError("RSA of 2048 bits or more, or EC on P-384")


def _accepted(claims: Mapping[str, Any], expected: Expected) -> Assertion:
    _check_parties(claims, expected)
    now, expires = expected.now.timestamp(), _time(claims, "exp")
    tolerated, longest = CLOCKS_DIFFER_AT_MOST.total_seconds(), LIVES_AT_MOST.total_seconds()
    if expires <= now:
        raise _refused(Fault.EXPIRED)
    if expires > now + longest + tolerated:
        raise _refused(Fault.TOO_LONG)
    if "nbf" in claims and _time(claims, "nbf") > now + tolerated:
        raise _refused(Fault.TIME)
    if expected.needs_issued_at or "iat" in claims:
        issued = _time(claims, "iat")
        if not now - longest - tolerated <= issued <= now + tolerated:
            raise _refused(Fault.TIME)
    jti = claims.get("jti")
    if not _is_name(jti):
        raise _refused(Fault.FORM)
    return Assertion(str(jti), expected.now + timedelta(seconds=math.ceil(expires - now)))


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise _refused(Fault.ISSUER)
    if expected.has_subject and claims.get("sub") != expected.issuer:
        raise _refused(Fault.ISSUER)
    if claims.get("aud") not in (expected.audience, [expected.audience]):
        raise _refused(Fault.AUDIENCE)


def _time(claims: Mapping[str, Any], name: str) -> float:
    """Return a claim that is a time, in seconds since 1970."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 2**53:
        raise _refused(Fault.TIME)
    if not math.isfinite(value):
        raise _refused(Fault.TIME)
    return float(value)


def _refused(why: Fault) -> AssertionRefusedError:
    return AssertionRefusedError(why, is_signed=True)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()


def _object(payload: bytes | None) -> dict[str, Any]:
    claims = json.loads(payload or b"")
    if not isinstance(claims, dict):
        raise TypeError
    return claims


def _parsed(text: str, parse: Callable[[], Any]) -> Any:
    """Return what ``parse`` makes of ``text``, which anybody may have written.

    Every failure to parse it becomes AssertionRefusedError with ``Fault.FORM``, also the
    RecursionError of JSON that is nested too deep. A wrong signature is raised as it is.
    """
    if len(text) > LONGEST_ASSERTION or not text.isascii():
        raise AssertionRefusedError(Fault.FORM)
    try:
        return parse()
    except BadSignatureError:
        raise
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise AssertionRefusedError(Fault.FORM) from None
