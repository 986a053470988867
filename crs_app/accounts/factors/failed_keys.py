"""Failed tries with a passkey or a security key: recorded, and counted for later waits."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from crs_app.accounts import throttle
from crs_app.accounts.events import note_failed
from crs_app.accounts.models import User
from crs_app.proxies import client_address


def note_failed_key(request: HttpRequest, user: User | None, *, why: str) -> None:
    """Record a failed try and count it: for ``user``, who has entered the password, or for nobody.

    The user whom a passkey names is as unproven as a name that a stranger types: a count of that
    user here would show, by the wait for a password, which names exist.
    """
    now, address = timezone.now(), client_address(request)
    throttle.count_failed_key(user, address, now)
    throttle.delete_forgotten(now)
    note_failed(user, address, now, why=why)
