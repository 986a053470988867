"""A round of ICE at the bed: by touch, by keyboard alone, a child by CAPD; and a ventilator."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from crs_app.accounts.models import User
from patients.models import Course, Entry
from tests.browser.bedside_page import BedsidePage
from tests.browser.conftest import TABLET
from tests.browser.shared_contexts import SharedContexts
from tests.factories import admit, ago, chart

QUESTIONS = 10
SMALLEST = 44
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def by_touch(
    contexts: SharedContexts,
    course: Course,
    nurse: User,
    sign_in: Callable[[Page, User], None],
) -> Iterator[Page]:
    """The chart of a patient whose last ICE was 9, on a phone."""
    parts = {"orientation": "3", "naming": "3", "commands": "1", "writing": "1", "attention": "1"}
    chart(course, nurse, "ice", ago(hours=9), **parts, note="Handwriting: round and even")
    with contexts.lend(viewport=PHONE, has_touch=True, is_mobile=True) as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        sign_in(page, nurse)
        page.goto(f"/courses/{course.pk}/")
        yield page


def foot(page: Page) -> Locator:
    return page.locator(".round-total")


def charted(course: Course, kind: str) -> list[Any]:
    entries = Entry.objects.filter(course=course, kind=kind, act__source="bedside")
    return [entry.body for entry in entries.order_by("at")]


def test_a_round_by_touch(by_touch: Page, course: Course) -> None:
    """Ten taps, the answers of before beside them, the foot says what is still possible."""
    page = by_touch
    page.get_by_role("link", name="ICE due since").tap()
    form = page.get_by_role("region", name="Chart: ICE and consciousness")
    expect(form).to_contain_text("before: 3 of 4")
    expect(form).to_contain_text("round and even")
    expect(page.get_by_role("region", name="CRS grade now")).to_be_hidden()

    answers = form.locator(".round-question")
    expect(answers).to_have_count(QUESTIONS)
    for number in range(8):
        word = "Wrong" if number in (3, 6) else "Right"
        answers.nth(number).get_by_role("radio", name=word).tap()
    expect(foot(page)).to_contain_text("6 of 8 asked")
    expect(foot(page)).to_contain_text("2 left. Now: ICANS 1 if both right, 2 if both wrong")
    answers.nth(0).get_by_role("radio", name="Right").tap()  # a second tap clears
    expect(foot(page)).to_contain_text("5 of 7 asked")
    expect(foot(page)).to_contain_text("where and when (3 of 4)")
    answers.nth(0).get_by_role("radio", name="Right").tap()
    for number in (8, 9):
        answers.nth(number).get_by_role("radio", name="Right").tap()
    expect(foot(page)).to_contain_text("8 of 10")
    targets = form.locator(".round-answers label, .round-foot .btn, .round-steps .btn")
    for size in (TABLET, PHONE):
        page.set_viewport_size(size)
        sizes = targets.evaluate_all(
            "all => all.map((one) => Math.min(one.offsetWidth, one.offsetHeight))"
        )
        assert min(sizes) >= SMALLEST, size

    page.get_by_role("button", name="Next: awake?").tap()
    form.get_by_role("radio", name="Drowsy").tap()
    form.get_by_role("radio", name="Focal").tap()
    form.get_by_label("How long").fill("3")
    expect(foot(page)).to_contain_text("Drowsy, seizure 3 min")
    page.get_by_role("button", name="Next: weakness?").tap()
    form.get_by_role("checkbox", name="All looked for, none present").tap()
    page.get_by_role("button", name="Save round").tap()

    expect(page.get_by_role("status").filter(has_text="Saved")).to_contain_text("ICE 8 of 10")
    expect(page.get_by_role("heading", name="Chart: Vital signs")).to_be_visible()
    expect(page.get_by_role("link", name="ICE due since")).to_have_count(0)
    assert charted(course, "ice")[-1]["naming"] == "2"
    assert charted(course, "seizure") == [{"seizure_type": "focal", "duration_minutes": "3"}]
    assert len(charted(course, "neuro_sign")) == 5


def test_a_round_by_keyboard_alone(bedside: BedsidePage, course: Course) -> None:
    page, keys = bedside.page, bedside.page.keyboard
    bedside.open_round()
    expect(page.locator("[name=ask_year]").first).to_be_focused()
    for number in range(QUESTIONS):
        keys.press("Space")
        if number == 3:
            keys.press("ArrowRight")
        if number < QUESTIONS - 1:
            keys.press("Tab")
            if page.evaluate("document.activeElement.name") == "handwriting":
                keys.type("round")
                keys.press("Tab")
                keys.press("Tab")
    expect(foot(page)).to_contain_text("9 of 10")
    keys.press("Backspace")
    expect(foot(page)).to_contain_text("8 of 9 asked")
    keys.press("Space")
    page.get_by_role("button", name="2 · Awake, seizure").focus()
    keys.press("Enter")
    expect(page.locator("[name=level]").first).to_be_focused()
    keys.press("Space")
    keys.press("ArrowRight")
    page.get_by_role("button", name="Save round").focus()
    keys.press("Enter")
    bedside.expect_saved("ICE 9 of 10")
    assert charted(course, "ice")[0]["note"] == "Handwriting: round"
    assert charted(course, "consciousness") == [{"level": "spontaneous"}]


def test_a_child_by_capd_and_what_is_refused_opens_its_step(
    page: Page, nurse: User, clinician: User, sign_in: Callable[[Page, User], None]
) -> None:
    born = date(timezone.now().year - 7, 1, 1)
    child = admit(clinician, name="HAAS, Milo", birth_date=born, weight_kg="23")
    sign_in(page, nurse)
    page.goto(f"/courses/{child.pk}/?kind=ice")
    form = page.get_by_role("region", name="Chart: ICE and consciousness")
    form.get_by_role("radio", name="11", exact=True).click()
    expect(foot(page)).to_contain_text("CAPD 11")
    expect(foot(page)).to_contain_text("ICANS 3 (9 or more)")
    page.get_by_role("button", name="2 · Awake, seizure").click()
    form.get_by_role("radio", name="Generalised").click()
    form.get_by_label("How long").fill("2000")
    page.get_by_role("button", name="1 · CAPD").click()
    page.get_by_role("button", name="Save round").click()
    expect(form.get_by_role("alert")).to_contain_text("not possible")
    expect(form.get_by_label("How long")).to_be_focused()
    expect(form.get_by_label("How long")).to_have_value("2000")
    form.get_by_label("How long").fill("2")
    form.get_by_role("radio", name="It has stopped").click()
    page.get_by_role("button", name="Save round").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_contain_text("CAPD 11")
    assert charted(child, "capd") == [{"score": "11"}]


def test_what_was_tapped_and_not_sent_is_there_again(bedside: BedsidePage) -> None:
    page = bedside.page
    bedside.open_round()
    page.locator(".round-question").nth(1).get_by_role("radio", name="Right").click()
    page.locator(".round-back").click()
    bedside.expect_form_of_vital_signs()
    page.get_by_role("link", name="ICE and consciousness, typed").click()
    expect(page.locator("[name=ask_month][value=right]")).to_be_checked()
    expect(foot(page)).to_contain_text("1 of 1 asked")


def test_what_a_ventilator_is_for_is_asked_of_a_ventilator_alone(bedside: BedsidePage) -> None:
    bedside.open_tab("Oxygen")
    question, purpose = (bedside.page.locator(f"[name={n}]") for n in ("needs_oxygen", "purpose"))
    bedside.field("Device").select_option(label="Nasal cannula")
    expect(question).to_be_hidden()
    bedside.field("Device").select_option(value="invasive_ventilation")
    expect(question).to_be_visible()
    expect(purpose).to_be_hidden()
    question.select_option("no")
    expect(purpose).to_be_visible()
