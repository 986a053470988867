"""Two users have one patient's page open: what one charts, and what the clock does, both see."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry
from tests.browser.bedside_page import BedsidePage
from tests.browser.conftest import TABLET
from tests.browser.moved_clock import MovedClock, install_clock
from tests.factories import admit, ago, chart, end


@pytest.fixture
def course(nurse: User) -> Course:
    """An adult on oxygen, charted by another than the users of the two pages."""
    made = admit(nurse, baseline={"systolic_mmhg": "126", "diastolic_mmhg": "74"})
    chart(made, nurse, "vitals", ago(40), temperature_c="37.2", systolic_mmhg="120")
    chart(made, nurse, "oxygen", ago(35), device="nasal_cannula", flow_l_per_min="2")
    return made


@pytest.fixture
def other(
    browser: Browser,
    live_server: Any,
    course: Course,
    intensivist: User,
    sign_in: Callable[[Page, User], None],
) -> Iterator[BedsidePage]:
    """The same page, opened by the intensivist in a browser of its own."""
    context = browser.new_context(base_url=live_server.url, viewport=TABLET)
    context.set_default_timeout(5_000)
    context.set_default_navigation_timeout(20_000)  # as of the shared contexts
    page = context.new_page()
    sign_in(page, intensivist)
    page.clock.install()
    page.goto(f"/courses/{course.pk}/")
    yield BedsidePage(page)
    context.close()


def a_minute_later(bedside: BedsidePage) -> None:
    bedside.page.clock.fast_forward(61_000)


def test_what_one_charts_reaches_every_part_of_the_other_page(
    bedside: BedsidePage, other: BedsidePage, course: Course, nurse: User
) -> None:
    """And leaves alone what the other types; a tick of what was changed is taken off."""
    other.fill({"Heart rate": "104"})
    other.page.get_by_label("Oxygen unchanged").check()
    other.field("Heart rate").focus()
    bedside.fill({"Temperature": "39.4", "Systolic": "88", "Diastolic": "50"})
    bedside.save_and_see_it_saved()
    a_minute_later(other)

    expect(other.card).to_contain_text("39.4")
    expect(other.page.locator("#previous-temperature")).to_contain_text("39.4 °C")
    expect(other.page.locator("#previous-systolic_mmhg")).to_contain_text("88")
    row = other.rows.filter(has_text="Temp 39.4 °C")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("J. Ruiz")
    expect(other.rows.filter(has_text="Grade 2").first).to_be_visible()
    expect(other.guidance).to_contain_text("At grade 2")
    expect(other.field("Heart rate")).to_have_value("104")
    expect(other.field("Heart rate")).to_be_focused()
    expect(other.page.get_by_label("Oxygen unchanged")).to_be_checked()

    chart(course, nurse, "oxygen", device="venturi_mask", fio2_percent="50")
    a_minute_later(other)
    expect(other.page.locator("#unchanged")).to_contain_text("FiO2 50 %")
    expect(other.page.get_by_label("Oxygen unchanged")).not_to_be_checked()
    expect(other.announcer).to_contain_text("Check it and tick again")


def test_the_correction_of_another_replaces_the_row_and_leaves_the_rest(
    bedside: BedsidePage, other: BedsidePage, course: Course
) -> None:
    kept = other.rows.filter(has_text="Temp 37.2").first
    kept.evaluate("row => { row.untouched = true; }")
    bedside.change("Nasal cannula, 2 L/min", "Correct")
    bedside.fill({"Flow": "4", "Reason for the correction": "Misread"})
    bedside.save_and_see_it_saved()
    a_minute_later(other)
    row = other.rows.filter(has_text="Nasal cannula, 4 L/min").first
    expect(row.locator("s")).to_have_text("Nasal cannula, 2 L/min")
    assert kept.evaluate("row => row.untouched")


def test_the_filter_of_the_other_and_a_correction_that_was_opened_stay(
    other: BedsidePage, course: Course, nurse: User
) -> None:
    other.change("Nasal cannula, 2 L/min", "Correct")
    other.fill({"Flow": "3"})
    other.page.get_by_label("Show").select_option(label="Oxygen")
    expect(other.rows).to_have_count(1)
    chart(course, nurse, "vitals", heart_rate="90")
    chart(course, nurse, "oxygen", device="room_air")
    a_minute_later(other)
    expect(other.rows).to_have_count(2)
    expect(other.rows.first).to_contain_text("Room air")
    expect(other.field("Flow")).to_have_value("3")


def test_a_rise_by_the_clock_reaches_both_with_its_row_and_its_cause(
    bedside: BedsidePage,
    other: BedsidePage,
    course: Course,
    nurse: User,
    server_clock: MovedClock,
    settings: Any,
) -> None:
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=12)
    install_clock(bedside.page)
    dose = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}
    chart(course, nurse, "vasopressor", ago(hours=1), **dose)
    for each in (bedside, other):
        each.page.reload()
        each.expect_grade(2)
    two_hours = timedelta(hours=2, minutes=1)
    server_clock.forward(two_hours)
    for each in (bedside, other):
        each.page.evaluate(
            "document.body.addEventListener('crs:grade', () => { window.heardGrade = true; })"
        )
        each.page.clock.fast_forward(int(two_hours.total_seconds()) * 1000)
        each.expect_grade(3)
        expect(each.announcer).to_have_text("CRS grade 2 to grade 3")
        row = each.rows.filter(has_text="Grade 2 → 3")
        expect(row).to_contain_text("by the clock: High dose")
        rise = each.page.get_by_role("region", name="The grade has risen")
        expect(rise).to_contain_text(re.compile(r"Grade 2 → 3\s+at .*, by the clock: High dose"))
        assert each.page.evaluate("window.heardGrade") is True


def test_a_page_that_hears_nothing_says_so_and_recovers(
    bedside: BedsidePage, other: BedsidePage, course: Course, nurse: User
) -> None:
    def cut(route: Route) -> None:
        route.abort()

    other.page.route("**/live/**", cut)
    a_minute_later(other)
    lost = other.page.get_by_text(re.compile(r"No connection since \d\d:\d\d\."))
    expect(lost).to_be_visible()
    expect(other.page.get_by_text("What you see may be old.")).to_be_visible()
    assert (
        other.card.get_by_role("strong").evaluate(
            "number => getComputedStyle(number).borderTopStyle"
        )
        == "dashed"
    )
    chart(course, nurse, "vitals", temperature_c="39.9")
    other.page.unroute("**/live/**")
    other.page.clock.fast_forward(20_000)
    expect(other.card).to_contain_text("39.9")
    expect(lost).to_be_hidden()


def test_a_page_whose_sign_in_ended_says_so_and_stays(other: BedsidePage, course: Course) -> None:
    other.fill({"Temperature": "39.2"})
    address = other.page.url
    other.page.context.clear_cookies()
    a_minute_later(other)
    expect(other.page.get_by_text("You have been signed out.")).to_be_visible()
    expect(other.page.get_by_role("link", name="Sign in and come back")).to_be_visible()
    assert other.page.url == address
    expect(other.field("Temperature")).to_have_value("39.2")


def test_a_course_closed_by_another_refuses_the_save_and_keeps_what_is_typed(
    other: BedsidePage, course: Course, nurse: User
) -> None:
    other.fill({"Temperature": "39.2"})
    end(course, nurse)
    a_minute_later(other)
    expect(other.page.get_by_role("region", name="Course closed")).to_contain_text("by J. Ruiz")
    expect(other.page.get_by_role("region", name="Grade at end")).to_be_visible()
    before = Entry.objects.count()
    other.save()
    expect(other.page.get_by_role("alert")).to_contain_text("Reopen the course to save it")
    expect(other.field("Temperature")).to_have_value("39.2")
    assert Entry.objects.count() == before
