"""Local times around a change of clocks: one instant, a question, or a refusal."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.utils import timezone

from patients.forms.times import EARLIER, LATER, LocalTimeError, parse_local_time

FIVE_MINUTES = timedelta(minutes=5)
NOW = datetime(2026, 11, 2, 12, 0, 30, tzinfo=UTC)
BACK = date(2026, 10, 25)
FORWARD = date(2026, 3, 29)


@pytest.fixture(autouse=True)
def berlin() -> Iterator[None]:
    with timezone.override("Europe/Berlin"):
        yield


def read(day: date | None, at: time | None, which: str = "", now: datetime = NOW) -> datetime:
    return parse_local_time(day, at, which, now=now, ahead=FIVE_MINUTES)


def test_nothing_typed_is_now_to_the_minute() -> None:
    assert read(None, None) == datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def test_a_time_alone_is_today() -> None:
    assert read(None, time(12, 58)) == datetime(2026, 11, 2, 11, 58, tzinfo=UTC)


def test_today_is_the_sites_day() -> None:
    just_after_midnight = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert read(None, time(0, 15), now=just_after_midnight) == datetime(
        2026, 7, 1, 22, 15, tzinfo=UTC
    )


def test_a_date_without_a_time_is_refused() -> None:
    with pytest.raises(LocalTimeError, match="time of day"):
        read(BACK, None)


def test_five_minutes_ahead_is_the_limit() -> None:
    assert read(None, time(13, 5)) == datetime(2026, 11, 2, 12, 5, tzinfo=UTC)
    with pytest.raises(LocalTimeError, match=r"13:06 today is 5 min ahead of the clock \(13:00\)"):
        read(None, time(13, 6))
    with pytest.raises(LocalTimeError, match=r"3 Nov 2026 is 24 h ahead"):
        read(date(2026, 11, 3), time(13, 30))


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_an_hour_that_never_was_is_refused(minute: int) -> None:
    with pytest.raises(LocalTimeError, match="did not exist here") as refused:
        read(FORWARD, time(2, minute))
    assert not refused.value.asks_which


def test_around_the_hour_that_never_was() -> None:
    assert read(FORWARD, time(1, 59)) == datetime(2026, 3, 29, 0, 59, tzinfo=UTC)
    assert read(FORWARD, time(3, 0)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_hour_that_was_twice_is_asked_about() -> None:
    with pytest.raises(LocalTimeError, match="occurred twice on 25 Oct 2026") as asked:
        read(BACK, time(2, 30))
    assert asked.value.asks_which
    assert read(BACK, time(2, 30), EARLIER) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read(BACK, time(2, 30), LATER) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_only_one_of_the_two_has_been() -> None:
    between = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
    assert read(BACK, time(2, 30), now=between) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
