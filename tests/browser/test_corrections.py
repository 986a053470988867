"""Wrong entries are corrected or retracted with a reason, and stay visible."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.factories import chart

CANNULA = "Nasal cannula, 2 L/min"


@pytest.fixture
def oxygen(course: Course, nurse: User) -> Entry:
    """A cannula that an hour ago was charted at 2 L/min: grade 2."""
    at = timezone.now() - timedelta(hours=1)
    body = {"device": "nasal_cannula", "flow_l_per_min": "2"}
    return chart(course, nurse, "oxygen", at, **body).entries[0]


def test_an_entry_is_corrected(oxygen: Entry, bedside: BedsidePage) -> None:
    """It was a Venturi mask at 50 %: a reason is asked for, the grade follows, the old stays."""
    bedside.expect_grade(2)
    bedside.change(CANNULA, "Correct")
    correction = bedside.page.get_by_role("region", name="Correct an entry")
    expect(correction).to_contain_text(CANNULA)
    expect(bedside.field("Flow")).to_have_value("2")
    bedside.fill({"Device": "Venturi mask", "Flow": "", "FiO2": "50"})
    bedside.save()
    reason = bedside.field("Reason for the correction")
    expect(reason).to_have_accessible_description("Say why the entry is corrected.")
    expect(bedside.field("FiO2")).to_have_value("50")
    assert Entry.objects.filter(kind=EntryKind.OXYGEN).count() == 1

    reason.fill("Read off the wrong bed")
    bedside.save()
    bedside.expect_saved()
    bedside.expect_grade(3)
    row = bedside.rows.filter(has_text="Read off the wrong bed")
    expect(row).to_contain_text("Venturi mask, FiO2 50 %")
    expect(row.locator("s")).to_have_text(CANNULA)
    expect(bedside.page.get_by_role("region", name="Chart")).to_be_visible()


def test_an_entry_is_taken_back(oxygen: Entry, bedside: BedsidePage) -> None:
    """It was someone else's: taken back with a reason, struck through, and out of the grade."""
    page = bedside.page
    bedside.change(CANNULA, "Entered in error")
    page.get_by_role("button", name="Mark as entered in error").click()
    reason = bedside.field("Why was it entered in error?")
    expect(reason).to_have_accessible_description("Say why the entry is retracted.")
    reason.fill("Another patient")
    page.get_by_role("button", name="Mark as entered in error").click()

    bedside.expect_saved()
    bedside.expect_not_assessed()
    row = bedside.rows.filter(has_text="Another patient")
    expect(row.locator("s")).to_have_text(CANNULA)
    expect(bedside.announcer).to_have_text("CRS grade 2 to not assessed")


def test_of_two_who_correct_the_same_entry_the_second_sees_the_first(
    oxygen: Entry,
    bedside: BedsidePage,
    browser: Browser,
    live_server: Any,
    intensivist: User,
    sign_in: Callable[[Page, User], None],
) -> None:
    """A nurse and an intensivist open the same entry; whoever saves later overwrites nothing."""
    elsewhere = browser.new_context(base_url=live_server.url)
    other = BedsidePage(elsewhere.new_page())
    sign_in(other.page, intensivist)
    other.page.goto(bedside.page.url)
    for each in (bedside, other):
        each.change(CANNULA, "Correct")

    bedside.fill({"Flow": "4", "Reason for the correction": "Misread"})
    bedside.save_and_see_it_saved()
    other.fill({"Flow": "6", "Reason for the correction": "Turned up"})
    other.save()

    alert = other.page.get_by_role("alert")
    expect(alert).to_contain_text("Not saved: J. Ruiz corrected this entry at")
    expect(alert).to_contain_text("Nasal cannula, 4 L/min")
    expect(alert).to_contain_text("Nothing was overwritten.")
    expect(alert).to_be_focused()
    expect(alert).to_be_in_viewport(ratio=1)
    expect(other.field("Flow")).to_have_value("6")
    flows = Entry.objects.filter(kind=EntryKind.OXYGEN).order_by("recorded_at")
    assert [entry.body["flow_l_per_min"] for entry in flows] == ["2", "4"]

    alert.get_by_role("link", name="See the chart as it is now").click()
    expect(other.rows.filter(has_text="Nasal cannula, 4 L/min")).to_be_visible()
    elsewhere.close()
