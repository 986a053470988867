"""Times as people at the site type them: local date and time, brought to one instant or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils import timezone

EARLIER = "earlier"
LATER = "later"
WHICH_CHOICES = (
    ("", "—"),
    (EARLIER, "before the clocks went back"),
    (LATER, "after the clocks went back"),
)


class LocalTimeError(ValueError):
    """No single instant: ``asks_which`` where the hour occurred twice and either may be meant."""

    def __init__(self, sentence: str, *, asks_which: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.asks_which = asks_which


def instant_of(
    day: date | None, at: time | None, which: str, *, now: datetime, ahead: timedelta
) -> datetime:
    """The instant meant by a local date and time, in the site's zone.

    Both empty is now, to the minute; no date is today. Refused: a date without a time, a time that
    lies more than ``ahead`` after ``now``, one that the change of clocks skipped, and one that it
    repeated unless ``which`` says the earlier or the later, or only one of them has been.
    """
    zone = timezone.get_current_timezone()
    if at is None:
        if day is not None:
            raise LocalTimeError("Give the time of day too.")
        return now.replace(second=0, microsecond=0)
    written = datetime.combine(day or now.astimezone(zone).date(), at)
    candidates = _instants(written, zone)
    if not candidates:
        raise LocalTimeError(
            f"{written:%H:%M} on {_day(written)} did not exist here: the clocks were put forward "
            "over it. Give a time before or after the change."
        )
    possible = [instant for instant in candidates if instant <= now + ahead]
    if not possible:
        raise LocalTimeError(_in_the_future(written, candidates[0], now, day is None))
    if len(possible) == 1:
        return possible[0]
    if which not in (EARLIER, LATER):
        raise LocalTimeError(
            f"{written:%H:%M} occurred twice on {_day(written)}, when the clocks went back: choose "
            "which one.",
            asks_which=True,
        )
    return possible[0] if which == EARLIER else possible[1]


def _instants(written: datetime, zone: tzinfo) -> list[datetime]:
    """The instants at which the site's clocks showed ``written``: none, one or two."""
    found = []
    for fold in (0, 1):
        instant = written.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        shows = instant.astimezone(zone).replace(tzinfo=None, fold=0)
        if shows == written and instant not in found:
            found.append(instant)
    return sorted(found)


def _in_the_future(written: datetime, instant: datetime, now: datetime, no_date: bool) -> str:
    minutes = int((instant - now).total_seconds()) // 60
    ahead = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    shows = f"{timezone.localtime(now):%H:%M}"
    if no_date:
        return (
            f"{written:%H:%M} today is {ahead} ahead of the clock ({shows}). "
            "For an earlier day give its date."
        )
    return f"{written:%H:%M} on {_day(written)} is {ahead} ahead of the clock ({shows})."


def _day(written: datetime) -> str:
    return f"{written.day} {written:%b %Y}"
