"""The bedside page on a tablet: Save in sight, tiles inside the screen, no page too wide."""

import re
from collections.abc import Callable

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.bedside_page import BedsidePage
from tests.factories import ago, chart

HIGHEST_SAVE = 900
BOTTOM = "element => element.getBoundingClientRect().bottom + scrollY"
IS_UNCOVERED = """element => {
  const { left, right, bottom } = element.getBoundingClientRect();
  return document.elementFromPoint((left + right) / 2, bottom - 2) === element;
}"""
TOP = "element => element.getBoundingClientRect().top"
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LONG_WORD = "w" * 200


@pytest.fixture
def open_as(
    page: Page, sign_in: Callable[[Page, User], None]
) -> Callable[[User, Course], BedsidePage]:
    def open_course(user: User, course: Course) -> BedsidePage:
        sign_in(page, user)
        page.goto(f"/courses/{course.pk}/")
        return BedsidePage(page)

    return open_course


def bottom_of_save(bedside: BedsidePage) -> float:
    bottom: float = bedside.page.locator("#save").evaluate(BOTTOM)
    return bottom


def test_save_is_in_sight_for_every_patient_of_the_ward(
    nurse: User, open_as: Callable[[User, Course], BedsidePage]
) -> None:
    """At 768 by 1024, above the kinds of entry; with the notice of a rise where there is one."""
    call_command("demo_ward")
    low = {}
    for course in Course.objects.filter(ended_at=None).select_related("patient"):
        bedside = open_as(nurse, course)
        if (bottom := bottom_of_save(bedside)) > HIGHEST_SAVE:
            low[course.patient.name] = bottom
        assert bedside.page.evaluate(TOO_WIDE) == 0
    assert not low


def test_save_stays_in_sight_with_a_question_and_with_a_refusal(
    nurse: User, course: Course, open_as: Callable[[User, Course], BedsidePage]
) -> None:
    """Both stand above the boxes; the safe button, or the box that is wrong, has the focus."""
    chart(course, nurse, "oxygen", ago(minutes=5), device="venturi_mask", fio2_percent="50")
    chart(course, nurse, "vitals", ago(minutes=4), temperature_c="38.4", heart_rate="128")
    bedside = open_as(nurse, course)
    expect(bedside.page.get_by_role("region", name="The grade has risen")).to_be_visible()
    bedside.fill({"Heart rate": "38", "SpO₂": "60"})
    bedside.save()
    asked = bedside.page.get_by_role("region", name="Please confirm")
    expect(asked.get_by_role("listitem")).to_have_count(2)
    for name in ("Change it", "Values are right, save", "Save"):
        button = bedside.page.get_by_role("button", name=name, exact=True)
        assert button.evaluate(IS_UNCOVERED), name
    bedside.fill({"SpO₂": ""})
    bedside.save()
    expect(asked.get_by_role("listitem")).to_have_count(1)
    expect(asked).to_contain_text("Last value: 128")
    expect(asked.get_by_role("button", name="38 is right, save")).to_be_visible()
    expect(asked.get_by_role("button", name="Change it")).to_be_focused()
    assert bottom_of_save(bedside) <= HIGHEST_SAVE
    bedside.fill({"Heart rate": "", "Temperature": "102.4", "SpO₂": "96,0"})
    bedside.save()
    refused = bedside.page.get_by_role("alert")
    expect(refused).to_contain_text("102.4")
    expect(bedside.field("Temperature")).to_be_focused()
    assert bottom_of_save(bedside) <= HIGHEST_SAVE
    refused.get_by_role("button", name="Use 96.0").click()
    # The mark of a wrong value wraps no label.
    heights = bedside.page.locator(".fields .field > label:first-child").evaluate_all(
        "labels => labels.filter(one => one.offsetHeight).map(one => one.offsetHeight)"
    )
    assert len(set(heights)) == 1
    refused.get_by_role("button", name="Use 102.4 °F ≈ 39.1 °C").click()
    expect(bedside.field("Temperature unit")).to_have_value("f")
    expect(refused).to_have_count(0)
    bedside.save_and_see_it_saved()


