"""A reviewer signs grades on a tablet: by hand, by keyboard alone, and without a script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User
from patients.models import Course, GradeReview
from tests.browser.axe import faults_of
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.browser.sign_off_form import sign_grade_1_by_keyboard
from tests.factories import ago, chart


@pytest.fixture
def febrile_course(course: Course, nurse: User) -> Course:
    """Grade 1 for six hours, then grade 2 to now."""
    chart(course, nurse, "vitals", ago(hours=8), temperature_c="38.9")
    chart(course, nurse, "oxygen", ago(hours=2), device="nasal_cannula", flow_l_per_min="2")
    return course


def test_what_waits_is_signed_raised_by_a_late_entry_and_signed_again(
    page: Page,
    nurse: User,
    intensivist: User,
    febrile_course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    """From the list to the period: agree, state another grade, and look again.

    On a tablet; at a desk the same panel is used in test_review_sign_off.py.
    """
    sign_in(page, intensivist)
    page.goto("/")
    page.get_by_role("link", name="Waiting for review").first.click()
    page.get_by_role("link", name="grade 1, not signed").click()
    panel = page.get_by_role("region", name="Sign the grade")
    panel.get_by_role("button", name="Sign as A. Osei").click()
    expect(page.get_by_role("status").first).to_contain_text("Signed 1:")
    expect(panel.get_by_text("Grade 1, signed by you", exact=True)).to_be_visible()

    panel.get_by_role("link", name="grade 2, not signed").click()
    expect(panel.get_by_label("Reason")).to_be_hidden()
    panel.get_by_text("Another grade…").click()
    panel.get_by_role("button", name="Sign as A. Osei").click()
    expect(panel.get_by_text("Choose the grade that you state.").first).to_be_visible()
    panel.get_by_role("radio", name="3", exact=True).check()
    panel.get_by_label("Reason").select_option("Sicker than the rules show")
    panel.get_by_label("In your words").fill("mottled to the knees")
    panel.get_by_role("button", name="Sign as A. Osei").click()
    expect(page.get_by_role("status").first).to_contain_text("Stated 3, computed then 2:")
    expect(panel).to_contain_text("Sicker than the rules show: mottled to the knees")
    page.get_by_role("link", name="Waiting for review").last.click()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()

    late = ago(hours=5)
    chart(febrile_course, nurse, "oxygen", late, device="venturi_mask", fio2_percent="50")
    chart(febrile_course, nurse, "oxygen", ago(hours=4), device="room_air")
    page.reload()
    page.get_by_role("link", name="needs a new look").click()
    expect(page.get_by_role("region", name="Changed since you last looked")).to_contain_text(
        "grade 1 → 3. Venturi mask, FiO2 50 % was charted 5 h later, by J. Ruiz."
    )
    expect(panel.get_by_text("Agree: grade 3")).to_be_visible()
    panel.get_by_role("button", name="Sign as A. Osei").click()
    expect(page.get_by_role("status").first).to_contain_text("Signed 3:")
    assert [one.stated_grade for one in GradeReview.objects.order_by("pk")] == [1, 3, 3]


def test_a_grade_raised_while_the_form_is_open_asks_to_look_again(
    page: Page,
    nurse: User,
    intensivist: User,
    febrile_course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    """What was typed stays; nothing is proposed any more."""
    sign_in(page, intensivist)
    page.goto(f"/courses/{febrile_course.pk}/sign-off/")
    panel = page.get_by_role("region", name="Sign the grade")
    expect(panel.get_by_role("radio", name="Agree: grade 2")).to_be_checked()
    panel.get_by_text("Another grade…").click()
    panel.get_by_label("In your words").fill("mottled")
    panel.get_by_role("radio", name="3", exact=True).check()
    panel.get_by_label("Reason").select_option("Sicker than the rules show")
    chart(febrile_course, nurse, "oxygen", ago(30), device="bipap", fio2_percent="60")
    panel.get_by_role("button", name="Sign as A. Osei").click()
    expect(panel.get_by_role("alert")).to_contain_text("The grade of this period changed to 4 at")
    expect(panel.get_by_label("In your words")).to_have_value("mottled")
    assert not GradeReview.objects.exists()


def test_with_the_keyboard_alone_and_without_a_script(
    browser: Browser,
    page: Page,
    live_server: str,
    intensivist: User,
    febrile_course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    sign_in(page, intensivist)
    page.goto(f"/courses/{febrile_course.pk}/sign-off/")
    page.get_by_role("radio", name="Agree: grade 2").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Another grade…")).to_be_checked()
    sign_grade_1_by_keyboard(page)

    plain = browser.new_context(base_url=page.url, java_script_enabled=False)
    plain.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    other = plain.new_page()
    other.goto("/reviews/")
    other.get_by_role("link", name="grade 1, not signed").click()
    other.get_by_role("button", name="Sign as A. Osei").click()
    expect(other.get_by_text("Signed 1:")).to_be_visible()
    plain.close()


def test_no_state_breaks_a_rule_of_axe_core(
    contexts: SharedContexts,
    nurse: User,
    intensivist: User,
    febrile_course: Course,
    sign_in: Callable[[Page, User], None],
) -> None:
    """Waiting, to sign, refused, signed, a new look, what changed, disagreements, no right."""
    with contexts.lend(**FOR_AXE) as context:
        context.set_default_timeout(30_000)
        page, faults = context.new_page(), []
        sign_in(page, intensivist)
        page.goto("/reviews/")
        faults += faults_of(page, "waiting")
        page.goto(f"/courses/{febrile_course.pk}/sign-off/")
        faults += faults_of(page, "to sign")
        page.get_by_text("Another grade…").click()
        page.get_by_role("button", name="Sign as A. Osei").click()
        expect(page.get_by_role("alert").first).to_be_visible()
        faults += faults_of(page, "refused")
        page.get_by_role("radio", name="3", exact=True).check()
        page.get_by_label("Reason").select_option("Sicker than the rules show")
        page.get_by_role("button", name="Sign as A. Osei").click()
        expect(page.get_by_role("status").first).to_contain_text("Stated 3")
        faults += faults_of(page, "signed with another grade")
        page.goto(f"/courses/{febrile_course.pk}/sign-off/?at={ago(hours=7):%Y-%m-%dT%H:%MZ}")
        page.get_by_role("button", name="Sign as A. Osei").click()
        expect(page.get_by_role("status").first).to_contain_text("Signed 1")
        chart(
            febrile_course, nurse, "oxygen", ago(hours=5), device="venturi_mask", fio2_percent="50"
        )
        page.goto(f"/courses/{febrile_course.pk}/sign-off/")
        faults += faults_of(page, "a new look")
        page.goto("/reviews/disagreements/")
        faults += faults_of(page, "disagreements")
        sign_in(page, nurse)
        page.goto(f"/courses/{febrile_course.pk}/sign-off/")
        faults += faults_of(page, "no right to sign")
    assert not faults, "\n".join(faults)
