"""The countdown says in one clause under which condition the grade changes by the clock."""

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course
from tests.entry_forms import text_of, url
from tests.factories import ago, chart

NOREPINEPHRINE = {"drug": "norepinephrine", "unit": "ug/min"}


def countdown(client: Client, course: Course) -> str:
    html = client.get(url("bedside", course)).content.decode()
    return text_of(html[html.index('<p class="next"') :].split("</p>")[0]).strip()


@pytest.mark.parametrize(
    ("infusions", "condition"),
    [
        (
            [{**NOREPINEPHRINE, "rate": "24"}],
            "if norepinephrine stays at 20 mcg/min or more (3 h rule)",
        ),
        (
            [{"drug": "dopamine", "unit": "ug/kg/min", "rate": "12"}],
            "if dopamine stays at 10 mcg/kg/min or more (3 h rule)",
        ),
        (
            [{"drug": "norepinephrine", "unit": "ug/kg/min", "rate": "0.3"}],
            "if norepinephrine stays at 20 mcg/min or more (3 h rule)",
        ),
    ],
)
def test_a_rise_by_high_dose_names_the_drug_and_its_limit(
    infusions: list[dict[str, str]],
    condition: str,
    nurse_client: Client,
    course: Course,
    clinician: User,
) -> None:
    for infusion in infusions:
        chart(course, clinician, "vasopressor", ago(60), **infusion)
    text = countdown(nurse_client, course)
    assert text.startswith("Grade 3 at ")
    assert condition in text
    assert "if nothing changes" not in text


def test_a_fall_after_high_dose_says_that_the_dose_must_stay_below(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "vasopressor", ago(hours=4), **NOREPINEPHRINE, rate="24")
    chart(course, clinician, "vasopressor", ago(5), **NOREPINEPHRINE, rate="8")
    text = countdown(nurse_client, course)
    assert text.startswith("Grade 2 at ")
    assert "if the dose stays below the limit of Table 3 (15 min rule)" in text


def test_a_fall_after_a_fluid_bolus_says_that_the_pressure_must_stay_normal(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "vitals", ago(90), systolic_mmhg="84", temperature_c="39")
    chart(course, clinician, "fluid_bolus", ago(85), volume_ml="500")
    chart(course, clinician, "vitals", ago(60), systolic_mmhg="118")
    text = countdown(nurse_client, course)
    assert text.startswith("Grade 1")
    assert "if the pressure stays normal (a fluid bolus counts for 4 h)" in text


def test_a_question_that_the_clock_brings_says_what_it_waits_for(
    nurse_client: Client, grade_3: Course, clinician: User
) -> None:
    chart(grade_3, clinician, "vasopressor", ago(40), **NOREPINEPHRINE, rate="24")
    chart(
        grade_3,
        clinician,
        "vasopressor",
        ago(40),
        drug="vasopressin",
        rate="0.03",
        unit="units/min",
    )
    chart(grade_3, clinician, "vitals", ago(30), systolic_mmhg="84", diastolic_mmhg="44")
    text = countdown(nurse_client, grade_3)
    assert text.startswith("Grade 3, could be 4 at ")
    assert "if the pressure stays low on high-dose vasopressors" in text
