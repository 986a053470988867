"""The strip of latest values: what the arrow beside a result compares."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from patients.queries.status import read_course_status
from patients.review.instant import rules_not_met
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


def test_the_pressure_is_the_newest_reading_that_of_the_grade(
    course: Course, clinician: User
) -> None:
    """A mean pressure by itself replaces the reading before it whole; a diastolic one does not."""
    chart(course, clinician, "vitals", ago(60), systolic_mmhg="84", diastolic_mmhg="47")
    chart(course, clinician, "vitals", ago(30), mean_arterial_pressure_mmhg="72")
    chart(course, clinician, "vitals", ago(20), diastolic_mmhg="50")
    strip = card_of(course, timezone.now()).strip
    assert [(one.label, one.value, one.abnormal) for one in strip] == [("MAP", "72", "")]
    rules = rules_not_met(read_course_status(course, timezone.now()).current)
    assert "MAP 72" in [rule.text for rule in rules if rule.code == "hypotension.low_pressure"]
    chart(course, clinician, "vitals", ago(10), mean_arterial_pressure_mmhg="60")
    both = {"systolic_mmhg": "110", "mean_arterial_pressure_mmhg": "63"}
    chart(course, clinician, "vitals", ago(5), **both)
    (shown,) = card_of(course, timezone.now()).strip
    assert (shown.label, shown.value, shown.abnormal) == ("BP", "110/– (63)", "low")
    chart(course, clinician, "vitals", ago(4), mean_arterial_pressure_mmhg="60")
    (shown,) = card_of(course, timezone.now()).strip
    assert (shown.label, shown.value, shown.abnormal) == ("MAP", "60", "low")
