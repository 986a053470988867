"""An administrator creates a user, who sets a password, signs in, and is signed out for good."""

import re
from typing import Any

from playwright.sync_api import Browser, Page, expect

from crs_app.accounts.models import User
from tests.browser.axe import faults_of
from tests.browser.test_accessibility import context  # noqa: F401 - a fixture


def assert_accessible(page: Page, state: str) -> None:
    faults = faults_of(page, state)
    assert not faults, "\n".join(faults)
    page.set_viewport_size({"width": 768, "height": 1024})
    in_two_lines = page.locator(".site-bar :is(a, button)").evaluate_all(
        "all => all.filter(one => one.getClientRects().length && one.offsetHeight > 50)"
        ".map(one => one.innerText)"
    )
    assert in_two_lines == [], state


def sign_in(page: Page, username: str, password: str) -> None:
    page.goto("/accounts/sign-in/")
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "sign-in" not in url)


def test_from_a_new_user_to_the_last_sign_out(
    page: Page, browser: Browser, live_server: Any, administrator: User, nurse: User
) -> None:
    sign_in(page, "admin", "correct horse 1")
    page.get_by_role("banner").get_by_role("link", name="Users").click()
    assert_accessible(page, "list")
    page.get_by_role("searchbox", name="Name or user name").fill("rui")
    expect(page.locator("#people tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=rui"))
    page.get_by_role("searchbox", name="Name or user name").fill("")
    expect(page.locator("#people tbody tr")).to_have_count(2)

    page.get_by_role("link", name="New user").click()
    page.get_by_role("textbox", name="First name").fill("Ewa")
    page.get_by_role("textbox", name="Last name").fill("Nowak")
    page.get_by_role("textbox", name="User name").fill("e.nowak")
    page.get_by_role("button", name="Create and make link").click()
    expect(page.get_by_text("Choose a role.")).to_be_visible()
    assert_accessible(page, "form with a fault")
    page.get_by_role("radio", name="Ward clinician").check()
    page.get_by_role("button", name="Create and make link").press("Enter")
    expect(page.get_by_text("It works once, for 24 hours.")).to_be_visible()
    assert_accessible(page, "link")
    link = page.locator("[data-link]").inner_text()

    other = browser.new_context(base_url=live_server.url, bypass_csp=True, reduced_motion="reduce")
    hers = other.new_page()
    hers.goto(link)
    assert_accessible(hers, "set a password")
    hers.locator("#id_new_password1").fill("a longer horse 2")
    hers.locator("#id_new_password2").fill("a longer horse 2")
    hers.get_by_role("button", name="Set password").click()
    expect(hers.get_by_text("Your password is set.")).to_be_visible()
    sign_in(hers, "e.nowak", "a longer horse 2")
    hers.get_by_role("link", name="E. Nowak").click()
    expect(hers.get_by_text("this one")).to_be_visible()
    assert_accessible(hers, "own account")

    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Signed in on 1 device")).to_be_visible()
    expect(page.get_by_role("region", name="What this user did")).to_contain_text("Sign-ins 1")
    assert_accessible(page, "one user")
    page.get_by_role("link", name="Deactivate…").click()
    assert_accessible(page, "question")
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Deactivated by L. Berg")).to_be_visible()
    hers.goto("/accounts/me/")
    expect(hers.get_by_role("heading", name="Sign in")).to_be_visible()
    other.close()
