"""The zone of a run of the tests, by the hour in which the run is to begin."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from tests.site_zone import ELSEWHERE, zone_at_hour


@pytest.mark.parametrize("hour", [0, 2, 12, 23])
def test_whenever_a_run_begins_it_is_the_chosen_hour_at_the_site(hour: int) -> None:
    for now in (datetime(2026, 11, 30, begun, 59, tzinfo=UTC) for begun in range(24)):
        there = now.astimezone(ZoneInfo(zone_at_hour(hour, now)))
        assert there.hour == hour
        assert there.utcoffset() != now.astimezone(ELSEWHERE).utcoffset()


def test_local_times_of_this_process_are_those_of_the_site() -> None:
    now = datetime.now(UTC)
    assert now.astimezone().utcoffset() == now.astimezone(ZoneInfo(settings.TIME_ZONE)).utcoffset()
