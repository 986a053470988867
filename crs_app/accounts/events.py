"""The one place from which events of accounts are recorded and written to the log."""

from __future__ import annotations

import logging
from enum import StrEnum

from crs_app.accounts.models import User

_log = logging.getLogger(__name__)


class Event(StrEnum):
    """What happens to accounts."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    SIGNED_OUT = "signed_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - no password
    USER_CREATED = "user_created"
    USER_CHANGED = "user_changed"
    USER_UNLOCKED = "user_unlocked"
    ROLE_CHANGED = "role_changed"
    EXPORT = "export"


def note(event: Event, *, by: User | None, address: str, **details: str) -> None:
    """Record an event of accounts, and write it to the log.

    ``details`` are names and fixed words: never a password, and no name that is nobody's, for
    people type passwords into the wrong field.
    """
    words = [f"by={by.username if by else 'unknown'}", f"address={address or 'none'}"]
    words += [f"{name}={value}" for name, value in details.items()]
    _log.info("%s %s", event.value, " ".join(words))
