"""Which user of this site the provider's claims name; never a new one, and never a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from crs_app.accounts.events import note
from crs_app.accounts.hospital.identities import identities
from crs_app.accounts.hospital.refusals import RefusedError, Why
from crs_app.accounts.links import end_links
from crs_app.accounts.models import HospitalIdentity, User
from crs_app.accounts.people import everybody
from crs_app.hospital_sign_in import HospitalSignIn
from crs_app.record.models import EventKind

_LONGEST_NAME: Final = 254


def user_of(claims: Mapping[str, Any], configured: HospitalSignIn, address: str) -> User:
    """Return the active user whom a verified claim names, and link the two at the first time.

    The claim names the user each time; the link holds it to one identity at the provider, so that
    an address which the hospital gives to somebody else opens nothing here.

    :raises RefusedError: where there is no such user.
    """
    if configured.verified_by and claims.get(configured.verified_by) is not True:
        raise RefusedError(Why.UNVERIFIED)
    named = _named(claims.get(configured.claim), configured.matches)
    try:
        with transaction.atomic():
            user = User.objects.select_for_update(no_key=True).get(pk=named.pk)
            if not user.is_active:
                raise RefusedError(Why.DEACTIVATED, user)
            _link(user, configured.issuer, claims["sub"], address)
    except IntegrityError:  # somebody else was linked at this moment
        raise RefusedError(Why.OTHER_IDENTITY, named) from None
    return user


def _named(claim: object, field: str) -> User:
    """Return the only user whose ``field`` the claim is, whatever the case of its letters.

    A letter beyond ASCII can equal another one in a different case: no such claim names a user.
    """
    name = claim.strip() if isinstance(claim, str) else ""
    if not name.isascii() or not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise RefusedError(Why.UNKNOWN)
    found = list(everybody().filter(**{f"{field}__iexact": name})[:2])
    if not found:
        raise RefusedError(Why.UNKNOWN)
    if len(found) > 1:
        raise RefusedError(Why.TWO_USERS)
    return found[0]


def _link(user: User, issuer: str, subject: str, address: str) -> None:
    """Link user and identity; of each there is one.

    A user without a password gets none by a link that was never used: from now on such a link is
    made on purpose.

    :raises RefusedError: where one of them is linked to another.
    """
    of_issuer = identities()
    linked = of_issuer.filter(subject=subject).first() or of_issuer.filter(user=user).first()
    if linked is None:
        now = timezone.now()
        HospitalIdentity.objects.create(issuer=issuer, subject=subject, user=user, linked_at=now)
        if not user.has_usable_password():
            end_links(user, now)
        note(EventKind.SIGN_IN_METHODS_CHANGED, by=user, address=address, hospital="linked")
    elif (linked.subject, linked.user_id) != (subject, user.pk):
        raise RefusedError(Why.OTHER_IDENTITY, user)
