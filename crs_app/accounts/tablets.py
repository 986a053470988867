"""Who signed in on this tablet: a cookie names the tablet, a row each full sign-in on it.

A row ends 12 hours after its sign-in, and before that with a changed password or role, with *sign
out everywhere*, with the deactivation of its user and with the third wrong PIN in a row. Signing
out on the tablet ends its PIN.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from crs_app.accounts.events import note
from crs_app.accounts.factors.shown import SHOWN
from crs_app.accounts.models import User
from crs_app.accounts.tablet_models import TabletSignIn
from crs_app.accounts.tablet_uses import (
    TABLET,
    TabletCopiedError,
    cookie_of,
    count_use,
    keep_name,
    new_name,
    uses_of,
)
from crs_app.proxies import client_address
from crs_app.record.models import EventKind

PINS_IN_A_ROW: Final = 3
"""Wrong PINs in a row, after which only a full sign-in counts."""
_DELETED_AT_ONCE: Final = 100


def note_tablet(request: HttpRequest, now: datetime) -> None:
    """Keep that the user of ``request`` has just signed in in full here; an earlier PIN ends.

    A browser whose cookie was copied gets another name.
    """
    _delete_old(now)
    user = _user(request)
    tablet = _tablet_for_sign_in(request, now)
    if tablet == tablet_of(request):
        tablet = _used_tablet(request, now)
    proof = _proof(user, has_shown_factor=bool(request.session.get(SHOWN)))
    fresh = {"signed_in_at": now, "proof": proof, "pin": "", "wrong_pins": 0, **_uses(tablet, now)}
    TabletSignIn.objects.update_or_create(tablet=tablet, user=user, defaults=fresh)


def _used_tablet(request: HttpRequest, now: datetime) -> str:
    """Count a use of the known tablet; return its digest, that of a new name after a copy."""
    try:
        count_use(request, now)
    except TabletCopiedError:
        note_copy(request, _user(request))
        request.session[TABLET] = new_name(request)
    return str(request.session[TABLET])


def note_copy(request: HttpRequest, user: User) -> None:
    """Record that two browsers have the name of this tablet: its sign-ins and sessions ended.

    ``user`` is whose sign-in or switch has shown it.
    """
    why = "two browsers with the cookie of one tablet"
    note(EventKind.SIGNED_OUT, by=user, address=client_address(request), why=why)


def _uses(tablet: str, now: datetime) -> dict[str, Any]:
    """Return what a new row has of its tablet: each row counts for all, for the others may end."""
    return {"uses": uses_of(tablet), "used_at": now}


def set_pin(request: HttpRequest, pin: str, signed_in_at: datetime) -> None:
    """Let the user of ``request`` switch back by ``pin`` until 12 hours after ``signed_in_at``."""
    user = _user(request)
    tablet = _tablet_for_sign_in(request, timezone.now())
    proof = _proof(user, has_shown_factor=bool(request.session.get(SHOWN)))
    fresh = {"signed_in_at": signed_in_at, "proof": proof, "wrong_pins": 0, "uses": uses_of(tablet)}
    hashed = make_password(_keyed(pin, tablet, user))
    TabletSignIn.objects.update_or_create(
        tablet=tablet, user=user, defaults={**fresh, "pin": hashed}
    )


def end_pin(user: User, tablet: str) -> bool:
    """End the PIN of the user on the tablet; return whether there was one."""
    found = TabletSignIn.objects.filter(tablet=tablet, user=user).exclude(pin="")
    return bool(found.update(pin=""))


def end_on_tablets(user: User) -> None:
    """End every sign-in of the user on tablets: a full one is needed, whatever comes back later."""
    TabletSignIn.objects.filter(user=user).update(proof="", pin="")


def tablet_of(request: HttpRequest) -> str:
    """Return the digest of the tablet's cookie, "" where the browser has none."""
    return cookie_of(request).tablet


