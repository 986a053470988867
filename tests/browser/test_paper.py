"""The printed course: it fits A4 and Letter, no type is too small, and axe finds nothing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.patients.review.reviewed_course import import_reviewed

PAPER_PX = {"A4": 703, "Letter": 725}
"""The width between the margins of a page, at 96 pixels an inch."""
EIGHT_POINTS_PX = 8 / 72 * 96
SMALL_OR_WIDE = """(least) => {
    const found = [];
    for (const one of document.querySelectorAll('main *')) {
        const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        const box = one.getBoundingClientRect();
        if (!text || !box.width) continue;
        const svg = one.closest('svg');
        const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
        const size = parseFloat(getComputedStyle(one).fontSize) * scale;
        if (size < least - .01) found.push(`${size.toFixed(1)} px: ${one.textContent.trim()}`);
        if (box.right > innerWidth + 1) found.push(`too wide: ${one.textContent.trim()}`);
    }
    return found;
}"""


@pytest.fixture
def reviewed(nurse: User, site_in_utc: None) -> Course:
    return import_reviewed(nurse)


def test_a_printed_course_fits_the_page_in_type_of_8_points_and_more(
    page: Page, reviewed: Course, intensivist: User, sign_in: Callable[[Page, User], None]
) -> None:
    sign_in(page, intensivist)
    page.goto(f"/courses/{reviewed.pk}/paper/")
    page.emulate_media(media="print", color_scheme="light")
    expect(page.get_by_text("Known at").first).to_be_visible()
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    for paper, width in PAPER_PX.items():
        page.set_viewport_size({"width": width, "height": 1000})
        assert page.evaluate(SMALL_OR_WIDE, EIGHT_POINTS_PX) == [], paper


def test_no_rule_of_axe_is_broken(
    contexts: SharedContexts, reviewed: Course, intensivist: User,
    sign_in: Callable[[Page, User], None],
) -> None:  # fmt: skip
    with contexts.lend(**FOR_AXE) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        sign_in(page, intensivist)
        page.goto(f"/courses/{reviewed.pk}/review/")
        page.get_by_role("navigation", name="Pages of this patient").get_by_role(
            "link", name="Paper"
        ).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Course of Nowak, Irena")
        faults = faults_of(page, "course on paper")
    assert not faults, "\n".join(faults)[:5000]
