"""A reviewer signs where she reads the history of grades: at a desk and on a tablet."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, expect

from crs_app.accounts.models import Role, User
from patients.models import Course, CourseSeen, GradeReview
from patients.recording.inputs import NewEntry
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.browser.sign_off_form import sign_grade_1_by_keyboard
from tests.factories import ago, chart, record
from tests.patients.review.sign_off_form import another, signed

SignIn = Callable[[Page, User], None]
HOURS = 24
"""The window of the plots."""


@pytest.fixture
def reviewed(course: Course, nurse: User, intensivist: User) -> Course:
    """Grade 1 for six hours, then 2; seen before 50 % oxygen of five hours ago was charted."""
    chart(course, nurse, "vitals", ago(hours=8), temperature_c="38.9")
    chart(course, nurse, "oxygen", ago(hours=2), device="nasal_cannula", flow_l_per_min="2")
    seen = timezone.now()
    CourseSeen.objects.create(course=course, reader=intensivist, known_at=seen, seen_at=seen)
    late = [
        NewEntry("oxygen", ago(hours=5), {"device": "venturi_mask", "fio2_percent": "50"}),
        NewEntry("oxygen", ago(hours=4), {"device": "room_air"}),
    ]
    record(course, nurse, late)
    return course


def address(course: Course) -> str:
    return f"/courses/{course.pk}/review/?range=24h"


def panel(page: Page) -> Locator:
    return page.get_by_role("region", name="Sign the grade")


def at_hours_ago(page: Page, hours: float) -> dict[str, float]:
    """The place in the staircase of grades that stands for a time; it may just be drawn again."""
    over, until = page.locator(".lane").nth(1).locator(".u-over"), monotonic() + 5
    while (box := over.bounding_box()) is None:
        assert monotonic() < until, "no staircase of grades"
        page.wait_for_timeout(50)
    return {
        "x": box["x"] + box["width"] * (1 - hours / HOURS),
        "y": box["y"] + box["height"] / 2,
    }


def marks(page: Page) -> list[str]:
    drawn = json.loads(panel(page).get_attribute("data-marks") or "[]")
    return [one["mark"] for one in drawn]


@pytest.mark.parametrize(("width", "height", "touch"), [(1440, 900, False), (768, 1024, True)])
def test_from_what_changed_to_the_sign_off_of_the_period_under_the_cursor(
    browser: Browser,
    live_server: Any,
    intensivist: User,
    reviewed: Course,
    sign_in: SignIn,
    width: int,
    height: int,
    touch: bool,
) -> None:
    context = browser.new_context(
        base_url=live_server.url,
        viewport={"width": width, "height": height},
        has_touch=touch,
    )
    context.set_default_timeout(5_000)
    context.set_default_navigation_timeout(20_000)  # as of the shared contexts
    page, errors = context.new_page(), []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))

    def press(hours: float) -> None:
        place = at_hours_ago(page, hours)
        (page.touchscreen.tap if touch else page.mouse.click)(place["x"], place["y"])

    sign_in(page, intensivist)
    page.goto(address(reviewed))
    changes = page.get_by_role("region", name="Changed since you last looked")
    expect(changes).to_contain_text("grade 1 → 3. Venturi mask, FiO2 50 % was charted 5 h later")
    expect(panel(page)).to_contain_text("Agree: grade 2")
    expect(panel(page)).to_contain_text("Waiting in this course: 4")
    page.get_by_role("link", name="Sign off", exact=True).click()
    expect(panel(page).get_by_role("button", name="Sign as A. Osei")).to_be_in_viewport()
    evidence, form = (page.locator(each).bounding_box() for each in ("#at-cursor", "#sign-off"))
    assert evidence is not None
    assert form is not None
    assert (form["x"] > evidence["x"]) is touch, "side by side on the tablet alone"

    page.evaluate("scrollTo(0, 0)")
    press(4.5)
    expect(panel(page)).to_contain_text("Agree: grade 3")
    expect(page.locator("#at-cursor")).to_contain_text("Venturi mask, FiO2 50 %")
    panel(page).get_by_text("Another grade…").click()
    panel(page).get_by_role("radio", name="4", exact=True).check()
    panel(page).get_by_label("Reason").select_option("Sicker than the rules show")
    panel(page).get_by_label("In your words").fill("mottled to the knees")
    page.evaluate("scrollTo(0, 0)")
    press(7)
    expect(panel(page)).to_contain_text("The cursor is in another period.")
    expect(panel(page).get_by_label("In your words")).to_have_value("mottled to the knees")
    panel(page).get_by_role("button", name="Sign as A. Osei").click()
    expect(page.get_by_role("status").first).to_contain_text("Stated 4, computed then 3:")
    stated = GradeReview.objects.get()
    assert (stated.computed_grade, stated.stated_grade, stated.words) == (
        3, 4, "mottled to the knees",
    )  # fmt: skip
    assert marks(page) == ["○", "≠", "○", "○"]
    assert "range=24h" in page.url
    expect(panel(page)).to_contain_text("You stated 4, computed then 3: Sicker than the rules show")

    page.get_by_role("button", name="Mark as seen").click()
    expect(changes).to_contain_text("Nothing.")
    assert errors == []
    context.close()


def test_what_comes_while_the_form_is_open_is_said_and_what_is_typed_stays(
    page: Page, nurse: User, intensivist: User, make_user: Any, reviewed: Course, sign_in: SignIn
) -> None:
    """A sign-off of somebody else, a rise, and no connection."""
    sign_in(page, intensivist)
    page.goto(address(reviewed))
    panel(page).get_by_text("Another grade…").click()
    panel(page).get_by_role("radio", name="4", exact=True).check()
    panel(page).get_by_label("Reason").select_option("Sicker than the rules show")
    panel(page).get_by_label("In your words").fill("mottled")
    asks = "document.body.dispatchEvent(new Event('crs:clock'))"

    page.context.set_offline(True)
    page.evaluate(asks)
    button = panel(page).locator("form [type=submit]")
    expect(button).to_have_text("Cannot sign: page is not up to date")
    expect(button).to_be_disabled()
    expect(page.locator("#page-age")).to_contain_text("No network. You see the state of")
    expect(page.locator("#connection")).to_contain_text("No connection since")
    expect(page.locator("#connection")).to_be_hidden()
    page.context.set_offline(False)
    page.evaluate(asks)
    expect(button).to_be_enabled()
    expect(button).to_have_text("Sign as A. Osei")

    page.route("**/sign-off/", lambda route: route.abort())
    button.click()
    expect(panel(page).get_by_role("alert")).to_contain_text("Not signed: no answer came.")
    page.unroute("**/sign-off/")
    expect(panel(page).get_by_label("In your words")).to_have_value("mottled")

    chart(reviewed, nurse, "oxygen", ago(30), device="bipap", fio2_percent="60")
    page.evaluate(asks)
    expect(panel(page).get_by_role("alert").first).to_contain_text(
        "The grade of this period changed to 4 at"
    )
    expect(panel(page).get_by_label("In your words")).to_have_value("mottled")
    expect(button).to_be_enabled()
    button.click()
    expect(panel(page).get_by_role("alert").first).to_be_visible()
    assert not GradeReview.objects.exists()

    page.goto(address(reviewed))
    hale = Client()
    user = make_user("hale", Role.ICU_REVIEWER, first_name="Tom", last_name="Hale")
    hale.force_login(user)
    signed(hale, reviewed, ago(10), **another(3, "less_sick"))
    page.evaluate(asks)
    expect(panel(page).get_by_role("alert")).to_contain_text("T. Hale signed this period at")
    expect(panel(page).locator("form")).to_have_count(0)
    assert marks(page)[-2:] == ["≠", "○"]


def test_with_the_keyboard_alone_by_every_rule_of_axe_core(
    contexts: SharedContexts, intensivist: User, nurse: User, reviewed: Course,
    sign_in: SignIn,
) -> None:  # fmt: skip
    """To sign, another grade, signed, a page to read alone, a past one, the board, the timeline."""
    with contexts.lend(**FOR_AXE) as context:
        page, faults = context.new_page(), []
        sign_in(page, intensivist)
        page.goto(address(reviewed))
        expect(page.locator(".u-over").first).to_be_visible()
        faults += faults_of(page, "to sign")
        page.get_by_role("link", name="Sign off", exact=True).focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("radio", name="Agree: grade 2")).to_be_focused()
        page.keyboard.press("ArrowDown")
        faults += faults_of(page, "another grade", "main")
        sign_grade_1_by_keyboard(page)
        faults += faults_of(page, "signed")
        page.goto("/")
        expect(page.locator(".board-signed")).to_contain_text("not signed")
        faults += faults_of(page, "board")
        page.goto(f"/courses/{reviewed.pk}/?show=review")
        expect(page.locator(".row-review")).to_contain_text("stated 1, computed then 2")
        faults += faults_of(page, "timeline")
        page.goto(f"{address(reviewed)}&known_at={ago(hours=1):%Y-%m-%dT%H:%MZ}")
        expect(page.locator(".u-over").first).to_be_visible()
        page.get_by_role("button", name="Mark what is different today").click()
        expect(page.locator("[data-different]")).to_be_visible()
        faults += faults_of(page, "as known then")
        page.context.set_offline(True)
        expect(page.get_by_role("slider")).to_be_disabled()
        faults += faults_of(page, "as known then, offline", "main")
        page.context.set_offline(False)
        page.goto(f"{address(reviewed)}&known_date={ago(hours=-48):%Y-%m-%d}&known_time=04:40")
        expect(page.get_by_role("alert")).to_contain_text("That time has not come.")
        faults += faults_of(page, "a time known at that has not come")
        sign_in(page, nurse)
        page.goto(address(reviewed))
        faults += faults_of(page, "to read")
    assert not faults, "\n".join(faults)


def test_a_printed_review_says_its_time_and_its_sign_offs_and_has_no_form(
    page: Page, intensivist: User, reviewed: Course, sign_in: SignIn
) -> None:
    sign_in(page, intensivist)
    page.goto(address(reviewed))
    page.emulate_media(media="print")
    line = page.locator(".print-only")
    expect(line).to_contain_text("Known at")
    expect(line).to_contain_text("Sign-off: 4 not signed or to look at again.")
    expect(panel(page)).to_contain_text("Grade 2, not signed")
    for hidden in (panel(page).locator("form"), page.get_by_role("button", name="Mark as seen")):
        expect(hidden).to_be_hidden()
    expect(page.locator("#at-cursor")).to_be_visible()
    expect(line).to_contain_text("· MRN")
    for control in page.locator(".review-tools, .course-nav, .site-bar").all():
        expect(control).to_be_hidden()


def test_plots_are_drawn_for_paper_in_light_and_for_the_screen_again_after_it(
    page: Page, intensivist: User, reviewed: Course, sign_in: SignIn
) -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.add_init_script("localStorage.setItem('crs-theme', 'dark')")
    sign_in(page, intensivist)
    page.goto(f"{address(reviewed)}&known_at={ago(hours=1):%Y-%m-%dT%H:%MZ}")
    lane = page.locator("#plots .lane-plot").last
    expect(lane.locator("canvas")).to_be_visible()
    width = "one => [one.clientWidth, one.querySelector('.uplot').clientWidth]"
    on_screen = lane.evaluate(width)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    place, plot = lane.evaluate(width)
    assert plot <= place + 1
    assert plot < on_screen[1]
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(page.locator(".print-past")).to_contain_text("Not the present state.")
    expect(page.locator(".then-bar")).to_be_hidden()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert lane.evaluate(width) == on_screen
