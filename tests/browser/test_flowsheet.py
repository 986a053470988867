"""The flowsheet in a browser: it fits, its heads stay, keys walk through it, its headings fold."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User
from grading.engine.analytes import Analyte
from patients.models import Course
from patients.recording.inputs import NewEntry
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.factories import chart, record

SIZES = ((390, 844), (768, 1024), (1440, 900))
SignIn = Callable[[Page, User], None]
RESULTS = (
    (Analyte.ALT, "U/L"), (Analyte.AST, "U/L"), (Analyte.BILIRUBIN, "mg/dL"),
    (Analyte.CREATININE, "mg/dL"), (Analyte.FIBRINOGEN, "mg/dL"), (Analyte.CRP, "mg/L"),
    (Analyte.FERRITIN, "ng/mL"), (Analyte.PLATELETS, "10^9/L"), (Analyte.LACTATE, "mmol/L"),
    (Analyte.IL6, "pg/mL"),
)  # fmt: skip


LONG_RESULTS = (
    (Analyte.FERRITIN, "52000", "ng/mL"),
    (Analyte.IL6, "104250", "pg/mL"),
    (Analyte.LACTATE, "12.75", "mmol/L"),
)
CUT = """[...document.querySelectorAll('tr[data-row] td.value, tr[data-row] td.held')]
    .filter((td) => {
        const text = document.createTreeWalker(td, NodeFilter.SHOW_TEXT);
        const range = document.createRange();
        while (text.nextNode()) {
            range.selectNodeContents(text.currentNode);
            const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
            if (lines.size > 1 && /\\d/.test(text.currentNode.data)) return true;
        }
        range.selectNodeContents(td);
        return range.getBoundingClientRect().right > td.getBoundingClientRect().right + 1
            || range.getBoundingClientRect().left < td.getBoundingClientRect().left - 1;
    })
    .map((td) => `${td.closest('tr').dataset.row}: ${td.textContent}`)"""
"""The cells of which a number is broken into lines or reaches over the edge."""


@pytest.fixture
def day(course: Course, nurse: User) -> Course:
    """A day of hourly sets, oxygen, two infusions, results, findings, treatments and notes."""
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    begin = end - timedelta(hours=23)
    record(course, nurse, [
        NewEntry("vitals", begin + timedelta(hours=hour, minutes=10), {
            "temperature_c": "39.4", "systolic_mmhg": "104", "diastolic_mmhg": "61",
            "mean_arterial_pressure_mmhg": "75", "heart_rate": "124", "respiratory_rate": "24",
            "spo2_percent": "92",
        })
        for hour in range(23)
    ])  # fmt: skip
    at = begin + timedelta(minutes=30)
    chart(course, nurse, "vitals", end - timedelta(minutes=10), systolic_mmhg="84")
    chart(course, nurse, "oxygen", at, device="nasal_cannula", flow_l_per_min="3")
    for drug, rate in (("norepinephrine", "0.12"), ("epinephrine", "0.05")):
        chart(course, nurse, "vasopressor", at, drug=drug, rate=rate, unit="ug/kg/min")
    chart(course, nurse, "fluid_bolus", at, volume_ml="500")
    for analyte, unit in RESULTS:
        chart(course, nurse, "lab", at, analyte=analyte.value, value="12", unit=unit)
    chart(course, nurse, "toxicity", at, term="delirium", grade=2)
    chart(course, nurse, "symptom", at, term="fatigue", present=True)
    chart(course, nurse, "treatment", at, agent="tocilizumab", dose_mg="640")
    chart(course, nurse, "note", at, note="Family informed")
    return course


def open_sheet(page: Page, course: Course, query: str = "") -> None:
    page.goto(f"/courses/{course.pk}/flowsheet/{query}", timeout=30_000)
    expect(page.locator("[data-sheet] table")).to_be_visible()


def overflow(page: Page) -> int:
    sheet = "document.querySelector('[data-sheet]')"
    return int(page.evaluate(f"{sheet}.scrollWidth - {sheet}.clientWidth"))


def test_24_hours_of_36_rows_fit_at_1280_and_12_hours_at_768(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    sign_in(page, nurse)
    page.set_viewport_size({"width": 1280, "height": 1000})
    open_sheet(page, day)
    assert page.locator(".hours th[data-title]").count() == 24
    assert page.locator("tr[data-row]").count() >= 36
    assert overflow(page) == 0
    page.set_viewport_size({"width": 768, "height": 1024})
    open_sheet(page, day, "?span=12")
    assert page.locator(".hours th[data-title]").count() == 12
    assert overflow(page) == 0
    # Of a whole day the newest twelve hours are in sight.
    open_sheet(page, day)
    heads = page.locator(".hours th[data-title]")
    name = page.locator(".hours .name").bounding_box()
    twelfth, last = heads.nth(12).bounding_box(), heads.nth(23).bounding_box()
    assert name is not None
    assert twelfth is not None
    assert last is not None
    assert twelfth["x"] >= name["x"] + name["width"] - 1
    assert last["x"] + last["width"] <= 768
    assert page.evaluate("document.documentElement.scrollWidth") <= 768


def test_no_number_is_cut_off_or_broken_into_two_lines(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    """Half of a number is another number. A printed sheet has all of its columns on the page."""
    late = timezone.now() - timedelta(hours=2)
    for analyte, value, unit in LONG_RESULTS:
        chart(day, nurse, "lab", late, analyte=analyte.value, value=value, unit=unit)
    sign_in(page, nurse)
    for query in ("", "?bin=entry"):
        page.emulate_media(media="screen")
        open_sheet(page, day, query)
        expect(page.locator("[data-row='lab.ferritin']")).to_contain_text("52000")
        for width in (1280, 768):
            page.set_viewport_size({"width": width, "height": 1000})
            assert page.evaluate(CUT) == []
        page.set_viewport_size({"width": 979, "height": 740})  # Letter on its side
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate(CUT) == []
        right = "all => Math.max(...all.map((one) => one.getBoundingClientRect().right))"
        assert page.locator("[data-sheet] table").evaluate_all(right) <= 979
        expect(page.get_by_text(re.compile("Flowsheet .* Printed"))).to_be_visible()


def test_a_phone_held_sideways_cuts_no_name_and_the_heads_stay_while_the_sheet_scrolls(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    sign_in(page, nurse)
    page.set_viewport_size({"width": 640, "height": 800})
    open_sheet(page, day)
    cut = page.evaluate(
        "[...document.querySelectorAll('tr[data-row] .name')].filter((one) => {"
        " const all = document.createRange(); all.selectNodeContents(one);"
        " const words = all.getBoundingClientRect(); const cell = one.getBoundingClientRect();"
        " return words.right > cell.right || words.bottom > cell.bottom + 1"
        " || words.top < cell.top - 1; })"
        ".map((one) => one.textContent.trim())"
    )
    assert cut == []
    assert page.locator("tr[data-row] .name a").first.evaluate("one => one.clientHeight") >= 24

    page.set_viewport_size({"width": 768, "height": 700})
    hour, name = page.locator(".hours th").nth(20), page.locator("[data-row='weight'] th")
    before = hour.bounding_box()
    page.locator("[data-sheet]").evaluate("sheet => sheet.scrollTop = 300")
    after = hour.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) <= 1
    page.locator("[data-sheet]").evaluate(
        "sheet => { sheet.scrollLeft = 0; sheet.scrollTop = 9999 }"
    )
    left = name.bounding_box()
    page.locator("[data-sheet]").evaluate("sheet => sheet.scrollLeft = 200")
    assert left == name.bounding_box()


def test_arrow_keys_walk_through_the_cells_and_the_bar_says_them_in_full(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    sign_in(page, nurse)
    page.set_viewport_size({"width": 1280, "height": 1000})
    open_sheet(page, day)
    bar = page.get_by_role("region", name="Cell in focus")
    cells = page.locator("[data-row='systolic_mmhg'] td")
    cells.nth(22).click()
    expect(bar).to_contain_text("Systolic mmHg · ▼84 · worst of 2, lowest, outside its limits")
    expect(bar.locator("li")).to_have_count(2)
    expect(bar).to_contain_text("SBP 84")
    expect(bar).to_contain_text("J. Ruiz")
    page.keyboard.press("ArrowLeft")
    expect(cells.nth(21)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-row='temperature_c'] td").nth(21)).to_be_focused()
    expect(bar).to_contain_text("Temperature °C · ▲39.4")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-row='temperature_c'] td").nth(21)).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("[data-row='temperature_c'] td").nth(0)).to_be_focused()
    page.keyboard.press("Control+End")
    focused = page.evaluate("document.activeElement.closest('tr').dataset.row")
    assert focused == page.locator("tr[data-row]").last.get_attribute("data-row")
    assert page.locator("[data-sheet] td[tabindex='0']").count() == 1


def test_a_heading_folds_its_rows_and_is_remembered(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    sign_in(page, nurse)
    open_sheet(page, day)
    heading = page.get_by_role("button", name="Oxygen", exact=True)
    row = page.locator("[data-row='fio2_percent']")
    expect(row).to_be_visible()
    heading.click()
    expect(heading).to_have_attribute("aria-expanded", "false")
    expect(row).to_be_hidden()
    page.reload()
    expect(row).to_be_hidden()
    page.get_by_role("button", name="Oxygen", exact=True).click()
    expect(row).to_be_visible()


def test_the_address_keeps_rows_order_and_width(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    sign_in(page, nurse)
    page.set_viewport_size({"width": 1280, "height": 1000})
    open_sheet(page, day)
    page.get_by_label("Rows").select_option("vital_signs")
    expect(page.locator("[data-row='lab.crp']")).to_have_count(0)
    page.get_by_label("Order of columns").select_option("first")
    expect(page).to_have_url(re.compile("rows=vital_signs&order=first"))
    page.get_by_role("link", name="4 h").click()
    expect(page.locator(".hours th[data-title]")).to_have_count(18)
    expect(page.get_by_label("Rows")).to_have_value("vital_signs")
    page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_role("link", name="Later")).to_be_visible()


def test_without_script_a_cell_leads_to_its_entries(
    browser: Browser, live_server: Any, nurse: User, day: Course, sign_in: SignIn
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, nurse)
    open_sheet(page, day)
    page.locator("[data-row='fluid_bolus'] td a").first.click()
    expect(page.locator(".sheet-entries li:target")).to_contain_text("Fluid bolus 500 mL")
    page.get_by_label("Rows").select_option("results")
    page.get_by_role("button", name="Show").first.click()
    expect(page.locator("[data-row='lab.crp']")).to_be_visible()
    context.close()


def test_no_rule_of_axe_is_broken(
    contexts: SharedContexts, nurse: User, day: Course, sign_in: SignIn
) -> None:
    with contexts.lend(**FOR_AXE) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        sign_in(page, nurse)
        faults = []
        known = (timezone.now() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for query in (
            "",
            "?bin=entry&order=first",
            f"?known_at={known}",
            "?bin=7",
            "?end=2026-01-01",
        ):
            open_sheet(page, day, query)
            faults += faults_of(page, query, sizes=dict(SIZES if not query else SIZES[:1]))
    assert not faults, "\n".join(faults)[:6000]


def test_an_old_sheet_says_so_and_an_entry_leads_to_its_history(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    sign_in(page, nurse)
    page.clock.install()
    open_sheet(page, day)
    notice = page.get_by_text("You see the state of")
    expect(notice).to_be_hidden()
    page.clock.fast_forward(6 * 60_000)
    expect(notice).to_be_visible()
    page.context.set_offline(True)
    expect(page.get_by_text(re.compile("No connection since"))).to_be_visible()
    page.context.set_offline(False)
    page.locator("[data-row='fluid_bolus'] td.value").first.click()
    page.get_by_role("region", name="Cell in focus").get_by_role("link", name="History").click()
    expect(page.locator("#timeline-rows li:target")).to_contain_text("500 mL")


def test_at_400_percent_nothing_but_a_table_or_plot_scrolls_sideways(
    page: Page, nurse: User, day: Course, sign_in: SignIn
) -> None:
    """A window of 1280 px at 200 % is 640 px wide, at 400 % it is 320 px (WCAG 1.4.10)."""
    sign_in(page, nurse)
    of_course = (f"/courses/{day.pk}/{part}" for part in ("", "flowsheet/", "review/", "sign-off/"))
    for address in ("/", *of_course):
        for width in (640, 320):
            page.set_viewport_size({"width": width, "height": 512})
            page.goto(address)
            page.wait_for_load_state("networkidle")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{address} at {width} px is {wide} px wide"
