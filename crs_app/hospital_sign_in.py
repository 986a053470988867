"""Sign-in at the hospital's identity provider by OpenID Connect, as the environment asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ISSUER: Final = "CRS_OIDC_ISSUER"
DIRECTORY: Final = "directory"
"""Value of CRS_OIDC_VERIFIED_BY for a claim that only the hospital's own directory writes."""
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_MATCHES: Final = ("email", "username")
_CLIENT_ID: Final = "CRS_OIDC_CLIENT_ID"


@dataclass(frozen=True)
class HospitalSignIn:
    """What a site says of its provider.

    ``claim`` names the user and is compared with ``matches``, a field of our user. The claim
    ``verified_by`` must be true; "" where the hospital's directory alone writes ``claim``.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    button: str = "Hospital sign-in"
    claim: str = "email"
    verified_by: str = "email_verified"
    matches: str = "email"
    always_asks: bool = True
    own_second_factor: bool = False

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer: nothing else is ever asked."""
        return origin_of(self.issuer)


def origin_of(address: str) -> str:
    """Return scheme, host and port of an address, with the port written out.

    :raises ValueError: where it has none.
    """
    parts = urlsplit(address)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    if not parts.hostname or port is None or parts.username is not None:
        raise ValueError(address)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def hospital_sign_in(
    environment: Mapping[str, str], client_secret: str | None
) -> HospitalSignIn | None:
    """Return what the environment asks for; None where it names no issuer.

    :raises ImproperlyConfigured: for settings that contradict each other, so that nothing starts.
    """
    issuer, client_id = environment.get(ISSUER, ""), environment.get(_CLIENT_ID, "")
    if not issuer:
        if client_id or client_secret:
            raise ImproperlyConfigured(f"{ISSUER} is not set, but other CRS_OIDC_ settings are.")
        return None
    _check_issuer(issuer)
    if not client_id or not client_secret:
        raise ImproperlyConfigured(
            f"{ISSUER} needs {_CLIENT_ID} and CRS_OIDC_CLIENT_SECRET (or _FILE)."
        )
    claim = environment.get("CRS_OIDC_CLAIM") or "email"
    matches = environment.get("CRS_OIDC_MATCHES") or ("email" if claim == "email" else "username")
    if matches not in _MATCHES:
        raise ImproperlyConfigured(
            f"CRS_OIDC_MATCHES is {matches!r}: set it to {' or '.join(_MATCHES)}."
        )
    return HospitalSignIn(
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        button=environment.get("CRS_OIDC_NAME") or HospitalSignIn.button,
        claim=claim,
        verified_by=_verified_by(claim, environment.get("CRS_OIDC_VERIFIED_BY", "")),
        matches=matches,
        always_asks=_is_on(environment, "CRS_OIDC_ALWAYS_ASKS", "1"),
        own_second_factor=_is_on(environment, "CRS_OIDC_SECOND_FACTOR", "0"),
    )


def _check_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    try:
        origin_of(issuer)
    except ValueError:
        raise ImproperlyConfigured(f"{ISSUER} is not an address: {issuer!r}.") from None
    is_private = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    )
    if not is_private or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{ISSUER} must begin with https:// and have no ? or #.")


def _verified_by(claim: str, named: str) -> str:
    """Return the claim that must be true; "" where the site trusts its directory."""
    if named == DIRECTORY:
        return ""
    if named:
        return named
    if claim == "email":
        return "email_verified"
    raise ImproperlyConfigured(
        f"CRS_OIDC_CLAIM is {claim}: name in CRS_OIDC_VERIFIED_BY the claim that says that it is "
        f"verified, or {DIRECTORY!r} where only the hospital's directory writes it."
    )


def _is_on(environment: Mapping[str, str], name: str, default: str) -> bool:
    return (environment.get(name) or default).lower() in {"1", "true", "yes", "on"}
