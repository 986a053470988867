"""Sessions of a user: from which device and since when, when last used, and how they end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from crs_app.accounts.middleware import USE
from crs_app.accounts.models import User
from crs_app.accounts.tablet_uses import TABLET
from crs_app.accounts.tablets import end_pin, note_tablet
from crs_app.proxies import client_address

ADDRESS: Final = "address"
DEVICE: Final = "device"
PASSWORD_AT: Final = "password_at"  # noqa: S105 - the name of a time
"""Keys of what a session holds of its sign-in."""
PASSWORD_FRESH_FOR: Final = timedelta(minutes=15)
_BROWSERS: Final = (
    ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrom", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Android", "Android"), ("iPad", "iPad"), ("iPhone", "iPhone"), ("CrOS", "ChromeOS"),
    ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class OpenSession:
    """A session that has not ended; ``code`` names it without giving it away."""

    code: str
    device: str
    address: str
    since: datetime | None
    last_act: datetime | None
    is_this: bool = False


def note_sign_in(request: HttpRequest) -> None:
    """Keep that a user has signed in in full: in the new session, and for this tablet."""
    note_session(request)
    note_password(request)
    note_tablet(request, timezone.now())


def note_session(request: HttpRequest) -> None:
    """Keep in a new session where it is, and on which device.

    When its user signed in in full is kept by the middleware, which counts the 12 hours from then.
    """
    request.session[ADDRESS] = client_address(request)
    request.session[DEVICE] = device_name(request.headers.get("User-Agent", ""))


def signed_in_at(request: HttpRequest) -> datetime:
    """Return when the user of this session signed in in full, from which on 12 hours count."""
    return datetime.fromtimestamp(request.session[USE]["signed_in"], UTC)


def note_password(request: HttpRequest) -> None:
    """Keep that the user has just entered the own password."""
    request.session[PASSWORD_AT] = timezone.now().timestamp()


def has_fresh_password(request: HttpRequest) -> bool:
    """Return whether the user entered the own password in the last 15 minutes."""
    entered = _time(request.session.get(PASSWORD_AT))
    return entered is not None and timezone.now() - entered < PASSWORD_FRESH_FOR


def device_name(user_agent: str) -> str:
    """Return browser and system in a few words: "Chrome on Android"."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser


def sessions_of(user: User, this_key: str | None = None) -> list[OpenSession]:
    """Return the user's sessions, the one used last first."""
    found = [
        OpenSession(
            code=_code(session.session_key),
            device=held.get(DEVICE, "unknown device"),
            address=held.get(ADDRESS, ""),
            since=_time(_use(session, held).get("signed_in")),
            last_act=_time(_use(session, held).get("acted") or None),
            is_this=session.session_key == this_key,
        )
        for session, held in _rows(user)
    ]
    long_ago = datetime.fromtimestamp(0, UTC)
    return sorted(found, key=lambda one: one.last_act or one.since or long_ago, reverse=True)


def end_session(user: User, code: str) -> bool:
    """End the user's session of this code and the PIN on its tablet; return whether there was."""
    found = [(row, held) for row, held in _rows(user) if _code(row.session_key) == code]
    for _, held in found:
        end_pin(user, held.get(TABLET, ""))
    return bool(Session.objects.filter(pk__in=[row.pk for row, _ in found]).delete()[0])


def end_all_sessions(user: User) -> int:
    """End every session of the user at once; return how many there were.

    The number in the user's row ends also a session that begins at this moment. The rows stay until
    they expire: an entry that is being saved is answered as saved.
    """
    ended = sum(1 for _ in _rows(user))
    User.objects.filter(pk=user.pk).update(sessions_ended=F("sessions_ended") + 1)
    user.refresh_from_db(fields=["sessions_ended"])
    return ended


def keep_this_session(request: HttpRequest, user: User) -> None:
    """Let this session go on, which has ended with the others; its 12 hours go on."""
    use = request.session.get(USE)
    update_session_auth_hash(request, user)
    if use is not None:
        request.session[USE] = {**use, "of": request.session.session_key}


def _rows(user: User) -> Iterator[tuple[Session, dict[str, Any]]]:
    """Yield the user's open sessions with what they hold; a session alone says whose it is."""
    rows = Session.objects.filter(expire_date__gt=timezone.now())
    valid = user.get_session_auth_hash()
    for row in rows.iterator(chunk_size=500):
        held = row.get_decoded()
        is_of_user = held.get(SESSION_KEY) == str(user.pk)
        if is_of_user and held.get(HASH_SESSION_KEY) == valid:
            yield row, held


def _use(session: Session, held: dict[str, Any]) -> dict[str, Any]:
    """Return what the middleware keeps of the use of a session; nothing before its first page."""
    use: dict[str, Any] = held.get(USE, {})
    return use if use.get("of") == session.session_key else {}


def _code(session_key: str) -> str:
    return hashlib.sha256(session_key.encode()).hexdigest()[:16]


def _time(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)
