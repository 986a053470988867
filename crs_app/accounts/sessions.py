"""Delete sessions that have expired, a few at each sign-in and each challenge of a passkey."""

from __future__ import annotations

from typing import Final

from django.contrib.sessions.models import Session
from django.utils import timezone

AT_ONCE: Final = 100
"""More than can expire between two of these: each of them makes one session."""


def delete_expired_sessions() -> int:
    """Delete at most ``AT_ONCE`` expired sessions, the oldest first; return how many."""
    expired = Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
    keys = list(expired.values_list("pk", flat=True)[:AT_ONCE])
    deleted, _ = Session.objects.filter(pk__in=keys).delete() if keys else (0, {})
    return deleted
