"""Launches that were sent to the sign-in of a health record, each in a cookie of its own.

Several tabs of one browser may launch at once: the ``state`` that comes back names the cookie.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Final

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from patients.exchange.smart.refusals import LaunchRefusedError, Reason

BEGUN_FOR_S: Final = 10 * 60
BEGUN_AT_MOST: Final = 8
"""Launches that one browser has begun; a further one ends the oldest, for headers are limited."""
_SALT: Final = "crs.smart-launch"
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{32}", re.ASCII)


@dataclass(frozen=True)
class Begun:
    """A launch that was sent to the health record's sign-in: its secrets, and whose it is."""

    state: str
    nonce: str
    verifier: str
    iss: str
    is_framed: bool


def keep_begun(request: HttpRequest, response: HttpResponse, begun: Begun) -> None:
    """Give the browser the cookie of a launch that begins."""
    for name in _names_by_age(request)[BEGUN_AT_MOST - 1 :]:
        response.delete_cookie(name)
    response.set_cookie(
        _cookie_name(begun.state),
        signing.dumps(asdict(begun), salt=_SALT, compress=True),
        max_age=BEGUN_FOR_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",  # Strict is not sent with the way back from another host
    )


def begun_of(request: HttpRequest) -> Begun:
    """Return the launch of this browser that comes back.

    :raises LaunchRefusedError: where it began none with this state, or too long ago.
    """
    state = _state_of(request)
    try:
        kept = request.COOKIES.get(_cookie_name(state), "")
        begun = Begun(**signing.loads(kept, salt=_SALT, max_age=BEGUN_FOR_S))
    except (signing.BadSignature, TypeError):
        raise LaunchRefusedError(Reason.STATE) from None
    if not constant_time_compare(state, begun.state):
        raise LaunchRefusedError(Reason.STATE)
    return begun


def refuse_used(begun: Begun) -> None:
    """Raise LaunchRefusedError where the launch has come back before."""
    if cache.get(_used_key(begun)) is not None:
        raise LaunchRefusedError(Reason.STATE)


def use_up(begun: Begun) -> None:
    """Let a launch return once, of many at the same time one.

    What the health record did not sign is not kept: strangers would fill the cache.

    :raises LaunchRefusedError: where it has returned before.
    """
    if not cache.add(_used_key(begun), "used", 2 * BEGUN_FOR_S):
        raise LaunchRefusedError(Reason.STATE)


def forget_begun(request: HttpRequest, response: HttpResponse) -> None:
    """Take the cookie of the launch that came back from the browser; those of others stay."""
    if (name := _cookie_name(_state_of(request))) in request.COOKIES:
        response.delete_cookie(name)


def _used_key(begun: Begun) -> str:
    return f"{_SALT}:{begun.state}"


def _state_of(request: HttpRequest) -> str:
    state = request.GET.get("state", "")
    return state if _STATE.fullmatch(state) else ""


def _cookie_name(state: str) -> str:
    return f"{_stem()}{state}"


def _stem() -> str:
    return f"{'__Host-' if settings.SESSION_COOKIE_SECURE else ''}crs-launch-"


def _names_by_age(request: HttpRequest) -> list[str]:
    """Return the names of the cookies of launches, the newest first."""
    found = [name for name in request.COOKIES if name.startswith(_stem())]
    return sorted(found, key=lambda name: _begun_at(request.COOKIES[name]), reverse=True)


def _begun_at(kept: str) -> str:
    """Return when a cookie was signed, as a text that sorts by time; "" for another's cookie."""
    try:
        words = signing.TimestampSigner(salt=_SALT).unsign(kept)
    except signing.BadSignature:
        return ""
    return kept[len(words) :]
