"""A patient moves to another ward and bed, and the course ends."""

import re

from playwright.sync_api import expect

from patients.models import Course, Transfer
from tests.browser.bedside_page import BedsidePage


def test_a_patient_is_moved_and_the_course_ended(bedside: BedsidePage, course: Course) -> None:
    page = bedside.page
    page.get_by_role("link", name="Ward and bed: 7B 12").click()
    bedside.fill({"Ward": "ICU", "Bed": "3"})
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("link", name="Ward and bed: ICU 3")).to_be_visible()
    expect(bedside.rows.filter(has_text="Moved from 7B 12 to ICU 3")).to_contain_text("J. Ruiz")

    page.get_by_role("link", name="Ward and bed").click()
    page.get_by_role("button", name="End the course").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why the course ends")
    bedside.fill({"Reason": "Discharged"})
    page.get_by_role("button", name="End the course").click()
    expect(page.get_by_role("status").filter(has_text="Course ended")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("link", name=re.compile("OKONKWO"))).to_have_count(0)
    assert Transfer.objects.count() == 2
