"""Judgements, notes, what was not observed, and a death, which is read back first."""

import re

from playwright.sync_api import expect

from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage


def test_not_observed_is_one_tap_and_leaves_what_is_typed(
    bedside: BedsidePage, course: Course
) -> None:
    bedside.fill({"Heart rate": "92"})
    bedside.page.get_by_role("button", name="Asleep").click()
    bedside.expect_saved("Vital signs not observed: asleep")
    expect(bedside.field("Heart rate")).to_have_value("92")
    expect(bedside.rows.first).to_contain_text("Vital signs not observed: asleep")
    assert Entry.objects.filter(kind=EntryKind.NOT_OBSERVED).count() == 1


def test_a_death_is_read_back_before_it_is_recorded(bedside: BedsidePage, course: Course) -> None:
    """Nothing is recorded at the first step; it can be taken back like any entry."""
    bedside.open_tab("Death")
    bedside.fill({"Death due to": "CRS", "Reason": "Refractory shock"})
    bedside.save()
    asked = bedside.page.get_by_role("region", name="Please confirm")
    expect(asked).to_contain_text(f"{course.patient.name}, MRN {course.patient.mrn}, died")
    expect(asked).to_contain_text("a death due to CRS")
    assert not Entry.objects.filter(kind=EntryKind.DEATH).exists()
    asked.get_by_role("button", name=re.compile("right, save")).click()
    bedside.expect_grade(5)

    bedside.change("Death", "Entered in error")
    bedside.fill({"Why was it entered in error?": "Wrong patient"})
    bedside.page.get_by_role("button", name="Mark as entered in error").click()
    bedside.expect_not_assessed()


def test_a_judgement_is_charted_corrected_and_taken_back(bedside: BedsidePage) -> None:
    bedside.open_tab("Clinical judgement")
    judged = "Immediately life-threatening toxicity"
    bedside.fill({"Judged": judged, "Judgement": "present"})
    bedside.save_and_see_it_saved()
    bedside.expect_grade(4)
    bedside.change("Judged immediately life-threatening toxicity: yes", "Correct")
    bedside.fill({"Judgement": "not present", "Reason for the correction": "Misunderstood"})
    bedside.save()
    bedside.expect_not_assessed()
