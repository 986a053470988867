"""Sign-ins at another site that a browser has begun, each in a cookie of its own.

Several tabs of one browser may begin one at once: the ``state`` that comes back names the cookie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

BEGUN_FOR_S: Final = 10 * 60
"""How long a sign-in at the other site may take."""
BEGUN_AT_MOST: Final = 8
"""Sign-ins that one browser has begun at one site; a further one ends the oldest."""
_LETTERS_AT_MOST: Final = 4000
"""Letters of these cookies together: a web server refuses longer headers."""
_STATE: Final = re.compile(r"[A-Za-z0-9_-]{20,64}", re.ASCII)


class NotBegunError(Exception):
    """This browser began no sign-in with this state, or too long ago, or it returned before."""


class RoundTrips:
    """The sign-ins at one other site; ``name`` is the first part of the names of their cookies.

    What is kept of each is a mapping for JSON, with its ``state``.
    """

    def __init__(self, name: str) -> None:
        self._name, self._salt = name, f"crs.round-trip.{name}"

    def keep(self, request: HttpRequest, response: HttpResponse, kept: Mapping[str, Any]) -> None:
        """Give the browser the cookie of a sign-in that begins."""
        value = signing.dumps(dict(kept), salt=self._salt, compress=True)
        letters = len(value)
        for number, name in enumerate(self._names_by_age(request), start=2):
            letters += len(request.COOKIES[name])
            if number > BEGUN_AT_MOST or letters > _LETTERS_AT_MOST:
                response.delete_cookie(name)
        response.set_cookie(
            self._cookie_name(str(kept["state"])),
            value,
            max_age=BEGUN_FOR_S,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",  # Strict is not sent with the way back from another host
        )

    def read(self, request: HttpRequest) -> dict[str, Any]:
        """Return what was kept of the sign-in that returns.

        :raises NotBegunError: where there is none, or it has come back with a true answer before.
        """
        state = _state_of(request)
        kept = request.COOKIES.get(self._cookie_name(state), "")
        try:
            begun: dict[str, Any] = signing.loads(kept, salt=self._salt, max_age=BEGUN_FOR_S)
        except signing.BadSignature:
            raise NotBegunError from None
        if not constant_time_compare(state, str(begun["state"])) or self._is_used(state):
            raise NotBegunError
        return begun

    def use_up(self, state: str) -> None:
        """Accept the return of a sign-in once; of several requests at the same time, one.

        What the other site did not sign is not kept: strangers would fill the cache, which then
        forgets which codes of a second factor were used.

        :raises NotBegunError: where it has come back before.
        """
        if not cache.add(self._used_key(state), "used", 2 * BEGUN_FOR_S):
            raise NotBegunError

    def forget(self, request: HttpRequest, response: HttpResponse) -> None:
        """Remove the cookie of the sign-in that returned; the cookies of others stay."""
        if (name := self._cookie_name(_state_of(request))) in request.COOKIES:
            response.delete_cookie(name)

    def _is_used(self, state: str) -> bool:
        return cache.get(self._used_key(state)) is not None

    def _used_key(self, state: str) -> str:
        return f"{self._salt}:{state}"

    def _cookie_name(self, state: str) -> str:
        return f"{self._stem()}{state}"

    def _stem(self) -> str:
        return f"{'__Host-' if settings.SESSION_COOKIE_SECURE else ''}{self._name}-"

    def _names_by_age(self, request: HttpRequest) -> list[str]:
        """Return the names of the cookies of sign-ins that have begun, the newest first."""
        found = [name for name in request.COOKIES if name.startswith(self._stem())]
        return sorted(found, key=lambda name: self._begun_at(request.COOKIES[name]), reverse=True)

    def _begun_at(self, kept: str) -> str:
        """Return when a cookie was signed, as text that sorts by time; "" for another's cookie."""
        try:
            words = signing.TimestampSigner(salt=self._salt).unsign(kept)
        except signing.BadSignature:
            return ""
        return kept[len(words) :]


def _state_of(request: HttpRequest) -> str:
    state = request.GET.get("state", "")
    return state if _STATE.fullmatch(state) else ""
