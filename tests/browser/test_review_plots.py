"""The lanes of the review page: one cursor, keys, links from the flowsheet, and what may fail."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import faults_as_shown
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.factories import ago, chart
from tests.patients.review.reviewed_course import import_reviewed

SignIn = Callable[[Page, User], None]
SIZES = {768: 1024, 1440: 900}


@pytest.fixture
def reviewed(nurse: User, site_in_utc: None) -> Course:
    return import_reviewed(nurse)


@pytest.fixture
def review(page: Page, reviewed: Course, nurse: User, sign_in: SignIn) -> str:
    """The address of the review page, for a signed-in nurse."""
    sign_in(page, nurse)
    return f"/courses/{reviewed.pk}/review/"


def lane(page: Page, name: str) -> Any:
    return page.locator("#plots .lane").filter(
        has=page.locator(".lane-name", has_text=re.compile(f"^{name}"))
    )


# Notes what is written on a canvas: the plot's number on the page, the words, their colour,
# alignment and height.
NOTE_WORDS = """(() => {
    const write = CanvasRenderingContext2D.prototype.fillText;
    window.written = [];
    CanvasRenderingContext2D.prototype.fillText = function (words, ...place) {
        const plot = [...document.querySelectorAll("#plots canvas")].indexOf(this.canvas);
        window.written.push([plot, words, this.fillStyle, this.textAlign, place[1]]);
        return write.call(this, words, ...place);
    };
})()"""


def heights(values: Any) -> list[float]:
    return [box["y"] for box in (one.bounding_box() for one in values.all()) if box]


def test_all_lanes_share_their_edges_and_a_cursor_and_fit_the_page(page: Page, review: str) -> None:
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        lanes_share_their_edges_and_a_cursor(page, review)


def lanes_share_their_edges_and_a_cursor(page: Page, review: str) -> None:
    page.goto(f"{review}?range=all&at=2026-11-27T13:00:00Z")
    expect(lane(page, "CRS grade").locator(".lane-value")).to_contain_text("3 since")
    edges = page.evaluate(
        "[...document.querySelectorAll('#plots .u-over')].map((one) => {"
        " const { left, right } = one.getBoundingClientRect(); return `${left} ${right}`; })"
    )
    assert len(edges) > 9
    assert len(set(edges)) == 1
    assert page.locator("#plots *").count() <= 250
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    values = page.locator("#plots .lane-value")
    before = heights(values)
    pressures = lane(page, "Blood pressure").locator(".u-over").bounding_box()
    assert pressures is not None
    page.mouse.move(pressures["x"] + pressures["width"] * 0.3, pressures["y"] + 10)
    expect(lane(page, "CRS grade").locator(".lane-value b")).to_have_text("1")
    expect(lane(page, "Oxygen device").locator(".lane-value")).to_contain_text("Room air")
    places = page.evaluate(
        "[...document.querySelectorAll('#plots .u-cursor-x')]"
        ".map((one) => Math.round(one.getBoundingClientRect().left))"
    )
    assert len(set(places)) == 1
    assert heights(values) == before


def test_the_numbers_of_an_axis_differ_and_keep_their_colour_when_drawn_again(
    page: Page, reviewed: Course, review: str, nurse: User
) -> None:
    """Nights are drawn first in a pale colour: it must not become that of the numbers."""
    chart(reviewed, nurse, "vasopressor", drug="vasopressin", rate="0.04", unit="units/min")
    page.add_init_script(NOTE_WORDS)
    page.goto(f"{review}?range=all&at=2026-11-27T13:00:00Z")
    expect(lane(page, "CRS grade").locator(".lane-value")).to_contain_text("3 since")
    page.evaluate("window.written = []")
    page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_function("written.some(([, , , side]) => side === 'right')")
    in_gutter = [one for one in page.evaluate("written") if one[3] == "right"]
    muted = page.evaluate("""(() => {
        const made = document.createElement("canvas").getContext("2d");
        const styles = getComputedStyle(document.documentElement);
        made.fillStyle = styles.getPropertyValue("--muted").trim();
        return made.fillStyle;
    })()""")
    assert {colour for _, _, colour, _, _ in in_gutter} == {muted}
    numbers = {(plot, words): high for plot, words, _, _, high in in_gutter}
    assert len(numbers) > 12
    for plot, words, _, _, high in in_gutter:
        assert numbers[plot, words] == high, f"two places of an axis have the number {words}"
    assert "0.04" in [words for _, words in numbers]


def test_keys_move_the_cursor_the_range_and_the_view(page: Page, review: str) -> None:
    page.goto(f"{review}?range=all&at=2026-11-27T13:00:00Z")
    time = lane(page, "Time").locator(".lane-value b")
    expect(time).to_have_text("27 Nov 13:00")
    page.keyboard.press("Shift+ArrowLeft")
    expect(time).to_have_text("27 Nov 10:55")
    expect(page.locator("#at-cursor")).to_contain_text("By the clock")
    page.keyboard.press("ArrowRight")
    expect(time).to_have_text("27 Nov 11:00")
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile("range=72h"))
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile("range=24h"))
    lane(page, "Temperature").locator(".u-over").hover()
    expect(time).to_have_text(re.compile("^27 Nov 1[01]:"))  # the cursor stays in sight
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("Tab")  # nothing had the focus: Tab goes on from the start
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("[data-key=k]")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(page.locator("[data-key=k]")).not_to_have_attribute("open", "")
    page.keyboard.press("t")
    expect(page.get_by_role("region", name="Values over time")).to_be_visible()


LANE_OF_ROW = {
    "mean_arterial_pressure_mmhg": "Blood pressure",
    "lab.crp": "CRP",
    "norepinephrine": "Norepinephrine",
    "heart_rate": "Heart rate",
    "treatment.tocilizumab": "Given",
    "device": "Oxygen device",
}


def test_a_row_of_the_flowsheet_leads_to_its_lane(page: Page, review: str) -> None:
    """Each on a page of its own: ``opened`` makes the addresses differ before the "#"."""
    for number, (key, name) in enumerate(LANE_OF_ROW.items()):
        page.goto(f"{review}?range=all&opened={number}#{key}")
        asked = page.locator("#plots .is-asked")
        expect(asked.locator(".lane-name")).to_have_text(re.compile(f"^{name}"))
        expect(asked).to_be_in_viewport()
        expect(page.locator("#no-lane")).to_be_hidden()
    page.goto(f"{review}?range=all#note")
    expect(page.locator("#no-lane")).to_be_visible()


def test_what_fails_says_so_and_can_be_tried_again(page: Page, review: str) -> None:
    """One lane that cannot be drawn, then no values at all; neither is an empty lane."""

    def spoil(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        for one in found["series"]:
            if one["key"] == "fio2_percent":
                one["value"] = None
        route.fulfill(response=answer, body=json.dumps(found))

    page.route("**/series.json*", spoil, times=1)
    page.goto(f"{review}?range=all")
    expect(lane(page, "FiO2")).to_contain_text("FiO2 could not be loaded. Try again")
    expect(lane(page, "Temperature").locator("canvas")).to_be_visible()
    page.route("**/series.json*", lambda route: route.abort(), times=1)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("the values could not be loaded")
    page.get_by_role("button", name="Try again").click()
    expect(lane(page, "FiO2").locator("canvas")).to_be_visible()


def test_a_new_entry_is_named_and_nothing_moves_until_it_is_asked_for(
    page: Page, review: str, reviewed: Course, nurse: User
) -> None:
    """Then the connection is lost: the page says of when it is."""
    page.goto(f"{review}?range=all&at=2026-11-27T13:00:00Z")
    expect(lane(page, "CRS grade").locator(".lane-value")).to_contain_text("3 since")
    chart(reviewed, nurse, "vitals", ago(hours=0), temperature_c="39.6")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    bar = page.locator("#page-age")
    expect(bar).to_contain_text("1 new entry")
    expect(lane(page, "Time").locator(".lane-value b")).to_have_text("27 Nov 13:00")
    bar.get_by_role("button", name="Show").click()
    expect(bar).to_be_hidden()
    page.context.set_offline(True)
    expect(bar).to_contain_text("No network. You see the state of")
    page.context.set_offline(False)
    expect(bar).to_be_hidden()
    page.route("**/latest.json*", lambda route: route.abort())
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(bar).to_contain_text("Not up to date since")


def test_nothing_charted_is_said_and_is_no_grade_0_in_words(
    page: Page, course: Course, nurse: User, sign_in: SignIn
) -> None:
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/review/?range=all")
    expect(page.locator("#plots")).to_contain_text("No vital signs charted yet.")
    expect(lane(page, "CRS grade").locator(".lane-value")).to_have_text("– not assessed")


def test_axe_finds_no_fault_of_the_plots_in_light_and_dark(
    contexts: SharedContexts, reviewed: Course, nurse: User, sign_in: SignIn
) -> None:
    with contexts.lend(**FOR_AXE) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.set_viewport_size({"width": 1440, "height": 900})
        sign_in(page, nurse)
        page.goto(f"/courses/{reviewed.pk}/review/?range=all#heart_rate")
        expect(lane(page, "Heart rate").locator("canvas")).to_be_visible()
        page.keyboard.press("?")
        assert faults_as_shown(page) == []
        page.keyboard.press("Escape")
        assert faults_as_shown(page) == []
