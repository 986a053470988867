"""Recovery codes: shown once, kept as hashes only, each used up when it has signed in."""

from __future__ import annotations

import secrets
from hmac import compare_digest
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.contrib.auth.hashers import get_hasher
from django.db import transaction

from crs_app.accounts.models import User

CODES: Final = 10
DIGITS: Final = 8
_HASHES, _SALT = "hashes", "salt"
_SEED: Final = "seed"
"""Key in rows of an earlier version: the secret that their codes were made of, encrypted."""


def make_recovery_codes(user: User) -> list[str]:
    """Store the hashes of new codes, and return the codes, which nobody can read again."""
    codes = list(dict.fromkeys(_new_code() for _ in range(CODES * 2)))[:CODES]
    Authenticator.objects.create(
        user=user, type=Authenticator.Type.RECOVERY_CODES, data=_hashed(codes)
    )
    return codes


def codes_left(factor: Authenticator) -> int:
    """Return how many codes were not used yet."""
    if _SEED in factor.data:
        return CODES - int(factor.data["used_mask"]).bit_count()
    return len(factor.data[_HASHES])


def use_recovery_code(factor: Authenticator, code: str) -> bool:
    """Return whether ``code`` is one that was not used yet; it is used up by that.

    Blanks and hyphens in it do not matter. One hash is computed for a try, because the codes of a
    user have one salt.

    :raises cryptography.fernet.InvalidToken: for a row of an earlier version, where SECRET_KEY was
        replaced since.
    """
    code = _digits(code)
    if len(code) != DIGITS:
        return False
    with transaction.atomic():
        locked = Authenticator.objects.select_for_update().get(pk=factor.pk)
        if _SEED in locked.data:
            locked.data = _hashed(RecoveryCodes(locked).get_unused_codes())
        tried = _hash(code, locked.data[_SALT])
        left = [one for one in locked.data[_HASHES] if not compare_digest(one, tried)]
        is_right = len(left) < len(locked.data[_HASHES])
        locked.data[_HASHES] = left
        locked.save(update_fields=["data"])
    return is_right


def try_for_nobody(code: str) -> None:
    """Take as long as ``use_recovery_code`` does, where there is nothing to compare with."""
    if is_recovery_code(code):
        _hash(code, get_hasher().salt())


def is_recovery_code(typed: str) -> bool:
    """Return whether this has as many digits as a recovery code, and so takes a slow hash."""
    return len(_digits(typed)) == DIGITS


def _digits(typed: str) -> str:
    return "".join(typed.replace("-", " ").split())


def _new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def _hashed(codes: list[str]) -> dict[str, str | list[str]]:
    salt = get_hasher().salt()
    return {_SALT: salt, _HASHES: [_hash(code, salt) for code in codes]}


def _hash(code: str, salt: str) -> str:
    """Return the hash of a code by the hasher of passwords (Argon2)."""
    return str(get_hasher().encode(code, salt))
