"""A laboratory report is typed by the keyboard alone, in any unit, with its limits."""

import re
from collections.abc import Callable
from datetime import date

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import BedsidePage
from tests.factories import admit

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def lower(analyte: str) -> str:
    return f"{analyte}, lower limit of normal"


def upper(analyte: str) -> str:
    return f"{analyte}, upper limit of normal"


@pytest.fixture
def open_labs(page: Page, nurse: User, sign_in: Callable[[Page, User], None]) -> Callable:
    def open_on(course: Course) -> BedsidePage:
        sign_in(page, nurse)
        page.goto(f"/courses/{course.pk}/")
        bedside = BedsidePage(page)
        bedside.open_tab("Labs")
        expect(bedside.field("ALT")).to_be_visible()
        return bedside

    return open_on


def charted() -> list[dict[str, str]]:
    rows = Entry.objects.filter(kind=EntryKind.LAB).order_by("recorded_at", "place")
    return list(rows.values_list("body", flat=True))


def test_a_report_by_the_keyboard_alone(bedside: BedsidePage) -> None:
    """From the tab on: Enter from result to result; "<" in the result; Ctrl and Enter save."""
    page, keys = bedside.page, bedside.page.keyboard
    bedside.open_tab("Labs")
    bedside.field("ALT").focus()
    keys.type("90")
    keys.press("Enter")
    expect(bedside.field("AST")).to_be_focused()
    keys.type("<8")
    for _ in range(9):
        keys.press("Enter")
    expect(bedside.field("D-dimer")).not_to_be_focused()
    expect(bedside.field("Platelets")).to_be_focused()
    keys.type("41")
    keys.press("Control+Enter")
    bedside.expect_saved("ALT 90 U/L; AST <8 U/L; Platelets 41 ×10⁹/L")
    expect(bedside.field("ALT")).to_be_focused()
    expect(bedside.field("ALT")).to_have_value("")
    assert page.evaluate(TOO_WIDE) <= 0
    wrapped = page.locator(".lab-row > label").evaluate_all(
        "labels => labels.filter(one => one.offsetHeight > 30).map(one => one.innerText)"
    )
    assert wrapped == []
    assert charted()[1] == {"analyte": "ast", "value": "8", "comparator": "<", "unit": "U/L"}


def test_limits_follow_the_unit_and_the_laboratory(bedside: BedsidePage) -> None:
    """Charted in two units and for two laboratories, each brings its own limits back."""
    bedside.open_tab("Labs")
    for laboratory, unit, value, limits in (
        ("Core", "µmol/L", "80", ("45", "97")),
        ("Night", "mg/dL", "0.9", ("0.4", "1.2")),
        ("Core", "mg/dL", "0.9", ("0.5", "1.1")),
    ):
        bedside.fill({"Laboratory": laboratory, "Creatinine, unit": unit, "Creatinine": value})
        bedside.field(lower("Creatinine")).fill(limits[0])
        bedside.field(upper("Creatinine")).fill(limits[1])
        bedside.save_and_see_it_saved()
        expect(bedside.field("Creatinine")).to_have_value("")

    row = bedside.page.locator('[data-analyte="creatinine"]')
    expect(bedside.field("Laboratory")).to_have_value("Core")
    expect(bedside.field(upper("Creatinine"))).to_have_value("1.1")
    expect(row).to_contain_text("J. Ruiz")
    bedside.fill({"Creatinine, unit": "µmol/L"})
    expect(bedside.field(lower("Creatinine"))).to_have_value("45")
    expect(bedside.field(upper("Creatinine"))).to_have_value("97")
    bedside.fill({"Creatinine, unit": "mg/dL", "Laboratory": "night"})
    bedside.field("ALT").focus()
    expect(bedside.field(upper("Creatinine"))).to_have_value("1.2")
    bedside.fill({"Laboratory": "Elsewhere"})
    bedside.field("ALT").focus()
    expect(bedside.field(upper("Creatinine"))).to_have_value("")
    expect(row).not_to_contain_text("J. Ruiz")


