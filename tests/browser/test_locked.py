"""A tablet that nobody uses warns, locks itself, and gives back what was typed after a sign-in."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import expect

from crs_app.record.models import Event
from patients.models import Course
from tests.browser.bedside_page import BedsidePage
from tests.browser.moved_clock import MovedClock, install_clock
from tests.browser.test_nothing_lost import sign_in_by_hand, signed_in  # noqa: F401 - a fixture

MINUTE = 60_000


def test_a_tablet_that_nobody_uses_is_locked_and_keeps_what_was_typed(
    signed_in: BedsidePage,  # noqa: F811 - the fixture
    course: Course,
) -> None:
    page = signed_in.page
    install_clock(page)
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


def test_the_opening_of_a_page_counts_whenever_the_server_noted_an_act(
    signed_in: BedsidePage,  # noqa: F811 - the fixture
    server_clock: MovedClock,
) -> None:
    """It notes one act in a minute: what a page was opened by within that minute is reported."""
    page = signed_in.page
    server_clock.forward(timedelta(seconds=50))
    install_clock(page)
    with page.expect_response("**/active/") as reported:
        server_clock.forward(timedelta(seconds=62))
        page.clock.fast_forward(62_000)
    assert reported.value.status == 204
    server_clock.forward(timedelta(minutes=8, seconds=50))
    page.clock.fast_forward(8 * MINUTE + 50_000)
    expect(page.locator("#idle-warning")).to_be_visible()
    page.reload()
    signed_in.expect_form_of_vital_signs()


def test_without_the_server_the_lock_waits_and_closes_with_its_first_answer(
    signed_in: BedsidePage,  # noqa: F811 - the fixture
    server_clock: MovedClock,
) -> None:
    page = signed_in.page
    install_clock(page)
    page.context.set_offline(True)
    page.clock.fast_forward(10 * MINUTE + 1_000)
    warning = page.locator("#idle-warning")
    expect(warning).to_contain_text("This page is locked as soon as the server answers, at ")
    page.clock.fast_forward(45 * MINUTE)
    server_clock.forward(timedelta(minutes=55))
    signed_in.fill({"Temperature": "39.2"})
    signed_in.save()
    expect(page.get_by_role("alert").filter(has_text="Kept on this tablet.")).to_be_visible()

    page.context.set_offline(False)
    page.clock.run_for(2_000)
    expect(page).to_have_url(re.compile("/locked/$"))
    expect(page.get_by_text("J. Ruiz: 1 entry unsent")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("39.2")
    page.get_by_role("link", name="Sign in and go on").click()
    sign_in_by_hand(page, "nurse")
    expect(signed_in.rows.filter(has_text="Temp 39.2 °C")).to_have_count(1)


def test_the_lock_waits_for_the_server_an_hour_at_most(
    signed_in: BedsidePage,  # noqa: F811 - the fixture
    course: Course,
) -> None:
    page = signed_in.page
    install_clock(page)
    page.route("**/active/", lambda route: route.abort())
    page.clock.fast_forward(10 * MINUTE + 1_000)
    expect(page.locator("#idle-warning")).to_contain_text("at the latest")
    page.clock.fast_forward(59 * MINUTE)
    expect(page).to_have_url(re.compile(f"/courses/{course.pk}/$"))
    page.clock.fast_forward(MINUTE)
    expect(page).to_have_url(re.compile("/locked/$"))


def test_printing_a_page_is_recorded(bedside: BedsidePage, course: Course) -> None:
    with bedside.page.expect_response("**/record/printed/") as answer:
        bedside.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert answer.value.status == 204
    assert Event.objects.filter(chain=course.pk, kind="print").count() == 1
