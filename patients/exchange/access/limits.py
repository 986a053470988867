"""How many requests a sender may send in a minute, counted for all processes together."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from crs_app.accounts.throttle import network_of
from patients.exchange.access.refusals import too_many
from patients.models import RequestCount

REQUESTS_OF_A_SYSTEM: Final = 600
TOKENS_OF_A_SYSTEM: Final = 60
TOKENS_OF_AN_ADDRESS: Final = 120
REFUSED_OF_AN_ADDRESS: Final = 60
_MINUTE: Final = timedelta(minutes=1)
_KEPT: Final = timedelta(hours=1)
_DELETED_AT_ONCE: Final = 100
_COUNT: Final = """
INSERT INTO patients_requestcount (sender, minute, count) VALUES (%s, %s, 1)
ON CONFLICT (sender, minute) DO UPDATE SET count = patients_requestcount.count + 1
RETURNING id, sender, minute, count
"""


class TooManyError(Exception):
    """More than the limit; ``is_first`` of this minute, which is the one to record."""

    def __init__(self, retry_after_s: int, *, is_first: bool) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s
        self.is_first = is_first


def at_address(what: str, address: str) -> str:
    """Return the name under which ``what`` of an address is counted; IPv6 by its network."""
    return f"{what} {network_of(address)}"


def count(sender: str, at_most: int, now: datetime) -> None:
    """Count a request of ``sender``.

    Raises TooManyError from the one after ``at_most`` in this minute of the clock on.
    """
    minute = now.replace(second=0, microsecond=0)
    so_far = RequestCount.objects.raw(_COUNT, [sender, minute])[0].count
    if so_far == 1:
        _delete_old(now)
    if so_far > at_most:
        seconds = math.ceil((minute + _MINUTE - now).total_seconds())
        raise TooManyError(seconds, is_first=so_far == at_most + 1)


def _delete_old(now: datetime) -> None:
    old = RequestCount.objects.filter(minute__lt=now - _KEPT).order_by("minute")
    keys = list(old.values_list("pk", flat=True)[:_DELETED_AT_ONCE])
    RequestCount.objects.filter(pk__in=keys).delete()


def refuse_over(sender: str, at_most: int) -> None:
    """Count a request of ``sender`` now; raises CallRefusedError over ``at_most`` in a minute."""
    try:
        count(sender, at_most, timezone.now())
    except TooManyError as over:
        raise too_many(over.retry_after_s, is_first=over.is_first) from None
