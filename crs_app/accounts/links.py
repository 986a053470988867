"""One-time links, by which a person sets a password that nobody else knows."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from crs_app.accounts.events import note
from crs_app.accounts.models import OneTimeLink, User
from crs_app.accounts.throttle import let_in
from crs_app.record.models import EventKind

VALID_FOR: Final = timedelta(hours=24)
# Without letters and digits that look alike: a link may be typed from a slip of paper.
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS: Final = 5
_LETTERS_OF_A_GROUP: Final = 4
"""Together 99 bits: too many to guess."""


class LinkGoneError(Exception):
    """The link is unknown, used, too old or of a user who was deactivated; ``user`` had it."""

    def __init__(self, user: User | None) -> None:
        super().__init__()
        self.user = user


def make_link(user: User, by: User | None, now: datetime) -> str:
    """Return the secret of a new link of the user; older ones stop working.

    ``by`` is None on the command line. The secret is stored nowhere.
    """
    secret = "-".join(
        "".join(secrets.choice(LETTERS) for _ in range(_LETTERS_OF_A_GROUP)) for _ in range(_GROUPS)
    )
    end_links(user, now)
    OneTimeLink.objects.create(
        user=user, digest=_digest(secret), made_by=by, made_at=now, expires_at=now + VALID_FOR
    )
    return secret


def end_links(user: User, now: datetime) -> None:
    """Make the user's unused links stop working."""
    open_links = OneTimeLink.objects.filter(user=user, used_at=None, expires_at__gt=now)
    open_links.update(expires_at=now)


def user_of_link(secret: str, now: datetime) -> User:
    """Return whose link it is.

    :raises LinkGoneError: for a link that does not work.
    """
    return _working(secret, now, lock=False).user


def use_link(secret: str, password: str, address: str, now: datetime) -> User:
    """Set the user's password and use the link up; of two at once one succeeds.

    Earlier failed sign-ins are forgotten: the link came from an administrator.

    :raises LinkGoneError: for a link that does not work.
    """
    with transaction.atomic():
        link = _working(secret, now, lock=True)
        user = link.user
        user.set_password(password)
        user.save(update_fields=["password"])
        link.used_at = now
        link.save(update_fields=["used_at"])
        let_in(user, now)
        note(EventKind.PASSWORD_CHANGED, by=user, address=address, by_link="yes")
    return user


def _working(secret: str, now: datetime, *, lock: bool) -> OneTimeLink:
    links = OneTimeLink.objects.select_related("user").filter(
        digest=_digest(secret), used_at=None, expires_at__gt=now, user__is_active=True
    )
    if lock:
        links = links.select_for_update(of=("self",))
    link = links.first()
    if link is None:
        gone = OneTimeLink.objects.select_related("user").filter(digest=_digest(secret)).first()
        raise LinkGoneError(gone.user if gone else None)
    return link


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
