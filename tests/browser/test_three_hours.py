"""The three hours of Table 3 pass by the clock alone, with no save and no reload."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.display.text import clock_text
from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.browser.moved_clock import MovedClock

THREE_HOURS = timedelta(hours=3)


def test_a_high_dose_becomes_grade_3_on_a_page_left_open(
    page: Page,
    nurse: User,
    sign_in: Callable[[Page, User], None],
    server_clock: MovedClock,
    settings: Any,
) -> None:
    """A nurse admits a patient of 80 kg, charts norepinephrine and leaves the tablet at the bed.

    Three hours later, without a save and without a reload, the page says grade 3 and reads it out.
    """
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=12)
    page.clock.install()
    sign_in(page, nurse)

    infused = timezone.localtime() - timedelta(days=4)
    page.goto("/")
    page.get_by_role("link", name="Admit a patient").click()
    for label, typed in {
        "Name": "OKONKWO, Ada",
        "MRN": "0042",
        "Birth date": "1970-03-01",
        "Product": "axicabtagene ciloleucel",
        "Infusion date": f"{infused:%Y-%m-%d}",
        "Infusion time": f"{infused:%H:%M}",
        "Dosing weight": "80",
        "Baseline systolic": "126",
        "Baseline diastolic": "74",
    }.items():
        page.get_by_role("textbox", name=label).fill(typed)
    page.get_by_role("combobox", name="Ward").fill("7B")
    page.get_by_role("combobox", name="Sex").select_option(label="female")
    page.get_by_role("button", name="Admit").click()

    bedside = BedsidePage(page)
    patient = page.get_by_role("region", name="Patient")
    for fact in ("OKONKWO, Ada", "80 kg", "126/74", "day 4"):
        expect(patient).to_contain_text(fact)
    bedside.expect_not_assessed()

    bedside.open_tab("Vasopressor")
    bedside.fill({"Drug": "Norepinephrine", "Rate": "0.25", "Unit": "mcg/kg/min"})
    expect(bedside.conversion).to_have_text("0.25 mcg/kg/min × 80 kg = 20 mcg/min")
    bedside.save()
    bedside.expect_saved("Not assessed to grade 2")
    bedside.expect_grade(2)
    course = Course.objects.get()
    started = Entry.objects.get(kind=EntryKind.VASOPRESSOR).at
    grade_3_at = clock_text(started + THREE_HOURS, timezone.now())
    expect(bedside.card).to_contain_text(f"Grade 3 at {grade_3_at}")
    expect(bedside.card).to_contain_text(re.compile("2 h 5[89] min"))

    page.evaluate("window.leftOpen = true")
    saves, address = course.acts.count(), page.url
    server_clock.forward(THREE_HOURS)
    page.clock.fast_forward(int(THREE_HOURS.total_seconds()) * 1000)

    bedside.expect_grade(3)
    expect(bedside.announcer).to_have_text("CRS grade 2 to grade 3")
    expect(bedside.card).to_contain_text("20 mcg/min")
    assert page.evaluate("window.leftOpen") is True
    assert (course.acts.count(), page.url) == (saves, address)
