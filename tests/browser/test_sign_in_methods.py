"""A passkey and a code app are set up on the own page, and sign in; the page's own policy holds."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import CDPSession, ConsoleMessage, Page, expect

from crs_app.accounts.models import User
from tests.accounts.code_app import code_of
from tests.browser.axe import AXE, faults_of

OF_A_TELEPHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def complaints(page: Page) -> Iterator[list[str]]:
    """What the browser refuses because of the policy of the page; nothing at the end."""
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            found.append(message.text)

    page.on("console", note)
    yield found
    assert found == []


@pytest.fixture
def device(page: Page) -> CDPSession:
    """A virtual authenticator, which verifies its user."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": OF_A_TELEPHONE})
    return tools


def assert_accessible(page: Page, state: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # nothing fades, so colours are final
    page.evaluate(AXE.read_text("utf-8"))  # as a script of the page its policy would refuse it
    assert faults_of(page, state) == []
    page.evaluate("document.documentElement.dataset.bsTheme = 'light'")


def with_password(page: Page) -> None:
    page.goto("/accounts/sign-in/")
    page.get_by_role("textbox", name="Username").fill("nurse")
    page.get_by_role("textbox", name="Password").fill("correct horse 1")
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.usefixtures("complaints", "device")
def test_a_passkey_is_added_and_signs_in_with_two_presses(
    page: Page, nurse: User, sign_in: Callable[[Page, User], None]
) -> None:
    sign_in(page, nurse)
    page.goto("/accounts/me/")
    page.get_by_role("link", name="Add passkey…").click()
    page.get_by_role("textbox", name="Your own password").fill("correct horse 1")
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("textbox", name="Name").fill("my telephone")
    assert_accessible(page, "new passkey")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert_accessible(page, "recovery codes")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a file").click()
    text = saved.value.path().read_text("utf-8")
    assert len(re.findall(r"^\d{4} \d{4}$", text, re.MULTILINE)) == 10
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_text("my telephone")).to_be_visible()
    assert_accessible(page, "own page")

    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("link", name="J. Ruiz")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    with_password(page)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    assert_accessible(page, "second step by key")
    page.get_by_role("button", name="Use your key").click()
    expect(page.get_by_role("link", name="J. Ruiz")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/switch/?next=/roles/")
    assert_accessible(page, "switch by passkey")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Roles")).to_be_visible()


@pytest.mark.usefixtures("complaints")
def test_who_does_not_confirm_on_the_device_is_told_so(
    page: Page, nurse: User, device: CDPSession
) -> None:
    """The device holds no passkey of this site: the browser gives up, and the page says why."""
    page.goto("/accounts/sign-in/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was confirmed")
    expect(page.get_by_role("button", name="Use a passkey")).to_be_enabled()


@pytest.mark.usefixtures("complaints")
def test_a_code_app_is_set_up_and_its_code_asked_for(page: Page, nurse: User) -> None:
    with_password(page)
    page.get_by_role("link", name="J. Ruiz").click()
    page.get_by_role("link", name="Set up code app…").click()
    drawn = page.get_by_role("img", name="QR code of the key below")
    assert drawn.evaluate("(image) => image.complete && image.naturalWidth > 0")
    secret = page.locator("[data-secret]").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code that the app shows now").fill("000000")
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("does not fit the key above")).to_be_visible()
    assert_accessible(page, "code app with a fault")
    page.get_by_role("textbox", name="Code that the app shows now").fill(code_of(secret))
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("button", name="Sign out").click()

    with_password(page)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.get_by_role("textbox", name="Code of your app").fill("000000")
    page.get_by_role("button", name="Sign in by code").click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    assert_accessible(page, "second step with a fault")
    page.get_by_role("textbox", name="Code of your app").fill(code_of(secret, 1))
    page.get_by_role("button", name="Sign in by code").click()
    expect(page.get_by_role("link", name="J. Ruiz")).to_be_visible()
