"""The strip of latest values: what the arrow beside a result compares."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from tests.factories import ago, chart
from tests.patients.display.test_grade_card import card_of


@pytest.mark.parametrize(
    ("earlier", "latest", "trend"),
    [
        ({"value": "61", "unit": "mg/L"}, {"value": "12", "unit": "mg/dL"}, "↑"),
        ({"value": "12", "unit": "mg/dL"}, {"value": "61", "unit": "mg/L"}, "↓"),
        ({"value": "6.1", "unit": "mg/dL"}, {"value": "61", "unit": "mg/L"}, "="),
        ({"value": "5", "unit": "mg/L"}, {"value": "3", "unit": "mg/L", "comparator": ">"}, ""),
        ({"value": "5", "unit": "mg/L", "comparator": "<"}, {"value": "3", "unit": "mg/L"}, ""),
    ],
)
def test_results_are_compared_in_one_unit_and_never_with_a_bound(
    earlier: dict[str, str],
    latest: dict[str, str],
    trend: str,
    course: Course,
    clinician: User,
) -> None:
    chart(course, clinician, "lab", ago(hours=8), analyte="crp", **earlier)
    chart(course, clinician, "lab", ago(hours=2), analyte="crp", **latest)
    strip = card_of(course, timezone.now() + timedelta(seconds=1)).strip
    assert [(value.label, value.trend) for value in strip] == [("CRP", trend)]
