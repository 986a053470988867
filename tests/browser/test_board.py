"""The ward board keeps itself up to date, says when it cannot, and is searched as one types."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from crs_app.accounts.models import User
from patients.display.text import clock_text
from patients.models import Course
from tests.browser.moved_clock import MovedClock
from tests.browser.shared_contexts import SharedContexts
from tests.factories import admit, ago, chart, end


def test_the_board_shows_grades_and_what_the_clock_will_change(
    page: Page,
    nurse: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
    server_clock: MovedClock,
    settings: Any,
) -> None:
    """Left on a wall: a new infusion shows within a minute, grade 3 when its hour has come."""
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=12)
    admit(nurse, name="LINDQVIST, Per", bed="14")
    page.clock.install()
    sign_in(page, nurse)
    page.goto("/")
    ada = page.get_by_role("row").filter(has_text="OKONKWO, Ada")
    expect(ada).to_contain_text("– not assessed")
    page.evaluate("window.leftOpen = true")

    started = timezone.now() - timedelta(hours=1)
    chart(course, nurse, "vasopressor", started, drug="norepinephrine", rate="22", unit="ug/min")
    server_clock.forward(timedelta(seconds=61))
    page.clock.fast_forward(61_000)
    expect(ada).to_contain_text("Grade 2")
    grade_3_at = clock_text(started + timedelta(hours=3), timezone.now())
    expect(ada).to_contain_text(f"grade 3 at {grade_3_at}")
    expect(ada).to_contain_text("1 h 58 min")
    expect(page.get_by_role("row").first).to_contain_text("OKONKWO, Ada")

    server_clock.forward(timedelta(hours=2))
    page.clock.fast_forward(2 * 60 * 60 * 1000)
    expect(ada).to_contain_text("Grade 3")
    assert page.evaluate("window.leftOpen") is True

    ada.get_by_role("link", name="OKONKWO, Ada", exact=True).click()
    expect(page.get_by_role("region", name="CRS grade now")).to_contain_text("3")


SCALES_BELOW = """() => {
    const link = document.querySelector('.board-scales');
    const top = (one) => one.getBoundingClientRect().top;
    return !link || top(link) > top(document.querySelector('.board'));
}"""
OVERLAPS = """() => {
    const found = [];
    const boxes = (one) => {
        const range = document.createRange();
        const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
        const all = [];
        for (let text = walker.nextNode(); text; text = walker.nextNode()) {
            if (!text.data.trim() || text.parentElement.closest('.visually-hidden')) continue;
            if (text.parentElement.offsetWidth < 2) continue; // for screen readers alone
            range.selectNodeContents(text);
            all.push(...range.getClientRects());
        }
        for (const chip of one.querySelectorAll('.grade-badge')) {
            all.push(chip.getBoundingClientRect());
        }
        return all;
    };
    for (const row of document.querySelectorAll('.board tbody tr')) {
        const edge = row.getBoundingClientRect();
        const cells = [...row.cells].map((cell) => [cell.className, boxes(cell)]);
        cells.forEach(([name, own], place) => {
            for (const a of own) {
                const leaves = a.right > edge.right + 1 || a.left < edge.left - 1;
                if (leaves) found.push(`${name} leaves its row`);
                for (const [other, theirs] of cells.slice(place + 1)) {
                    const meets = (b) => a.left < b.right - 1 && b.left < a.right - 1
                        && a.top < b.bottom - 2 && b.top < a.bottom - 2;
                    if (theirs.some(meets)) found.push(`${name} on ${other}`);
                }
            }
        });
    }
    if (document.documentElement.scrollWidth > innerWidth) {
        const beyond = (one) => one.getBoundingClientRect().right > innerWidth;
        const wide = [...document.querySelectorAll('body *')].filter(beyond).at(-1);
        found.push(`the page scrolls sideways: ${wide?.className}`);
    }
    return [...new Set(found)];
}"""


def test_long_text_touches_nothing_else_at_any_width(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    """As long as the database holds it, with and without a place to break."""
    for number, letter in enumerate(("W", "Wide ")):
        course = admit(
            nurse, name=(letter * 200)[:200].strip(), mrn=f"{number}{('8-' * 20)[:39]}",
            bed=(letter * 30)[:30].strip(), ward=(letter * 60)[:60].strip(),
            product=(letter * 120)[:120].strip(),
        )  # fmt: skip
        started = ago(hours=1)
        for drug, rate, unit in (
            ("norepinephrine", "22", "ug/min"), ("vasopressin", "0.03", "units/min")
        ):  # fmt: skip
            chart(course, nurse, "vasopressor", started, drug=drug, rate=rate, unit=unit)
        chart(course, nurse, "oxygen", started, device="high_flow_nasal_cannula")
        if number:
            end(course, nurse)
            admit(nurse, name="Short, S", bed="1")
    unassessed = admit(nurse, name="Unassessed, U", bed="2")
    chart(unassessed, nurse, "vitals", temperature_c="36.8", systolic_mmhg="120")
    sign_in(page, nurse)
    for address in ("/", "/?ended=1"):
        page.goto(address)
        for width in (390, 640, 768, 901, 1024, 1279, 1280, 1440, 1699, 1700, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(OVERLAPS) == [], (address, width)
            assert page.evaluate(SCALES_BELOW), (address, width)


def test_a_desk_shows_twenty_rows_and_a_touch_screen_sixteen(
    contexts: SharedContexts, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    """At 1440 by 900, whole rows; a click on any place of a row opens the patient."""
    for number in range(21):
        course = admit(nurse, name=f"FAMILYNAME-{number}, Given", ward="7B", bed=str(number))
        chart(course, nurse, "oxygen", device="nasal_cannula", flow_l_per_min="2")
        chart(course, nurse, "vasopressor", drug="norepinephrine", rate="12", unit="ug/min")
        chart(course, nurse, "vasopressor", drug="vasopressin", rate="0.03", unit="units/min")
    for touch, rows in ((False, 20), (True, 16)):
        # Chromium takes a finger for the first pointer only on an emulated mobile device.
        size = {"width": 1440, "height": 900}
        with contexts.lend(viewport=size, has_touch=touch, is_mobile=touch) as context:
            page = context.new_page()
            sign_in(page, nurse)
            page.goto("/")
            assert page.evaluate("matchMedia('(pointer: coarse)').matches") is touch
            boxes = page.locator(".board tbody tr").evaluate_all(
                "rows => rows.map((row) => row.getBoundingClientRect()).map(({bottom}) => bottom)"
            )
            assert sum(bottom <= 900 for bottom in boxes) >= rows
            cell = page.locator(".board tbody tr").nth(3).locator("td").last
            at = cell.bounding_box()
            assert at is not None
            page.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
            expect(page.get_by_role("region", name="CRS grade now")).to_be_visible()


def test_sixty_rows_stand_on_one_page_with_their_head_in_sight(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    for number in range(59):
        admit(nurse, name=f"FAMILYNAME-{number}, Given", bed=str(number), weight_kg=None)
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, nurse)
    page.goto("/")
    rows = page.locator(".board tbody tr")
    expect(rows).to_have_count(60)
    expect(page.get_by_role("navigation", name="Pages")).to_have_count(0)
    rows.last.scroll_into_view_if_needed()
    head = page.get_by_role("columnheader", name="To do").bounding_box()
    assert head is not None
    assert 0 <= head["y"] <= 1
    expect(page.get_by_role("columnheader", name="To do")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


def test_late_observations_show_by_themselves_and_are_found_by_keyboard(
    page: Page,
    nurse: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
    server_clock: MovedClock,
) -> None:
    admit(nurse, name="LINDQVIST, Per", bed="14", infused_at=timezone.now())
    chart(course, nurse, "vitals", ago(238), temperature_c="36.8", systolic_mmhg="120")
    chart(course, nurse, "ice", ago(10), score=10)
    page.clock.install()
    sign_in(page, nurse)
    page.goto("/")
    ada = page.get_by_role("row").filter(has_text="OKONKWO, Ada")
    expect(ada).to_contain_text("Obs due")
    late = page.get_by_role("link", name=re.compile("^Late"))
    expect(late).to_have_text("Late 0")
    server_clock.forward(timedelta(minutes=3))
    page.clock.fast_forward(180_000)
    expect(ada).to_contain_text("Obs 1 min late")
    page.clock.fast_forward(60_000)
    expect(ada).to_contain_text("Obs 2 min late")
    late.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("show=late"))
    expect(page.locator(".board tbody tr")).to_have_count(1)
    expect(late).to_be_focused()


def test_typing_finds_a_patient_and_the_poll_keeps_what_was_asked(
    page: Page,
    nurse: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    other = admit(nurse, name="LINDQVIST, Per", ward="K4", bed="14")
    page.clock.install()
    sign_in(page, nurse)
    page.goto("/")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Name, MRN or bed")
    expect(search).to_be_focused()
    page.keyboard.type("lindqv")
    page.clock.fast_forward(300)
    expect(page.get_by_role("link", name="OKONKWO, Ada")).to_have_count(0)
    expect(page.get_by_role("link", name="LINDQVIST, Per")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?q=~[\w-]{43}$"))
    expect(search).to_be_focused()

    page.get_by_label("Ward", exact=True).select_option("K4")
    expect(page).to_have_url(re.compile(r"/\?q=~[\w-]{43}&ward=K4$"))
    chart(course, nurse, "vitals", temperature_c="39")
    with page.expect_response(re.compile(r"/\?q=~[\w-]{43}&ward=K4&seen=")):
        page.clock.fast_forward(61_000)
    expect(page.get_by_role("link", name="OKONKWO, Ada")).to_have_count(0)

    page.get_by_role("link", name=re.compile("Could be higher")).click()
    expect(page).to_have_url(re.compile("show=could_be_higher"))
    page.emulate_media(forced_colors="active")
    chosen = page.get_by_role("navigation", name="Show only").locator("[aria-current]")
    expect(chosen).not_to_have_css("box-shadow", "none")
    page.emulate_media(forced_colors="none")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?q=~[\w-]{43}&ward=K4$"))
    expect(page.get_by_role("link", name="LINDQVIST, Per")).to_be_visible()
    expect(search).to_have_value("lindqv")

    end(other, nurse)
    page.reload()
    expect(page.get_by_text("No open course matches “lindqv” on ward K4.")).to_be_visible()
    page.get_by_role("link", name="Look in closed courses").click()
    expect(page.get_by_role("heading", name="Closed courses")).to_be_visible()
    expect(page.get_by_role("link", name="LINDQVIST, Per")).to_be_visible()
    end(course, nurse)
    page.clock.fast_forward(61_000)
    expect(page.get_by_role("heading", name="Closed courses")).to_be_visible()
    expect(page.get_by_role("link", name="LINDQVIST, Per")).to_be_visible()
    expect(page.get_by_role("link", name="OKONKWO, Ada")).to_have_count(0)


def test_after_a_failed_poll_the_board_says_that_it_may_be_wrong(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    """Nothing is hidden meanwhile, and the first answer takes the notice away."""
    page.clock.install()
    sign_in(page, nurse)
    page.goto("/")
    notice = page.get_by_role("alert").filter(has_text="This board may be wrong")

    def fail(route: Route) -> None:
        route.abort()

    polls = re.compile("seen=")
    page.route(polls, fail)
    with page.expect_event("requestfailed"):
        page.clock.fast_forward(61_000)
    expect(notice).to_be_visible()
    expect(page.locator("[data-blind] .grade-badge")).to_have_css("border-style", "dashed")
    expect(page.get_by_role("link", name="OKONKWO, Ada")).to_be_visible()

    page.unroute(polls, fail)
    page.get_by_role("button", name="Try now").click()
    expect(notice).to_be_hidden()
    expect(page.locator("[data-blind]")).to_have_count(0)

    page.route(polls, lambda route: route.fulfill(status=503, body="busy"))
    with page.expect_response(polls):
        page.clock.fast_forward(61_000)
    expect(notice).to_be_visible()
