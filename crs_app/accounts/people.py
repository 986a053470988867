"""What administrators do with users: one function for each act.

Each act locks every active administrator and its person, in order of their ids: two administrators
who act on each other are one after the other, and the second is none any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from crs_app.accounts.events import note
from crs_app.accounts.factors.changes import RefusedError as NoFactorError
from crs_app.accounts.factors.changes import remove_all_factors
from crs_app.accounts.hospital.identities import forget, signs_in_there_alone
from crs_app.accounts.links import end_links, make_link
from crs_app.accounts.models import Role, User, Ward
from crs_app.accounts.name_text import username_look
from crs_app.accounts.own_sessions import end_all_sessions
from crs_app.accounts.permissions import check_can_manage_users
from crs_app.accounts.system_users import SYSTEM_USERNAMES
from crs_app.accounts.tablets import end_on_tablets
from crs_app.accounts.throttle import let_in
from crs_app.accounts.wards import change_wards
from crs_app.record.models import EventKind

_NAME_TAKEN: Final = (
    "This user name is taken. If you have just created this user, the list of users has it: make a "
    "new link there."
)


class RefusedError(Exception):
    """An act that is not possible; its text is a sentence for the administrator."""


class ChangedSinceError(RefusedError):
    """Somebody has changed it since the page was opened that would set back what it is now."""

    def __init__(self, what: str, now: str) -> None:
        super().__init__(
            f"{what} changed since this page was opened: {now or 'none'} now. Look at it again, "
            "then save."
        )


class TakenAddressError(RefusedError):
    """Another user has the e-mail address."""


@dataclass(frozen=True)
class By:
    """The administrator who acts, from where and when."""

    user: User
    address: str
    now: datetime


def everybody() -> QuerySet[User]:
    """Return the users who are people; those who stand for a program cannot sign in, ever."""
    return with_systems().exclude(role=Role.SYSTEM)


def with_systems() -> QuerySet[User]:
    """Return people and other systems: who can be the author of an entry, and is listed."""
    return User.objects.exclude(username__in=SYSTEM_USERNAMES)


def is_only_administrator(person: User) -> bool:
    """Return whether the site has no other active administrator."""
    others = everybody().filter(role=Role.ADMINISTRATOR, is_active=True).exclude(pk=person.pk)
    return _is_administrator(person) and not others.exists()


@dataclass(frozen=True)
class NewPerson:
    """What a new user is made of."""

    username: str
    first_name: str
    last_name: str
    role: Role
    wards: Collection[Ward] = ()
    email: str = ""


def create_person(by: By, new: NewPerson) -> tuple[User, str]:
    """Create a user without a password; return the user and the secret of a one-time link.

    :raises RefusedError: where the username or the address is taken.
    """
    with transaction.atomic():
        _lock_administrators(by)
        _refuse_taken_address(new.email)
        _refuse_taken_name(new.username)
        person = User(username=new.username, role=new.role)
        person.first_name, person.last_name = new.first_name, new.last_name
        person.email = new.email
        person.set_unusable_password()
        try:
            with transaction.atomic():
                person.save(force_insert=True)
        except IntegrityError:
            raise RefusedError(_NAME_TAKEN) from None
        secret = make_link(person, by.user, by.now)
        _note(EventKind.USER_CREATED, by, person, role=new.role)
        change_wards(person, new.wards, by=by.user)
    return person, secret


def state_token(*state: object) -> str:
    """Return the optimistic-lock token of what a page of a user shows and its form changes."""
    return hashlib.sha256(repr(state).encode()).hexdigest()[:16]


def wards_token(person: User) -> str:
    """Return the ``state_token`` of the wards that the person works on."""
    return state_token(*sorted(person.ward_ids))


def change_role(by: By, person_id: int, role: Role, *, seen: str = "") -> User:
    """Give the person another role; PINs and links that were made for the former one end.

    ``seen`` is the ``state_token`` of the role that the page showed; "" asks nothing.

    :raises RefusedError: for one's own role, for the last administrator, and where another role
        holds since.
    """
    with transaction.atomic():
        person = _locked(by, person_id)
        _refuse_self(by, person, "change your own role")
        if seen and role != person.role and seen != state_token(person.role):
            raise ChangedSinceError("The role", person.get_role_display())
        _keep_an_administrator(person, role == Role.ADMINISTRATOR and person.is_active)
        before, person.role = person.role, role
        person.save(update_fields=["role"])
        if role != before:
            end_on_tablets(person)
            end_links(person, by.now)
        _note(EventKind.ROLE_CHANGED, by, person, before=before, after=role)
    return person


def work_on(by: By, person_id: int, wards: Collection[Ward], *, seen: str = "") -> User:
    """Let the person work on exactly these wards.

    ``seen`` is the ``wards_token`` that the page had; "" asks nothing.

    :raises RefusedError: where the person works on other wards since.
    """
    with transaction.atomic():
        person = _locked(by, person_id)
        person.forget_wards()  # they were read before the lock
        is_same = {ward.pk for ward in wards} == person.ward_ids
        if seen and not is_same and seen != wards_token(person):
            names = Ward.objects.filter(pk__in=person.ward_ids).values_list("name", flat=True)
            raise ChangedSinceError("The wards", ", ".join(sorted(names)))
        change_wards(person, wards, by=by.user)
    return person


def deactivate(by: By, person_id: int) -> User:
    """End the person's access: sessions, links and sign-in; the name stays on what was charted.

    :raises RefusedError: for oneself, and for the last administrator.
    """
    with transaction.atomic():
        person = _locked(by, person_id)
        _refuse_self(by, person, "deactivate yourself")
        _keep_an_administrator(person, False)
        if person.is_active:
            person.is_active = False
            person.deactivated_at, person.deactivated_by = by.now, by.user
            person.save(update_fields=["is_active", "deactivated_at", "deactivated_by"])
        end_links(person, by.now)
        end_all_sessions(person)
        _note(EventKind.USER_CHANGED, by, person, active="no")
    return person


def reactivate(by: By, person_id: int) -> User:
    """Let the person sign in again, with the earlier password."""
    with transaction.atomic():
        person = _locked(by, person_id)
        person.is_active = True
        person.deactivated_at = person.deactivated_by = None
        person.save(update_fields=["is_active", "deactivated_at", "deactivated_by"])
        _note(EventKind.USER_CHANGED, by, person, active="yes")
    return person


def change_email(by: By, person_id: int, email: str, *, seen: str = "") -> User:
    """Give the person the address by which the hospital's sign-in names him or her.

    ``seen`` is the ``state_token`` of the address that the page showed; "" asks nothing.

    :raises RefusedError: where another user has it, and where another address holds since.
    """
    with transaction.atomic():
        person = _locked(by, person_id)
        if seen and email != person.email and seen != state_token(person.email):
            raise ChangedSinceError("The address", person.email)
        _refuse_taken_address(email, person)
        person.email = email
        person.save(update_fields=["email"])
        _note(EventKind.USER_CHANGED, by, person, email="changed" if email else "removed")
    return person


def forget_hospital(by: By, person_id: int) -> User:
    """Forget the person's identity at the hospital; the next sign-in there makes a new link.

    :raises RefusedError: where there is none.
    """
    with transaction.atomic():
        person = _locked(by, person_id)
        if not forget(person):
            raise RefusedError("This user is not linked to the hospital's sign-in.")
        end_all_sessions(person)
        _note(EventKind.SIGN_IN_METHODS_CHANGED, by, person, hospital="forgotten")
    return person


def new_link(by: By, person_id: int, *, adds_password: bool = False) -> tuple[User, str]:
    """Return the person, and the secret of a link by which a new password is set.

    :raises RefusedError: for oneself, for a deactivated user, and for one who signs in at the
        hospital alone, unless a password is added on purpose.
    """
    with transaction.atomic():
        person = _locked(by, person_id)
        _refuse_self(by, person, "reset your own password: change it on your own page")
        if not person.is_active:
            raise RefusedError("This user is deactivated. Reactivate first.")
        adds = {}
        if signs_in_there_alone(person):
            if not adds_password:
                raise RefusedError("This user has no password. Tick that one is added.")
            adds = {"password": "added"}
        secret = make_link(person, by.user, by.now)
        _note(EventKind.USER_CHANGED, by, person, link="made", **adds)
    return person, secret


def remove_factors(by: By, person_id: int, *, recognised: str) -> User:
    """Remove every second factor and passkey of a person whose device is lost; end the sessions.

    ``recognised`` says how the administrator knew that it is this person; the record keeps it.

    :raises RefusedError: for oneself, and where there is none.
    """
    with transaction.atomic():
        person = _locked(by, person_id)
        _refuse_self(by, person, "remove your own second factors here: use your own page")
        try:
            removed = remove_all_factors(person, by.user, by.now)
        except NoFactorError as none:
            raise RefusedError(str(none)) from None
        _note(EventKind.SIGN_IN_METHODS_CHANGED, by, person, removed=removed, recognised=recognised)
    return person


def unlock(by: By, person_id: int) -> User:
    """Let the person try to sign in at once, whatever failed before."""
    with transaction.atomic():
        person = _locked(by, person_id)
        let_in(person, by.now)
        _note(EventKind.USER_UNLOCKED, by, person)
    return person


def sign_out_everywhere(by: By, person_id: int) -> User:
    """End every session of the person."""
    with transaction.atomic():
        person = _locked(by, person_id)
        ended = end_all_sessions(person)
        _note(EventKind.SIGNED_OUT, by, person, sessions=str(ended))
    return person


def _lock_administrators(by: By, *person_ids: int) -> dict[int, User]:
    """Lock the rows of active administrators and of ``person_ids``; their charting does not wait.

    :raises PermissionDenied: where who acts is no administrator any more.
    """
    administrators = Q(role=Role.ADMINISTRATOR, is_active=True)
    rows = User.objects.select_for_update(no_key=True).filter(administrators | Q(pk__in=person_ids))
    locked = {user.pk: user for user in rows.order_by("pk")}
    acting = locked.get(by.user.pk)
    if acting is None or not _is_administrator(acting):
        raise PermissionDenied("Your role does not allow you to manage users.")
    check_can_manage_users(acting)
    return locked


def _locked(by: By, person_id: int) -> User:
    locked = _lock_administrators(by, person_id)
    person = locked.get(person_id)
    is_program = person is not None and (
        person.username in SYSTEM_USERNAMES or person.role == Role.SYSTEM
    )
    if person is None or is_program:
        raise RefusedError("There is no such user.")
    return person


def _refuse_taken_name(username: str) -> None:
    """Refuse a user name that is another's, or looks like it; to be called under the lock."""
    look = username_look(username)
    for other in User.objects.values_list("username", flat=True):
        if other.casefold() == username.casefold():
            raise RefusedError(_NAME_TAKEN)
        if username_look(other) == look:
            raise RefusedError(
                f"This user name looks like {other}, another user's. Choose one that nobody takes "
                "for it: dots, hyphens, underscores, and 0 for o or 1 for l do not tell them apart."
            )


def _refuse_taken_address(email: str, person: User | None = None) -> None:
    """Refuse an address that names another user already; to be called under the lock."""
    others = User.objects.filter(email__iexact=email)
    if person is not None:
        others = others.exclude(pk=person.pk)
    if email and others.exists():
        raise TakenAddressError("Another user has this e-mail address.")


def _refuse_self(by: By, person: User, act: str) -> None:
    if person.pk == by.user.pk:
        raise RefusedError(f"You cannot {act}.")


def _keep_an_administrator(person: User, stays: bool) -> None:
    """Refuse what leaves the site without an administrator; to be called under the lock."""
    if not stays and is_only_administrator(person):
        raise RefusedError("This is the only administrator, and stays one.")


def _is_administrator(user: User) -> bool:
    return user.is_active and user.role == Role.ADMINISTRATOR


def _note(event: EventKind, by: By, person: User, **details: str) -> None:
    note(event, by=by.user, address=by.address, user=person.username, **details)
