"""A known syringe concentration is put into the form by one tap, never by itself."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from grading.engine.policy import BITARTRATE, DEFAULT_POLICY
from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.factories import admit, chart

RUNNING = {
    "drug": "norepinephrine",
    "rate": "12",
    "unit": "ml/h",
    "concentration_per_ml": "16",
}


@pytest.fixture
def infusion(page: Page, bedside: BedsidePage, course: Course, nurse: User) -> None:
    """Norepinephrine has run for an hour, charted in mL/h."""
    chart(course, nurse, "vasopressor", timezone.now() - timedelta(hours=1), **RUNNING)
    page.reload()


def last_infusion() -> dict[str, str]:
    return Entry.objects.filter(kind=EntryKind.VASOPRESSOR).latest("recorded_at").body


def test_a_changed_rate_is_four_keystrokes_and_taps_and_a_save(
    infusion: None, bedside: BedsidePage
) -> None:
    """The tab, the infusion, two digits: drug, unit and concentration are as they run."""
    bedside.open_tab("Vasopressor")
    change = bedside.page.get_by_role("button", name="Change norepinephrine")
    expect(change).to_contain_text("now 12 mL/h of 16 mcg/mL")
    change.click()
    expect(bedside.field("Rate")).to_be_focused()
    bedside.page.keyboard.type("14")
    expect(bedside.conversion).to_contain_text("14 mL/h × 16 mcg/mL")
    bedside.page.keyboard.press("Enter")
    bedside.expect_saved("Norepinephrine 14 mL/h")
    assert last_infusion() == RUNNING | {"rate": "14"}
    expect(change).to_contain_text("now 14 mL/h")

    bedside.fill({"Drug": "Epinephrine"})
    bedside.field("Rate").fill("2")
    bedside.field("Rate").press("Enter")
    expect(bedside.field("Unit")).to_be_focused()


def test_a_concentration_is_proposed_for_the_drug_that_is_chosen(
    infusion: None, bedside: BedsidePage
) -> None:
    bedside.open_tab("Vasopressor")
    use = bedside.page.get_by_role("button", name="Use 16 mcg/mL")
    expect(use).to_be_hidden()
    bedside.fill({"Drug": "Epinephrine"})
    expect(use).to_be_hidden()
    expect(bedside.page.get_by_text("Dose as norepinephrine base")).to_be_hidden()
    bedside.fill({"Drug": "Norepinephrine"})
    expect(bedside.page.get_by_text("Dose as norepinephrine base")).to_be_visible()
    bedside.fill({"Unit": "mcg/min"})
    expect(use).to_be_hidden()
    bedside.fill({"Unit": "mL/h", "Rate": "10"})
    expect(bedside.field("Concentration")).to_have_value("")
    use.click()
    expect(bedside.field("Concentration")).to_have_value("16")
    expect(use).to_be_hidden()
    bedside.save_and_see_it_saved()
    assert last_infusion() == RUNNING | {"rate": "10"}

    # A new one is the next that is proposed.
    fields = {"Drug": "Norepinephrine", "Rate": "10", "Unit": "mL/h"}
    bedside.fill(fields)
    bedside.field("Concentration").fill("32")
    bedside.save_and_see_it_saved()
    expect(bedside.field("Drug")).to_have_value("")
    bedside.fill(fields)
    bedside.page.get_by_role("button", name="Use 32 mcg/mL").click()
    expect(bedside.field("Concentration")).to_have_value("32")


def test_a_sum_of_bitartrate_is_named_as_such(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    policy = replace(DEFAULT_POLICY, norepinephrine_expressed_as=BITARTRATE)
    course = admit(nurse, policy=policy)
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    bedside = BedsidePage(page)
    bedside.open_tab("Vasopressor")
    bedside.fill({"Drug": "Norepinephrine", "Rate": "0.5", "Unit": "mcg/kg/min"})
    expect(page.get_by_text("Dose as norepinephrine bitartrate; half of it")).to_be_visible()
    expect(bedside.conversion).to_contain_text("= 40 mcg/min as bitartrate; half of it")
    bedside.fill({"Drug": "Epinephrine"})
    expect(bedside.conversion).not_to_contain_text("bitartrate")
    bedside.fill({"Drug": "Norepinephrine"})
    bedside.save_and_see_it_saved()
    bedside.expect_grade(2)
    expect(bedside.card).to_contain_text("20 mcg/min base")
