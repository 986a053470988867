"""Ten kinds of entry are charted and corrected by keys, and taken back, in the browser."""

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Locator, expect

from patients.models import Course, Entry
from tests.browser.bedside_page import BedsidePage


@dataclass(frozen=True)
class Journey:
    """What is typed and chosen on a tab, what the timeline says then, and one thing corrected."""

    tab: str
    typed: dict[str, str]
    says: str
    corrected: dict[str, str]
    says_then: str
    chosen: dict[str, str] = field(default_factory=dict)
    """Radio buttons: the name of the group, and of the one that is chosen."""


JOURNEYS = [
    Journey(
        "Vitals", {"Temperature": "38.4"}, "Temp 38.4 °C", {"Temperature": "38.9"}, "Temp 38.9 °C"
    ),
    Journey(
        "Oxygen",
        {"Device": "Nasal cannula", "Flow": "2"},
        "Nasal cannula, 2 L/min",
        {"Flow": "4"},
        "Nasal cannula, 4 L/min",
    ),
    Journey(
        "Vasopressor",
        {"Drug": "Norepinephrine", "Rate": "8", "Unit": "mcg/min"},
        "Norepinephrine 8 mcg/min",
        {"Rate": "9"},
        "Norepinephrine 9 mcg/min",
    ),
    Journey(
        "Fluid bolus",
        {"Volume": "500"},
        "Fluid bolus 500 mL",
        {"Volume": "250"},
        "Fluid bolus 250 mL",
    ),
    Journey("Labs", {"ALT": "35"}, "ALT 35 U/L", {"Result": "53"}, "ALT 53 U/L"),
    Journey(
        "Symptoms",
        {},
        "Rigors present",
        {"Now": "no"},
        "Rigors absent",
        chosen={"Rigors": "yes"},
    ),
    Journey(
        "Treatment",
        {"Given": "Tocilizumab", "Dose": "320"},
        "Tocilizumab 320 mg",
        {"Dose": "640"},
        "Tocilizumab 640 mg",
    ),
    Journey("Weight", {"Weight": "82"}, "Weight 82 kg", {"Weight": "84"}, "Weight 84 kg"),
    Journey(
        "Baseline", {"MAP": "90"}, "Baseline MAP 90", {"MAP": "88"}, "Baseline MAP 88"
    ),
    Journey(
        "Note",
        {"Note": "Family informed"},
        "Note: Family informed",
        {"Note": "Wife told"},
        "Note: Wife told",
    ),
]  # fmt: skip
KEYS = {
    "Vitals": "v",
    "Oxygen": "o",
    "Vasopressor": "p",
    "Fluid bolus": "f",
    "Labs": "l",
    "Symptoms": "s",
    "Treatment": "r",
    "Weight": "w",
    "Baseline": "b",
}


def charted(bedside: BedsidePage, says: str) -> Locator:
    """The row of the entry that reads so; a change of grade may quote it."""
    menu = bedside.page.get_by_label(f"Change this entry: {says}", exact=True)
    return bedside.rows.filter(has=menu)


def walk_to(bedside: BedsidePage, target: Locator, key: str = "Tab") -> None:
    """Presses ``key`` until the target has the focus."""
    expect(target).to_be_visible()
    for _ in range(150):
        if target.evaluate("element => element === document.activeElement"):
            return
        bedside.page.keyboard.press(key)
    pytest.fail(f"{key} does not lead to {target}")


def type_into(bedside: BedsidePage, values: dict[str, str]) -> None:
    for label, value in values.items():
        walk_to(bedside, bedside.field(label))
        bedside.page.keyboard.press("Control+a")
        bedside.page.keyboard.type(value)


def open_by_keys(bedside: BedsidePage, name: str) -> None:
    """Opens a tab by its own key, or by the list of the other kinds."""
    page, keys = bedside.page, bedside.page.keyboard
    if name in KEYS:
        keys.press(KEYS[name])
    else:
        walk_to(bedside, page.locator(".more-tabs summary"))
        keys.press("Enter")
        walk_to(bedside, page.get_by_role("link", name=name, exact=True))
        keys.press("Enter")
    tab = page.locator(".tabs a").filter(has_text=re.compile(f"^{name}$"))
    expect(tab).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.tab)
def test_charted_and_corrected_by_the_keyboard_alone_and_taken_back(
    bedside: BedsidePage, course: Course, journey: Journey
) -> None:
    """From the key of the tab to the correction no finger touches the glass."""
    page, keys = bedside.page, bedside.page.keyboard
    entries = Entry.objects.filter(course=course).count()
    open_by_keys(bedside, journey.tab)
    type_into(bedside, journey.typed)
    for group, choice in journey.chosen.items():
        radios = page.get_by_role("radiogroup", name=group)
        walk_to(bedside, radios.get_by_role("radio").first)
        keys.press("ArrowRight")
        expect(radios.get_by_role("radio", name=choice)).to_be_checked()
    keys.press("Control+Enter")
    row = charted(bedside, journey.says)
    expect(row).to_be_visible()

    walk_to(bedside, page.get_by_label(f"Change this entry: {journey.says}", exact=True))
    keys.press("Enter")
    walk_to(bedside, row.get_by_role("link", name="Correct"))
    keys.press("Enter")
    expect(page.get_by_role("region", name="Correct an entry")).to_be_visible()
    type_into(bedside, journey.corrected)
    walk_to(bedside, bedside.field("Reason for the correction"))
    keys.type("Misread")
    keys.press("Control+Enter")
    corrected = charted(bedside, journey.says_then)
    expect(corrected).to_contain_text("Misread")
    expect(corrected.locator("s")).to_contain_text(journey.says)

    bedside.change(journey.says_then, "Entered in error")
    page.get_by_role("button", name="Another patient").click()
    page.get_by_role("button", name="Mark as entered in error").click()
    expect(bedside.rows.filter(has_text="entered in error: Another patient")).to_have_count(1)
    assert Entry.objects.filter(course=course).count() == entries + 3
