"""The one door through which a session begins, whichever way a user has shown who he or she is.

After the first step (the password, the hospital's single sign-on) a user who has a second factor is
asked for it. Meanwhile the earlier session notes which user that is, and signs nobody in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from crs_app.accounts.events import note
from crs_app.accounts.factors.methods import has_second_factor
from crs_app.accounts.factors.shown import SHOWN
from crs_app.accounts.launch_names import LAUNCH
from crs_app.accounts.launched import Launch
from crs_app.accounts.middleware import USE
from crs_app.accounts.models import User
from crs_app.accounts.own_sessions import note_session, note_sign_in
from crs_app.accounts.sessions import delete_expired_sessions
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

WAITS_FOR: Final = timedelta(minutes=10)
_WAITING: Final = "waits_for_second_step"


def after_first_step(
    request: HttpRequest, user: User, next_page: str, *, method: str = ""
) -> HttpResponse:
    """Ask for the second factor of a user who has one; sign in who has none.

    ``method`` says in words for people how the first step was done; "" is the password.
    """
    if has_second_factor(user):
        _wait_for_second_step(request, user, next_page, method)
        return redirect("accounts:second_step")
    sign_in(request, user, method=method, has_second_factor=False)
    return redirect(next_page)


def sign_in(request: HttpRequest, user: User, *, method: str, has_second_factor: bool) -> None:
    """Begin the session of a user who has shown all that is asked for; record it."""
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session.set_expiry(None)  # that of a challenge was shorter
    request.session.pop(_WAITING, None)
    request.session[SHOWN] = has_second_factor
    note_sign_in(request)
    how = {"method": method} if method else {}
    note(EventKind.SIGN_IN, by=user, address=client_address(request), **how)
    delete_expired_sessions()


def sign_in_launched(request: HttpRequest, user: User, launch: Launch) -> None:
    """Begin the session of a user whom a health record launched, for one patient; record it.

    Nothing of an earlier session stays. The browser becomes no tablet of this user, who entered no
    password here, and the health record's sign-in stands for a second factor.
    """
    request.session.flush()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[SHOWN] = True
    request.session[LAUNCH] = launch.kept()
    note_session(request)
    address = client_address(request)
    note(EventKind.SIGN_IN, by=user, address=address, method="launch", record=launch.record)
    delete_expired_sessions()


@dataclass(frozen=True)
class Waiting:
    """A user whose first step is done."""

    user: User
    next_page: str
    method: str


def waiting_user(request: HttpRequest) -> Waiting | None:
    """Return who has done the first step in this session; None after ten minutes.

    None also for a user who was deactivated or got another password since.
    """
    kept = request.session.get(_WAITING)
    if kept is None:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    is_old = timezone.now().timestamp() - kept["at"] > WAITS_FOR.total_seconds()
    if user is None or is_old or kept["valid"] != user.get_session_auth_hash():
        request.session.pop(_WAITING)
        return None
    return Waiting(user, kept["next"], kept["method"])


def forget_waiting(request: HttpRequest) -> None:
    """Begin again with the first step."""
    request.session.pop(_WAITING, None)


def _wait_for_second_step(request: HttpRequest, user: User, next_page: str, method: str) -> None:
    """Keep who waits, under another key of the session; a locked one stays locked."""
    use = request.session.get(USE)
    request.session.cycle_key()
    if use is not None:
        request.session[USE] = {**use, "of": request.session.session_key}
    request.session[_WAITING] = {
        "user": user.pk,
        "at": timezone.now().timestamp(),
        "valid": user.get_session_auth_hash(),
        "next": next_page,
        "method": method,
    }
