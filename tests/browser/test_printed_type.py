"""Every page that is printed, as Chromium makes a PDF of it: no type under 8 pt, on A4 and Letter.

A row that cannot wrap makes the browser shrink the whole page, so the type is measured in the PDF.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.printed_type import Printed, printed_type
from tests.patients.review.reviewed_course import import_reviewed

SMALLEST_PT = 8
DATE_AND_TIME = re.compile(r"\d+ [A-Z][a-z]{2} 20\d\d \d\d:\d\d")
THEN = "known_at=2026-11-28T08:40:00Z"
PAGES = {
    "handover": f"/courses/{{course}}/handover/?{THEN}",
    "paper": f"/courses/{{course}}/paper/?{THEN}",
    "summary": f"/courses/{{course}}/summary/?{THEN}",
    "flowsheet, an hour each": f"/courses/{{course}}/flowsheet/?{THEN}",
    "flowsheet, each time": f"/courses/{{course}}/flowsheet/?{THEN}&bin=entry",
    "review": f"/courses/{{course}}/review/?{THEN}",
    "table of the review": f"/courses/{{course}}/review/?{THEN}&view=table",
    "instant": f"/courses/{{course}}/review/instant/?{THEN}",
    "sign-off": "/courses/{course}/sign-off/",
    "bedside": "/courses/{course}/?timeline=table",
    "export": "/courses/{course}/export/",
    "export of a cohort": "/exports/",
    "help": "/help/nurse/",
    "board": "/",
}


def printed(page: Page, paper: str) -> Printed:
    return printed_type(page.pdf(format=paper, prefer_css_page_size=True))


@pytest.fixture
def opened(
    page: Page, nurse: User, intensivist: User, sign_in: Callable[[Page, User], None],
    site_in_utc: None,
) -> Course:  # fmt: skip
    course = import_reviewed(nurse)
    sign_in(page, intensivist)
    return course


def test_no_printed_type_is_smaller_than_8_pt_on_either_paper(page: Page, opened: Course) -> None:
    faults = []
    for name, address in PAGES.items():
        answer = page.goto(address.format(course=opened.pk))
        assert answer is not None
        assert answer.ok, name
        if name == "review":
            page.locator(".lane canvas").first.wait_for()
        if name == "bedside":
            printed_at = page.locator("[data-printed-at]")
            printed_at.evaluate("place => { place.textContent = 'long ago' }")
            page.evaluate("dispatchEvent(new Event('beforeprint'))")
            assert DATE_AND_TIME.fullmatch(printed_at.text_content() or "")
        for paper in ("A4", "Letter"):
            found = printed(page, paper)
            if found.smallest_pt < SMALLEST_PT:
                faults.append((name, paper, sorted(found.sizes.items())[:3]))
    assert faults == []


def test_a_sheet_that_the_browser_shrinks_would_be_noticed(page: Page, opened: Course) -> None:
    page.goto(PAGES["summary"].format(course=opened.pk))
    page.evaluate(
        """() => {
            const row = document.createElement('p');
            row.textContent = 'a row that cannot wrap '.repeat(9);
            row.style.whiteSpace = 'nowrap';
            document.querySelector('main').append(row);
        }"""
    )
    assert printed(page, "A4").smallest_pt < SMALLEST_PT
    assert opened.pk is not None


def test_a_wide_flowsheet_is_printed_as_several_with_every_column_once(
    page: Page, opened: Course
) -> None:
    page.goto(PAGES["flowsheet, each time"].format(course=opened.pk))
    titles = "[...document.querySelectorAll('{}')].map((one) => one.dataset.title)"
    shown = page.evaluate(titles.format(".flowsheet .hours th[data-title]"))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".flowsheet.slice").count() > 1
    assert page.evaluate(titles.format(".flowsheet.slice .hours th[data-title]")) == shown
    widths = page.evaluate(
        """[...document.querySelectorAll('.flowsheet.slice')].map((slice) => [...slice.rows].map(
            (row) => [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0)))"""
    )
    assert all(len(set(rows)) == 1 for rows in widths), widths
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".flowsheet.slice").count() == 0
    assert opened.pk is not None
