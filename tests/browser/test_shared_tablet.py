"""Two nurses take turns at one tablet: by a name and four digits, on the page of the patient."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from crs_app.accounts.models import Role, User
from patients.models import Course
from tests.browser.bedside_page import BedsidePage
from tests.browser.conftest import TABLET
from tests.browser.moved_clock import install_clock
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.browser.test_people import assert_accessible

PASSWORD = "correct horse 1"
PINS = {"nurse": "4071", "colleague": "8350"}
SECRET = "HIV positive, partner does not know"
SHOWN = """[document.body.innerText, ...document.querySelectorAll("input, textarea")]
    .map((shown) => shown.value ?? shown).join()"""
FROM_MEMORY = "(name) => void dispatchEvent(new PageTransitionEvent(name, { persisted: true }))"


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(**FOR_AXE, viewport=TABLET) as lent:
        yield lent


@pytest.fixture
def colleague(make_user: Callable[..., User]) -> User:
    return make_user("colleague", Role.WARD_CLINICIAN, first_name="Ana", last_name="Silva")


def sign_in_in_full(page: Page, username: str) -> None:
    """Sign in, and set a PIN on the way."""
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("checkbox", name=re.compile("Then set a PIN")).check()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New PIN, four digits").fill(PINS[username])
    page.get_by_label("New PIN, once more").fill(PINS[username])
    page.get_by_role("button", name="Set PIN").click()


def open_switch(page: Page) -> None:
    page.locator("details.user-menu summary").click()
    page.get_by_role("link", name="Switch user").click()


def choose(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).check()


def press(page: Page, digits: str) -> None:
    for digit in digits:
        page.get_by_role("button", name=digit, exact=True).click()


def expect_used_by(page: Page, name: str) -> None:
    expect(page.locator("details.user-menu summary")).to_contain_text(name)


@pytest.fixture
def bedside(page: Page, nurse: User, colleague: User, course: Course) -> BedsidePage:
    """The bedside of the nurse; the colleague signed in on the tablet before."""
    page.goto(f"/courses/{course.pk}/")
    sign_in_in_full(page, "colleague")
    expect_used_by(page, "A. Silva")
    open_switch(page)
    page.get_by_role("button", name="Someone else").click()
    sign_in_in_full(page, "nurse")
    expect_used_by(page, "J. Ruiz")
    return BedsidePage(page)


def test_a_name_and_four_digits_switch_the_user_on_the_same_page(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    left_open = page.context.new_page()
    left_open.goto(f"/courses/{course.pk}/?kind=note")
    BedsidePage(left_open).field("Note").fill(SECRET)
    open_switch(page)
    expect(page.get_by_role("heading", name="Who is working now?")).to_be_visible()
    expect(page.get_by_label("Still running on this tablet")).to_contain_text("Not assessed")
    expect(page.locator("body")).not_to_contain_text(course.patient.name)
    press(page, "8")
    page.keyboard.type("350")
    expect(page.get_by_role("heading", name="Who is working now?")).to_be_visible()
    choose(page, "A. Silva")
    press(page, PINS["colleague"])
    expect(page).to_have_url(re.compile(f"/courses/{course.pk}/"))
    expect_used_by(page, "A. Silva")
    expect_used_by(left_open, "A. Silva")
    assert SECRET not in left_open.evaluate(SHOWN)

    open_switch(page)
    choose(page, "J. Ruiz")
    page.keyboard.type("9183")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Wrong PIN. 2 tries left, then full sign-in.")
    expect(page.locator("[data-chosen]")).to_contain_text("J. Ruiz")
    assert_accessible(page, "switch, wrong PIN")
    page.keyboard.type(PINS["nurse"])
    expect_used_by(page, "J. Ruiz")
    expect(BedsidePage(left_open).field("Note")).to_have_value(SECRET)
    bedside.sign_out()
    expect(left_open).to_have_url(re.compile("/accounts/sign-in/"))


def test_a_locked_tablet_wakes_with_the_name_of_who_was_here(
    bedside: BedsidePage, course: Course
) -> None:
    """Four digits lead back to the page; another name stands beside.

    A page that the browser kept in its memory is not shown: it is asked for again.
    """
    page = bedside.page
    install_clock(page)
    page.clock.fast_forward(9 * 60_000 + 1_000)
    page.clock.fast_forward(61_000)
    expect(page).to_have_url(re.compile("/locked/$"))
    expect(page.locator("[data-chosen]")).to_contain_text("J. Ruiz")
    expect(page.get_by_role("radio", name="A. Silva")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(course.patient.name)
    assert_accessible(page, "locked")
    press(page, PINS["nurse"])
    expect_used_by(page, "J. Ruiz")
    expect(page).to_have_url(re.compile(f"/courses/{course.pk}/$"))
    # The browser of the tests keeps no page in its memory: only its two events are sent.
    page.evaluate(FROM_MEMORY, "pagehide")
    expect(page.locator("body")).to_be_hidden()
    with page.expect_request(re.compile(f"/courses/{course.pk}/$")):
        page.evaluate(FROM_MEMORY, "pageshow")
    expect_used_by(page, "J. Ruiz")


def test_pages_of_the_pin_are_accessible(page: Page, nurse: User) -> None:
    page.goto("/accounts/pin/")
    page.get_by_role("textbox", name="Username").fill("nurse")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    assert_accessible(page, "sign-in")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New PIN, four digits").fill("1234")
    page.get_by_label("New PIN, once more").fill("1234")
    page.get_by_role("button", name="Set PIN").click()
    expect(page.get_by_text("easy to guess")).to_be_visible()
    assert_accessible(page, "PIN, weak")


def stored(page: Page) -> str:
    """Everything that the browser keeps of this site for later, as developer tools show it."""
    found: str = page.evaluate("JSON.stringify(Object.entries(localStorage))")
    return found


def test_what_one_typed_is_neither_shown_to_the_next_nor_lost(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page
    bedside.open_tab("Note")
    bedside.field("Note").fill(SECRET)
    open_switch(page)
    ruiz = page.locator("label").filter(has_text="J. Ruiz")
    expect(ruiz).to_contain_text("1 value not saved")
    assert "crs-draft:" in stored(page)
    for word in (SECRET, "/entries/", str(course.pk), "note"):
        assert word not in stored(page)

    choose(page, "A. Silva")
    press(page, PINS["colleague"])
    expect_used_by(page, "A. Silva")
    expect(bedside.field("Note")).to_have_value("")
    expect(page.get_by_text("J. Ruiz: 1 value not saved")).to_be_visible()
    expect(page.get_by_text("Not sent yet")).to_have_count(0)
    for _ in range(2):
        page.go_back()
        assert SECRET not in page.evaluate(SHOWN), "nor by the way back"
    page.goto(f"/courses/{course.pk}/?kind=note")
    bedside.field("Note").fill("slept well")
    bedside.save_and_see_it_saved()
    bedside.sign_out()
    expect(page.get_by_text("J. Ruiz: 1 value not saved")).to_be_visible()
    assert SECRET not in page.content()
    assert SECRET not in stored(page)

    page.goto(f"/courses/{course.pk}/?kind=note")
    page.get_by_role("link", name="Switch by PIN").click()
    choose(page, "J. Ruiz")
    press(page, PINS["nurse"])
    expect(bedside.field("Note")).to_have_value(SECRET)
    expect(page.get_by_text("Not sent yet: typed")).to_be_visible()
    assert page.evaluate("document.body.dataset.unsentKey") is None
    assert "unsent-key" not in page.content(), "the key stays in the memory of the page"
    bedside.save_and_see_it_saved()
    assert course.entries.filter(kind="note").count() == 2
    assert "crs-draft:" not in stored(page)


def test_a_draft_that_was_copied_under_another_name_opens_for_nobody(
    bedside: BedsidePage, course: Course, nurse: User, colleague: User
) -> None:
    """Whoever changes what the browser keeps gets no text of another, and puts and sends none."""
    page = bedside.page
    page.evaluate("localStorage.setItem('crs-draft:1:/courses/x/', '{\"values\": []}')")
    page.reload()
    assert stored(page).count("crs-draft:") == 0, "one of an earlier version, in clear"
    bedside.fill({"Temperature": "39.2"})
    page.evaluate(
        """([from, to]) => {
            const name = Object.keys(localStorage).find((key) => key.startsWith("crs-draft:"));
            localStorage.setItem(name.replace(`:${from}:`, `:${to}:`), localStorage.getItem(name));
            const row = JSON.parse(localStorage.getItem(name));
            const marked = JSON.stringify({ ...row, saved: { at: Date.now(), token: "x" } });
            for (const each of [name, name + "x"]) localStorage.setItem(each, marked);
        }""",
        [nurse.pk, colleague.pk],
    )
    open_switch(page)
    choose(page, "A. Silva")
    press(page, PINS["colleague"])
    expect_used_by(page, "A. Silva")
    expect(bedside.field("Temperature")).to_have_value("")
    open_switch(page)
    choose(page, "J. Ruiz")
    press(page, PINS["nurse"])
    expect(bedside.field("Temperature")).to_have_value("39.2")
    assert not course.entries.filter(kind="vitals").exists()


def test_without_https_what_is_typed_stays_in_the_page_and_says_so(
    bedside: BedsidePage,
) -> None:
    page = bedside.page
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.reload()
    expect(page.get_by_text("This address is not protected (https)")).to_be_visible()
    bedside.fill({"Temperature": "39.2"})
    bedside.open_tab("Oxygen")
    bedside.open_tab("Vitals")
    expect(bedside.field("Temperature")).to_have_value("39.2")
    assert "crs-draft:" not in stored(page)
    page.reload()
    expect(bedside.field("Temperature")).to_have_value("")
