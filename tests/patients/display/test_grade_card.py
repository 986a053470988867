"""The grade card: the grade, why it is so, who charted it, and what is excluded or unknown."""

import re
from datetime import datetime, timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.bedside.page import page_context, read_bedside_data
from patients.display.grade_card import GradeCard
from patients.models import Course, GradePeriod
from patients.ward.board import open_board_rows
from tests.entry_forms import text_of
from tests.factories import chart


def card_of(course: Course, now: datetime) -> GradeCard:
    """The card as the page shows it."""
    card: GradeCard = page_context(read_bedside_data(course, now), may_chart=True)["card"]
    return card


def test_the_card_says_why_and_by_whom(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = timezone.now() - timedelta(hours=3)
    chart(course, clinician, "oxygen", at, device="nasal_cannula")
    chart(course, clinician, "vasopressor", at, drug="dopamine", rate=None)
    card = card_of(course, timezone.now())
    assert (card.grade, card.at_most, card.since, card.maximum) == (2, 3, at, 2)
    dopamine = next(line for line in card.criteria if line.code == "vasopressor.single_low_dose")
    assert dopamine.stale
    assert (dopamine.at, dopamine.author) == (at, clinician.display_name)
    page = nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode()
    assert re.search(
        r"last charted <span [^>]*>3 h ago</span>\. Check: is this still correct\?", page
    )
    assert {line.code for line in card.unknown} == {
        "oxygen.fio2",
        "vasopressor.dose",
    }
    assert "blood pressure" in card.never_charted
    assert "weight" not in card.never_charted


def test_a_question_for_the_bedside_stands_before_a_result_of_equal_reach(
    course: Course, clinician: User
) -> None:
    at = timezone.now() - timedelta(minutes=9)
    chart(course, clinician, "lab", at, analyte="creatinine", value="3", unit="mg/dL")
    chart(course, clinician, "symptom", at, term="rash", present=True)
    card = card_of(course, timezone.now())
    assert [(line.code, line.could_reach) for line in card.unknown] == [
        ("organ_toxicity.ungraded", 4),
        ("lab.creatinine", 4),
    ]
    assert card.reasons[0].clause.lead.startswith("Ticked, not graded")


def test_each_value_of_a_criterion_has_its_own_time(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    """Vasopressin was charted hours ago, norepinephrine just now: only the first is asked about."""
    old, new = timezone.now() - timedelta(hours=9), timezone.now() - timedelta(minutes=2)
    chart(course, clinician, "vasopressor", old, drug="vasopressin", rate="0.03", unit="units/min")
    chart(course, clinician, "vasopressor", new, drug="norepinephrine", rate="5", unit="ug/min")
    criteria = card_of(course, timezone.now()).criteria
    (line,) = [c for c in criteria if c.code == "vasopressor.multiple"]
    assert [(s.what, s.at, s.stale) for s in line.sources] == [
        ("Norepinephrine", new, False),
        ("Vasopressin", old, True),
    ]
    page = text_of(nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode())
    assert "Vasopressin last charted 9 h ago . Check: is this still correct?" in page
    assert "Norepinephrine last charted" not in page


def test_what_has_another_cause_is_shown_as_excluded(course: Course, clinician: User) -> None:
    at = timezone.now() - timedelta(minutes=9)
    chart(course, clinician, "vitals", at, temperature_c="39.5", attribution="other")
    chart(course, clinician, "oxygen", at, device="simple_mask", attribution="other")
    card = card_of(course, timezone.now())
    assert card.grade == 0
    assert card.excluded == [
        "Simple face mask",
        "Temperature 39.5 °C",
    ]


def test_after_a_death_not_due_to_crs_nothing_is_graded(course: Course, clinician: User) -> None:
    at = timezone.now() - timedelta(minutes=30)
    chart(course, clinician, "vitals", at - timedelta(hours=1), temperature_c="39.5")
    chart(course, clinician, "death", at, attribution="other")
    card = card_of(course, timezone.now())
    assert (card.grade, card.ended, card.maximum) == (None, True, 1)
    (row,) = open_board_rows(timezone.now())
    assert row.grade is None
    assert GradePeriod.objects.filter(known__upper_inf=True).latest("valid").valid.upper == at


def test_a_death_from_crs_is_grade_5(course: Course, clinician: User) -> None:
    at = timezone.now() - timedelta(minutes=30)
    chart(course, clinician, "death", at)
    chart(course, clinician, "vitals", temperature_c="35")
    card = card_of(course, timezone.now())
    assert (card.grade, card.at_most, card.upcoming) == (5, 5, [])
