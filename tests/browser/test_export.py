"""Exports in a browser: by keyboard, with progress, without scripts, on every screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.factories import admit, ago, chart

SignIn = Callable[[Page, User], None]


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE) as lent:
        yield lent


@pytest.fixture
def without_scripts(contexts: SharedContexts) -> Iterator[Page]:
    with contexts.lend(java_script_enabled=False) as lent:
        yield lent.new_page()


def saved_by(page: Page, act: Callable[[], object]) -> tuple[str, str]:
    """The name and the text of the file that an act downloads."""
    with page.expect_download() as download:
        act()
    path = download.value.path()
    return download.value.suggested_filename, Path(path).read_text("utf-8")


def test_a_course_is_exported_from_its_page_by_keyboard(
    page: Page, nurse: User, course: Course, sign_in: SignIn
) -> None:
    chart(course, nurse, "vitals", ago(hours=3), temperature_c="39", note="SECRET")
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    page.get_by_role("link", name="Export", exact=True).click()
    expect(page.get_by_role("heading", name="Export this course")).to_be_visible()
    page.get_by_role("radio", name="De-identified").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Identified", exact=True)).to_be_checked()
    page.keyboard.press("Enter")  # refused: what is it for?
    expect(page.get_by_text("Say what the identified file is for.")).to_be_visible()
    expect(page.get_by_role("radio", name="Identified", exact=True)).to_be_checked()
    expect(page.get_by_label("Purpose")).to_be_focused()
    assert faults_of(page, "a refused export of a course") == []
    known_at = page.get_by_label("As known at")
    known_at.fill("2026-04-03T14:05")
    expect(known_at).to_have_accessible_description(re.compile(r"3\sApr\s2026, 14:05"))
    known_at.fill("")
    page.get_by_label("Purpose").focus()
    inside, outside = (
        one.bounding_box() for one in (page.get_by_text("now", exact=True), known_at)
    )
    assert inside
    assert outside
    assert outside["y"] < inside["y"] < outside["y"] + outside["height"]
    page.keyboard.type("a second opinion")
    name, text = saved_by(page, lambda: page.keyboard.press("Enter"))
    assert name.startswith("course-identified-known-")
    assert name.endswith(".csv")
    assert "SECRET" in text
    page.get_by_role("radio", name="De-identified").check()
    name, text = saved_by(page, page.get_by_role("button", name="Download").click)
    assert name.startswith("course-deidentified-known-")
    assert "SECRET" not in text


def test_a_cohort_is_exported_with_its_progress_shown(
    page: Page, nurse: User, intensivist: User, sign_in: SignIn
) -> None:
    for number in range(3):
        admit(nurse, name=f"Nowak {number}", infused_at=ago(hours=1))
    sign_in(page, intensivist)
    page.goto("/")
    page.get_by_role("link", name="Export a cohort").click()
    assert faults_of(page, "the export of a cohort") == []
    for turn in (1, 2):  # a second file from the same page has a progress of its own
        with page.expect_response(lambda answer: "/progress/" in answer.url):
            _, text = saved_by(page, page.get_by_role("button", name="Download").click)
        assert len(text.splitlines()) == 4, turn
        progress = page.locator("#export-progress")
        expect(progress).to_contain_text("done, 3 courses.")
        expect(page.get_by_role("status").filter(has_text="done, 3 courses.")).to_be_visible()
    assert faults_of(page, "the end of an export") == []


def test_a_cohort_is_exported_without_a_script(
    without_scripts: Page, nurse: User, intensivist: User, sign_in: SignIn
) -> None:
    page = without_scripts
    admit(nurse, infused_at=ago(hours=1))
    sign_in(page, intensivist)
    page.goto("/exports/")
    page.get_by_label("JSON", exact=True).check()
    name, text = saved_by(page, page.get_by_role("button", name="Download").click)
    assert name.endswith(".jsonl")
    assert text.count("crs-course/1") == 1
    page.reload()
    expect(page.get_by_text("done, 1 course.")).to_be_visible()
