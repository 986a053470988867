"""The summary of a course in a browser: by keyboard, at every width, in both themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crs_app.accounts.models import User
from patients.models import Course, SummaryStatement
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.patients.review.reviewed_course import import_reviewed

WIDEST = 1920


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE) as lent:
        yield lent


@pytest.fixture
def opened(page: Page, nurse: User, sign_in: Callable[[Page, User], None]) -> Course:
    """A course of five days, whose summary the nurse has opened."""
    course = import_reviewed(nurse)
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/summary/")
    return course


def test_the_summary_has_no_fault_and_fits_at_every_width(page: Page, opened: Course) -> None:
    faults = faults_of(page, "the summary")
    for summary in page.locator(".summary-evidence summary").all():
        summary.click()
    faults += faults_of(page, "all evidence open", within=".summary-answers")
    page.set_viewport_size({"width": WIDEST, "height": 1080})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    head = page.locator(".summary-print-head")
    expect(head).to_be_hidden()
    page.emulate_media(media="print")
    expect(head).to_contain_text(f"MRN {opened.patient.mrn}")
    expect(head).to_be_visible()
    for control in (".course-nav", ".summary-tools", ".summary-page .btn"):
        expect(page.locator(control).first).to_be_hidden()
    page.emulate_media(media="screen")
    page.goto(f"/courses/{opened.pk}/summary/end_of_crs/")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Choose an answer.")).to_be_visible()
    faults += faults_of(page, "a refused answer", within="main")
    assert faults == []


def test_a_fever_at_home_is_answered_and_corrected_by_keyboard(page: Page, opened: Course) -> None:
    row = page.locator("[id='crs.fever.home']")
    expect(row).to_contain_text("not known")
    row.get_by_role("link", name="Answer").focus()
    page.keyboard.press("Enter")
    page.get_by_role("radio", name="Yes").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("11242026")
    page.get_by_label("Highest value").focus()
    page.keyboard.type("38.4")
    page.get_by_role("radio", name="the patient").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Save").focus()
    page.keyboard.press("Enter")
    expect(row).to_contain_text("Yes, 24 Nov 2026")
    expect(page.locator("[id='crs.fever.onset']")).to_contain_text("24 Nov 2026, at home")
    row.get_by_role("link", name="Correct").click()
    page.get_by_role("radio", name="No", exact=True).check()
    page.get_by_label("Day of the first one").fill("")
    page.get_by_role("radio", name="family").check()
    page.get_by_label("Why is it corrected?").fill("another patient")
    page.get_by_role("button", name="Save").click()
    expect(row.locator(".summary-answer")).to_contain_text("No")
    row.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(row.locator("s")).to_have_text("Yes, 24 Nov 2026, 38.4 °C, says the patient")
    assert SummaryStatement.objects.filter(course=opened).count() == 2
