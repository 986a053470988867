"""The page of one instant and the page as known at, by mouse and keys, in both themes."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import faults_of
from tests.patients.review.reviewed_course import import_reviewed

IN_GRADE_3 = "2026-11-27T13:00:00%2B00:00"
MISTYPED = "2026-11-27T03:40:00%2B00:00"
"""The chart said grade 3, by a rate ten times too high that was corrected two minutes later."""


@pytest.fixture
def course(nurse: User, site_in_utc: None) -> Iterator[Course]:
    with time_machine.travel(datetime(2026, 11, 28, 8, 40, tzinfo=UTC), tick=True):
        yield import_reviewed(nurse)


@pytest.fixture
def page(
    browser: Browser,
    live_server: Any,
    course: Course,
    intensivist: User,
    sign_in: Callable[[Page, User], None],
) -> Iterator[Page]:
    context = browser.new_context(
        base_url=f"{live_server.url}/courses/{course.pk}/",
        viewport={"width": 768, "height": 1024},
        bypass_csp=True,
        reduced_motion="reduce",
    )
    made = context.new_page()
    sign_in(made, intensivist)
    yield made
    context.close()


def test_an_instant_says_the_grade_and_why_today_and_as_known_then(page: Page) -> None:
    page.goto(f"review/instant/?at={IN_GRADE_3}")
    main = page.get_by_role("main")
    expect(main.get_by_role("heading", level=1)).to_contain_text("27 Nov")
    expect(main).to_contain_text("0.32 mcg/kg/min × 72 kg = 23.04 mcg/min")
    expect(main.get_by_role("region", name="Rules checked, not met")).to_be_visible()
    faults = faults_of(page, page.url)
    page.get_by_role("link", name="Known then").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("known_at="))
    expect(page.get_by_role("status").first).to_contain_text("You are looking at the past.")
    expect(main).to_contain_text("could be 4")
    assert page.locator("main form[method=post]").count() == 0
    faults += faults_of(page, page.url)
    page.get_by_role("link", name="Known today").last.focus()
    page.keyboard.press("Enter")
    expect(main).not_to_contain_text("could be 4")
    assert not faults, "\n".join(faults)[:6000]


def test_the_page_as_known_at_shows_the_mistyped_rate_and_leads_back_to_now(page: Page) -> None:
    page.goto(f"review/?at={MISTYPED}&known_at={MISTYPED}")
    bar = page.get_by_role("status").filter(has_text="As known at")
    expect(bar).to_be_visible()
    cursor = page.locator(".at-grade")
    expect(cursor).to_contain_text("3")
    assert page.locator("form[method=post]").filter(has=page.locator("[data-sign]")).count() == 0
    faults = faults_of(page, page.url)
    assert not faults, "\n".join(faults)[:6000]
    page.goto(f"review/?at={MISTYPED}")
    expect(page.locator(".at-grade strong")).to_have_text("2")
    expect(page.get_by_text("As known at 2")).to_have_count(0)
