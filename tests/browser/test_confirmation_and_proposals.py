"""Questions before a save, and proposed values: shown, answered, recorded."""

import re
from collections.abc import Callable

from django.utils import timezone
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from patients.recording.inputs import NewEntry
from tests.browser.bedside_page import BedsidePage
from tests.factories import record


def test_an_unusual_value_is_asked_about_and_kept_when_it_is_right(
    bedside: BedsidePage, course: Course
) -> None:
    """42 °C: nothing is saved until someone says that it is so; then the timeline says that.

    Another time it is typed again, 38.4, and saved without a question.
    """
    page = bedside.page
    bedside.fill({"Temperature": "42", "Heart rate": "120"})
    bedside.save()
    asked = page.get_by_role("region", name="Please confirm")
    expect(asked).to_contain_text("Temperature 42 °C is unusually high")
    expect(asked).to_contain_text("Not saved yet")
    expect(asked.get_by_role("button", name="Change it")).to_be_focused()
    above = "asked => asked.getBoundingClientRect().bottom"
    box = bedside.field("Temperature").evaluate("box => box.getBoundingClientRect().top")
    assert asked.evaluate(above) <= box, "above the boxes"
    expect(asked).to_be_in_viewport(ratio=1)
    expect(bedside.field("Temperature")).to_have_value("42")
    assert not course.entries.filter(kind="vitals").exists()

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    bedside.expect_saved("Temp 42 °C")
    expect(asked).to_have_count(0)
    expect(bedside.rows.filter(has_text="Temp 42 °C")).to_contain_text("confirmed")

    bedside.fill({"Temperature": "41.9"})
    bedside.save()
    expect(asked).to_be_visible()
    bedside.fill({"Temperature": "38.4"})
    bedside.save()
    bedside.expect_saved("Temp 38.4 °C")
    expect(asked).to_have_count(0)


def test_enter_upon_enter_confirms_nothing(bedside: BedsidePage, course: Course) -> None:
    """A hand that presses Enter through the fields does not press yes."""
    bedside.fill({"SpO₂": "60"})
    bedside.field("SpO₂").press("Enter")
    asked = bedside.page.get_by_role("region", name="Please confirm")
    expect(asked.get_by_role("button", name="Change it")).to_be_focused()
    for _ in range(2):
        bedside.page.keyboard.press("Enter")  # on "Change it": back to the box
        expect(bedside.field("SpO₂")).to_be_focused()
        with bedside.page.expect_response("**/entries/vitals/") as answer:
            bedside.page.keyboard.press("Enter")
        assert answer.value.status == 422
        expect(asked.get_by_role("button", name="Change it")).to_be_focused()
    assert not course.entries.filter(kind="vitals").exists()


def test_one_vital_sign_of_a_set_is_due_to_something_else(
    bedside: BedsidePage, course: Course
) -> None:
    """The pressure is low from bleeding: it does not grade, and is proposed so the next time."""
    bedside.open_attribution()
    bedside.fill(
        {
            "Temperature": "38.4",
            "Systolic": "84",
            "Systolic due to": "another cause",
            "Reason (other cause, or why uncertain)": "bleeding",
        }
    )
    bedside.save_and_see_it_saved()
    bedside.expect_grade(1)
    row = bedside.rows.filter(has_text="SBP 84")
    expect(row).to_contain_text("SBP other cause, not counted for CRS: bleeding")

    expect(bedside.field("Systolic due to")).to_have_value("other")
    expect(bedside.field("Temperature due to")).to_have_value("")
    expect(bedside.page.get_by_text("As last charted")).to_be_visible()
    bedside.fill({"Systolic": "88"})
    bedside.save()
    bedside.expect_saved("SBP 88")
    bedside.expect_grade(1)
    assert Entry.objects.filter(body__attribution="other").count() == 1


def test_a_drug_is_proposed_to_be_due_to_what_it_was(
    page: Page,
    course: Course,
    nurse: User,
    sign_in: Callable[[Page, User], None],
) -> None:
    """Norepinephrine ran for a spinal block: choosing it says so; another drug does not."""
    dose = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min", "attribution": "other"}
    draft = NewEntry(EntryKind.VASOPRESSOR, timezone.now(), dose)
    record(course, nurse, [draft], answers={"attribution_reason": "spinal block"})
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    bedside = BedsidePage(page)
    bedside.open_tab("Vasopressor")
    bedside.fill({"Drug": "Norepinephrine"})
    expect(bedside.field("Due to")).to_have_value("other")
    expect(bedside.field("Reason (other cause, or why uncertain)")).to_have_value("spinal block")
    expect(page.get_by_text("As last charted")).to_be_visible()
    bedside.fill({"Drug": "Dopamine"})
    expect(bedside.field("Due to")).to_have_value("crs")
    expect(bedside.field("Reason (other cause, or why uncertain)")).to_have_value("")


def test_one_tap_from_the_board_to_the_form(
    page: Page, course: Course, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    """A tap anywhere on the row: the whole set is on one screen of the tablet, one key from it."""
    sign_in(page, nurse)
    page.goto("/")
    page.get_by_role("row").filter(has_text="OKONKWO, Ada").click()
    bedside = BedsidePage(page)
    bedside.expect_form_of_vital_signs()
    for label in ("Temperature", "Systolic", "Heart rate", "SpO₂", "Time"):
        expect(bedside.field(label)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    page.keyboard.press("n")
    expect(bedside.field("Temperature")).to_be_focused()


def test_a_late_entry_says_what_it_changed(bedside: BedsidePage, nurse: User) -> None:
    """Back-dated by an hour: the answer lists the change of the past.

    After it no grade 0 is known: a pressure and oxygen were never charted.
    """
    bedside.fill({"Temperature": "37.2"})
    bedside.save_and_see_it_saved()
    bedside.fill({"Temperature": "38.6"})
    bedside.page.get_by_role("button", name="−60").click()
    bedside.save()
    bedside.expect_saved("2 grade changes")
    saved = bedside.page.get_by_role("status").filter(has_text="Saved")
    expect(saved).to_contain_text(re.compile(r"\d\d:\d\d grade – → 1"))
    expect(saved).to_contain_text(re.compile(r"\d\d:\d\d grade 1 → –"))
