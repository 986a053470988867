"""Register and end the public keys of other systems, and say what each system may do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from crs_app.accounts.models import User
from crs_app.accounts.permissions import check_can_manage_users
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.exchange.access.assertions import algorithm_of, key_from
from patients.exchange.access.scopes import letters_of
from patients.models import ExternalSystem, KeyPurpose, SystemGrant, SystemKey, SystemKeyEnd
from patients.recording.inputs import ConflictError

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
_KEPT: Final = ("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg")
_MOST_KEYS: Final = 10
LONGEST_KEY_SET: Final = 20_000


class KeySetError(ValueError):
    """What was sent is no set of public keys that can be used; the text says what is wrong."""


@dataclass(frozen=True)
class PublicKey:
    """One key of a set that was read: its name, and the parts that are kept."""

    kid: str
    jwk: Mapping[str, Any]


def read_key_set(text: str) -> list[PublicKey]:
    """Read a JSON Web Key Set (RFC 7517), or one key alone.

    Raises KeySetError where one of its keys is private, has no name or cannot be used.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise KeySetError("This is no JSON.") from None
    listed = found.get("keys", [found]) if isinstance(found, dict) else None
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST_KEYS:
        raise KeySetError(f"A set of 1 to {_MOST_KEYS} keys is needed: {{“keys”: […]}}.")
    keys = [_public_key(jwk) for jwk in listed]
    if len({key.kid for key in keys}) < len(keys):
        raise KeySetError("Two keys have the same kid.")
    return keys


def _public_key(jwk: object) -> PublicKey:
    if not isinstance(jwk, dict):
        raise KeySetError("A key is a JSON object.")
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= 255 or not kid.isprintable():
        raise KeySetError("Each key needs a kid of 1 to 255 characters.")
    if _PRIVATE & jwk.keys():
        raise KeySetError(f"Key {kid} has its private part. It is known now: make a new key.")
    try:
        algorithm = algorithm_of(key_from(jwk))
    except ValueError:
        raise KeySetError(
            f"Key {kid}: RSA of 2048 bits or more (RS384), or EC on P-384 (ES384), is needed."
        ) from None
    if jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        raise KeySetError(f"Key {kid} is not for signing by {algorithm}.")
    return PublicKey(kid, {part: jwk[part] for part in _KEPT if part in jwk})


@transaction.atomic
def add_keys(
    system: ExternalSystem,
    keys: Iterable[PublicKey],
    by: User,
    now: datetime,
    *,
    issuer: str = "",
    jku: str = "",
) -> list[SystemKey]:
    """Register keys; with ``issuer`` those of its CDS Hooks, else those of the token endpoint.

    The same keys again, as by a second tap, are answered as before.

    Raises KeySetError where a key of this name was registered before.
    """
    check_can_manage_users(by)
    purpose = KeyPurpose.HOOKS if issuer else KeyPurpose.TOKEN
    keys = list(keys)
    before = SystemKey.objects.filter(
        system=system, purpose=purpose, issuer=issuer or system.name, jku=jku, added_by=by, end=None
    )
    same = [before.filter(kid=key.kid, jwk=dict(key.jwk)).first() for key in keys]
    if all(same):
        return [key for key in same if key is not None]
    try:
        with transaction.atomic():
            added = [
                SystemKey.objects.create(
                    system=system,
                    purpose=purpose,
                    issuer=issuer or system.name,
                    kid=key.kid,
                    jku=jku,
                    jwk=dict(key.jwk),
                    added_by=by,
                    added_at=now,
                )
                for key in keys
            ]
    except IntegrityError:
        raise KeySetError("A key with this kid was registered before: give it another.") from None
    names = ", ".join(key.kid for key in added)
    record_event(
        EventKind.SYSTEM_CHANGED,
        by=by,
        details={"system": system.name, "keys added": names, "for": purpose.label},
    )
    return added


@transaction.atomic
def end_key(key: SystemKey, by: User, now: datetime) -> bool:
    """End a key; its tokens end with it. Return whether it was in use."""
    check_can_manage_users(by)
    _, is_new = SystemKeyEnd.objects.get_or_create(key=key, defaults={"by": by, "at": now})
    if is_new:
        record_event(
            EventKind.SYSTEM_CHANGED,
            by=by,
            details={"system": key.system.name, "key ended": key.kid},
        )
    return is_new


@transaction.atomic
def grant(system: ExternalSystem, scopes: Iterable[str], by: User, now: datetime) -> SystemGrant:
    """Let ``system`` do exactly what ``scopes`` say, from its next request on.

    Raises UnknownScopeError for a scope that this site does not have.
    """
    check_can_manage_users(by)
    kept = sorted(set(scopes))
    letters_of(kept)
    granted = SystemGrant.objects.create(system=system, scopes=kept, by=by, at=now)
    record_event(
        EventKind.SYSTEM_CHANGED,
        by=by,
        details={"system": system.name, "may": " ".join(kept) or "nothing"},
    )
    return granted


class RightsChangedError(ConflictError):
    """The rights were changed since the page was opened that would give what was taken away."""

    def __init__(self, by: User | None) -> None:
        who = "Somebody" if by is None else by.display_name
        super().__init__(
            f"{who} has changed these rights since this page was opened. Open it again."
        )


@transaction.atomic
def change_rights(
    system: ExternalSystem, scopes: Iterable[str], by: User, now: datetime, *, seen: str
) -> None:
    """Let ``system`` do exactly what ``scopes`` say; ``seen`` is the grant that a page showed.

    Raises RightsChangedError where another grant holds since, of other scopes.
    """
    check_can_manage_users(by)
    ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
    last, wanted = last_grant(system), sorted(set(scopes))
    if wanted == ([] if last is None else list(last.scopes)):
        return
    if seen != version_of_grant(last):
        raise RightsChangedError(None if last is None else last.by)
    grant(system, wanted, by, now)


def last_grant(system: ExternalSystem) -> SystemGrant | None:
    """Return what holds now of what a system may do; None: nothing was ever granted."""
    return SystemGrant.objects.filter(system=system).order_by("-id").first()


def version_of_grant(last: SystemGrant | None) -> str:
    """Return the optimistic-lock token of a grant: it differs after each grant."""
    return "0" if last is None else str(last.pk)


def keys_of(system: ExternalSystem) -> list[SystemKey]:
    """Read every key of a system, with its end and who added it."""
    return list(SystemKey.objects.filter(system=system).select_related("end__by", "added_by"))


def read_key(system_id: int, key_id: int) -> SystemKey | None:
    """Read one key of a system, with the system; None where it has no such key."""
    keys = SystemKey.objects.filter(system=system_id, pk=key_id)
    return keys.select_related("system").first()


def open_keys(purpose: KeyPurpose, issuer: str) -> list[SystemKey]:
    """Return the keys of an issuer that have not ended, of systems that are active."""
    return list(
        SystemKey.objects.select_related("system__user").filter(
            purpose=purpose, issuer=issuer, end=None, system__is_active=True
        )
    )


def scopes_of(system: ExternalSystem) -> list[str]:
    """Return what the system may do now."""
    last = last_grant(system)
    return list(last.scopes) if last else []
