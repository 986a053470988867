"""The cookie that names a tablet changes with each use, so that a copy of it is found.

It has the name of the tablet and how often it was used: for a full sign-in, and for a switch. Who
comes with a count of before, more than a few minutes after the use that followed it, is one of two
browsers with one name. Then nobody switches by that name any more, and its sessions end.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from crs_app.accounts.tablet_models import TabletSignIn

TABLET: Final = "tablet"
"""What a session keeps of its tablet: the digest of its name."""
ANSWER_MAY_BE_LOST_FOR: Final = timedelta(minutes=5)
"""So long a tablet may come with the count of before: two taps, or a network that failed."""
_LONGEST_COUNT: Final = 9
_NEW_COOKIE: Final = "new_tablet_cookie"


class TabletCopiedError(Exception):
    """Two browsers have the name of one tablet."""


class Cookie(NamedTuple):
    """What the cookie of a tablet says; without a name where there is none, or a forged one."""

    name: str
    uses: int

    @property
    def tablet(self) -> str:
        """The digest of the name, as rows and sessions have it; "" without a name."""
        return digest_of(self.name) if self.name else ""


def cookie_of(request: HttpRequest) -> Cookie:
    """Return what the cookie of the request says; one of an earlier version was never used."""
    value = request.COOKIES.get(settings.TABLET_COOKIE_NAME, "")
    name, _, counted = value.partition(".")
    if not counted:
        return Cookie(name, 0)
    uses, _, proof = counted.partition(".")
    is_number = uses.isascii() and uses.isdigit() and len(uses) <= _LONGEST_COUNT
    if not is_number or not constant_time_compare(proof, _proof(name, int(uses))):
        return Cookie("", 0)
    return Cookie(name, int(uses))


def new_name(request: HttpRequest) -> str:
    """Give the browser a name that no tablet has; return its digest."""
    name = secrets.token_urlsafe(32)
    _give(request, name, 0)
    return digest_of(name)


def keep_name(request: HttpRequest) -> None:
    """Let the browser keep its cookie for as long as a sign-in of now lasts."""
    setattr(request, _NEW_COOKIE, request.COOKIES[settings.TABLET_COOKIE_NAME])


def count_use(request: HttpRequest, now: datetime) -> None:
    """Count a use of the tablet of this browser, and give it the cookie that follows.

    :raises TabletCopiedError: where another browser was used with the same cookie; then no sign-in
        on the tablet leads back, and its sessions have ended but this one.
    """
    cookie = cookie_of(request)
    with transaction.atomic():
        rows = TabletSignIn.objects.filter(tablet=cookie.tablet)
        locked = list(rows.select_for_update(of=("self",)).order_by("pk"))
        uses = max((row.uses for row in locked), default=0)
        if cookie.uses >= uses:  # above it after a restore: the count of before was ours too
            uses = cookie.uses + 1
            rows.update(uses=uses, used_at=now)
        elif not _may_be_lost(cookie, uses, locked, now):
            rows.update(proof="", pin="")
            _end_sessions(cookie.tablet, but=request.session.session_key)
            uses = 0
    if not uses:
        raise TabletCopiedError
    _give(request, cookie.name, uses)


def uses_of(tablet: str) -> int:
    """Return how often the tablet was used."""
    counted = TabletSignIn.objects.filter(tablet=tablet).order_by("-uses")
    return counted.values_list("uses", flat=True).first() or 0


def send_cookie(request: HttpRequest, response: HttpResponseBase) -> None:
    """Give the browser the name of this tablet where a sign-in on it has just been kept or used.

    It lasts as long as that sign-in may: no name outlives all whom it is about.
    """
    value = getattr(request, _NEW_COOKIE, None)
    if value is not None:
        response.set_cookie(
            settings.TABLET_COOKIE_NAME,
            value,
            max_age=settings.SIGNED_OUT_AFTER,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",  # an answer of the hospital's own sign-in comes from another site
        )


def digest_of(name: str) -> str:
    """Return what is stored of the name of a tablet."""
    return hashlib.sha256(name.encode()).hexdigest()


def _may_be_lost(cookie: Cookie, uses: int, rows: list[TabletSignIn], now: datetime) -> bool:
    """Return whether the answer that brought the present cookie may not have arrived."""
    used_at = max((row.used_at for row in rows if row.used_at), default=None)
    is_lately = used_at is not None and now - used_at < ANSWER_MAY_BE_LOST_FOR
    return is_lately and cookie.uses == uses - 1


def _end_sessions(tablet: str, *, but: str | None) -> None:
    """End every session that is used on the tablet, or where its cookie was copied to."""
    rows = Session.objects.filter(expire_date__gt=timezone.now()).exclude(pk=but)
    found = [
        row.pk for row in rows.iterator(chunk_size=500) if row.get_decoded().get(TABLET) == tablet
    ]
    Session.objects.filter(pk__in=found).delete()


def _give(request: HttpRequest, name: str, uses: int) -> None:
    setattr(request, _NEW_COOKIE, f"{name}.{uses}.{_proof(name, uses)}")


def _proof(name: str, uses: int) -> str:
    return salted_hmac("crs.tablet.use", f"{name}.{uses}", algorithm="sha256").hexdigest()
