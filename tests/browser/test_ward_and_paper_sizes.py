"""The pages of the ward and its paper, on a phone by touch and on a screen of 1920 pixels."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.factories import ago, chart

PAGES = {
    "board": "/",
    "summary": "/courses/{course}/summary/",
    "handover": "/courses/{course}/handover/",
    "paper": "/courses/{course}/paper/",
    "a fever at home": "/courses/{course}/summary/fever_at_home/",
    "export": "/courses/{course}/export/",
    "export of a cohort": "/exports/",
    "wall screens": "/wall/screens/",
    "help": "/help/reviewer/",
}
SIZES = {390: 844, 1920: 1080}
LINK_PX = 44


@pytest.fixture
def feverish(course: Course, nurse: User) -> Course:
    for hours in (30, 6):
        chart(course, nurse, "vitals", ago(hours=hours), temperature_c="39.1", systolic_mmhg="84")
        chart(course, nurse, "oxygen", ago(hours=hours), device="nasal_cannula", flow_l_per_min="2")
    return course


def test_each_page_leads_to_help_by_touch_fits_and_breaks_no_rule_of_axe(
    contexts: SharedContexts, feverish: Course, intensivist: User,
    sign_in: Callable[[Page, User], None],
) -> None:  # fmt: skip
    """In one page of which the size changes: a new one for each address takes a second each."""
    with contexts.lend(**FOR_AXE, has_touch=True) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        sign_in(page, intensivist)
        faults = []
        for name, address in PAGES.items():
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(address.format(course=feverish.pk))
            expect(page.get_by_role("main")).to_be_visible()
            page.get_by_role("contentinfo").get_by_role("link", name="Help").tap()
            expect(page.get_by_role("heading", level=1)).to_have_text("Help: ICU reviewer")
            page.go_back()
            nav = page.get_by_role("navigation", name="Pages of this patient")
            if nav.count() and nav.evaluate("nav => nav.clientHeight") > 2 * LINK_PX:
                faults.append(f"{name}: the links of the course take more than two rows")
            faults += faults_of(page, name, sizes=SIZES)
    assert not faults, "\n".join(faults)[:4000]
