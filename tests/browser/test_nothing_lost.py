"""What was typed is neither lost nor recorded twice when the network or the tablet fails."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from time import monotonic, sleep
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from crs_app.accounts.models import Role, User
from patients.display.text import clock_text
from patients.models import Course, Entry, EntryKind
from tests.browser.bedside_page import OF_THE_SERVER, BedsidePage
from tests.browser.moved_clock import MovedClock
from tests.factories import admit, chart

ROUND = {"Temperature": "38.4", "Systolic": "118", "Note": "left arm"}
PASSWORD = "correct horse 1"
NOTHING_IS_SEALED = "() => { crypto.subtle.encrypt = () => new Promise(() => {}); }"
NOTHING_IS_STORED = "() => { IDBObjectStore.prototype.put = () => { throw new Error(); }; }"
DRAFT_IS = """([count, isMarked]) => Object.entries(localStorage)
    .filter(([name]) => name.startsWith("crs-draft:"))
    .map(([, row]) => JSON.parse(row))
    .some((row) => row.count === count && Boolean(row.saved) === isMarked)"""


def vitals(course: Course) -> list[Entry]:
    return list(Entry.objects.filter(course=course, kind=EntryKind.VITALS).order_by("at"))


def type_round(bedside: BedsidePage) -> None:
    bedside.page.locator("details.more summary").click()
    bedside.fill(ROUND)


def stay_signed_in(settings: Any) -> None:
    """For two days, whoever is idle."""
    settings.SIGNED_OUT_AFTER_IDLE = settings.SIGNED_OUT_AFTER = timedelta(days=2)
    settings.SESSION_COOKIE_AGE = 2 * 24 * 60 * 60


def expect_typed(bedside: BedsidePage, typed: dict[str, str] = ROUND) -> None:
    for label, value in typed.items():
        expect(bedside.field(label)).to_have_value(value)


def expect_drafts(page: Page, count: int) -> None:
    """The tablet keeps that many drafts of anybody, at once or shortly after the last key."""
    until = monotonic() + 5
    while (kept := drafts_on(page)) != count and monotonic() < until:
        sleep(0.05)
    assert kept == count


def drafts_on(page: Page) -> int:
    counted: int = page.evaluate(
        "Object.keys(localStorage).filter((key) => key.startsWith('crs-draft:')).length"
    )
    return counted


def expect_draft(page: Page, *, values: int, is_marked: bool) -> None:
    """The tablet keeps a draft of so many values, marked as saved or not."""
    page.wait_for_function(DRAFT_IS, arg=[values, is_marked], polling=20)


def hold(page: Page) -> list[Route]:
    """The next save of vital signs is delayed until the test continues it."""
    held: list[Route] = []
    page.route("**/entries/vitals/", lambda route: held.append(route), times=1)
    return held


def close(page: Page) -> None:
    with page.expect_event("close"):
        page.close(run_before_unload=True)


def lose_the_answer(route: Route) -> None:
    route.fetch()
    route.abort("connectionreset")


@pytest.fixture
def signed_in(page: Page, nurse: User, course: Course) -> BedsidePage:
    """The bedside, by way of the sign-in page: the browser then has a CSRF cookie of its own."""
    page.goto(f"/courses/{course.pk}/")
    sign_in_by_hand(page, nurse.username)
    bedside = BedsidePage(page)
    bedside.expect_form_of_vital_signs()
    return bedside


def sign_in_by_hand(page: Page, username: str) -> None:
    page.get_by_role("textbox", name="Username").fill(username)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


class TestOnce:
    """However often a form is sent, it is recorded once."""

    def test_a_retry_that_the_server_had_recorded(
        self, bedside: BedsidePage, course: Course
    ) -> None:
        """The answer is lost after the save: sent again by itself, it is there once."""
        bedside.page.route("**/entries/vitals/", lose_the_answer, times=1)
        type_round(bedside)
        bedside.save()
        bedside.expect_saved("Sent from this tablet: Temperature 38.4 °C")
        bedside.expect_grade(1)
        expect(bedside.page.locator("#outbox")).to_be_hidden()
        expect(bedside.rows.filter(has_text="Temp 38.4 °C")).to_have_count(1)
        expect(bedside.field("Temperature")).to_have_value("")
        assert len(vitals(course)) == 1
        expect_drafts(bedside.page, 0)

    def test_a_reload_before_the_answer_was_known(
        self, bedside: BedsidePage, course: Course
    ) -> None:
        """The page is loaded again while its save is on its way: nothing is typed twice."""
        page = bedside.page
        hold(page)
        type_round(bedside)
        bedside.save()
        page.reload()
        expect(bedside.rows.filter(has_text="Temp 38.4 °C")).to_have_count(1)
        expect(bedside.field("Temperature")).to_have_value("")
        page.reload()
        expect(page.get_by_text("Not sent yet")).to_have_count(0)
        assert len(vitals(course)) == 1

    def test_a_page_that_dies_at_the_tap(self, bedside: BedsidePage, course: Course) -> None:
        """The outbox has nothing yet. What was saved is sent, and nothing that was only typed."""
        page = bedside.page
        bedside.fill({"Temperature": "38.4"})
        expect_draft(page, values=1, is_marked=False)
        page.reload()
        expect(page.get_by_text("Not sent yet: typed")).to_be_visible()
        page.evaluate(NOTHING_IS_STORED)
        hold(page)
        bedside.save()
        expect_draft(page, values=1, is_marked=True)
        bedside.fill({"Heart rate": "104"})
        expect_draft(page, values=2, is_marked=False)
        page.reload()
        expect_typed(bedside, {"Temperature": "38.4", "Heart rate": "104"})
        assert not vitals(course)

        bedside.fill({"Systolic": "118"})
        expect_draft(page, values=3, is_marked=False)
        page.evaluate(NOTHING_IS_SEALED)
        hold(page)
        bedside.save()
        page.reload()
        expect(bedside.rows.filter(has_text="SBP 118")).to_have_count(1)
        expect_typed(bedside, {"Temperature": "", "Heart rate": "", "Systolic": ""})

        bedside.fill({"Systolic": "119"})
        expect_draft(page, values=1, is_marked=False)
        page.evaluate(NOTHING_IS_SEALED)
        page.route("**/entries/vitals/", lose_the_answer, times=1)
        with page.expect_event("requestfailed"):
            bedside.save()
        with page.expect_response("**/entries/vitals/"):
            page.reload()
        expect(bedside.rows.filter(has_text="SBP 119")).to_have_count(1)
        expect(page.locator("#outbox")).to_be_hidden()
        expect_drafts(page, 0)
        assert [entry.body for entry in vitals(course)] == [
            {"heart_rate": "104", "systolic_mmhg": "118", "temperature_c": "38.4"},
            {"systolic_mmhg": "119"},
        ]

    def test_reload_and_back_after_a_save(self, bedside: BedsidePage, course: Course) -> None:
        """Neither sends again, and the next entry is a new one."""
        page = bedside.page
        bedside.fill({"Temperature": "38.4"})
        bedside.save_and_see_it_saved()
        page.reload()
        expect(bedside.field("Temperature")).to_have_value("")
        page.goto("/")
        page.go_back()
        expect(bedside.field("Temperature")).to_have_value("")
        assert len(vitals(course)) == 1
        bedside.fill({"Temperature": "38.4"})
        bedside.save_and_see_it_saved()
        assert len(vitals(course)) == 2

    def test_what_is_typed_while_a_save_is_on_its_way_stays(
        self, bedside: BedsidePage, course: Course
    ) -> None:
        """A slow network: the nurse types on, and the answer empties only what was sent."""
        page = bedside.page
        held = hold(page)
        bedside.fill({"Temperature": "38.4"})
        bedside.save()
        bedside.fill({"Heart rate": "104"})
        held[0].continue_()
        bedside.expect_saved("Temp 38.4 °C")
        expect(bedside.field("Temperature")).to_have_value("")
        expect(bedside.field("Heart rate")).to_have_value("104")
        bedside.save()
        bedside.expect_saved("HR 104")
        assert [len(entry.body) for entry in vitals(course)] == [1, 1]


class TestDrafts:
    """What is typed comes back when its form does."""

    def test_a_tab_and_back(self, bedside: BedsidePage, course: Course) -> None:
        page = bedside.page
        type_round(bedside)
        bedside.open_tab("Oxygen")
        expect(page.get_by_role("link", name=re.compile("Vitals, typed"))).to_be_visible()
        bedside.fill({"Device": "Nasal cannula", "Flow": "2"})
        bedside.open_tab("Vitals")
        expect_typed(bedside)
        expect(
            page.get_by_text(re.compile(r"Not sent yet: typed \d\d:\d\d \(just now"))
        ).to_be_visible()
        page.get_by_role("link", name=re.compile("Oxygen, typed")).click()
        expect(bedside.field("Flow")).to_have_value("2")
        bedside.save_and_see_it_saved()
        bedside.open_tab("Vitals")
        bedside.save_and_see_it_saved()
        expect_drafts(page, 0)
        assert [entry.body["note"] for entry in vitals(course)] == ["left arm"]

    def test_a_page_closed_by_accident(
        self, bedside: BedsidePage, course: Course, context: BrowserContext
    ) -> None:
        """Opened again, the page shows the same values and can save them."""
        type_round(bedside)
        close(bedside.page)
        again = BedsidePage(context.new_page())
        again.page.goto(f"/courses/{course.pk}/")
        expect_typed(again)
        expect(again.page.get_by_text("Not sent yet: typed")).to_be_visible()
        again.save_and_see_it_saved()
        expect(again.page.get_by_text("Not sent yet")).to_have_count(0)
        assert len(vitals(course)) == 1

    def test_a_tick_speaks_of_its_moment(
        self, page: Page, bedside: BedsidePage, course: Course, nurse: User
    ) -> None:
        chart(course, nurse, "oxygen", device="nasal_cannula", flow_l_per_min="2")
        page.reload()
        page.get_by_role("checkbox", name=re.compile("Oxygen unchanged")).check()
        bedside.fill({"Heart rate": "92"})
        page.reload()
        expect(bedside.field("Heart rate")).to_have_value("92")
        expect(page.get_by_role("checkbox", name=re.compile("Oxygen"))).not_to_be_checked()
        expect(page.get_by_text("Tick again what is unchanged.")).to_be_visible()

    def test_a_correction_half_typed(
        self, page: Page, bedside: BedsidePage, course: Course, nurse: User
    ) -> None:
        """Leaving for a tab keeps it; Cancel is leaving it for good."""
        chart(course, nurse, "vitals", temperature_c="38.4")
        page.reload()
        bedside.change("Temp 38.4 °C", "Correct")
        bedside.fill({"Temperature": "39.4", "Reason for the correction": "Misread"})
        page.goto(f"/courses/{course.pk}/")
        page.get_by_role("link", name=re.compile("A correction, typed")).click()
        expect(bedside.field("Temperature")).to_have_value("39.4")
        expect(bedside.field("Reason for the correction")).to_have_value("Misread")
        page.get_by_role("link", name="Cancel").click()
        bedside.expect_form_of_vital_signs()
        expect(bedside.field("Temperature")).to_be_focused()
        expect(page.get_by_text("Not sent yet")).to_have_count(0)
        expect_drafts(page, 0)

    def test_what_is_discarded_stays_away(self, bedside: BedsidePage) -> None:
        page = bedside.page
        bedside.open_tab("Weight")
        bedside.fill({"Weight": "81"})
        page.reload()
        page.get_by_role("button", name="Discard").click()
        expect(bedside.field("Weight")).to_have_value("")
        expect(bedside.field("Weight")).to_be_focused()
        expect(page.get_by_text("Not sent yet")).to_have_count(0)
        expect_drafts(page, 0)

    def test_a_refusal_does_not_take_what_was_typed_meanwhile(self, bedside: BedsidePage) -> None:
        page = bedside.page
        held = hold(page)
        bedside.fill({"Temperature": "98.6"})
        bedside.save()
        bedside.fill({"Heart rate": "104"})
        held[0].continue_()
        expect(bedside.field("Temperature")).to_have_attribute("aria-invalid", "true")
        expect_typed(bedside, {"Temperature": "98.6", "Heart rate": "104"})

    def test_after_a_day_it_is_gone(
        self, page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None],
        server_clock: MovedClock, settings: Any,
    ) -> None:  # fmt: skip
        stay_signed_in(settings)
        page.clock.install()
        sign_in(page, nurse)
        page.goto(f"/courses/{course.pk}/")
        bedside = BedsidePage(page)
        bedside.fill({"Temperature": "38.4"})
        page.clock.run_for(1_000)
        expect_drafts(page, 1)
        for hours, kept in ((23, "38.4"), (2, "")):
            server_clock.forward(timedelta(hours=hours))
            page.clock.fast_forward(f"{hours:02}:00:00")
            page.reload()
            expect(bedside.field("Temperature")).to_have_value(kept)

    def test_no_other_course_gets_it(
        self, bedside: BedsidePage, course: Course, nurse: User
    ) -> None:
        """Not even one in the next bed, opened on the same tablet."""
        page = bedside.page
        other = admit(nurse, name="LINDQVIST, Per", bed="14")
        type_round(bedside)
        page.goto(f"/courses/{other.pk}/")
        expect(bedside.field("Temperature")).to_have_value("")
        expect(page.get_by_text("Not sent yet")).to_have_count(0)
        bedside.fill({"Temperature": "36.6"})
        bedside.save_and_see_it_saved()
        page.goto(f"/courses/{course.pk}/")
        expect_typed(bedside)
        assert [entry.body["temperature_c"] for entry in vitals(other)] == ["36.6"]


class TestAFailedSend:
    """A screen reader hears it, and what was typed is sent later with its own time."""

    def test_back_online_it_goes_out_with_its_original_time(
        self, page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None],
        server_clock: MovedClock, settings: Any,
    ) -> None:  # fmt: skip
        """Saved at the bed in a dead spot, sent 50 minutes later: observed when it was saved."""
        stay_signed_in(settings)
        page.clock.install()
        sign_in(page, nurse)
        page.goto(f"/courses/{course.pk}/")
        bedside = BedsidePage(page)
        type_round(bedside)
        page.context.set_offline(True)
        before = timezone.now()
        bedside.save()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Not graded. Kept on this tablet.")
        minutes = {clock_text(at, before) for at in (before, timezone.now())}
        expect(alert).to_contain_text(re.compile(f"Time: ({'|'.join(minutes)})"))
        page.clock.fast_forward("50:00")
        server_clock.forward(timedelta(minutes=50))
        page.context.set_offline(False)
        bedside.expect_saved("Sent from this tablet: Temperature 38.4 °C")
        (entry,) = vitals(course)
        assert abs(entry.at - before) < timedelta(minutes=2)

    def test_it_is_sent_after_an_accidental_close(
        self, bedside: BedsidePage, course: Course, context: BrowserContext
    ) -> None:
        """By the next page of its author, whichever that is."""
        bedside.fill({"Temperature": "38.4"})
        context.set_offline(True)
        bedside.save()
        expect(bedside.page.get_by_role("alert")).to_contain_text("Kept on this tablet.")
        close(bedside.page)
        context.set_offline(False)
        page = context.new_page()
        with page.expect_response("**/entries/vitals/"):
            page.goto("/")
        expect(page.locator("#outbox")).to_be_hidden()
        assert len(vitals(course)) == 1

    def test_a_server_in_trouble(self, bedside: BedsidePage, course: Course) -> None:
        page = bedside.page
        fault = partial(Route.fulfill, status=500, headers=OF_THE_SERVER)
        page.route("**/entries/vitals/", fault, times=1)
        type_round(bedside)
        bedside.save()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Not sent yet. The server could not answer.")
        expect_typed(bedside)
        alert.get_by_role("button", name="Try again").click()
        bedside.expect_saved("Temp 38.4 °C")
        assert len(vitals(course)) == 1

    def test_a_proxy_that_does_not_reach_the_server(
        self, bedside: BedsidePage, course: Course
    ) -> None:
        """Whatever it answers, as a filter of the network does: that is no word of the server."""
        page = bedside.page
        for times, status in enumerate((502, 504, 403, 500), 1):
            temperature = f"38.{status % 10 + 1}"
            page.route("**/entries/vitals/", partial(Route.fulfill, status=status), times=1)
            bedside.fill({"Temperature": temperature})
            bedside.save()
            bedside.expect_saved(f"Sent from this tablet: Temperature {temperature} °C")
            assert len(vitals(course)) == times

    def test_a_hotspots_page_confirms_nothing(self, bedside: BedsidePage, course: Course) -> None:
        """Something between answers with a page of its own: that is no save."""
        page = bedside.page
        portal = "<h1>Welcome to the guest network</h1>"
        page.route("**/entries/vitals/", lambda route: route.fulfill(body=portal))
        type_round(bedside)
        bedside.save()
        expect(page.get_by_role("alert")).to_contain_text("Not graded. Kept on this tablet.")
        expect(page.get_by_text("guest network")).to_have_count(0)
        expect(page.locator("#outbox")).to_contain_text("Not graded: 1 entry unsent")
        assert not vitals(course)

    def test_a_hotspots_page_is_no_answer_to_a_poll_or_a_tap(self, bedside: BedsidePage) -> None:
        """It takes the place of no part of the page, and does not say that the page is current."""
        page = bedside.page
        portal = partial(Route.fulfill, body='<form id="entry-form">Guest network</form>')
        page.route(re.compile("/live/|/entries/oxygen/|/actions/"), portal)
        type_round(bedside)
        ask = "document.body.dispatchEvent(new Event('crs:clock'))"
        with page.expect_response("**/live/**"):
            page.evaluate(ask)
        lost = page.get_by_text(re.compile(r"No connection since \d\d:\d\d\."))
        expect(lost).to_be_visible()
        page.get_by_role("link", name="Oxygen", exact=True).click()
        expect(page.locator(".tabs + [data-needs-connection]")).to_be_visible()
        expect(page.get_by_text("Guest network")).to_have_count(0)
        expect_typed(bedside)
        expect(lost).to_be_visible()
        page.unroute_all()
        with page.expect_response("**/live/**"):
            page.evaluate(ask)
        expect(lost).to_be_hidden()

    def test_a_tab_opened_while_it_was_on_its_way(
        self, bedside: BedsidePage, course: Course
    ) -> None:
        """The message comes to the tab that is open."""
        page = bedside.page
        held = hold(page)
        type_round(bedside)
        bedside.save()
        bedside.open_tab("Oxygen")
        held[0].abort("connectionreset")
        bedside.expect_saved("Sent from this tablet: Temperature 38.4 °C")
        assert len(vitals(course)) == 1


class TestSignIn:
    """A draft belongs to who typed it."""

    def test_an_expired_sign_in(self, signed_in: BedsidePage, course: Course) -> None:
        """Signed out for idleness: sign in again, and the form stands there as it was left."""
        page = signed_in.page
        signed_in.open_tab("Oxygen")
        signed_in.fill({"Device": "Nasal cannula", "Flow": "2"})
        Session.objects.all().delete()
        signed_in.save()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Not saved. You have been signed out.")
        alert.get_by_role("link", name="Sign in and come back").click()
        sign_in_by_hand(page, "nurse")
        expect_typed(signed_in, {"Device": "nasal_cannula", "Flow": "2"})
        signed_in.save_and_see_it_saved()
        assert course.entries.filter(kind=EntryKind.OXYGEN).count() == 1

    def test_another_user_never_sees_it(
        self, signed_in: BedsidePage, course: Course, make_user: Callable[..., User]
    ) -> None:
        """A colleague signs in after the sign-in expired; the first one still has it afterwards."""
        page = signed_in.page
        make_user("colleague", Role.WARD_CLINICIAN, first_name="Ana", last_name="Silva")
        type_round(signed_in)
        Session.objects.all().delete()
        page.goto(f"/courses/{course.pk}/")
        sign_in_by_hand(page, "colleague")
        expect(page.get_by_text("A. Silva").first).to_be_visible()
        expect(signed_in.field("Temperature")).to_have_value("")
        expect(page.get_by_text("Not sent yet")).to_have_count(0)
        signed_in.sign_out()
        sign_in_by_hand(page, "nurse")
        page.goto(f"/courses/{course.pk}/")
        expect_typed(signed_in)

    def test_a_page_of_the_one_before_cannot_save_for_the_one_after(
        self, signed_in: BedsidePage, course: Course, make_user: Callable[..., User]
    ) -> None:
        """Somebody else signs in on a page of which this one hears nothing: it refuses to save."""
        page = signed_in.page
        page.add_init_script("delete window.BroadcastChannel")
        page.reload()
        make_user("colleague", Role.WARD_CLINICIAN, first_name="Ana", last_name="Silva")
        type_round(signed_in)
        second = page.context.new_page()
        Session.objects.all().delete()
        second.goto("/")
        sign_in_by_hand(second, "colleague")
        expect(second.get_by_text("A. Silva").first).to_be_visible()
        signed_in.save()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("your sign-in has changed")
        alert.get_by_role("link", name="Reload the page").click()
        expect(page.get_by_text("A. Silva").first).to_be_visible()
        expect(signed_in.field("Temperature")).to_have_value("")
        assert not vitals(course)

    def test_signing_out_keeps_it_for_its_author(
        self, signed_in: BedsidePage, course: Course
    ) -> None:
        """Nobody is asked; the next one at the tablet reads how many values, and not which."""
        page = signed_in.page
        type_round(signed_in)
        signed_in.sign_out()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect_drafts(page, 1)
        expect(page.get_by_text("J. Ruiz: 3 values not saved")).to_be_visible()
        page.goto(f"/courses/{course.pk}/")
        sign_in_by_hand(page, "nurse")
        expect_typed(signed_in)


def test_a_page_left_open_overnight_asks_for_the_time(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None],
    server_clock: MovedClock, settings: Any,
) -> None:  # fmt: skip
    """Typed in the evening, reloaded and saved in the morning: it asks, and is yesterday's."""
    stay_signed_in(settings)
    page.clock.install()
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    bedside = BedsidePage(page)
    typed_at = timezone.now()
    bedside.fill({"Temperature": "38.4"})
    server_clock.forward(timedelta(hours=14))
    page.clock.fast_forward("14:00:00")
    page.reload()
    expect(bedside.field("Temperature")).to_have_value("38.4")
    bedside.save()
    expect(page.get_by_text("Were they observed just now?")).to_be_visible()
    assert not vitals(course)
    page.get_by_role("button", name=re.compile("No, observed")).click()
    bedside.expect_saved("Temp 38.4 °C")
    (entry,) = vitals(course)
    assert abs(entry.at - typed_at) < timedelta(minutes=2)


