"""Codes of an app and recovery codes: verified at one door, throttled like passwords."""

from __future__ import annotations

import base64
import logging
from contextlib import nullcontext
from datetime import datetime
from typing import Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret, validate_totp_code
from cryptography.fernet import InvalidToken
from django.http import HttpRequest

from crs_app.accounts import throttle
from crs_app.accounts.events import note, note_failed
from crs_app.accounts.factors.methods import CODE_APP, RECOVERY_CODES, factors_of
from crs_app.accounts.factors.recovery import (
    is_recovery_code,
    try_for_nobody,
    use_recovery_code,
)
from crs_app.accounts.models import User
from crs_app.accounts.verify import one_of_few
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

_SECRET: Final = "code_app_secret"  # noqa: S105 - the name of a place in the session
_log = logging.getLogger(__name__)


def is_right_code(
    request: HttpRequest, username: str, code: str, now: datetime, *, after_password: bool = False
) -> bool:
    """Return whether this is a code of the user of that name; a right one is used up.

    A name without a user, or of a user without a code app, is answered like a wrong code.
    ``after_password``: who tries has entered the password of the name; a wrong code is recorded
    each time.

    :raises throttle.HeldError: after too many wrong codes.
    :raises ValidationError: with the code ``BUSY`` for a recovery code, which takes as long as a
        password, where too many are being verified; it is not counted then.
    """
    with one_of_few() if is_recovery_code(code) else nullcontext():
        return _is_right_code(client_address(request), username, code, now, after_password)


def _is_right_code(
    address: str, username: str, code: str, now: datetime, after_password: bool
) -> bool:
    try:
        attempt = throttle.begin(username, address, now, of_codes=True)
    except throttle.HeldError as held:
        note_failed(held.user, address, now, why="code held")
        raise
    user = attempt.user
    if not _is_code_of(user, code) or user is None:
        throttle.delete_forgotten(now)
        if after_password:
            note(EventKind.SIGN_IN_FAILED, by=user, address=address, why="code")
        else:  # who tries another name each time never waits; alike for a name that nobody has
            note_failed(user, address, now, why="code")
        return False
    throttle.succeed(attempt)
    return True


def _is_code_of(user: User | None, code: str) -> bool:
    """Return whether the code is right; one of an app is refused from then on by every process.

    It takes as long for a name without a user, or of one who has no recovery codes.
    """
    factors: list[Authenticator] = []
    if user is not None and user.is_active:
        factors = list(factors_of(user, CODE_APP, RECOVERY_CODES).order_by("type"))
    if all(factor.type != RECOVERY_CODES for factor in factors):
        try_for_nobody(code)
    for factor in factors:
        if _is_accepted(factor, code):
            factor.record_usage()
            return True
    return False


def _is_accepted(factor: Authenticator, code: str) -> bool:
    try:
        if factor.type == RECOVERY_CODES:
            return use_recovery_code(factor, code)
        return bool(factor.wrap().validate_code(code))
    except InvalidToken:
        _log.warning("A second factor cannot be read: its CRS_SECRET_KEY was replaced.")
        return False


def new_secret(request: HttpRequest) -> str:
    """Return the secret of a code app that is being set up; one is made for each set-up."""
    kept = request.session.get(_SECRET)
    if kept is not None:
        try:
            return str(get_adapter().decrypt(kept))
        except InvalidToken:
            forget_secret(request)
    secret: str = generate_totp_secret()
    request.session[_SECRET] = get_adapter().encrypt(secret)
    return secret


def forget_secret(request: HttpRequest) -> None:
    """Forget the secret of a set-up that has ended."""
    request.session.pop(_SECRET, None)


def is_code_for(secret: str, code: str) -> bool:
    """Return whether an app that holds the secret shows this code now."""
    return bool(validate_totp_code(secret, code))


def qr_image(user: User, secret: str) -> str:
    """Return the address of an image that an app reads the secret from; it holds the image."""
    adapter = get_adapter()
    drawn: str = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


def in_groups(secret: str) -> str:
    """Return the secret as it is typed from a page: in groups of four."""
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
