"""How a user can sign in: password, hospital, code app, passkeys, recovery codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet

from crs_app.accounts.factors.recovery import codes_left
from crs_app.accounts.hospital.identities import identities, is_nameable
from crs_app.accounts.models import User

OPENS_ALONE: Final = "opens_alone"
"""Key of what is stored of a key: whether it signs its user in without a password."""
CODE_APP: Final = Authenticator.Type.TOTP.value
KEY: Final = Authenticator.Type.WEBAUTHN.value
RECOVERY_CODES: Final = Authenticator.Type.RECOVERY_CODES.value


@dataclass(frozen=True)
class Key:
    """A key of a device: a passkey where it ``opens_alone``, else a step after the password."""

    pk: int
    name: str
    opens_alone: bool
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True)
class Methods:
    """The sign-in methods of one user."""

    has_password: bool
    by_hospital: bool = False
    hospital_since: datetime | None = None
    code_app_since: datetime | None = None
    keys: tuple[Key, ...] = ()
    recovery_codes_left: int | None = None

    @property
    def has_second_factor(self) -> bool:
        """Whether a password alone does not sign this user in."""
        return self.code_app_since is not None or bool(self.keys)

    @property
    def words(self) -> str:
        """The methods in a few words, for a list: "password, code app"; "–" for none."""
        passkeys = sum(key.opens_alone for key in self.keys)
        found = (
            ("password", int(self.has_password)),
            ("hospital", int(self.by_hospital)),
            ("code app", int(self.code_app_since is not None)),
            ("passkey", passkeys),
            ("security key", len(self.keys) - passkeys),
        )
        return ", ".join(_counted(word, number) for word, number in found if number) or "–"


def methods_of(users: Iterable[User]) -> dict[int, Methods]:
    """Return the methods of each user by primary key, by one statement for all of them.

    One more where the settings name a provider of the hospital.
    """
    found = {user.pk: Methods(user.has_usable_password(), is_nameable(user)) for user in users}
    for identity in identities().filter(user__in=list(found)):
        methods = found[identity.user_id]
        found[identity.user_id] = replace(methods, hospital_since=identity.linked_at)
    for factor in Authenticator.objects.filter(user__in=list(found)).order_by("created_at", "pk"):
        found[factor.user_id] = _with(found[factor.user_id], factor)
    return found


def factors_of(user: User, *kinds: str) -> QuerySet[Authenticator]:
    """Return the stored second factors of a user, of these kinds or of all."""
    factors: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user.pk)
    return factors.filter(type__in=kinds) if kinds else factors


def has_second_factor(user: User) -> bool:
    """Return whether a password alone does not sign this user in."""
    return factors_of(user, CODE_APP, KEY).exists()


def words_for(kinds: Collection[str]) -> str:
    """Return kinds of stored factors in words: "code app, recovery codes"."""
    words = ((CODE_APP, "code app"), (KEY, "keys"), (RECOVERY_CODES, "recovery codes"))
    return ", ".join(word for kind, word in words if kind in kinds)


def _with(methods: Methods, factor: Authenticator) -> Methods:
    if factor.type == CODE_APP:
        return replace(methods, code_app_since=factor.created_at)
    if factor.type == RECOVERY_CODES:
        return replace(methods, recovery_codes_left=codes_left(factor))
    key = Key(
        pk=factor.pk,
        name=factor.data["name"],
        opens_alone=bool(factor.data.get(OPENS_ALONE)),
        added_at=factor.created_at,
        used_at=factor.last_used_at,
    )
    return replace(methods, keys=(*methods.keys, key))


def _counted(word: str, number: int) -> str:
    return word if number == 1 else f"{number} {word}s"
