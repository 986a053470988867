"""The table in the place of the timeline: one press, same filters, kept in the address."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import faults_of
from tests.browser.bedside_page import BedsidePage
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.factories import ago, chart


def test_list_and_table_share_filters_and_address_and_follow_what_is_charted(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    chart(
        course, nurse, "vasopressor", ago(hours=2), drug="norepinephrine", rate="8", unit="ug/min"
    )
    page = bedside.page
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.reload()
    shown_as = page.get_by_role("group", name="List or table")
    shown_as.get_by_role("link", name="Table").press("Enter")
    expect(page).to_have_url(re.compile(r"\?view=table$"))
    expect(shown_as.get_by_role("link", name="Table")).to_be_focused()
    expect(page.locator("[data-row='norepinephrine']")).to_be_visible()
    expect(page.locator("#timeline-rows")).to_have_count(0)

    bedside.fill({"Temperature": "38.4"})
    bedside.save_and_see_it_saved()
    newest = page.locator("[data-row='temperature_c'] td").last
    expect(newest).to_contain_text("38.4")
    newest.click()
    chart(course, nurse, "vitals", ago(), temperature_c="39.1")
    page.evaluate("document.body.dispatchEvent(new Event('crs:clock'))")
    expect(newest).to_contain_text("39.1")
    expect(newest).to_be_focused()
    expect(page.get_by_role("region", name="Cell in focus").locator("li")).to_have_count(2)

    page.get_by_label("Show", exact=True).select_option("vasopressor")
    expect(page.locator("[data-row='temperature_c']")).to_have_count(0)
    page.get_by_role("link", name="4 h", exact=True).click()
    expect(page).to_have_url(re.compile(r"view=table&show=vasopressor&bin=4"))
    page.reload()
    expect(page.get_by_label("Show", exact=True)).to_have_value("vasopressor")
    expect(page.get_by_role("link", name="4 h", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    shown_as.get_by_role("link", name="List").click()
    expect(page.locator("#timeline-rows")).to_contain_text("Norepinephrine")
    expect(page).to_have_url(re.compile(r"/\?show=vasopressor$"))
    page.go_back()
    page.locator("[data-row='norepinephrine']").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(rf"/courses/{course.pk}/review/#norepinephrine$"))
    assert [fault for fault in faults if "timeline" in fault or "entry-" in fault] == []


def test_without_script_the_list_stays_and_the_table_is_a_page_of_its_own(
    browser: Browser,
    live_server: Any,
    nurse: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/?view=table")
    expect(page.locator("#timeline-rows")).to_be_visible()
    expect(page.get_by_text("Loading the table")).to_be_hidden()
    expect(page.locator("#last-day")).to_be_hidden()
    page.get_by_role("link", name="Table").click()
    expect(page.get_by_role("heading", name="Flowsheet of")).to_be_attached()
    context.close()


def test_no_rule_of_axe_is_broken(
    contexts: SharedContexts,
    nurse: User,
    course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    chart(course, nurse, "vitals", ago(hours=2), temperature_c="39.1", systolic_mmhg="84")
    with contexts.lend(**FOR_AXE) as context:
        context.set_default_timeout(30_000)
        page = context.new_page()
        sign_in(page, nurse)
        page.goto(f"/courses/{course.pk}/?view=table")
        expect(page.locator("#timeline table")).to_be_visible()
        expect(page.locator("#last-day .lanes-link")).to_be_visible()
        faults = faults_of(page, "table")
    assert not faults, "\n".join(faults)[:6000]
