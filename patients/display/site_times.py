"""Times in the zone of the site, each with what pages write of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from django.utils import timezone

from grading.engine.times import in_zone, time_of_day


class SiteTime(NamedTuple):
    """A time in the zone of the site (in UTC at the ends of the calendar), and how it is written.

    ``clock`` is the time of day, ``dated`` the same with day and month; ``stamp`` is ISO 8601.
    """

    there: datetime
    day: date
    clock: str
    dated: str
    stamp: str


def at_site(at: datetime) -> SiteTime:
    zone = timezone.get_default_timezone()
    return _from_utc(at, zone) if at.tzinfo is UTC else _in_zone(at, zone)


@lru_cache(maxsize=4096)
def _from_utc(at: datetime, zone: tzinfo) -> SiteTime:
    """Do what ``_in_zone`` does: equal times of one zone can be an hour apart, those in UTC not."""
    return _in_zone(at, zone)


def _in_zone(at: datetime, zone: tzinfo) -> SiteTime:
    there = in_zone(at, zone)
    clock = time_of_day(there)
    dated = f"{there.day} {there:%b} {clock}"
    return SiteTime(there, there.date(), clock, dated, there.isoformat())


def site_time(at: datetime) -> datetime:
    """Return a time in the zone of the site; in UTC at the ends of the calendar."""
    return at_site(at).there


def stamp_text(at: datetime) -> str:
    """Return a time at the site in ISO 8601."""
    return at_site(at).stamp


def today() -> date:
    """Return the date at the site now."""
    return timezone.now().astimezone(timezone.get_default_timezone()).date()
