"""Impossible values are refused at their field in clinical words; nothing is stored or lost."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from django.utils import timezone
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry
from tests.browser.bedside_page import BedsidePage
from tests.factories import admit

LATER = timezone.localtime() + timedelta(days=2)


class Refused(NamedTuple):
    """What is typed on a tab, the field that is wrong, and what it says."""

    tab: str
    typed: dict[str, str]
    wrong: str
    sentence: str


REFUSED = [
    Refused(
        "Vitals",
        {"Temperature": "38.4", "Heart rate": "fast"},
        "Heart rate",
        "“fast” is not a number. Type digits only.",
    ),
    Refused(
        "Vitals",
        {"Temperature": "45.1", "Heart rate": "92"},
        "Temperature",
        "45.1 °C is not possible: expected 25 to 45 °C.",
    ),
    Refused(
        "Vitals",
        {"Temperature": "98.6", "Heart rate": "92"},
        "Temperature",
        "Did you mean °F?",
    ),
    Refused(
        "Vitals",
        {"Temperature": "38.4", "Date": f"{LATER:%Y-%m-%d}", "Time": "08:15"},
        "Time",
        "ahead of the clock",
    ),
    Refused(
        "Oxygen",
        {"Flow": "4"},
        "Device",
        "Choose the device; room air is one of them.",
    ),
    Refused(
        "Vasopressor",
        {"Drug": "Norepinephrine", "Rate": "12", "Unit": "mL/h"},
        "Concentration",
        "Enter the syringe concentration.",
    ),
]


def test_an_impossible_entry_is_refused_at_its_field(bedside: BedsidePage, course: Course) -> None:
    """The field says what is wrong and has the focus; the others keep what was typed."""
    before = Entry.objects.count()
    for refused in REFUSED:
        bedside.open_tab(refused.tab)
        bedside.fill(refused.typed)
        kept = {label: bedside.field(label).input_value() for label in refused.typed}
        bedside.save()

        field = bedside.field(refused.wrong)
        expect(field).to_have_accessible_description(re.compile(re.escape(refused.sentence)))
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        for label, value in kept.items():
            expect(bedside.field(label)).to_have_value(value)
    assert Entry.objects.count() == before


def test_a_dose_per_kilogram_needs_a_weight(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    """No weight was charted: it is asked for while the dose is typed, and again on save."""
    course = admit(nurse, weight_kg=None)
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/?kind=vasopressor")
    bedside = BedsidePage(page)
    bedside.fill({"Drug": "Norepinephrine", "Rate": "0.25", "Unit": "mcg/kg/min"})
    expect(bedside.conversion).to_contain_text("No weight charted")
    bedside.save()
    expect(bedside.field("Weight in the pump")).to_have_accessible_description(
        re.compile("No weight is charted for this time")
    )
    expect(bedside.field("Rate")).to_have_value("0.25")
    not_saved = page.locator("[data-not-saved]")
    expect(not_saved).to_have_text(re.compile(r"Not saved\.\s+Request [0-9a-f]{10}"))
    assert not Entry.objects.exists()

    bedside.fill({"Weight in the pump": "80"})
    expect(bedside.conversion).to_have_text("0.25 mcg/kg/min × 80 kg = 20 mcg/min")
    bedside.save_and_see_it_saved()
    expect(not_saved).to_have_count(0)
    bedside.expect_grade(2)


def test_an_admission_is_refused_at_its_fields(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    """No birth date, no age, a weight in the hundreds: errors at the fields, values kept.

    The cursor stands in the first wrong field; a summary names all of them, with links.
    """
    sign_in(page, nurse)
    page.goto("/courses/admit/")
    page.get_by_role("textbox", name="Name").fill("OKONKWO, Ada")
    page.get_by_role("textbox", name="Dosing weight").fill("8000")
    page.get_by_role("button", name="Admit").click()
    birth_date = page.get_by_role("textbox", name="Birth date")
    expect(birth_date).to_have_accessible_description(
        re.compile("Enter the birth date, or the age")
    )
    number = page.get_by_role("textbox", name="MRN")
    expect(number).to_be_focused()
    summary = page.get_by_role("alert").filter(has_text="Please correct")
    for words in ("MRN: Enter the MRN.", "Sex: Select the sex.", "Ward: Enter the ward."):
        expect(summary.get_by_role("listitem").filter(has_text=words)).to_be_visible()
    expect(page.get_by_text("Enter the MRN.").filter(visible=True)).to_have_count(1)
    summary.get_by_role("link", name="Dosing weight").click()
    weight = page.get_by_role("textbox", name="Dosing weight")
    expect(weight).to_have_accessible_description(re.compile("8000 kg is not possible"))
    expect(weight).to_have_value("8000")
    expect(page.get_by_role("textbox", name="Name")).to_have_value("OKONKWO, Ada")
    assert not Course.objects.exists()
