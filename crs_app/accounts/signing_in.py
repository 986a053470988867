"""The one door through which a session begins, whichever way a user has shown who he or she is."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest

from crs_app.accounts.events import note
from crs_app.accounts.models import User
from crs_app.accounts.own_sessions import note_sign_in
from crs_app.accounts.sessions import delete_expired_sessions
from crs_app.proxies import client_address
from crs_app.record.models import EventKind


def sign_in(request: HttpRequest, user: User, *, method: str = "") -> None:
    """Begin the session of a user who has shown who he or she is; record it.

    ``method`` says how, in words for people; "" is by password alone.
    """
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    note_sign_in(request)
    how = {"method": method} if method else {}
    note(EventKind.SIGN_IN, by=user, address=client_address(request), **how)
    delete_expired_sessions()
