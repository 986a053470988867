"""The one door at which a password or a PIN is verified: throttled, counted and recorded.

The sign-in page, a change of password, the question for one's own password and the switch of user
all pass it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from crs_app.accounts import throttle
from crs_app.accounts.events import note, note_failed
from crs_app.accounts.models import User
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

VERIFIED_AT_ONCE: Final = 2
"""Passwords and recovery codes that one process verifies at the same time, of its four threads."""
RETRY_AFTER_S: Final = 5
BUSY: Final = "busy"
HELD: Final = "held"
_BUSY_TEXT: Final = "Many people are signing in at this moment. Try again in a few seconds."
_verifying: Final = threading.BoundedSemaphore(VERIFIED_AT_ONCE)


def verified_user(
    request: HttpRequest, username: str, password: str, *, is_let_through: bool = False
) -> User | None:
    """Return the active user whose name and password these are, None where they do not match.

    An unknown name is answered like a known one. ``is_let_through``: the user has shown a right
    code of a second factor, so that earlier failures do not make the password wait.

    :raises ValidationError: with the code ``BUSY`` or ``HELD``, and a sentence.
    """

    def found() -> User | None:
        user = authenticate(request, username=username, password=password)
        return user if isinstance(user, User) else None

    return verified(request, username, found, why="password", is_let_through=is_let_through)


def verified(
    request: HttpRequest,
    username: str,
    found: Callable[[], User | None],
    *,
    why: str,
    is_let_through: bool = False,
) -> User | None:
    """Return the user that ``found`` verifies; None, and a failure of the name, for none.

    Where ``VERIFIED_AT_ONCE`` are being verified, another is refused at once and not counted: those
    who only read must not wait for those who guess. ``why`` says in the record what was wrong.

    :raises ValidationError: with the code ``BUSY`` or ``HELD``, and a sentence.
    """
    with one_of_few():
        return _verify(request, username, found, why, timezone.now(), is_let_through)


@contextmanager
def one_of_few() -> Iterator[None]:
    """Take one of the ``VERIFIED_AT_ONCE`` places of this process for a slow hash.

    :raises ValidationError: with the code ``BUSY`` and a sentence, where all are taken.
    """
    if not _verifying.acquire(blocking=False):
        raise ValidationError(_BUSY_TEXT, code=BUSY)
    try:
        yield
    finally:
        _verifying.release()


def _verify(
    request: HttpRequest,
    username: str,
    found: Callable[[], User | None],
    why: str,
    now: datetime,
    is_let_through: bool,
) -> User | None:
    address = client_address(request)
    try:
        attempt = throttle.begin(username, address, now, is_let_through=is_let_through)
    except throttle.HeldError as held:
        note_failed(held.user, address, now, why="held")
        raise ValidationError(held_text(held.until - now), code=HELD) from None
    user = found()
    if user is None:
        throttle.delete_forgotten(now)
        note(EventKind.SIGN_IN_FAILED, by=attempt.user, address=address, why=why)
        return None
    throttle.succeed(attempt)
    return user


def held_text(wait: timedelta) -> str:
    """Return the sentence for a try that has to wait; it reads alike for every name."""
    seconds = -(-wait // timedelta(seconds=1))
    text = f"{seconds} s" if seconds < 60 else f"{-(-seconds // 60)} min"
    return (
        f"Too many failed sign-ins from here. Try again in {text}, "
        "or ask an administrator to let you in now."
    )
