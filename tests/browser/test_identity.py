"""A wrong identity is corrected, and an entry moved to the right patient, on a tablet."""

from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from patients.recording.verify import differences
from tests.browser.bedside_page import BedsidePage
from tests.factories import admit, ago, chart


@pytest.fixture
def child(nurse: User) -> Course:
    """A patient of 54 years, admitted with a birth date of 2017; the pressure is low."""
    course = admit(nurse, name="WEBER, Luca", mrn="4480771", bed="04", birth_date=date(2017, 5, 5))
    pressure = {"systolic_mmhg": "92", "diastolic_mmhg": "50", "temperature_c": "36.8"}
    chart(course, nurse, "vitals", ago(hours=1), **pressure)
    chart(course, nurse, "oxygen", ago(hours=1), device="room_air")
    return course


def test_a_birth_date_is_corrected_after_a_look_at_what_changes(
    page: Page, nurse: User, child: Course, sign_in: Callable[[Page, User], None]
) -> None:
    sign_in(page, nurse)
    page.goto(f"/courses/{child.pk}/")
    bedside = BedsidePage(page)
    bedside.expect_grade(0)
    page.get_by_role("link", name="WEBER, Luca: identity").click()
    page.get_by_role("link", name="Birth date").click()
    bedside.fill({"Day": "8", "Month": "April", "Year": "1972"})
    expect(page.get_by_text("8 Apr 1972: 54 years old at the infusion.")).to_be_visible()
    page.get_by_label("Why is it corrected?").fill("Wristband and passport")
    page.get_by_role("button", name="Show what will change").click()

    expect(page.get_by_role("status").filter(has_text="Not saved yet.")).to_contain_text(
        "5 May 2017 → 8 Apr 1972"
    )
    expect(page.get_by_role("table")).to_contain_text("Grade 2")
    save = page.get_by_role("button", name="Correct and recalculate")
    expect(save).to_be_disabled()
    page.get_by_label("I compared name, birth date and MRN").check()
    save.click()

    expect(page.get_by_role("status").filter(has_text="Corrected")).to_contain_text("by J. Ruiz")
    history = page.get_by_role("region", name="History of the identity")
    expect(history).to_contain_text("8 Apr 1972")
    expect(history.locator("s")).to_have_text("5 May 2017")
    page.get_by_role("link", name="To the chart").click()
    bedside.expect_grade(2)
    assert differences(Course.objects.select_related("patient", "policy").get(pk=child.pk)) == []


def test_an_entry_is_moved_to_the_right_patient(
    bedside: BedsidePage, course: Course, child: Course, nurse: User
) -> None:
    page = bedside.page
    chart(course, nurse, "vitals", ago(20), temperature_c="39.4")
    page.reload()
    bedside.expect_grade(1)
    row = bedside.rows.filter(has_text="Temp 39.4 °C")
    row.locator("summary").click()
    row.get_by_role("link", name="Move to another patient…").click()
    page.get_by_label("Name, MRN or bed").fill("4480771")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="WEBER, Luca").click()
    expect(page.get_by_role("region", name="Retracted here")).to_contain_text("OKONKWO, Ada")
    expect(page.get_by_role("region", name="Charted there")).to_contain_text("WEBER, Luca")
    page.get_by_role("button", name="Retract here, chart there").click()

    expect(page.get_by_role("status").filter(has_text="Moved to WEBER, Luca")).to_be_visible()
    expect(bedside.rows.filter(has_text="Moved to WEBER, Luca, MRN 4480771")).to_be_visible()
    expect(bedside.card.get_by_role("strong")).to_have_text("–")
    page.goto(f"/courses/{child.pk}/")
    expect(bedside.rows.filter(has_text="Moved from OKONKWO, Ada")).to_contain_text("39.4 °C")
    bedside.expect_grade(1)
