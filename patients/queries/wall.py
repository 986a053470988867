"""Read wall screens."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from crs_app.accounts.models import User
from crs_app.accounts.permissions import can_manage_wards, wards_to_read
from patients.models import WallScreen


def running_screens(now: datetime) -> QuerySet[WallScreen]:
    """Query the screens that show something at ``now``, the latest first."""
    return WallScreen.objects.filter(ended_at=None, until__gt=now).order_by("-started_at", "-pk")


def read_screen(key_digest: str, now: datetime) -> WallScreen | None:
    """Read the running screen with this key; None where there is none."""
    return running_screens(now).filter(key_digest=key_digest).first()


def screens_of(user: User, now: datetime) -> list[WallScreen]:
    """Read the running screens that ``user`` may end: those of own wards, administrators all."""
    wards = None if can_manage_wards(user) else wards_to_read(user)
    return [
        screen
        for screen in running_screens(now)
        if wards is None or wards.intersection(screen.ward_ids)
    ]
