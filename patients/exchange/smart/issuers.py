"""Health records that may launch this application, and whom their identities are here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from cryptography.fernet import InvalidToken
from django.db import transaction
from joserfc.jwk import ECKey

from crs_app.accounts.models import User
from crs_app.accounts.permissions import check_can_manage_users
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.exchange.smart.refusals import LaunchRefusedError, Reason
from patients.models import LaunchIdentity, LaunchIssuer
from patients.queries.exchange import lock_health_record
from patients.recording.inputs import ConflictError

_SHOWN: Final = {
    "name": "name",
    "client_id": "client_id",
    "mrn_system": "record numbers",
    "frame_origins": "frames",
}
"""What a page shows of a health record and an administrator can change, in words."""
_KEPT: Final = (
    "iss", "name", "client_id", "client_secret", "private_key", "mrn_system", "frame_origins",
    "openid_issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "is_active",
)  # fmt: skip


@dataclass(frozen=True)
class Endpoints:
    """Where a health record signs people in, from its smart-configuration."""

    openid_issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


@dataclass(frozen=True)
class IssuerSettings:
    """What an administrator says of a health record.

    ``client_secret`` None keeps the present credential; empty: this application signs by a key,
    which is made anew.
    """

    iss: str
    name: str
    client_id: str
    client_secret: str | None
    mrn_system: str
    frame_origins: tuple[str, ...] = ()


class ChangedMeanwhileError(ConflictError):
    """A health record was changed, or registered, since the page was opened that would save it."""

    def __init__(self, seen: LaunchIssuer | None, now: LaunchIssuer) -> None:
        who = now.by.display_name
        if seen is None:
            what = f"{who} has registered this health record already: change it on its own page."
        else:
            what = (
                f"{who} has changed it since this page was opened: {_difference(seen, now)}. "
                "Open it again."
            )
        super().__init__(what)


def _difference(seen: LaunchIssuer, now: LaunchIssuer) -> str:
    """Return what one row of a health record has that another one has not, in words."""
    parts = [
        f"{words} {_text(getattr(now, name))}"
        for name, words in _SHOWN.items()
        if getattr(seen, name) != getattr(now, name)
    ]
    if seen.is_active != now.is_active:
        parts.append("it may launch" if now.is_active else "it may not launch any more")
    if (seen.client_secret, seen.private_key) != (now.client_secret, now.private_key):
        parts.append("another secret or key")
    return "; ".join(parts) or "its addresses were read again"


def _text(value: Any) -> str:
    return (" ".join(value) if isinstance(value, list) else str(value)) or "none"


def issuer_of(iss: str) -> LaunchIssuer | None:
    """Return the health record of this ``iss``, letter by letter; None where it may not launch."""
    last = LaunchIssuer.objects.filter(iss=iss).order_by("-id").first()
    return last if last is not None and last.is_active else None


def issuer_at(pk: int) -> LaunchIssuer | None:
    """Return the last row of the health record that row ``pk`` is about."""
    found = LaunchIssuer.objects.filter(pk=pk).first()
    if found is None:
        return None
    return LaunchIssuer.objects.filter(iss=found.iss).order_by("-id").first()


def issuers() -> list[LaunchIssuer]:
    """Return the last row of each health record, by name."""
    last = LaunchIssuer.objects.order_by("iss", "-id").distinct("iss")
    return sorted(last, key=lambda one: one.name.casefold())


@transaction.atomic
def save_issuer(
    asked: IssuerSettings, endpoints: Endpoints, by: User, now: datetime, *, seen: int | None
) -> LaunchIssuer:
    """Store a health record from now on, with the addresses that were just read there.

    One that may not launch any more still may not. ``seen`` is the row that the page showed, None
    where a new one is registered: a second tap on that gets the row of the first. Raises
    ChangedMeanwhileError where another row holds by now that says something else.
    """
    check_can_manage_users(by)
    before = _lock(asked.iss)
    if before is not None and seen is None and _is_second_tap(before, asked, by):
        return before
    if before is not None and before.pk != seen and not _states(before, asked):
        shown = None if seen is None else LaunchIssuer.objects.get(pk=seen)
        raise ChangedMeanwhileError(shown, before)
    secret, key = _credential(asked.client_secret, before)
    row = LaunchIssuer.objects.create(
        iss=asked.iss,
        name=asked.name,
        client_id=asked.client_id,
        client_secret=secret,
        private_key=key,
        mrn_system=asked.mrn_system,
        frame_origins=list(asked.frame_origins),
        openid_issuer=endpoints.openid_issuer,
        authorization_endpoint=endpoints.authorization_endpoint,
        token_endpoint=endpoints.token_endpoint,
        jwks_uri=endpoints.jwks_uri,
        is_active=before is None or before.is_active,
        by=by,
        at=now,
    )
    _record(by, row, "saved")
    return row


def _lock(iss: str) -> LaunchIssuer | None:
    """Let one transaction at a time change a health record; return its last row."""
    lock_health_record(iss)
    return LaunchIssuer.objects.filter(iss=iss).order_by("-id").first()


def _is_second_tap(row: LaunchIssuer, asked: IssuerSettings, by: User) -> bool:
    wants_key = asked.client_secret == "" and bool(row.private_key)
    return wants_key and row.by == by and _states(row, replace(asked, client_secret=None))


def _states(row: LaunchIssuer, asked: IssuerSettings) -> bool:
    """Return whether a health record is as it is asked for, its credential as before."""
    kept = (row.name, row.client_id, row.mrn_system, tuple(row.frame_origins))
    wanted = (asked.name, asked.client_id, asked.mrn_system, tuple(asked.frame_origins))
    return asked.client_secret is None and kept == wanted


@transaction.atomic
def switch_issuer(row: LaunchIssuer, by: User, now: datetime, *, is_active: bool) -> LaunchIssuer:
    """Let a health record launch, or no longer; sessions that are open go on to their end.

    What others changed since ``row`` was read stays.
    """
    check_can_manage_users(by)
    row = _lock(row.iss) or row
    kept: dict[str, Any] = {name: getattr(row, name) for name in _KEPT}
    new = LaunchIssuer.objects.create(**kept | {"is_active": is_active}, by=by, at=now)
    _record(by, new, "may launch" if is_active else "may not launch any more")
    return new


def _credential(secret: str | None, before: LaunchIssuer | None) -> tuple[str, str]:
    """Return secret and private key, encrypted; one of them is empty."""
    if secret:
        return get_adapter().encrypt(secret), ""
    if secret is None and before is not None:
        return before.client_secret, before.private_key
    key = ECKey.generate_key("P-384", auto_kid=True)
    return "", get_adapter().encrypt(json.dumps(key.as_dict(private=True)))


def secret_of(row: LaunchIssuer) -> str:
    """Return the secret of this application at the health record.

    Raises LaunchRefusedError where CRS_SECRET_KEY was replaced since.
    """
    return _decrypted(row.client_secret)


def key_of(row: LaunchIssuer) -> ECKey:
    """Return the key of this application for the health record.

    Raises LaunchRefusedError where CRS_SECRET_KEY was replaced since.
    """
    return ECKey.import_key(json.loads(_decrypted(row.private_key)))


def _decrypted(text: str) -> str:
    try:
        decrypted: str = get_adapter().decrypt(text)
    except InvalidToken:
        raise LaunchRefusedError(Reason.CREDENTIAL) from None
    return decrypted


def public_keys() -> list[Mapping[str, Any]]:
    """Return the public halves of the keys in use that can be read, for every health record."""
    keys = []
    for row in issuers():
        with suppress(LaunchRefusedError):
            keys += [key_of(row)] if row.private_key else []
    return [key.as_dict(private=False) | {"use": "sig", "alg": "ES384"} for key in keys]


@transaction.atomic
def name_identity(iss: str, identity: str, user: User | None, by: User, now: datetime) -> None:
    """Say whom an identity of a health record is here; None: nobody any more."""
    check_can_manage_users(by)
    LaunchIdentity.objects.create(iss=iss, identity=identity, user=user, by=by, at=now)
    details = {"record": iss, "identity": identity, "is": user.username if user else "nobody"}
    record_event(EventKind.LAUNCH_CHANGED, by=by, details=details)


def users_named(iss: str, identities: Iterable[str]) -> list[User]:
    """Return the users whom these identities are, each once, also those who are not active."""
    last = (
        LaunchIdentity.objects.filter(iss=iss, identity__in=list(identities))
        .order_by("identity", "-id")
        .distinct("identity")
        .select_related("user")
    )
    return list({row.user.pk: row.user for row in last if row.user is not None}.values())


def identities_of(iss: str) -> list[LaunchIdentity]:
    """Return the identities of a health record that are somebody here."""
    last = (
        LaunchIdentity.objects.filter(iss=iss)
        .order_by("identity", "-id")
        .distinct("identity")
        .select_related("user", "by")
    )
    return [row for row in last if row.user is not None]


def _record(by: User, row: LaunchIssuer, what: str) -> None:
    details = {"record": row.iss, "what": what, "frames": " ".join(row.frame_origins) or "none"}
    record_event(EventKind.LAUNCH_CHANGED, by=by, details=details)
