"""What changes the second factors of a user: one function for each act, each recorded.

After each act but a new name of a key all other sessions of the user end, so that nobody who knows
the password alone stays signed in. The user sees each change on the own page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from allauth.mfa.base.internal.flows import delete_dangling_recovery_codes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.exceptions import ValidationError
from django.db import transaction

from crs_app.accounts.events import note
from crs_app.accounts.factors.keys import add_key
from crs_app.accounts.factors.methods import (
    CODE_APP,
    KEY,
    RECOVERY_CODES,
    factors_of,
    has_second_factor,
    words_for,
)
from crs_app.accounts.factors.recovery import make_recovery_codes
from crs_app.accounts.models import FactorChange, User
from crs_app.accounts.own_sessions import end_all_sessions
from crs_app.record.models import EventKind

KEYS_AT_MOST: Final = 20


class RefusedError(Exception):
    """A change that is not possible; its text is a sentence for the user."""


@dataclass(frozen=True)
class Own:
    """A user who changes the own sign-in methods, from where and when."""

    user: User
    address: str
    now: datetime


def add_code_app(own: Own, secret: str, code: str) -> list[str]:
    """Store the secret of the user's code app; return recovery codes where there were none.

    ``code`` by which the app has shown that it has the secret is used up: it signs nobody in.

    :raises RefusedError: where a code app is set up.
    """
    with transaction.atomic():
        _lock(own.user)
        if factors_of(own.user, CODE_APP).exists():
            raise RefusedError("A code app is set up. Remove it before you set up another.")
        TOTP.activate(own.user, secret).validate_code(code)
        codes = _first_recovery_codes(own.user)
        _note(own, "code app set up")
    return codes


def add_new_key(own: Own, name: str, credential: dict[str, Any], *, opens_alone: bool) -> list[str]:
    """Store a key; return recovery codes where there were none.

    :raises ValidationError: where the user has ``KEYS_AT_MOST``: each sign-in by a key reads all.
    """
    with transaction.atomic():
        _lock(own.user)
        if factors_of(own.user, KEY).count() >= KEYS_AT_MOST:
            raise ValidationError(f"You have {KEYS_AT_MOST} keys. Remove one first.")
        add_key(own.user, name, credential, opens_alone=opens_alone)
        codes = _first_recovery_codes(own.user)
        _note(own, "passkey added" if opens_alone else "security key added")
    return codes


def rename_key(own: Own, pk: int, name: str) -> None:
    """Give a key of the user another name; it signs in as before, so no session ends.

    :raises RefusedError: where the user has no such key, or another one of this name.
    """
    with transaction.atomic():
        _lock(own.user)
        keys = {factor.pk: factor for factor in factors_of(own.user, KEY).select_for_update()}
        key = keys.pop(pk, None)
        if key is None:
            raise RefusedError("It was removed before.")
        if name == key.data["name"]:
            return
        if name in {other.data["name"] for other in keys.values()}:
            raise RefusedError("Another of your keys has this name.")
        key.data["name"] = name
        key.save(update_fields=["data"])
        _keep(own, "key renamed")


def remove_code_app(own: Own) -> None:
    """Delete the secret of the user's code app; without another factor also the recovery codes.

    :raises RefusedError: where there is none.
    """
    _remove(own, CODE_APP, None, "code app removed")


def remove_key(own: Own, pk: int) -> None:
    """Delete a key of the user; without another factor also the recovery codes.

    :raises RefusedError: where the user has no such key.
    """
    _remove(own, KEY, pk, "key removed")


def new_recovery_codes(own: Own) -> list[str]:
    """Return new recovery codes; earlier ones stop working.

    :raises RefusedError: for a user without a second factor.
    """
    with transaction.atomic():
        _lock(own.user)
        if not has_second_factor(own.user):
            raise RefusedError("Set up a code app or a key first.")
        factors_of(own.user, RECOVERY_CODES).delete()
        codes = _first_recovery_codes(own.user)
        _note(own, "new recovery codes")
    return codes


def remove_all_factors(person: User, by: User | None, now: datetime) -> str:
    """Delete every second factor of a person whose device is lost; return which, in words.

    ``by`` is None on the command line. To be called in a transaction that locks the person, and
    recorded by the caller.

    :raises RefusedError: where there is none.
    """
    kinds = set(factors_of(person).values_list("type", flat=True))
    if not kinds:
        raise RefusedError("This user has no second factor.")
    factors_of(person).delete()
    removed = words_for(kinds)
    end_all_sessions(person)
    FactorChange.objects.create(user=person, by=by, at=now, words=f"{removed} removed")
    return removed


def remove_on_command_line(username: str, now: datetime) -> str:
    """Delete every second factor of a user, for an administrator whom no other can help.

    :raises RefusedError: where there is no such user, or nothing to delete.
    """
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).filter(username=username).first()
        if person is None:
            raise RefusedError("There is no such user.")
        removed = remove_all_factors(person, None, now)
        changed = EventKind.SIGN_IN_METHODS_CHANGED
        note(changed, by=None, address="", user=person.username, removed=removed)
    return removed


def last_changes(user: User) -> list[FactorChange]:
    """Return the last five changes of the user's second factors."""
    return list(user.factor_changes.select_related("by").order_by("-at")[:5])


def _remove(own: Own, kind: str, pk: int | None, words: str) -> None:
    with transaction.atomic():
        _lock(own.user)
        factors = factors_of(own.user, kind)
        if pk is not None:
            factors = factors.filter(pk=pk)
        if not factors.delete()[0]:
            raise RefusedError("It was removed before.")
        delete_dangling_recovery_codes(own.user)
        _note(own, words)


def _lock(user: User) -> None:
    """Let two changes of one user be one after the other; charting does not wait."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def _first_recovery_codes(user: User) -> list[str]:
    if factors_of(user, RECOVERY_CODES).exists():
        return []
    return make_recovery_codes(user)


def _note(own: Own, words: str) -> None:
    """End the user's sessions, and keep the change."""
    end_all_sessions(own.user)
    _keep(own, words)


def _keep(own: Own, words: str) -> None:
    """Keep a change for the own page, and record it, last."""
    FactorChange.objects.create(user=own.user, by=own.user, at=own.now, words=words)
    note(EventKind.SIGN_IN_METHODS_CHANGED, by=own.user, address=own.address, change=words)
