"""The time zone of the site in a run of the tests, by the hour in which the run is to begin.

A run begins about noon at the site, whenever it is started. With CRS_TEST_HOUR=0 it begins in the
hour after midnight, with 23 in the one before: what a test charts for "an hour ago" or "in an hour"
is then of another day. With a zone in CRS_TIME_ZONE that zone holds.
"""

import os
from datetime import UTC, datetime, timedelta, timezone

from django.conf import settings
from django.test.signals import setting_changed

NOON = 12
# A clock that is not the site's: zones of a run are whole hours from UTC, this one (Nepal) is not.
ELSEWHERE = timezone(timedelta(hours=5, minutes=45))


def choose_site_zone() -> None:
    """Set the zone for this process and for those that it starts, workers of the run among them."""
    hour = int(os.environ.get("CRS_TEST_HOUR") or NOON)
    if not os.environ.get("CRS_TIME_ZONE"):
        zone = zone_at_hour(hour, datetime.now(UTC))
        os.environ["CRS_TIME_ZONE"] = settings.TIME_ZONE = zone
        # Django's own receiver sets the zone of the process and forgets the one of before.
        setting_changed.send(sender=None, setting="TIME_ZONE", value=zone, enter=True)


def zone_at_hour(hour: int, now: datetime) -> str:
    """Return the zone, whole hours from UTC and without summer time, where ``now`` is in ``hour``.

    In the names of these zones + is west of Greenwich.
    """
    ahead = (hour - now.hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"
