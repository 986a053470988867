"""The span of times that a chart can have, and conversion at the ends of the calendar."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from grading.engine.times import can_be_charted, in_zone, moved, time_of_day
from grading.engine.vocabulary import EARLIEST, LATEST

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


def test_1900_to_2200_can_be_charted() -> None:
    assert can_be_charted(EARLIEST)
    assert can_be_charted(LATEST)
    assert not can_be_charted(EARLIEST - timedelta(microseconds=1))
    assert not can_be_charted(LATEST + timedelta(microseconds=1))


def test_a_time_is_shown_in_its_zone() -> None:
    assert in_zone(EARLIEST, ZoneInfo("America/New_York")).hour == 19


@pytest.mark.parametrize(
    ("instant", "zone"), [(FIRST, "America/New_York"), (LAST, "Asia/Tokyo"), (LAST, "Etc/GMT-14")]
)
def test_at_the_ends_of_the_calendar_it_is_shown_in_utc(instant: datetime, zone: str) -> None:
    shown = in_zone(instant, ZoneInfo(zone))
    assert (shown, shown.utcoffset()) == (instant, timedelta(0))


def test_a_time_that_utc_cannot_show_stays_as_written() -> None:
    written = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    assert in_zone(written, ZoneInfo("America/New_York")) is written


def test_a_time_that_is_moved_stays_within_the_calendar() -> None:
    day = timedelta(days=1)
    assert moved(FIRST, day) == FIRST + day
    assert moved(FIRST, -day) == FIRST
    assert moved(LAST, day) == LAST


def test_a_time_of_the_repeated_hour_has_the_letters_of_its_zone() -> None:
    chicago = ZoneInfo("America/Chicago")
    first, second = (
        datetime(2026, 11, 1, hour, 30, tzinfo=UTC).astimezone(chicago) for hour in (6, 7)
    )
    assert (time_of_day(first), time_of_day(second)) == ("01:30 CDT", "01:30 CST")
    assert time_of_day(second + timedelta(hours=12)) == "13:30"
