"""Switch the user of a shared tablet to one who signed in on it in full in the last 12 hours."""

from __future__ import annotations

import copy
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import SESSION_KEY, login
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from crs_app.accounts.events import note, note_failed
from crs_app.accounts.factors.failed_keys import note_failed_key
from crs_app.accounts.factors.keys import key_of_answer
from crs_app.accounts.factors.shown import SHOWN
from crs_app.accounts.middleware import begin_use
from crs_app.accounts.models import TabletSignIn, User
from crs_app.accounts.own_sessions import note_session
from crs_app.accounts.tablet_uses import TABLET, TabletCopiedError, count_use
from crs_app.accounts.tablets import (
    PINS_IN_A_ROW,
    has_shown_factor,
    is_right_pin,
    note_copy,
    takes_pin,
    valid_sign_in,
)
from crs_app.accounts.verify import verified
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

_NOT_A_PAGE: Final = frozenset(
    {
        "accounts:sign_in", "accounts:sign_out", "accounts:second_step",
        "accounts:passkey_sign_in", "accounts:switch", "accounts:pin",
    }
)  # fmt: skip


class SwitchRefusedError(Exception):
    """The user has no sign-in on this tablet that leads back; a full one is needed."""


def switch_to(request: HttpRequest, user: User, how: str, *, shows_factor: bool = False) -> None:
    """End the session of the one before and begin one of ``user``, who was verified by ``how``.

    ``shows_factor`` says that this was a second factor; else the new session has shown one where
    the full sign-in did.

    Every way of switching passes here: without a full sign-in of this user on this tablet, as the
    user is now, nobody gets in. The 12 hours go on from that sign-in. It is a use of the tablet,
    which finds a copy of its cookie.

    :raises SwitchRefusedError: where there is none, or the tablet was copied.
    """
    sign_in = valid_sign_in(request, user, timezone.now())
    if sign_in is None:
        raise SwitchRefusedError
    try:
        count_use(request, timezone.now())
    except TabletCopiedError:
        note_copy(request, user)
        request.session.flush()
        raise SwitchRefusedError from None
    before = _user_of_session(request)
    request.session.flush()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    begin_use(request, sign_in.signed_in_at)
    note_session(request)
    request.session[TABLET] = sign_in.tablet
    request.session[SHOWN] = shows_factor or has_shown_factor(sign_in)
    instead_of = {} if before is None else {"instead_of": before.username}
    note(EventKind.SIGN_IN, by=user, address=client_address(request), how=how, **instead_of)


def _user_of_session(request: HttpRequest) -> User | None:
    """Return whose session it is, of a locked one too."""
    key = request.session.get(SESSION_KEY)
    return None if key is None else User.objects.filter(pk=key).first()


def switch_by_pin(request: HttpRequest, sign_in: TabletSignIn, pin: str) -> None:
    """Switch to the user of ``sign_in``, whose PIN this is.

    :raises ValidationError: with a sentence, where it is not, or may not be tried now.
    """
    user = sign_in.user

    def found() -> User | None:
        return user if is_right_pin(sign_in, pin) else None

    if not takes_pin(sign_in):
        note_refused(request, user)
        raise ValidationError(_full_sign_in_of(user))
    if verified(request, user.username, found, why="pin") is None:
        left = PINS_IN_A_ROW - sign_in.wrong_pins
        raise ValidationError(_wrong(left) if left > 0 else _full_sign_in_of(user))
    try:
        switch_to(request, user, how="pin")
    except SwitchRefusedError:
        note_refused(request, user)
        raise ValidationError(_full_sign_in_of(user)) from None


def switch_by_passkey(request: HttpRequest, answer: str) -> None:
    """Switch to the user whose passkey a browser answers with.

    :raises ValidationError: with a sentence, where it is no such passkey, or no sign-in leads back.
    """
    try:
        factor = key_of_answer(answer, None)
    except ValidationError:
        note_failed_key(request, None, why="passkey")
        raise
    factor.record_usage()
    try:
        switch_to(request, factor.user, how="passkey", shows_factor=True)
    except SwitchRefusedError:
        note_refused(request, factor.user)
        name = factor.user.display_name
        raise ValidationError(f"{name} must sign in in full on this tablet first.") from None


def note_refused(request: HttpRequest, user: User | None) -> None:
    """Record a switch to a user who has to sign in in full; None where nobody here is named."""
    note_failed(user, client_address(request), timezone.now(), why="no full sign-in here")


def _wrong(left: int) -> str:
    tries = "1 try" if left == 1 else f"{left} tries"
    return f"Wrong PIN. {tries} left, then full sign-in."


def _full_sign_in_of(user: User) -> str:
    return f"{user.display_name} must sign in in full: the PIN has ended."


def page_of_this_site(request: HttpRequest, asked: str) -> str:
    """Return the page asked for; "" where it is none of this site, or one of signing in."""
    if not url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return ""
    parts = urlsplit(asked)
    try:
        found = resolve(parts.path)
    except Resolver404:
        return ""
    query = f"?{parts.query}" if parts.query else ""
    return "" if found.view_name in _NOT_A_PAGE else f"{parts.path}{query}"


def page_that_opens(request: HttpRequest, asked: str) -> str:
    """Return the page asked for if the user of ``request`` may see it, else the first page.

    The page itself answers that, as it would in a moment.
    """
    address = page_of_this_site(request, asked)
    return address if address and _opens(request, address) else settings.LOGIN_REDIRECT_URL


def _opens(request: HttpRequest, address: str) -> bool:
    parts = urlsplit(address)
    found = resolve(parts.path)
    asking = copy.copy(request)
    asking.method = "GET"
    asking.path = asking.path_info = parts.path
    asking.META = {**request.META, "QUERY_STRING": parts.query}
    asking.GET = QueryDict(parts.query)
    asking.POST = QueryDict()
    asking.resolver_match = found
    try:
        answer = found.func(asking, *found.args, **found.kwargs)
    except (PermissionDenied, Http404, SuspiciousOperation):
        return False
    return isinstance(answer, HttpResponse) and answer.status_code == 200
