"""Syringe concentrations that the vasopressor form proposes."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.policy import BITARTRATE, DEFAULT_POLICY, Policy
from patients.models import Course
from patients.recording.record import retract_entry
from tests.entry_forms import HTMX
from tests.factories import admit, chart, sending


@pytest.fixture
def woman(clinician: User) -> Course:
    return admit(clinician, mrn="W-2", name="MEIER, Eva")


@pytest.fixture
def clinician(nurse: User) -> User:
    return nurse


def vasopressor_page(client: Client, course: Course) -> str:
    page = client.get(reverse("patients:entries", args=[course.pk, "vasopressor"]), **HTMX)
    return page.content.decode()


def syringe(page: str, drug: str) -> str:
    item = page.split(f'id="concentration-{drug}"')[1].split("</li>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", item.split(">", 1)[1]).split())


def by_syringe(concentration: str = "16", drug: str = "norepinephrine") -> dict[str, str]:
    return {
        "drug": drug,
        "rate": "12",
        "unit": "ml/h",
        "concentration_per_ml": concentration,
    }


def test_the_last_concentration_of_the_course_is_proposed_and_not_filled_in(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    at = timezone.now() - timedelta(hours=2)
    chart(course, nurse, "vasopressor", at, **by_syringe("32"))
    chart(course, nurse, "vasopressor", at + timedelta(hours=1), **by_syringe("16"))
    in_mcg = {"drug": "norepinephrine", "rate": "4", "unit": "ug/min"}
    chart(course, nurse, "vasopressor", at + timedelta(minutes=90), **in_mcg)
    page = vasopressor_page(nurse_client, course)
    charted = f"{timezone.localtime(at + timedelta(hours=1)):%H:%M}"
    assert "Use 16 mcg/mL" in syringe(page, "norepinephrine")
    assert "charted" in syringe(page, "norepinephrine")
    assert charted in syringe(page, "norepinephrine")
    assert syringe(page, "epinephrine") == ""
    filled = page.split('name="concentration_per_ml"')[1].split(">")[0]
    assert "value=" not in filled


def test_else_what_was_last_used_on_the_ward_is_proposed(
    nurse_client: Client, course: Course, nurse: User, woman: Course
) -> None:
    elsewhere = admit(nurse, mrn="ICU-1", ward="ICU")
    chart(elsewhere, nurse, "vasopressor", **by_syringe("64"))
    wrong = chart(woman, nurse, "vasopressor", **by_syringe("0.4", "vasopressin")).entries[0]
    chart(woman, nurse, "vasopressor", **by_syringe("32"))
    retract_entry(wrong, sending(nurse, answers={"reason": "Another patient"}))
    page = vasopressor_page(nurse_client, course)
    assert syringe(page, "norepinephrine") == (
        "Use 32 mcg/mL Norepinephrine 32 mcg/mL, last used on this ward"
    )
    assert syringe(page, "vasopressin") == ""


def test_vasopressin_is_proposed_in_units(
    nurse_client: Client, course: Course, nurse: User
) -> None:
    chart(course, nurse, "vasopressor", **by_syringe("0.4", "vasopressin"))
    page = vasopressor_page(nurse_client, course)
    assert "Use 0.4 units/mL" in syringe(page, "vasopressin")


def test_a_saved_concentration_is_proposed_at_once(nurse_client: Client, course: Course) -> None:
    form = {"form_id": str(uuid.uuid4()), "attribution": "crs", **by_syringe("24")}
    address = reverse("patients:entries", args=[course.pk, "vasopressor"])
    answer = nurse_client.post(address, form, **HTMX)
    assert answer.status_code == 200, answer.content.decode()
    assert "Use 24 mcg/mL" in syringe(answer.content.decode(), "norepinephrine")
    running = answer.content.decode().split('id="running"')[1].split("</div>")[0]
    assert 'data-concentration="24"' in running
    assert "now 12 mL/h of 24 mcg/mL" in running


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (DEFAULT_POLICY, "Dose as norepinephrine base."),
        (
            replace(DEFAULT_POLICY, norepinephrine_expressed_as=BITARTRATE),
            "Dose as norepinephrine bitartrate; half of it, the base, is graded.",
        ),
    ],
    ids=["base", "bitartrate"],
)
def test_the_form_says_what_norepinephrine_is_charted_as(
    nurse_client: Client, nurse: User, policy: Policy, sentence: str
) -> None:
    course = admit(nurse, policy=policy)
    assert sentence in " ".join(vasopressor_page(nurse_client, course).split())
