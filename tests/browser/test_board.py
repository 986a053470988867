"""The ward board keeps itself up to date."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.display.text import clock_text
from patients.models import Course
from tests.browser.moved_clock import MovedClock
from tests.factories import admit, chart


def test_the_board_shows_grades_and_what_the_clock_will_change(
    page: Page,
    nurse: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
    server_clock: MovedClock,
    settings: Any,
) -> None:
    """Left on a wall: a new infusion shows within a minute, grade 3 when its hour has come."""
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=12)
    admit(nurse, name="LINDQVIST, Per", bed="14")
    page.clock.install()
    sign_in(page, nurse)
    page.goto("/")
    ada = page.get_by_role("row").filter(has_text="OKONKWO, Ada")
    expect(ada).to_contain_text("– not assessed")
    page.evaluate("window.leftOpen = true")

    started = timezone.now() - timedelta(hours=1)
    chart(course, nurse, "vasopressor", started, drug="norepinephrine", rate="22", unit="ug/min")
    page.clock.fast_forward(61_000)
    expect(ada).to_contain_text("Grade 2")
    grade_3_at = clock_text(started + timedelta(hours=3), timezone.now())
    expect(ada).to_contain_text(f"grade 3 at {grade_3_at}")
    expect(ada).to_contain_text("1 h 58 min")
    expect(page.get_by_role("row").nth(1)).to_contain_text("OKONKWO, Ada")

    server_clock.forward(timedelta(hours=2))
    page.clock.fast_forward(2 * 60 * 60 * 1000)
    expect(ada).to_contain_text("Grade 3")
    assert page.evaluate("window.leftOpen") is True

    ada.get_by_role("link", name="OKONKWO, Ada", exact=True).click()
    expect(page.get_by_role("region", name="CRS grade now")).to_contain_text("3")
