"""The line and the panel of the scales in a browser: a patient who is Lee 2 and ASTCT 3."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import faults_of
from tests.browser.conftest import TABLET
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.factories import ago, chart

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE, viewport=TABLET) as lent:
        yield lent


@pytest.fixture
def opened(
    page: Page, course: Course, clinician: User, nurse: User, sign_in: Callable[[Page, User], None]
) -> Page:
    """The bedside page of a patient with one vasopressor below Table 3's dose."""
    chart(course, clinician, "vitals", ago(hours=3), temperature_c="39.1", systolic_mmhg="104")
    chart(
        course, clinician, "vasopressor", ago(hours=2),
        drug="norepinephrine", rate="6", unit="ug/min",
    )  # fmt: skip
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    return page


def test_lee_2_and_astct_3_by_keyboard_with_the_sentence_and_no_fault(opened: Page) -> None:
    page, line, panel = opened, opened.locator("#scales-line a"), opened.locator("#scales-panel")
    expect(line).to_contain_text("ASTCT 3 · ICANS not assessed")
    line.focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="Scales, ")).to_be_focused()
    expect(panel).to_contain_text("ASTCT 3: one vasopressor counts at any dose")
    expect(panel).to_contain_text("Lee 2: one vasopressor, not at Table 3's dose for 3 h")
    panel.get_by_role("link", name="Show Penn").click()
    expect(panel.locator("[data-scale='penn-2018']")).to_contain_text("not verified: dose table")
    panel.get_by_role("button", name="Compare", exact=True).click()
    expect(panel.locator(".compared")).to_contain_text("no difference")
    faults = faults_of(page, "the panel of the scales", within="#scales-panel")
    page.set_viewport_size(PHONE)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.keyboard.press("v")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(line).to_be_focused()
    assert faults == []


def test_after_a_save_the_line_asks_for_itself_once(opened: Page) -> None:
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.get_by_label("Temperature", exact=True).fill("36.8")
    opened.get_by_role("button", name="Save", exact=True).click()
    expect(opened.locator("#entry-message, .message-saved").first).to_be_visible()
    expect(opened.locator("#scales-line")).to_contain_text("ASTCT 3")
    assert len([url for url in asked if url.endswith("/scales/line/")]) == 1
