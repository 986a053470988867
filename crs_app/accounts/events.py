"""The one place from which events of accounts are recorded and written to the log."""

from __future__ import annotations

import logging
from datetime import datetime

from crs_app.accounts import throttle
from crs_app.accounts.models import User
from crs_app.record.models import EventKind
from crs_app.record.write import record_event

_log = logging.getLogger(__name__)


def note(event: EventKind, *, by: User | None, address: str, **details: str) -> None:
    """Record an event of accounts, and write it to the log; last in a transaction.

    ``details`` are names of users and fixed words: never a password, and no name that is nobody's,
    for people type passwords into the wrong field.
    """
    record_event(event, by=by, address=address, details=details)
    words = [f"by={by.username if by else 'unknown'}", f"address={address or 'none'}"]
    words += [f"{name}={value}" for name, value in details.items()]
    _log.info("%s %s", event.value, " ".join(words))


def note_failed(by: User | None, address: str, now: datetime, *, why: str, **details: str) -> None:
    """Record a failed sign-in that no wait bounds, as often as ``throttle.passed_over`` lets it.

    Anybody can repeat such a try without end, and the record keeps every event for ever. The next
    one that is recorded says how many were passed over.
    """
    passed = throttle.passed_over(address, now)
    if passed is None:
        return
    if passed:
        details["passed_over"] = str(passed)
    note(EventKind.SIGN_IN_FAILED, by=by, address=address, why=why, **details)
