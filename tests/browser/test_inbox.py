"""Values of a monitor, charted by touch on a tablet; a code mapped by an administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crs_app.accounts.models import User
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.hl7_receive import receive_frame
from patients.models import Course, Entry, EntryKind
from tests.browser.axe import faults_of
from tests.browser.conftest import TABLET
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.browser.test_people import sign_in as sign_in_by_form
from tests.factories import ago, chart
from tests.patients.exchange.hl7_messages import laboratory, oru
from tests.received import a_system, monitor_set


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    """A tablet with touch, which lets axe-core in; nothing fades, so colours are final."""
    with contexts.lend(**FOR_AXE, viewport=TABLET, has_touch=True) as lent:
        lent.set_default_timeout(10_000)
        yield lent


def test_a_set_of_a_monitor_is_charted_by_one_tap_and_another_from_the_inbox(
    page: Page, course: Course, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    chart(course, nurse, "vitals", ago(40), temperature_c="36.8", systolic_mmhg="118")
    system = a_system()
    monitor_set(system, course, 20, systolic_mmhg="104", heart_rate="112")
    monitor_set(system, course, 4, systolic_mmhg="78", diastolic_mmhg="45", heart_rate="131")
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    line, row = page.locator("#not-charted"), page.locator("#monitor-row")
    expect(line).to_contain_text("SBP 78, not charted. It would count for grade 2.")
    expect(row).to_contain_text("BP 78/45 · HR 131")
    assert faults_of(page, "the row of the monitor", within="#entry-form") == []

    row.get_by_role("button", name="Save these 2").tap()
    expect(row).to_contain_text("Saved for OKONKWO, Ada.")
    expect(page.locator("#grade-card")).to_have_attribute("data-grade", "2")
    expect(page.locator("#timeline-rows")).to_contain_text("From monitor Monitor 7B")
    expect(line).not_to_contain_text("78")
    entry = Entry.objects.get(course=course, kind=EntryKind.VITALS, body__systolic_mmhg="78")
    assert entry.recorded_by == nurse

    expect(row).to_contain_text("HR 112")
    page.goto("/")
    page.get_by_role("link", name="Inbox").tap()
    expect(page.get_by_role("heading", name="Received, not yet on the chart")).to_be_visible()
    assert faults_of(page, "the inbox") == []
    card = page.locator(".card-held").first
    card.get_by_text("What was sent", exact=True).tap()
    expect(card).to_contain_text("OBX|1|NM|150021^MDC_PRESS_CUFF_SYS^MDC||104")
    card.get_by_role("button", name="Save these 2 on the chart").tap()
    expect(page.locator(".card-done")).to_contain_text("✓ Saved")
    page.set_viewport_size({"width": 390, "height": 844})
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_code_is_mapped_with_a_preview_on_what_is_held(
    page: Page, course: Course, administrator: User
) -> None:
    raw = oru(course, "A1", at=ago(60)).replace(b"2160-0^Creatinine^LN", b"CRE-X^Kreatinin^L")
    receive_frame(laboratory("Laboratory"), Frame(raw))
    sign_in_by_form(page, "admin", "correct horse 1")
    page.get_by_role("link", name="Systems").click()
    page.get_by_role("searchbox", name="Name of a system").fill("lab")
    page.get_by_role("link", name="Laboratory").click()
    expect(page.get_by_role("heading", name="Keys and rights")).to_be_visible()
    assert faults_of(page, "a system") == []
    page.get_by_role("link", name="Codes…").click()
    page.get_by_role("link", name="Map CRE-X").click()
    expect(page.locator("#id_code")).to_have_value("CRE-X")
    page.get_by_label("It means").select_option("analyte:creatinine")
    assert faults_of(page, "codes") == []
    page.get_by_role("button", name="Preview on what is held").press("Enter")
    expect(page.locator(".systems-effect")).to_contain_text("1 held result of 1 patient")
    page.get_by_role("button", name="Save the code").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("1 held result of 1 patient wait")
    expect(page.locator(".systems-waiting")).to_contain_text("Creatinine")
    assert not Entry.objects.filter(course=course, kind=EntryKind.LAB).exists()
