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


def test_signs_and_drugs_are_compared_with_the_value_before_and_are_low_or_high(
    course: Course, clinician: User
) -> None:
    rate = {"drug": "norepinephrine", "unit": "ug/min"}
    chart(course, clinician, "vitals", ago(minutes=60), systolic_mmhg="120", heart_rate="104")
    chart(course, clinician, "vasopressor", ago(minutes=60), rate="8", **rate)
    chart(course, clinician, "oxygen", ago(minutes=50), device="nasal_cannula", flow_l_per_min="2")
    chart(course, clinician, "vitals", ago(minutes=5), systolic_mmhg="84", heart_rate="104")
    chart(course, clinician, "vasopressor", ago(minutes=5), rate="12", **rate)
    strip = card_of(course, timezone.now() + timedelta(seconds=1)).strip
    shown = {one.label: (one.value, one.unit, one.trend_words, one.abnormal) for one in strip}
    assert shown == {
        "BP": ("84/–", "", "falling", "low"),
        "Heart": ("104", "", "no change", ""),
        "Oxygen": ("Nasal cannula", "2 L/min", "", ""),
        "Norepinephrine": ("12", "mcg/min", "rising", ""),
    }
