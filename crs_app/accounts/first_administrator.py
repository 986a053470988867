"""The first administrator of a site, who creates all others."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.events import note
from crs_app.accounts.links import make_link
from crs_app.accounts.models import Role, User
from crs_app.accounts.people import RefusedError, everybody
from crs_app.accounts.people_forms import PlainName, check_username
from crs_app.record.models import EventKind

FIRST_USERNAME: Final = "administrator"


def has_administrator() -> bool:
    """Return whether an administrator exists who has set a password, and so can create others."""
    active = everybody().filter(role=Role.ADMINISTRATOR, is_active=True)
    return any(one.has_usable_password() for one in active)


def first_administrator_link(username: str, first_name: str = "", last_name: str = "") -> str:
    """Return the path of a one-time link for the first administrator; create the user if needed.

    :raises RefusedError: where an administrator exists, or the name is another user's.
    """
    try:
        check_username(username)
        names = [PlainName(required=False).clean(name) for name in (first_name, last_name)]
    except ValidationError as wrong:
        raise RefusedError(" ".join(wrong.messages)) from None
    with transaction.atomic():
        waiting = User.objects.select_for_update().filter(username__iexact=username).first()
        if has_administrator():
            raise RefusedError("An administrator exists, and creates users on the page Users.")
        if waiting is None:
            waiting = User(username=username, role=Role.ADMINISTRATOR)
            waiting.first_name, waiting.last_name = names
            waiting.set_unusable_password()
            waiting.save(force_insert=True)
        elif waiting.role != Role.ADMINISTRATOR or not waiting.is_active:
            raise RefusedError("This user name is another user's. Choose one by --username.")
        secret = make_link(waiting, None, timezone.now())
        note(EventKind.USER_CREATED, by=None, address="", user=waiting.username, role=waiting.role)
    return reverse("accounts:start", args=[secret])