def test_a_page_of_before_an_update_says_so_and_a_value_without_a_field_is_named(
    bedside: BedsidePage, course: Course
) -> None:
    page = bedside.page

    def updated(route: Route) -> None:
        sent = route.fetch()
        route.fulfill(response=sent, headers={**sent.headers, "crs-version": "another"})

    page.route("**/live/**", updated)
    bedside.fill({"Temperature": "38.4", "Heart rate": "104"})
    notice = page.get_by_role("status").filter(has_text="The site was updated")
    expect(notice).to_have_count(0)
    page.evaluate("document.body.dispatchEvent(new Event('crs:clock'))")
    expect(notice).to_contain_text("What you typed is kept.")

    def with_another_field(route: Route) -> None:
        sent = route.fetch()
        text = sent.text().replace('name="heart_rate"', 'name="pulse"')
        route.fulfill(response=sent, body=text)

    page.route(f"**/courses/{course.pk}/", with_another_field)
    notice.get_by_role("button", name="Reload the page").click()
    expect(bedside.field("Temperature")).to_have_value("38.4")
    restored = page.get_by_role("status").filter(has_text="Not sent yet")
    expect(restored).to_contain_text("This form has no field for: 104.")


@pytest.mark.logs_error("Trusted")
@pytest.mark.logs_error("htmx:swapError")
def test_a_page_of_which_a_script_is_missing_says_so(bedside: BedsidePage) -> None:
    """It has no outbox then, and shows no answer: any of the scripts takes all of them with it."""
    page = bedside.page
    page.route("**/crs/outbox/taps*.js", lambda route: route.abort())
    page.reload()
    missing = page.get_by_role("alert").filter(has_text="A part of this page has not arrived.")
    page.unroute_all()
    missing.get_by_role("button", name="Reload the page").click()
    expect(missing).to_have_count(0)


def test_the_hidden_times_of_a_form_that_is_emptied(bedside: BedsidePage) -> None:
    """By a save it is opened anew, so that a page open for days is not asked for each time.

    Text typed by mistake and deleted does not set the time at which values were read.
    """
    opened = bedside.page.locator("form[data-entry] input[name=opened_at]")
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()
    opened.evaluate("(input, value) => { input.value = value; }", yesterday)
    bedside.fill({"Temperature": "38"})
    bedside.save_and_see_it_saved()
    assert timezone.now() - datetime.fromisoformat(opened.input_value()) < timedelta(minutes=2)
    begun = bedside.page.locator("form[data-entry] input[name=begun_at]")
    bedside.fill({"Temperature": "38"})
    assert datetime.fromisoformat(begun.input_value())
    bedside.fill({"Temperature": ""})
    expect(begun).to_have_value("")
    expect_drafts(bedside.page, 0)
