"""The line of the last day: the highest grade of each hour, equal to the stored periods."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crs_app.accounts.models import User
from patients.models import Course, GradePeriod
from patients.ward.board import open_board_rows
from patients.ward.trend import HOURS, Span, highest_by_hour, start_of_trend, trend_of
from tests.factories import ago, chart

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
MINUTES = st.integers(min_value=-60 * 40, max_value=60)


@st.composite
def tiled(draw: st.DrawFn) -> list[Span]:
    """Grades that follow one another, some of them not assessed; the last one is open."""
    cuts = sorted(draw(st.sets(MINUTES, min_size=1, max_size=8)))
    times = [NOW + timedelta(minutes=minute) for minute in cuts]
    grades = draw(st.lists(st.sampled_from([None, 0, 1, 2, 3, 4, 5]), min_size=8, max_size=8))
    return list(zip(times, [*times[1:], None], grades, strict=False))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tiled())
def test_no_hour_hides_its_highest_grade(spans: list[Span]) -> None:
    """Computed a second way: minute by minute."""
    start = start_of_trend(NOW)
    assert (NOW - start) // timedelta(hours=1) == HOURS - 1
    expected: list[int | None] = []
    for hour in range(HOURS):
        met = []
        for minute in range(60):
            at = start + timedelta(hours=hour, minutes=minute)
            here = (g for a, b, g in spans if a <= at and (b is None or at < b))
            grade = next(here, None) if at <= NOW else None
            met += [] if grade is None else [grade]
        expected.append(max(met, default=None))
    assert list(highest_by_hour(spans, NOW)) == expected


def test_the_line_is_broken_where_nothing_is_known_and_says_the_same_in_words() -> None:
    spans: list[Span] = [
        (NOW - timedelta(hours=20), NOW - timedelta(hours=10), 1),
        (NOW - timedelta(hours=5), None, 3),
    ]
    drawn = trend_of(spans, NOW)
    assert drawn.text.endswith("not known, then 1, then not known, then 3")
    assert drawn.path.count("M") == 2
    assert drawn.path.endswith("H84")
    assert trend_of([], NOW).path == ""


@pytest.mark.django_db
def test_the_row_draws_the_stored_periods(course: Course, clinician: User) -> None:
    chart(course, clinician, "vitals", ago(hours=20), temperature_c="38.6")
    chart(course, clinician, "oxygen", ago(hours=15), device="venturi_mask", fio2_percent="50")
    chart(course, clinician, "oxygen", ago(hours=9), device="room_air")
    now = timezone.now()
    (row,) = open_board_rows(now)
    stored = GradePeriod.objects.filter(course=course, known__upper_inf=True, grade__gt=0)
    spans: list[Span] = [(one.valid.lower, one.valid.upper, one.grade) for one in stored]
    assert row.trend == trend_of(spans, now)
    assert row.trend.text.endswith(": not known, then 1, then 3, then 1")
    assert row.maximum == 3
