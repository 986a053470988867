"""How many keys and taps an entry needs: counted in the page, within the budget of a bedside."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.factories import chart

FULL_SET = 40
CHANGED_RATE = 8
CORRECTION = 12

COUNT = """
window.handWork = 0;
for (const kind of ["keydown", "click"]) {
  addEventListener(kind, (event) => {
    // Enter on a button makes a click too, and a label's click another on its input.
    if (event.isTrusted && (kind === "keydown" || event.detail > 0)) window.handWork += 1;
  }, true);
}
"""


@pytest.fixture
def counted(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> BedsidePage:
    """The page of a course on oxygen and norepinephrine, and a count of keys and taps."""
    at = timezone.now() - timedelta(hours=1)
    chart(course, nurse, "oxygen", at, device="nasal_cannula", flow_l_per_min="2")
    chart(course, nurse, "vasopressor", at, drug="norepinephrine", rate="8", unit="ug/min")
    page.add_init_script(COUNT)
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    return BedsidePage(page)


def test_a_set_a_changed_rate_and_a_correction_stay_within_their_keys_and_taps(
    counted: BedsidePage, record_property: Callable[[str, object], None]
) -> None:
    for act, most in ((full_set, FULL_SET), (changed_rate, CHANGED_RATE), (correction, CORRECTION)):
        counted.page.evaluate("window.handWork = 0")
        act(counted)
        hand_work: int = counted.page.evaluate("window.handWork")
        record_property(f"keys and taps, {act.__name__}", hand_work)
        assert 0 < hand_work <= most, act.__name__


def full_set(counted: BedsidePage) -> None:
    """Seven values, oxygen and norepinephrine unchanged, saved."""
    page, keys = counted.page, counted.page.keyboard
    counted.field("Temperature").click()
    for value in ("38.4", "118", "66", "84", "104", "20"):
        keys.type(value)
        keys.press("Enter")
    keys.type("96")
    for thing in ("Oxygen", "Norepinephrine"):
        page.get_by_role("checkbox", name=re.compile(f"{thing} unchanged")).click()
    page.get_by_role("button", name="Save").click()
    counted.expect_saved("Temp 38.4 °C · BP 118/66 · MAP 84 · HR 104 · RR 20 · SpO₂ 96 %")
    oxygen = Entry.objects.filter(kind=EntryKind.OXYGEN)
    assert [entry.body["flow_l_per_min"] for entry in oxygen] == ["2", "2"]
    expect(page.get_by_role("checkbox", name=re.compile("Oxygen unchanged"))).not_to_be_checked()


def changed_rate(counted: BedsidePage) -> None:
    """Norepinephrine from 8 to 12 mcg/min."""
    page, keys = counted.page, counted.page.keyboard
    page.get_by_role("link", name="Vasopressor").click()
    page.get_by_role("button", name=re.compile("Change norepinephrine")).click()
    expect(counted.field("Rate")).to_be_focused()
    keys.type("12")
    keys.press("Enter")
    counted.expect_saved("Norepinephrine 12 mcg/min")


def correction(counted: BedsidePage) -> None:
    """A dose that was read wrongly."""
    page, keys = counted.page, counted.page.keyboard
    counted.change("Norepinephrine 12 mcg/min", "Correct")
    counted.field("Rate").click()
    keys.type("18")
    page.get_by_role("button", name="Misread").click()
    page.get_by_role("button", name="Save correction").click()
    counted.expect_saved("Norepinephrine 18 mcg/min")
    corrected = counted.rows.filter(has_text="Norepinephrine 18").filter(has_text="Misread")
    expect(corrected).to_be_visible()
