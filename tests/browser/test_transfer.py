"""A patient moves to another ward and bed; the course ends, and is reopened."""

import re

from playwright.sync_api import expect

from patients.models import Course, Transfer
from tests.browser.bedside_page import BedsidePage


def test_a_patient_is_moved_and_the_course_ended(bedside: BedsidePage, course: Course) -> None:
    page = bedside.page
    page.get_by_role("link", name="Move or end").click()
    bedside.fill({"Ward": "ICU", "Bed": "3"})
    page.get_by_role("button", name="Move", exact=True).click()
    expect(page.get_by_role("region", name="Patient")).to_contain_text("ICU 3")
    expect(bedside.rows.filter(has_text="Moved from 7B 12 to ICU 3")).to_contain_text("J. Ruiz")

    page.get_by_role("link", name="Move or end").click()
    page.get_by_role("button", name="End the course…").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the reason")
    bedside.fill({"Reason": "Discharged"})
    page.get_by_role("button", name="End the course…").click()
    asked = page.get_by_role("region", name="End the course?")
    expect(asked).to_contain_text(course.patient.name)
    expect(asked).to_contain_text("The patient leaves the ward board.")
    assert Transfer.objects.count() == 1
    asked.get_by_role("button", name="Not now").click()
    expect(bedside.field("Reason")).to_have_value("Discharged")
    page.get_by_role("button", name="End the course…").click()
    asked.get_by_role("button", name="End the course").click()
    expect(page.get_by_role("status").filter(has_text="Course closed (ICU 3)")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("link", name=re.compile("OKONKWO"))).to_have_count(0)
    assert Transfer.objects.count() == 2
    page.get_by_role("link", name="Closed courses").click()
    page.get_by_role("link", name=re.compile("OKONKWO")).click()
    page.get_by_role("link", name="Reopen…").click()
    bedside.fill({"Reason": "Fever at home"})
    page.get_by_role("button", name="Reopen this course…").click()
    page.get_by_role("button", name="Reopen this course").click()
    expect(page.get_by_role("status").filter(has_text="Course reopened (ICU 3)")).to_be_visible()
