"""The sign-in page: a wrong password, and the right one."""

from django.conf import settings
from playwright.sync_api import Page, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.bedside_page import BedsidePage

OUT_OF_THEIR_PANEL = """[...document.querySelectorAll('main :is(h1, p, label, input, a, button)')]
    .filter(one => one.checkVisibility())
    .filter(one => one.getBoundingClientRect().right > innerWidth
        || one.scrollWidth > one.clientWidth + 1 && one.matches('.btn')
        || one.getBoundingClientRect().right > one.closest('.panel').getBoundingClientRect().right)
    .map(one => one.outerHTML)"""


def test_a_wrong_password_is_refused_and_the_right_one_leads_on(
    page: Page, nurse: User, course: Course
) -> None:
    """A nurse who follows a link to a patient signs in, wrongly first, and arrives there."""
    page.goto(f"/courses/{course.pk}/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("textbox", name="Username").fill("nurse")
    page.get_by_role("textbox", name="Password").fill("wrong horse")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("password")
    assert settings.SESSION_COOKIE_NAME not in {c["name"] for c in page.context.cookies()}

    page.get_by_role("textbox", name="Username").fill("nurse")
    page.get_by_role("textbox", name="Password").fill("correct horse 1")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="OKONKWO, Ada")).to_be_attached()
    expect(page.get_by_text("J. Ruiz").first).to_be_visible()

    BedsidePage(page).sign_out()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(f"/courses/{course.pk}/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    large = {"fontSizes": {"standard": 48, "fixed": 39}}
    page.context.new_cdp_session(page).send("Page.setFontSizes", large)
    page.goto(page.url)
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "48px"
    assert page.evaluate(OUT_OF_THEIR_PANEL) == [], "text of 300 % on a phone"