def test_limits_that_were_typed_first_are_of_the_unit_and_laboratory_named_then(
    bedside: BedsidePage,
) -> None:
    """In the order of a report: result, limits, unit. With another unit they do not stay.

    Typed for ALT before the laboratory was named, they stay and are remembered as its own.
    """
    bedside.open_tab("Labs")
    bedside.field("Creatinine").fill("80")
    bedside.field(upper("Creatinine")).fill("97")
    bedside.fill({"Creatinine, unit": "µmol/L"})
    expect(bedside.field(upper("Creatinine"))).to_have_value("97")
    bedside.fill({"Creatinine, unit": "mg/dL"})
    expect(bedside.field(upper("Creatinine"))).to_have_value("")
    bedside.field("Creatinine").fill("")
    bedside.field("ALT").fill("35")
    bedside.field(upper("ALT")).fill("40")
    bedside.fill({"Laboratory": "Core"})
    bedside.field("AST").focus()
    expect(bedside.field(upper("ALT"))).to_have_value("40")
    bedside.save_and_see_it_saved()
    expect(bedside.field("ALT")).to_have_value("")
    expect(bedside.field(upper("ALT"))).to_have_value("40")


def test_a_laboratory_brings_its_units_where_none_was_chosen(
    bedside: BedsidePage, open_labs: Callable, nurse: User
) -> None:
    bedside.open_tab("Labs")
    bedside.fill({"Laboratory": "Core", "Creatinine, unit": "µmol/L", "Creatinine": "80"})
    bedside.field(upper("Creatinine")).fill("97")
    bedside.save_and_see_it_saved()
    bedside.fill({"Laboratory": "Night", "ALT": "35"})
    bedside.field(upper("ALT")).fill("40")
    bedside.save_and_see_it_saved()
    bedside = open_labs(admit(nurse, mrn="NEXT-1"))
    expect(bedside.field("Laboratory")).to_have_value("Night")
    expect(bedside.field("Creatinine, unit")).to_have_value("")
    bedside.fill({"Laboratory": "Core"})
    bedside.field("ALT").focus()
    expect(bedside.field("Creatinine, unit")).to_have_value("umol/L")
    expect(bedside.field(upper("Creatinine"))).to_have_value("97")


def test_limits_are_remembered_for_the_next_woman_and_for_no_child(
    open_labs: Callable, course: Course, nurse: User
) -> None:
    bedside = open_labs(course)
    bedside.fill({"Laboratory": "Core", "ALT": "35"})
    bedside.field(upper("ALT")).fill("40")
    bedside.save_and_see_it_saved()

    bedside = open_labs(admit(nurse, mrn="NEXT-1"))
    expect(bedside.field("Laboratory")).to_have_value("Core")
    expect(bedside.field(upper("ALT"))).to_have_value("40")
    expect(bedside.field("ALT")).to_have_value("")

    born = date(timezone.now().year - 6, 1, 1)
    bedside = open_labs(admit(nurse, mrn="NEXT-2", birth_date=born, weight_kg="20"))
    expect(bedside.field("Laboratory")).to_have_value("Core")
    expect(bedside.field(upper("ALT"))).to_have_value("")


def test_below_is_one_tap(bedside: BedsidePage) -> None:
    """A tablet's number keys have no "<": a button at the result switches between the signs."""
    bedside.open_tab("Labs")
    bedside.field("ALT").fill("5")
    key = bedside.page.get_by_role("button", name="ALT: reported as below or above")
    for sign in ("<5", ">5", "5", "<5"):
        key.click()
        expect(bedside.field("ALT")).to_have_value(sign)
    expect(bedside.field("ALT")).to_be_focused()
    bedside.save_and_see_it_saved()
    assert charted()[0]["comparator"] == "<"


def test_a_refusal_stands_at_its_row_and_keeps_the_rest(bedside: BedsidePage) -> None:
    """Platelets per µL: the message names the unit, the field has the focus, all values stay."""
    bedside.open_tab("Labs")
    bedside.fill({"ALT": "35", "Platelets": "250000"})
    bedside.field(upper("ALT")).fill("40")
    bedside.save()
    wrong = bedside.field("Platelets")
    expect(wrong).to_have_accessible_description(re.compile("250000/µL is 250"))
    expect(wrong).to_be_focused()
    expect(bedside.field("ALT")).to_have_value("35")
    expect(bedside.field(upper("ALT"))).to_have_value("40")
    assert charted() == []
    wrong.fill("250")
    bedside.save_and_see_it_saved()
    assert len(charted()) == 2
