"""When a person acted last, to the second: acts between two writes of the session are in a cookie.

The session is written once a minute, for a write of it is one statement more in a save. Read alone
it would lock up to a minute early where no script of the page warns and locks. The cookie is signed
for its session, and says no more than a time that was: whoever copies it gains nothing.
"""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

_NEW: Final = "act_of_cookie"
_LONGEST: Final = 20


def cookie_name() -> str:
    """Return the name of the cookie."""
    return f"{'__Host-' if settings.SESSION_COOKIE_SECURE else ''}crs-acted"


def act_in_cookie(request: HttpRequest, now: float) -> float:
    """Return the time of the last act as the cookie of this session has it, 0 for none."""
    written, _, proof = request.COOKIES.get(cookie_name(), "").partition(".")
    if not written.isascii() or not written.isdigit() or len(written) > _LONGEST:
        return 0
    is_ours = constant_time_compare(proof, _proof(request, written))
    return min(float(written), now) if is_ours else 0


def note_act(request: HttpRequest, now: float) -> None:
    """Let the answer bring the cookie of an act at ``now``."""
    setattr(request, _NEW, str(int(now)))


def send_act(request: HttpRequest, response: HttpResponseBase) -> None:
    """Set the cookie where this request was an act, and its session has not ended."""
    written = getattr(request, _NEW, None)
    if written is not None and request.session.session_key is not None:
        response.set_cookie(
            cookie_name(),
            f"{written}.{_proof(request, written)}",
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def _proof(request: HttpRequest, written: str) -> str:
    of = f"{request.session.session_key} {written}"
    return salted_hmac("crs.acted", of, algorithm="sha256").hexdigest()[:32]
