"""Guidance on the bedside page: answers, risk questions, and reassessment after tocilizumab."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Route, expect

from crs_app.accounts.models import User
from grading.engine.algorithm import Reply
from patients.guidance.answer import NewAnswer, record_answer
from patients.models import Course, Entry, EntryKind, GuidanceAnswer
from tests.browser.bedside_page import BedsidePage
from tests.browser.moved_clock import MovedClock
from tests.factories import chart, sending

DAY = timedelta(hours=24)


@pytest.fixture
def severe(course: Course, nurse: User) -> Course:
    """Grade 3 by oxygen, reached five minutes ago."""
    at = timezone.now() - timedelta(minutes=5)
    chart(course, nurse, "oxygen", at, device="venturi_mask", fio2_percent="50")
    return course


@pytest.fixture
def open_page(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None]
) -> Callable[[Course], BedsidePage]:
    def open_course(course: Course) -> BedsidePage:
        sign_in(page, nurse)
        page.goto(f"/courses/{course.pk}/")
        return BedsidePage(page)

    return open_course


def unfold(card: Locator) -> None:
    card.locator("summary").first.click()


def test_the_most_urgent_opens_to_its_basis(
    severe: Course, open_page: Callable[[Course], BedsidePage]
) -> None:
    """At grade 3 the treatment stands first; it opens to place, inputs and arithmetic."""
    bedside = open_page(severe)
    first = bedside.guidance.get_by_role("article").first
    expect(first).to_contain_text("Critical")
    expect(first).to_contain_text("is advised for every patient")
    unfold(first)
    expect(first).to_contain_text("Lee 2014")
    expect(first).to_contain_text("J. Ruiz")
    dose = bedside.guidance_item("Tocilizumab 4 mg/kg")
    unfold(dose)
    expect(dose).to_contain_text("4 mg/kg × 80 kg = 320 mg")
    expect(dose).to_contain_text("Not from the paper: current US label")
    dose.get_by_role("link", name="source").click()
    expect(bedside.page.get_by_role("heading", level=1)).to_have_text(
        "Sources and limits of grades and guidance"
    )


def test_a_save_leaves_the_panel_under_the_hand(
    severe: Course, open_page: Callable[[Course], BedsidePage]
) -> None:
    """A save that does not change the panel does not replace it: nothing moves or closes."""
    bedside = open_page(severe)
    item = bedside.guidance_item("Tocilizumab 4 mg/kg")
    unfold(item)
    dose = item.get_by_text("4 mg/kg × 80 kg = 320 mg")
    panel = bedside.guidance
    panel.evaluate("panel => { panel.untouched = true; }")
    bedside.fill({"Heart rate": "88"})
    bedside.save_and_see_it_saved()
    assert panel.evaluate("panel => panel.untouched")
    expect(dose).to_be_visible()
    bedside.open_tab("Weight")
    bedside.fill({"Weight": "85"})
    bedside.save()
    expect(item.get_by_text("4 mg/kg × 85 kg = 340 mg")).to_be_visible()
    assert not panel.evaluate("panel => panel.untouched")


def test_a_panel_that_was_replaced_during_a_save_is_asked_for(
    severe: Course, open_page: Callable[[Course], BedsidePage]
) -> None:
    """A look that was made before the save may arrive while it is on the way."""
    bedside = open_page(severe)

    def replaced_meanwhile(route: Route) -> None:
        bedside.guidance.evaluate("panel => { panel.dataset.signature = 'of a moment ago'; }")
        route.continue_()

    bedside.page.route("**/entries/vitals/", replaced_meanwhile)
    bedside.fill({"Heart rate": "88"})
    with bedside.page.expect_request(re.compile(r"/live/\?")):
        bedside.save()
    bedside.expect_saved("HR 88")


def test_done_charts_the_dose_and_starts_the_clock(
    severe: Course, open_page: Callable[[Course], BedsidePage]
) -> None:
    """Neither dose is filled in; the chosen one is charted, answered and counted down.

    Typed wrongly, it stays in its field.
    """
    bedside = open_page(severe)
    card = bedside.guidance_item("Tocilizumab 4 mg/kg")
    given = card.locator("[data-given]")
    expect(given).to_have_text("Given: choose a dose first")
    expect(card.get_by_role("radio", checked=True)).to_have_count(0)
    given.click(force=True)  # it is marked as disabled, and can be tapped
    expect(card.get_by_role("radio", name="320 mg")).to_be_focused()
    expect(bedside.field("Temperature")).to_be_visible()
    bedside.choose_dose(card, "320 mg")
    expect(bedside.field("Dose")).to_have_value("320")
    bedside.fill({"Dose": "32o"})
    bedside.save()
    expect(bedside.page.get_by_role("alert")).to_contain_text("not a number")
    expect(bedside.field("Dose")).to_have_value("32o")
    bedside.fill({"Dose": "320"})
    bedside.save()
    waiting = bedside.guidance_item("Tocilizumab given at")
    expect(waiting.locator("[data-countdown]")).to_contain_text("h")
    expect(bedside.guidance_item("Tocilizumab 4 mg/kg")).to_have_count(0)
    expect(bedside.timeline).to_contain_text("Tocilizumab 320 mg")
    expect(bedside.timeline).to_contain_text("Done · Tocilizumab")
    expect(bedside.field("Temperature")).to_be_visible()
    assert Entry.objects.get(kind=EntryKind.TREATMENT).body["dose_mg"] == "320"


def test_not_now_comes_back_by_the_clock(
    page: Page,
    severe: Course,
    open_page: Callable[[Course], BedsidePage],
    server_clock: MovedClock,
    settings: Any,
) -> None:
    """Answered *not now* for a quarter of an hour, on a page that is left open."""
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=1)
    page.clock.install()
    bedside = open_page(severe)
    card = bedside.guidance_item("Monitor very closely")
    card.get_by_text("Not now", exact=True).click()
    card.get_by_role("button", name="15 min").press("Enter")
    expect(card).to_contain_text("Not now, asks again at")
    expect(card.locator("summary").first).to_be_focused()
    expect(card.locator("summary").first).to_be_in_viewport(ratio=1)
    expect(card.get_by_role("button", name="Done")).to_be_hidden()
    server_clock.forward(timedelta(minutes=15, seconds=5))
    page.clock.fast_forward(15 * 60_000 + 5_000)
    expect(card).to_contain_text("Asked again since")
    expect(card.get_by_role("button", name="Done")).to_be_visible()


def test_not_appropriate_asks_why(
    severe: Course, open_page: Callable[[Course], BedsidePage]
) -> None:
    bedside = open_page(severe)
    card = bedside.guidance_item("Monitor very closely")
    card.get_by_role("link", name="Not suitable…").click()
    expect(bedside.page.get_by_label("Goals of care")).to_be_visible()
    bedside.save()
    expect(bedside.page.get_by_role("alert")).to_have_text("Choose a reason, or write one.")
    bedside.page.get_by_label("Goals of care").check()
    bedside.save()
    expect(bedside.field("Temperature")).to_be_focused()
    bedside.unfold_guidance()
    expect(card).to_be_visible()
    expect(card).to_contain_text("Not suitable: Goals of care")
    expect(bedside.timeline).to_contain_text("Not suitable: Goals of care")


def test_done_is_one_tap_and_keeps_the_focus_in_place(
    severe: Course, open_page: Callable[[Course], BedsidePage]
) -> None:
    """Without a connection it says so, and nothing is recorded."""
    bedside = open_page(severe)
    bedside.fill({"Temperature": "38.9"})
    card = bedside.guidance_item("Monitor very closely")
    bedside.page.context.set_offline(True)
    card.get_by_role("button", name="Done").click()
    expect(bedside.guidance.get_by_role("alert")).to_contain_text("Not sent yet. There is no")
    assert not GuidanceAnswer.objects.exists()
    bedside.page.context.set_offline(False)
    card.get_by_role("button", name="Done").click()
    expect(card).to_contain_text("J. Ruiz")
    expect(card.locator("summary").first).to_be_focused()
    expect(bedside.field("Temperature")).to_have_value("38.9")
    assert GuidanceAnswer.objects.get().reply == "done"


def test_the_two_questions_decide_the_branch_and_can_be_changed(
    course: Course, nurse: User, open_page: Callable[[Course], BedsidePage]
) -> None:
    """Grade 2: both answered no, nothing is advised; then the patient is older after all."""
    chart(course, nurse, "oxygen", device="nasal_cannula", flow_l_per_min="2")
    bedside = open_page(course)
    group = bedside.guidance.get_by_role("group", name="Extensive comorbidities?")
    group.get_by_role("button", name="No").click()
    bedside.guidance.get_by_role("group", name="Older age?").get_by_role(
        "button", name="No"
    ).click()
    bedside.unfold_guidance()
    expect(bedside.guidance_item("neither risk: symptomatic treatment")).to_be_visible()
    bedside.guidance.get_by_text("Answered: extensive comorbidities no, older age no").click()
    older = bedside.guidance.get_by_role("group", name="Older age?")
    expect(older).to_contain_text("J. Ruiz")
    older.get_by_role("button", name="Yes").click()
    expect(bedside.guidance_item("Grade 2 with a risk")).to_be_visible()


def test_what_is_not_known_is_charted_from_the_item(
    course: Course, nurse: User, open_page: Callable[[Course], BedsidePage]
) -> None:
    chart(course, nurse, "oxygen", device="nasal_cannula")
    bedside = open_page(course)
    bedside.guidance_item("Grade may be 3").get_by_role("link", name="Chart oxygen").click()
    expect(bedside.field("Device")).to_be_visible()
    bedside.fill({"Device": "Nasal cannula", "Flow": "2"})
    bedside.save_and_see_it_saved()
    expect(bedside.guidance_item("Grade may be 3")).to_have_count(0)


def test_a_day_after_tocilizumab_the_page_asks_by_itself(
    page: Page,
    severe: Course,
    nurse: User,
    open_page: Callable[[Course], BedsidePage],
    server_clock: MovedClock,
    settings: Any,
) -> None:
    """Tocilizumab is charted; 24 h later, with no save and no reload, it is time to reassess."""
    settings.SIGNED_OUT_AFTER_IDLE = settings.SIGNED_OUT_AFTER = timedelta(hours=48)
    settings.SESSION_COOKIE_AGE = 48 * 60 * 60
    chart(severe, nurse, "treatment", agent="tocilizumab", dose_mg="320")
    page.clock.install()
    bedside = open_page(severe)
    expect(bedside.guidance_item("Tocilizumab given at").locator("[data-countdown]")).to_have_text(
        "23 h 58 min"
    )
    page.evaluate("window.leftOpen = true")
    acts = severe.acts.count()
    server_clock.forward(DAY)
    page.clock.fast_forward(int(DAY.total_seconds()) * 1000)
    reassess = bedside.guidance_item("after tocilizumab (grade 3, now 3)")
    expect(reassess).to_be_visible()
    expect(bedside.guidance_item("Tocilizumab given at")).to_have_count(0)
    assert page.evaluate("window.leftOpen") is True
    assert severe.acts.count() == acts


def test_a_first_rise_interrupts_once(
    severe: Course, open_page: Callable[[Course], BedsidePage]
) -> None:
    """It is read out and takes no focus; dismissed, it does not come again."""
    bedside = open_page(severe)
    rise = bedside.page.get_by_role("region", name="The grade has risen")
    expect(rise).to_contain_text("Grade – → 3")
    expect(bedside.page.locator("#rise-announcer")).to_contain_text("Grade – → 3 at")
    assert bedside.page.evaluate("document.activeElement === document.body")
    bedside.page.reload()
    expect(rise).to_be_visible()
    rise.get_by_role("button", name="OK, seen").click()
    expect(rise).to_be_hidden()
    bedside.page.reload()
    expect(bedside.guidance).to_be_visible()
    expect(rise).to_be_hidden()


def test_an_answer_given_meanwhile_is_shown_and_nothing_is_kept(
    severe: Course,
    open_page: Callable[[Course], BedsidePage],
    intensivist: User,
) -> None:
    bedside = open_page(severe)
    given = NewAnswer("icu.one_to_one", Reply.DONE)
    record_answer(severe, given, sending(intensivist))
    card = bedside.guidance_item("Monitor very closely")
    card.get_by_role("button", name="Done").click()
    refused = bedside.guidance.get_by_role("alert")
    expect(refused).to_contain_text("A. Osei has answered this already: Done.")
    expect(card).to_contain_text("A. Osei")
    assert GuidanceAnswer.objects.count() == 1


def test_without_javascript_every_answer_works(
    browser: Browser,
    live_server: Any,
    severe: Course,
    nurse: User,
    sign_in: Callable[[Page, User], None],
) -> None:
    plain = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = plain.new_page()
    sign_in(page, nurse)
    page.goto(f"/courses/{severe.pk}/")
    bedside = BedsidePage(page)
    bedside.guidance_item("Monitor very closely").get_by_role("button", name="Done").click()
    expect(page.locator("main")).to_contain_text("Saved. Done")
    item = bedside.guidance_item("Tocilizumab 4 mg/kg")
    item.get_by_role("link", name="Other dose given…").click()
    bedside.fill({"Dose": "320"})
    bedside.save()
    expect(bedside.guidance_item("Tocilizumab given at")).to_be_visible()
    plain.close()
