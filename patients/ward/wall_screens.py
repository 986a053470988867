"""Start and end wall screens. A screen is no user: it reads the wall of its wards alone."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction

from crs_app.accounts.models import User, Ward
from crs_app.accounts.permissions import check_can_end_wall, check_can_start_wall
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.models import WALL_SCREEN_LASTS, WallScreen
from patients.queries.wall import read_screen, screens_of

_KEY_BYTES: Final = 32


@transaction.atomic
def start_screen(wards: Iterable[Ward], by: User, now: datetime) -> str:
    """Store a new screen of ``wards``, and return its key, which is stored nowhere."""
    check_can_start_wall(by)
    key = secrets.token_urlsafe(_KEY_BYTES)
    shown = sorted(wards, key=lambda ward: ward.name)
    WallScreen.objects.create(
        key_digest=digest_of(key),
        ward_ids=[ward.pk for ward in shown],
        started_at=now,
        until=now + WALL_SCREEN_LASTS,
        started_by=by,
        author_name=by.display_name,
        author_role=by.role,
    )
    record_event(
        EventKind.WALL_STARTED, by=by, details={"wards": ", ".join(ward.name for ward in shown)}
    )
    return key


@transaction.atomic
def end_screen(screen_id: int, by: User, now: datetime) -> bool:
    """End a screen that ``by`` may end; return whether it was running."""
    check_can_end_wall(by)
    screen = next((one for one in screens_of(by, now) if one.pk == screen_id), None)
    if screen is None:
        return False
    running = WallScreen.objects.filter(pk=screen.pk, ended_at=None)
    if not running.update(ended_at=now, ended_by=by):
        return False
    names = Ward.objects.filter(pk__in=screen.ward_ids).values_list("name", flat=True)
    record_event(
        EventKind.WALL_ENDED,
        by=by,
        details={"wards": ", ".join(sorted(names)), "started by": screen.author_name},
    )
    return True


def screen_of(key: str, now: datetime) -> WallScreen | None:
    """Return the running screen that has ``key``; None where there is none."""
    return read_screen(digest_of(key), now) if key else None


def digest_of(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
