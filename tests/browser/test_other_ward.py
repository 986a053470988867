"""A nurse finds a patient of another ward, gives a reason and charts; an administrator sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User, Ward
from crs_app.accounts.wards import set_wards
from patients.models import Course


@pytest.fixture(autouse=True)
def nurse_of_another_ward(nurse: User, course: Course) -> None:
    set_wards(nurse, [Ward.objects.create(name="K4")])


def test_emergency_access_on_a_tablet(
    page: Page,
    nurse: User,
    administrator: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    sign_in(page, nurse)
    page.goto("/?q=okonkwo")
    page.get_by_role("link", name="Look on other wards").click()
    expect(page.get_by_role("listitem")).to_contain_text(f"ward {course.ward}")
    page.get_by_role("link", name="Open with a reason").click()
    expect(page.locator("main")).not_to_contain_text(course.product)
    page.get_by_role("button", name="Open for 4 hours").click()
    expect(page.get_by_text("Choose one of the reasons.")).to_be_visible()
    page.get_by_label("I was called to this patient in an emergency").check()
    page.get_by_label("In your words").fill("cardiac arrest call")
    page.get_by_role("button", name="Open for 4 hours").click()
    expect(page.get_by_text("Emergency access until")).to_be_visible()
    page.get_by_label("Temperature", exact=True).fill("38.6")
    page.get_by_role("button", name="Save", exact=True).click()
    row = page.locator("#timeline li", has_text="38.6")
    expect(row.get_by_text("emergency access")).to_be_visible()

    page.context.clear_cookies()
    sign_in(page, administrator)
    page.goto("/emergency-access/")
    expect(page.get_by_role("row", name="cardiac arrest call")).to_contain_text("open until")
