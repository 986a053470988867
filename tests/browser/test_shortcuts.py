"""The chart by keys: listed on "?", never in the way of typing, and they can be turned off."""

from playwright.sync_api import Locator, expect

from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage

TABS = {
    "o": "Oxygen",
    "p": "Vasopressor",
    "f": "Fluid bolus",
    "l": "Labs",
    "s": "Symptom",
    "x": "Toxicity",
    "r": "Treatment",
    "w": "Weight",
    "b": "Baseline",
    "v": "Vitals",
}
REGIONS = {"t": "Timeline", "g": "Guidance"}
WITHOUT_RING = """elements => elements.filter(element => {
  element.focus();
  const width = parseFloat(getComputedStyle(element).outlineWidth);
  return document.activeElement === element && width < 2;
}).map(({ outerHTML }) => outerHTML.slice(0, 120))"""
"""Those of some elements that show no frame while they have the focus of the keyboard."""
FIRST = {"Labs": "[data-result]"}
"""Where the hand goes that is not the first input of its tab."""
CLOSED = "() => new Promise((done) => setTimeout(done))"
"""Waits for the event of a dialog that was closed, by which the page gives the focus back."""


def dialog(bedside: BedsidePage) -> Locator:
    return bedside.page.get_by_role("dialog", name="Keyboard shortcuts")


def test_each_key_opens_its_tab_with_the_hand_in_its_first_field(bedside: BedsidePage) -> None:
    """One tab after another, each left by Escape; then the headings of two other regions."""
    page = bedside.page
    for key, name in TABS.items():
        page.keyboard.press(key)
        tab = page.locator(".tabs a").filter(has_text=name)
        expect(tab).to_have_attribute("aria-current", "page")
        first = page.locator("#entry-form form").locator(FIRST.get(name, "input, select"))
        expect(first.locator("visible=true").first).to_be_focused()
        page.keyboard.press("Escape")
    for key, name in REGIONS.items():
        page.keyboard.press(key)
        heading = page.get_by_role("heading", name=name).first
        expect(heading).to_be_focused()
        expect(heading).to_be_in_viewport()


def test_the_list_opens_on_the_question_mark_and_from_the_menu(bedside: BedsidePage) -> None:
    """By "?" and by its button in the menu of the user; Escape and *Close* close it.

    Tab goes on from the start where nothing had the focus, also where its element is gone. No key
    is listed twice.
    """
    page = bedside.page
    keys = page.locator("#shortcuts [data-key]").evaluate_all(
        "rows => rows.map((row) => row.dataset.key)"
    )
    assert len(keys) == len(set(keys))
    assert {*TABS, *REGIONS} < set(keys)
    page.keyboard.press("?")
    expect(dialog(bedside)).to_be_visible()
    expect(dialog(bedside)).to_contain_text("Save, from any field")
    page.keyboard.press("o")
    expect(page.get_by_role("link", name="Vitals")).to_have_attribute("aria-current", "page")
    page.keyboard.press("Escape")
    expect(dialog(bedside)).to_be_hidden()
    page.evaluate(CLOSED)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    link = page.locator("#tab-oxygen")
    link.focus()
    page.keyboard.press("?")
    link.evaluate("link => link.remove()")
    page.keyboard.press("Escape")
    expect(dialog(bedside)).to_be_hidden()
    page.evaluate(CLOSED)
    page.keyboard.press("Tab")
    expect(page.locator("#tab-vitals")).to_be_focused()
    bedside.open_shortcuts()
    expect(dialog(bedside)).to_be_visible()
    dialog(bedside).get_by_role("button", name="Close").click()
    expect(dialog(bedside)).to_be_hidden()


def test_keys_typed_into_a_field_are_text(bedside: BedsidePage) -> None:
    page = bedside.page
    page.locator("details.more summary").click()
    bedside.field("Note").click()
    page.keyboard.type("to vent? flow")
    expect(bedside.field("Note")).to_have_value("to vent? flow")
    expect(dialog(bedside)).to_be_hidden()
    expect(page.get_by_role("link", name="Vitals")).to_have_attribute("aria-current", "page")


def test_escape_leaves_a_field_and_n_comes_back(bedside: BedsidePage) -> None:
    page = bedside.page
    bedside.field("Heart rate").fill("92")
    page.keyboard.press("Escape")
    expect(bedside.field("Heart rate")).not_to_be_focused()
    expect(bedside.field("Heart rate")).to_have_value("92")
    page.keyboard.press("n")
    expect(bedside.field("Temperature")).to_be_focused()
    assert page.locator(".btn, summary, a").evaluate_all(WITHOUT_RING) == []


def test_control_and_enter_save_from_any_field(bedside: BedsidePage, course: Course) -> None:
    """From the first field, where Enter alone moves to the next."""
    bedside.fill({"Systolic": "118", "Temperature": "37.4"})
    bedside.field("Temperature").press("Control+Enter")
    bedside.expect_saved("Temp 37.4 °C")
    assert Entry.objects.filter(course=course, kind=EntryKind.VITALS).count() == 1


def test_single_keys_can_be_turned_off(bedside: BedsidePage) -> None:
    """On this tablet, until they are turned on again; the list still opens from the menu."""
    page = bedside.page
    page.keyboard.press("?")
    dialog(bedside).get_by_role("checkbox", name="Single keys on").uncheck()
    dialog(bedside).get_by_role("button", name="Close").click()
    page.reload()
    for key in ("o", "?"):
        page.keyboard.press(key)
    expect(dialog(bedside)).to_be_hidden()
    expect(page.get_by_role("link", name="Vitals")).to_have_attribute("aria-current", "page")

    bedside.open_shortcuts()
    dialog(bedside).get_by_role("checkbox", name="Single keys on").check()
    page.keyboard.press("Escape")
    page.keyboard.press("o")
    expect(page.get_by_role("link", name="Oxygen")).to_have_attribute("aria-current", "page")
