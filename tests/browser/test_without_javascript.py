"""The bedside works, slower, where scripts do not run."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.browser.shared_contexts import SharedContexts


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(java_script_enabled=False) as lent:
        yield lent


def test_oxygen_is_charted_and_corrected_without_a_script(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    """A tab is a link, a form a form: charted, refused, mended, saved, corrected, taken back."""
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    page.get_by_role("link", name="Oxygen").click()
    page.get_by_label("Flow", exact=True).fill("2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Choose the device; room air is one of them.")).to_be_visible()
    expect(page.get_by_label("Flow", exact=True)).to_have_value("2")
    page.get_by_label("Device", exact=True).select_option(label="Nasal cannula")
    page.get_by_role("button", name="Save").click()

    bedside = BedsidePage(page)
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    bedside.expect_grade(2)
    expect(bedside.rows.nth(1)).to_contain_text("Nasal cannula, 2 L/min")

    bedside.change("Nasal cannula, 2 L/min", "Correct")
    page.get_by_label("Flow", exact=True).fill("4")
    page.get_by_label("Reason for the correction").fill("Misread")
    page.get_by_role("button", name="Save correction").click()
    expect(page.locator("s")).to_have_text("Nasal cannula, 2 L/min")

    bedside.change("Nasal cannula, 4 L/min", "Entered in error")
    page.get_by_label("Why was it entered in error?").fill("Another patient")
    page.get_by_role("button", name="Mark as entered in error").click()
    bedside.expect_not_assessed()
    assert Entry.objects.filter(kind=EntryKind.RETRACTION).count() == 1


def test_a_report_is_charted_and_its_limits_are_remembered_without_a_script(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    """Another unit with the limits of the first is refused, and saved when they are corrected."""
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/?kind=lab")

    def field(label: str) -> Locator:
        return page.get_by_label(label, exact=True)

    field("Laboratory").fill("Core laboratory")
    field("Bilirubin").fill("<0.9")
    field("Bilirubin, unit").select_option(label="mg/dL")
    field("Bilirubin, upper limit of normal").fill("1.2")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()

    page.goto(f"/courses/{course.pk}/?kind=lab")
    expect(field("Bilirubin, upper limit of normal")).to_have_value("1.2")
    field("Bilirubin").fill("15")
    field("Bilirubin, unit").select_option(label="µmol/L")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("these are the limits in mg/dL")).to_be_visible()
    expect(field("Bilirubin")).to_have_value("15")
    field("Bilirubin, upper limit of normal").fill("20.5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    bodies = Entry.objects.filter(kind=EntryKind.LAB).order_by("recorded_at")
    assert [body["unit"] for body in bodies.values_list("body", flat=True)] == ["mg/dL", "umol/L"]


def test_findings_are_charted_without_a_script(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    """A plain list and radio buttons, a death read back on a second page, one tap."""
    sign_in(page, nurse)
    bedside = BedsidePage(page)
    page.goto(f"/courses/{course.pk}/?kind=toxicity")
    page.get_by_label("Toxicity", exact=True).select_option(label="Seizure")
    page.get_by_text("What the grades mean").click()
    expect(page.get_by_text("brief generalised seizure")).to_be_visible()
    page.get_by_role("radio", name="2", exact=True).check()
    page.get_by_role("button", name="Save").click()
    bedside.expect_grade(2)

    page.get_by_role("button", name="Off ward").click()
    expect(page.get_by_role("status").filter(has_text="not observed: off ward")).to_be_visible()

    page.goto(f"/courses/{course.pk}/?kind=death")
    page.get_by_label("Death due to").select_option(label="another cause")
    page.get_by_label("Reason", exact=True).fill("Relapse")
    page.get_by_role("button", name="Save").click()
    assert not Entry.objects.filter(kind=EntryKind.DEATH).exists()
    expect(page.get_by_text(f"MRN {course.patient.mrn}, died")).to_be_visible()
    page.get_by_role("button", name=re.compile("right, save")).click()
    expect(page.get_by_text("Grading ended with a death not due to CRS.")).to_be_visible()
    assert Entry.objects.filter(kind=EntryKind.DEATH).count() == 1
