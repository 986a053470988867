"""When the record was last verified as a whole, and what was found."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import transaction

from crs_app.record.models import Event, EventKind
from crs_app.record.write import record_event

FRESH_FOR: Final = timedelta(hours=36)
"""It is verified every night; after one night without it the pages say so."""


class Check(NamedTuple):
    """The result of one run of ``manage.py verify_audit``."""

    at: datetime
    events: int
    faults: int

    def is_old(self, now: datetime) -> bool:
        return now - self.at > FRESH_FOR


def record_verified(events: int, faults: int) -> None:
    """Record that the whole record was verified: it had so many events and faults."""
    with transaction.atomic():
        record_event(
            EventKind.RECORD_VERIFIED,
            by=None,
            details={"events": str(events), "faults": str(faults)},
        )


def last_check() -> Check | None:
    """Read the last result; None where the record was never verified."""
    found = Event.objects.filter(by=None, kind=EventKind.RECORD_VERIFIED).order_by("-at").first()
    if found is None:
        return None
    return Check(found.at, int(found.details["events"]), int(found.details["faults"]))
