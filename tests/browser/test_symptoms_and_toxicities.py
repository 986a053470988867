"""Symptoms ticked and toxicities found by typing."""

from playwright.sync_api import Locator, expect

from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage


def search(bedside: BedsidePage) -> Locator:
    combobox = bedside.page.get_by_role("combobox", name="Toxicity")
    return combobox.and_(bedside.page.locator("input"))  # not the plain list that it stands over


def options(bedside: BedsidePage) -> Locator:
    return bedside.page.get_by_role("listbox", name="Toxicities").get_by_role("option")


def says(bedside: BedsidePage, symptom: str, answer: str) -> Locator:
    group = bedside.page.get_by_role("radiogroup", name=symptom, exact=True)
    return group.get_by_role("radio", name=answer, exact=True)


def test_a_toxicity_is_found_and_graded_by_the_keyboard_alone(
    bedside: BedsidePage, course: Course
) -> None:
    """ "fits" finds seizure; Enter chooses, an arrow takes the grade, Enter saves."""
    keys = bedside.page.keyboard
    bedside.open_tab("Toxicity")
    expect(search(bedside)).to_be_visible()
    search(bedside).focus()
    keys.type("fits")
    expect(options(bedside)).to_have_text(["Seizure"])
    expect(search(bedside)).to_have_attribute("aria-expanded", "true")
    keys.press("Enter")
    expect(search(bedside)).to_have_value("Seizure")
    expect(bedside.page.get_by_role("radio", name="0, resolved")).to_be_focused()
    expect(bedside.page.get_by_role("radio", name="brief generalised seizure")).to_be_visible()
    for _ in range(2):
        keys.press("ArrowDown")
    keys.press("Enter")
    bedside.expect_saved("Seizure, CTCAE grade 2")
    bedside.expect_grade(2)
    expect(search(bedside)).to_have_value("")
    expect(bedside.page.get_by_role("radio", checked=True)).to_have_count(0)


def test_arrows_walk_what_was_found_and_escape_leaves_it(bedside: BedsidePage) -> None:
    keys = bedside.page.keyboard
    bedside.open_tab("Toxicity")
    expect(search(bedside)).to_be_visible()
    search(bedside).focus()
    keys.type("liver")
    expect(options(bedside).first).to_have_text("Hepatic failure")
    keys.press("ArrowDown")
    active = search(bedside).get_attribute("aria-activedescendant")
    assert active == options(bedside).first.get_attribute("id"), "the first that was found"
    keys.press("Escape")
    expect(options(bedside)).to_have_count(0)
    expect(search(bedside)).to_have_value("")
    search(bedside).fill("confused")
    expect(options(bedside).first).to_have_text("Confusion")
    search(bedside).fill("conf")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(search(bedside)).to_have_value("Confusion")
    search(bedside).fill("liver")
    keys.press("ArrowDown")
    keys.press("Escape")
    expect(options(bedside)).to_have_count(0)
    expect(search(bedside)).to_have_value("Confusion")  # what was chosen before stays chosen
    search(bedside).fill("xyz")
    expect(bedside.page.get_by_text("None found.")).to_be_visible()


def test_a_refusal_keeps_the_toxicity_and_another_takes_the_grade_away(
    bedside: BedsidePage,
) -> None:
    """A grade chosen by the criteria of one term is no grade of another; without one, refused."""
    bedside.open_tab("Toxicity")
    search(bedside).fill("seiz")
    options(bedside).first.click()
    bedside.save()
    expect(bedside.page.get_by_role("alert")).to_contain_text("Choose the CTCAE grade")
    expect(search(bedside)).to_have_value("Seizure")
    expect(bedside.page.get_by_role("radio", name="brief generalised seizure")).to_be_visible()
    search(bedside).fill("tremor")
    options(bedside).first.click()
    bedside.page.get_by_role("radio", name="severe; limits self-care").check()
    search(bedside).fill("alt")
    options(bedside).first.click()
    expect(bedside.page.get_by_role("radio", checked=True)).to_have_count(0)
    expect(bedside.page.locator("[data-remark]")).to_contain_text("under Labs instead")
    search(bedside).fill("cardiac arrest")
    options(bedside).first.click()
    expect(bedside.page.get_by_role("radio", name="no grade 3 in CTCAE")).to_be_disabled()


def test_symptoms_are_ticked_present_and_absent(bedside: BedsidePage, course: Course) -> None:
    """One save; the list is blank again, with the last answers shown."""
    bedside.open_tab("Symptoms")
    says(bedside, "Rigors", "yes").check()
    says(bedside, "Fatigue", "no").check()
    says(bedside, "Rash", "yes").check()
    bedside.save_and_see_it_saved()
    bedside.expect_grade(1)
    expect(bedside.page.get_by_text("enter a CTCAE grade for rash under Toxicity")).to_be_visible()
    expect(says(bedside, "Rigors", "not assessed")).to_be_checked()
    expect(bedside.page.locator("#previous-symptom_rigors")).to_contain_text("present")
    assert Entry.objects.filter(kind=EntryKind.SYMPTOM).count() == 3

    says(bedside, "Rigors", "no").check()
    bedside.save()
    bedside.expect_saved("Rigors absent")
    assert Entry.objects.filter(kind=EntryKind.SYMPTOM).count() == 4

    # By the keyboard.
    says(bedside, "Malaise", "not assessed").focus()
    bedside.page.keyboard.press("ArrowRight")
    expect(says(bedside, "Malaise", "yes")).to_be_checked()
    bedside.page.keyboard.press("Tab")
    expect(says(bedside, "Fatigue", "not assessed")).to_be_focused()