def test_the_other_kinds_are_tiles_inside_the_panel(bedside: BedsidePage) -> None:
    page = bedside.page
    for width, height in ((390, 844), (768, 1024), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        page.locator(".more-tabs > summary").click()
        for name in ("Treatment", "Symptoms", "Toxicity", "Clinical judgement", "Risk factors"):
            tile = page.get_by_role("link", name=name, exact=True)
            expect(tile).to_be_in_viewport(ratio=1)
        assert page.evaluate(TOO_WIDE) == 0
        expect(bedside.field("Temperature")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(bedside.field("Temperature")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    bar = page.locator(".bedside-bar")
    # A draft is read before the scripts of the form begin.
    for kind, name in (("note", "Note"), ("weight", "Weight")):
        page.goto(f"{page.url.partition('?')[0]}?kind={kind}#entry-form")
        box = page.locator("#entry-form").get_by_label(name, exact=True).first
        expect(box).to_be_focused()
        top = page.locator("#chart-title").evaluate(TOP)
        assert bar.evaluate(BOTTOM) - page.evaluate("scrollY") <= top < 300
        box.fill("82")


def test_what_is_typed_is_read_back_at_its_box(bedside: BedsidePage) -> None:
    """What is not possible in red words, what is unusual as a hint, by the unit that is chosen.

    A date is written in words.
    """
    page, box = bedside.page, bedside.field("Temperature")
    box.fill("102.4")
    box.press("Tab")
    hint = page.locator("#id_temperature-limits")
    expect(hint).to_have_text("102.4 °C is not possible (25 to 45).")
    bedside.fill({"Temperature unit": "°F"})
    expect(hint).to_have_count(0)
    bedside.fill({"SpO₂": "60"})
    bedside.field("SpO₂").press("Tab")
    expect(page.get_by_text("60 % is unusual (85 to 100).")).to_be_visible()
    date = bedside.field("Date")
    expect(date).to_have_accessible_description(re.compile("today"))
    date.fill("2026-03-09")
    expect(date).to_have_accessible_description(re.compile(r"9\sMar"))


def test_values_are_whole_with_low_and_high_beside_their_names(
    nurse: User, course: Course, open_as: Callable[[User, Course], BedsidePage]
) -> None:
    """At every width, and a long word of a note widens no page."""
    signs = {"temperature_c": "39.4", "systolic_mmhg": "84"}
    chart(course, nurse, "vitals", ago(minutes=5), **signs, note=LONG_WORD)
    bedside = open_as(nurse, course)
    page = bedside.page
    expect(bedside.timeline).to_contain_text(LONG_WORD)
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate(TOO_WIDE) == 0
    typed = {"temperature": "39.1", "systolic_mmhg": "108", "observed_time": "00:49"}
    for name, value in typed.items():
        page.locator(f"[name={name}]").fill(value)
    for width in (768, 834, 1024, 1280, 1440):
        page.set_viewport_size({"width": width, "height": 1024})
        assert page.evaluate(TOO_WIDE) == 0, width
        for name in typed:
            box = page.locator(f"[name={name}]")
            assert box.evaluate("box => box.scrollWidth - box.clientWidth") == 0, (name, width)
        below = page.locator(".strip dt:has(.abnormal)").evaluate_all(
            """names => names.filter(({ children: [name, mark] }) =>
                mark.getBoundingClientRect().top >= name.getBoundingClientRect().bottom - 2
            ).map(name => name.innerText)"""
        )
        assert below == [], width
    assert page.locator(".strip .abnormal").all_inner_texts() == ["low", "high"]
    page.goto(f"{page.url.partition('?')[0]}?kind=note")  # at 1440 px
    time = page.locator("[name=observed_time]")
    time.fill("08:49")
    assert time.evaluate("box => box.scrollWidth - box.clientWidth") == 0
