"""A round of vital signs: charting, what the page shows after a save, and what it fills in.

Its pages move, as those of most users do: what was saved fades in while the next is typed.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, expect

from patients.models import ChartingAct, Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.browser.conftest import TABLET
from tests.browser.shared_contexts import MOVING, SharedContexts

CALM_ROUND = {"Temperature": "37.4", "Systolic": "118", "Diastolic": "66", "SpO₂": "96"}
FEVER_ROUND = CALM_ROUND | {"Temperature": "38.4"}


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**MOVING, viewport=TABLET) as lent:
        yield lent


def vitals(course: Course) -> int:
    return Entry.objects.filter(course=course, kind=EntryKind.VITALS).count()


def test_a_set_of_vital_signs_is_saved_and_the_form_is_ready_for_the_next(
    bedside: BedsidePage, course: Course
) -> None:
    """A save while the nurse types on: the page shows what changed and does not move."""
    page = bedside.page
    rows = bedside.rows.count()
    bedside.fill(CALM_ROUND)
    before = bedside.field("Temperature").bounding_box()
    bedside.save()

    bedside.expect_saved("Temp 37.4 °C · BP 118/66 · SpO₂ 96 %")
    for label in CALM_ROUND:
        expect(bedside.field(label)).to_have_value("")
    expect(bedside.field("Temperature")).to_be_focused()
    after = bedside.field("Temperature").bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 1, f"the form moved by {after['y'] - before['y']} px"

    expect(page.locator("#previous-temperature")).to_contain_text("37.4 °C")
    expect(page.locator("#previous-systolic_mmhg")).to_contain_text("118")
    expect(bedside.rows).to_have_count(rows + 1)
    expect(bedside.rows.first).to_contain_text("Temp 37.4 °C · BP 118/66 · SpO₂ 96 %")
    expect(bedside.announcer).to_be_empty()
    assert vitals(course) == 1


def test_a_rise_of_the_grade_shows_everywhere_at_once(bedside: BedsidePage) -> None:
    """Fever: card, timeline, saved message and the voice of a screen reader say grade 1."""
    rows = bedside.rows.count()
    bedside.fill(FEVER_ROUND)
    bedside.save()
    bedside.expect_saved("Not assessed to grade 1")
    bedside.expect_grade(1)
    expect(bedside.announcer).to_have_text("CRS not assessed to grade 1")
    expect(bedside.rows).to_have_count(rows + 2)
    expect(bedside.rows.first).to_contain_text("Grade – → 1")
    expect(bedside.rows.nth(1)).to_contain_text("Temp 38.4 °C · BP 118/66 · SpO₂ 96 %")


def test_a_cannula_without_its_flow_could_be_grade_3(bedside: BedsidePage) -> None:
    """Oxygen by cannula, flow not noted: grade 2 at least, and the card says what is not known."""
    bedside.open_tab("Oxygen")
    bedside.fill({"Device": "Nasal cannula"})
    bedside.save_and_see_it_saved()
    bedside.expect_grade(2)
    expect(bedside.card).to_contain_text("could be 3")
    why = bedside.card.get_by_role("list", name="Why")
    expect(why).to_contain_text(re.compile(r"could be grade\s+3\?\s+Nasal cannula, flow or FiO2"))


def test_a_save_after_a_refusal_leaves_nothing_behind_in_the_form(
    bedside: BedsidePage, course: Course
) -> None:
    """Refused with "Stopped" ticked and another cause given, mended, saved: the next form is blank.

    What stayed ticked or chosen would be charted with the next entry, unseen.
    """
    bedside.open_tab("Vasopressor")
    bedside.open_attribution()
    bedside.fill({"Due to": "another cause"})
    bedside.field("Stopped").check()
    bedside.save()
    refused = bedside.page.get_by_role("alert")
    expect(refused.first).to_contain_text("Choose the drug")
    expect(refused.last).to_contain_text("Say what else it is due to")
    bedside.fill(
        {"Drug": "Norepinephrine", "Reason (other cause, or why uncertain)": "spinal block"}
    )
    bedside.save_and_see_it_saved()

    expect(bedside.field("Drug")).to_have_value("")
    expect(bedside.field("Stopped")).not_to_be_checked()
    expect(bedside.field("Due to")).to_have_value("crs")
    expect(bedside.field("Reason (other cause, or why uncertain)")).to_have_value("")
    expect(bedside.page.get_by_role("alert")).to_have_count(0)


def test_a_reading_an_hour_old_is_marked_as_charted_late(bedside: BedsidePage) -> None:
    """One touch sets the time an hour back; the timeline says how late it was charted."""
    bedside.fill({"Temperature": "38.4"})
    bedside.page.get_by_role("button", name="−60").click()
    expect(bedside.field("Time")).to_have_value(re.compile(r"\d\d:\d\d"))
    bedside.save_and_see_it_saved()
    row = bedside.rows.filter(has_text="Temp 38.4 °C").filter(has_text="J. Ruiz")
    expect(row).to_contain_text(re.compile(r"charted 1\sh( 1\smin)? later"))


def test_two_quick_taps_on_save_record_once(bedside: BedsidePage, course: Course) -> None:
    """An impatient finger: one entry."""
    bedside.fill({"Temperature": "38.4"})
    bedside.page.get_by_role("button", name="Save").dblclick()
    bedside.expect_saved()
    assert vitals(course) == 1


def test_without_a_network_nothing_is_lost(bedside: BedsidePage, course: Course) -> None:
    """The wireless drops: the page says so, keeps what was typed, and saves it afterwards."""
    acts = ChartingAct.objects.count()
    bedside.fill(FEVER_ROUND)
    bedside.page.context.set_offline(True)
    bedside.save()
    refused = bedside.page.get_by_role("alert")
    expect(refused).to_contain_text("Not graded. Kept on this tablet.")
    for typed in FEVER_ROUND.values():
        expect(refused).to_contain_text(typed)
    assert ChartingAct.objects.count() == acts

    bedside.page.context.set_offline(False)
    bedside.expect_saved("Sent from this tablet: Temperature 38.4 °C")
    assert vitals(course) == 1


def test_a_whole_round_by_the_keyboard_alone(bedside: BedsidePage, course: Course) -> None:
    """Skip link, Tab to the form, Enter from value to value, Enter on the last one saves."""
    page, keys = bedside.page, bedside.page.keyboard
    keys.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    for _ in range(20):
        keys.press("Tab")
        if bedside.field("Temperature").evaluate("field => field === document.activeElement"):
            break
    expect(bedside.field("Temperature")).to_be_focused()

    values = ("37.4", "118", "66", "", "104", "20", "96")
    for value in values:
        keys.type(value)
        keys.press("Enter")
    bedside.expect_saved("Temp 37.4 °C · BP 118/66 · HR 104 · RR 20 · SpO₂ 96 %")
    expect(bedside.field("Temperature")).to_be_focused()

    for _ in range(20):
        keys.press("Shift+Tab")
        if page.get_by_role("link", name="Oxygen").evaluate(
            "tab => tab === document.activeElement"
        ):
            break
    expect(page.get_by_role("link", name="Oxygen")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("link", name="Oxygen")).to_have_attribute("aria-current", "page")
    expect(page.get_by_role("link", name="Oxygen")).to_be_focused()