def sign_ins_here(request: HttpRequest, now: datetime) -> list[TabletSignIn]:
    """Return the sign-ins of active users on this tablet in the last 12 hours, by name."""
    found = TabletSignIn.objects.select_related("user").filter(
        tablet=tablet_of(request),
        signed_in_at__gt=now - settings.SIGNED_OUT_AFTER,
        user__is_active=True,
    )
    return sorted(found, key=lambda one: (one.user.name_in_lists.casefold(), one.user_id))


def valid_sign_in(request: HttpRequest, user: User, now: datetime) -> TabletSignIn | None:
    """Return the user's sign-in on this tablet; None where a full sign-in is needed again."""
    here = {one.user_id: one for one in sign_ins_here(request, now)}
    found = here.get(user.pk)
    return found if found is not None and is_valid(found) else None


def is_valid(sign_in: TabletSignIn) -> bool:
    """Return whether its user is unchanged since: active, with the same password and role."""
    is_either = _proves(sign_in, has_shown_factor=True) or _proves(sign_in, has_shown_factor=False)
    return sign_in.user.is_active and is_either


def has_shown_factor(sign_in: TabletSignIn) -> bool:
    """Return whether the full sign-in showed a second factor; a switch is worth no more."""
    return _proves(sign_in, has_shown_factor=True)


def _proves(sign_in: TabletSignIn, *, has_shown_factor: bool) -> bool:
    proof = _proof(sign_in.user, has_shown_factor=has_shown_factor)
    return constant_time_compare(sign_in.proof, proof)


def takes_pin(sign_in: TabletSignIn) -> bool:
    """Return whether a PIN may still be tried."""
    return bool(sign_in.pin) and sign_in.wrong_pins < PINS_IN_A_ROW and is_valid(sign_in)


def is_right_pin(sign_in: TabletSignIn, pin: str) -> bool:
    """Return whether this is the PIN; ``sign_in`` then says how many wrong ones there were.

    A try counts as a wrong one before it is verified: of many at once three are. No lock is held
    meanwhile.
    """
    rows = TabletSignIn.objects.filter(pk=sign_in.pk)
    with transaction.atomic():
        locked = rows.select_for_update(of=("self",)).select_related("user").first()
        if locked is None or not takes_pin(locked):
            return False
        locked.wrong_pins += 1
        locked.save(update_fields=["wrong_pins"])
    sign_in.wrong_pins = locked.wrong_pins
    if check_password(_keyed(pin, locked.tablet, locked.user), locked.pin):
        rows.update(wrong_pins=0)
        return True
    if locked.wrong_pins >= PINS_IN_A_ROW:
        rows.update(pin="")
    return False


def _tablet_for_sign_in(request: HttpRequest, now: datetime) -> str:
    """Return the digest of the tablet; one that no sign-in of the last hours knows is replaced."""
    cookie = cookie_of(request)
    known = TabletSignIn.objects.filter(
        tablet=cookie.tablet, signed_in_at__gt=now - settings.SIGNED_OUT_AFTER
    ).exclude(proof="")
    if cookie.name and known.exists():
        keep_name(request)
        tablet = cookie.tablet
    else:
        tablet = new_name(request)
    request.session[TABLET] = tablet
    return tablet


def _delete_old(now: datetime) -> None:
    old = TabletSignIn.objects.filter(signed_in_at__lte=now - settings.SIGNED_OUT_AFTER)
    keys = list(old.values_list("pk", flat=True)[:_DELETED_AT_ONCE])
    TabletSignIn.objects.filter(pk__in=keys).delete()


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise TypeError("A tablet is kept for a user who has signed in.")
    return request.user


def _proof(user: User, *, has_shown_factor: bool) -> str:
    """Return a digest that changes with password, role, factors and *sign out everywhere*.

    It says too whether the full sign-in showed a second factor.
    """
    holds = f"{user.get_session_auth_hash()}:{user.role}:{has_shown_factor}"
    return salted_hmac("crs.tablet", holds, algorithm="sha256").hexdigest()


def _keyed(pin: str, tablet: str, user: User) -> str:
    """Return what is hashed: without the site's secret, 10,000 tries would find any PIN."""
    return salted_hmac("crs.pin", f"{tablet}:{user.pk}:{pin}", algorithm="sha256").hexdigest()
