"""What is different today stands in the plots of the past, where it was asked for."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from patients.models import Course
from tests.entry_forms import url

pytestmark = pytest.mark.django_db
THEN = "2026-11-27T03:40:30+00:00"
"""The rate that was typed ten times too high had been charted, and was not corrected yet."""


def today(client: Client, course: Course, **query: str) -> Any:
    address = f"{url('review_series', course)}?{urlencode({'range': 'all', **query})}"
    return client.get(address).json()["today"]


def at(day: int, clock: str) -> float:
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC).timestamp()


@pytest.fixture
def reviewed(imported_once: Callable[[], Course], db: None) -> Course:
    return imported_once()


def test_each_lane_has_the_times_and_the_values_of_today(
    nurse_client: Client, reviewed: Course
) -> None:
    found = today(nurse_client, reviewed, known_at=THEN, different="1")
    known_at = datetime.fromisoformat(THEN).timestamp()
    assert found["grade"] == [
        [at(26, "18:30"), at(26, "20:10"), "3"], [at(27, "03:10"), known_at, "2"],
    ]  # fmt: skip
    assert found["fio2_percent"] == [[at(26, "18:30"), at(26, "20:10"), "50"]]
    assert found["device"] == [[at(26, "18:30"), at(26, "20:10"), "Venturi mask"]]
    assert found["norepinephrine_equivalent"] == [[at(27, "00:10"), known_at, "≈11.5"]]
    assert "temperature_c" not in found


def test_nothing_of_today_is_sent_until_it_is_asked_for(
    nurse_client: Client, reviewed: Course
) -> None:
    assert today(nurse_client, reviewed, known_at=THEN) == {}
    assert today(nurse_client, reviewed) == {}
    assert today(nurse_client, reviewed, different="1") == {}


def test_a_value_that_was_charted_late_is_one_instant_of_its_line(
    nurse_client: Client, reviewed: Course
) -> None:
    """The pressure of 26 November 03:10 was charted an hour and a quarter later."""
    found = today(nurse_client, reviewed, known_at="2026-11-26T03:30:00+00:00", different="1")
    assert found["systolic_mmhg"] == [[at(26, "03:10"), at(26, "03:10"), "84"]]
