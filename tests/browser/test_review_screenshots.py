"""Takes the screenshots of the review pages for docs/, on demand: CRS_SCREENSHOTS=1.

The patient is that of tests/patients/review/reviewed_course.json, on 28 November at 09:40.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.patients.review.reviewed_course import import_reviewed

DOCS = Path(settings.BASE_DIR) / "docs"
AS_OF = datetime(2026, 11, 28, 8, 40, tzinfo=UTC)
THEN = "2026-11-27T03:40:00%2B00:00"
"""A rate ten times too high had been charted, and was corrected two minutes later."""
LOOKED_AT = "2026-11-27T03:25:00%2B00:00"
IN_GRADE_3 = "2026-11-27T13:00:00%2B00:00"

pytestmark = pytest.mark.skipif(
    os.environ.get("CRS_SCREENSHOTS") != "1", reason="CRS_SCREENSHOTS is not 1"
)
PAGES = {
    "review": f"review/?range=all&at={IN_GRADE_3}",
    "review-known-at": f"review/?range=all&at={LOOKED_AT}&known_at={THEN}",
    "review-flowsheet": "flowsheet/",
    "review-instant": f"review/instant/?at={IN_GRADE_3}",
    "review-sign-off": "sign-off/",
}


@pytest.fixture
def reviewed(nurse: User, site_in_utc: None) -> Iterator[Course]:
    with time_machine.travel(AS_OF, tick=True):
        yield import_reviewed(nurse)


@pytest.fixture
def drawn_page(
    browser: Browser,
    live_server: Any,
    reviewed: Course,
    intensivist: User,
    sign_in: Callable[[Page, User], None],
) -> Iterator[Page]:
    context = browser.new_context(
        base_url=f"{live_server.url}/courses/{reviewed.pk}/",
        viewport={"width": 1440, "height": 1000},
        timezone_id="UTC",
    )
    page = context.new_page()
    sign_in(page, intensivist)
    yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_review_is_drawn(drawn_page: Page, name: str) -> None:
    drawn_page.goto(PAGES[name])
    expect(drawn_page.get_by_role("main")).to_be_visible()
    drawn_page.wait_for_load_state("networkidle")
    drawn_page.screenshot(path=DOCS / f"{name}.png")


def test_the_last_day_in_the_grade_card_is_drawn(drawn_page: Page) -> None:
    drawn_page.set_viewport_size({"width": 768, "height": 1024})
    drawn_page.goto("")
    expect(drawn_page.locator("#last-day .lanes-link")).to_be_visible()
    drawn_page.screenshot(path=DOCS / "review-bedside.png")
