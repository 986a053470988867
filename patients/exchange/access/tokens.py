"""Access tokens: opaque, short, stored as a digest; and assertions, which count once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery

from patients.exchange.access.assertions import Assertion, AssertionRefusedError, Fault
from patients.models import AccessToken, SystemGrant, SystemKey, UsedAssertion

TOKEN_LIVES: Final = timedelta(minutes=5)
_TOKEN_BYTES: Final = 32
_LONGEST_TOKEN: Final = 100
_KEPT_AFTER_END: Final = timedelta(hours=1)
_DELETED_AT_ONCE: Final = 100


def issue_token(key: SystemKey, scopes: list[str], now: datetime) -> str:
    """Store a new token and return its text, which is stored nowhere."""
    text = secrets.token_urlsafe(_TOKEN_BYTES)
    AccessToken.objects.create(
        digest=_digest(text), key=key, scopes=scopes, issued_at=now, expires_at=now + TOKEN_LIVES
    )
    _delete_expired(now)
    return text


def token_of(text: str, now: datetime) -> AccessToken | None:
    """Return the token of ``text``, where it is valid: with its key, system and user.

    Its attribute ``granted`` is what the system may do now, which may be less than at its issue.
    A token ends with its time, with its key and with its system.
    """
    if not 0 < len(text) <= _LONGEST_TOKEN:
        return None
    last = SystemGrant.objects.filter(system=OuterRef("key__system")).order_by("-id")
    return (
        AccessToken.objects.select_related("key__system__user")
        .annotate(granted=Subquery(last.values("scopes")[:1]))
        .filter(
            digest=_digest(text), expires_at__gt=now, key__end=None, key__system__is_active=True
        )
        .first()
    )


def take_once(issuer: str, assertion: Assertion) -> None:
    """Note that an assertion was used; of several at one time, the database lets one through.

    Raises AssertionRefusedError where it was used before.
    """
    try:
        with transaction.atomic():
            UsedAssertion.objects.create(
                digest=_digest(f"{issuer}\0{assertion.jti}"), expires_at=assertion.expires_at
            )
    except IntegrityError:
        raise AssertionRefusedError(Fault.REPEATED, is_signed=True) from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _delete_expired(now: datetime) -> None:
    """Delete what expired long ago, a few at a time."""
    for model in (AccessToken, UsedAssertion):
        old = model.objects.filter(expires_at__lt=now - _KEPT_AFTER_END).order_by("expires_at")
        keys = list(old.values_list("pk", flat=True)[:_DELETED_AT_ONCE])
        model.objects.filter(pk__in=keys).delete()
