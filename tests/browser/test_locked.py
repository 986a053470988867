"""A tablet that nobody uses warns, locks itself, and gives back what was typed after a sign-in."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from crs_app.record.models import Event
from patients.models import Course
from tests.browser.bedside_page import BedsidePage
from tests.browser.test_nothing_lost import sign_in_by_hand, signed_in  # noqa: F401 - a fixture

MINUTE = 60_000


def test_a_tablet_that_nobody_uses_is_locked_and_keeps_what_was_typed(
    signed_in: BedsidePage,  # noqa: F811 - the fixture
    course: Course,
) -> None:
    page = signed_in.page
    page.clock.install()
    page.reload()
    signed_in.fill({"Temperature": "39.2"})
    warning = page.locator("#idle-warning")
    page.clock.fast_forward(9 * MINUTE + 1_000)
    expect(warning).to_contain_text("press a key or touch the screen")
    page.keyboard.press("Shift")
    expect(warning).to_be_hidden()

    page.clock.fast_forward(9 * MINUTE + 1_000)
    expect(warning).to_be_visible()
    page.clock.fast_forward(MINUTE)
    expect(page).to_have_url(re.compile("/locked/$"))
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(course.patient.name)
    expect(page.locator("body")).not_to_contain_text("39.2")
    page.go_back()
    expect(page).to_have_url(re.compile("/accounts/sign-in/"))

    page.goto(f"/courses/{course.pk}/locked/")
    page.get_by_role("link", name="Sign in and go on").click()
    sign_in_by_hand(page, "nurse")
    expect(signed_in.field("Temperature")).to_have_value("39.2")


def test_printing_a_page_is_recorded(bedside: BedsidePage, course: Course) -> None:
    with bedside.page.expect_response("**/record/printed/") as answer:
        bedside.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert answer.value.status == 204
    assert Event.objects.filter(chain=course.pk, kind="print").count() == 1
