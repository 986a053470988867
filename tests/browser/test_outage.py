"""An outage of the server at the bedside: said at the first poll, and what is typed stays."""

import re

from playwright.sync_api import Route, expect

from patients.models import Course, Entry
from tests.browser.bedside_page import OF_THE_SERVER, BedsidePage

DOWN = {"Retry-After": "10", **OF_THE_SERVER}


def test_the_first_poll_that_fails_says_that_the_page_may_be_old(bedside: BedsidePage) -> None:
    page = bedside.page
    words = page.get_by_text(re.compile(r"No update since \d\d:\d\d\."))
    page.route("**/live/**", lambda route: route.fulfill(status=503, headers=DOWN, body="away"))
    with page.expect_response("**/live/**"):
        page.evaluate("document.body.dispatchEvent(new Event('crs:clock'))")
    expect(words).to_be_visible()
    expect(page.get_by_text("What you see may be old.")).to_be_visible()
    page.unroute("**/live/**")
    with page.expect_response("**/live/**"):
        page.evaluate("document.body.dispatchEvent(new Event('crs:clock'))")
    expect(words).to_be_hidden()


def test_a_save_in_an_outage_says_what_is_known_and_keeps_what_was_typed(
    bedside: BedsidePage, course: Course
) -> None:
    """Only a server that knows it says that nothing was stored."""
    page = bedside.page
    headers = [DOWN, DOWN | {"CRS-Stored": "no"}]

    def refuse(route: Route) -> None:
        route.fulfill(status=503, headers=headers[0], body="")

    page.route("**/entries/vitals/", refuse)
    bedside.fill({"Heart rate": "91"})
    bedside.save()
    kept = page.get_by_role("alert").filter(has_text="Not graded. Kept on this tablet.")
    expect(kept).to_contain_text("Heart rate 91 /min")
    headers.pop(0)
    bedside.fill({"Heart rate": "92"})
    bedside.save()
    alert = page.get_by_role("alert").filter(has_text="Request 7f3aa90c11.")
    expect(alert).to_contain_text("Not saved. Something else writes to the chart of this patient")
    expect(alert).to_contain_text("Nothing was stored.")
    expect(alert).to_contain_text("What you typed is kept here.")
    expect(bedside.field("Heart rate")).to_have_value("92")
    page.unroute("**/entries/vitals/", refuse)
    page.get_by_role("button", name="Try again").click()
    bedside.expect_saved("HR 92")
    expect(page.locator("#outbox")).to_be_hidden()
    assert Entry.objects.filter(course=course, body__has_key="heart_rate").count() == 2


def test_a_save_that_needs_the_second_machine_says_what_is_certain(
    bedside: BedsidePage, course: Course
) -> None:
    """After one that is not confirmed, a refusal says nothing about the earlier try.

    The page cannot encrypt, so that the outbox does not send the entry again by itself.
    """
    page = bedside.page
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    page.reload()
    because = DOWN | {"CRS-Because": "second-machine"}
    refused = because | {"CRS-Stored": "no"}
    headers = [refused, because, refused]

    def refuse(route: Route) -> None:
        route.fulfill(status=503, headers=headers.pop(0), body="")

    page.route("**/entries/vitals/", refuse)
    bedside.fill({"Heart rate": "93"})
    alert = page.get_by_role("alert").filter(has_text="Request 7f3aa90c11.")
    again = page.get_by_role("button", name="Try again")
    bedside.save()
    expect(alert).to_contain_text("Not saved. The second machine does not answer")
    expect(alert).to_contain_text("Nothing was stored. What you typed is kept here.")
    again.click()
    expect(alert).to_contain_text("Not confirmed. The database or its second machine has not")
    expect(alert).to_contain_text("It is safe to try again.")
    again.click()
    expect(alert).to_contain_text("The second machine does not answer, and a save needs it. An")
    expect(alert).to_contain_text("An earlier try may be stored.")
    expect(alert).not_to_contain_text("Nothing was stored.")
    page.unroute("**/entries/vitals/", refuse)
    again.click()
    bedside.expect_saved("HR 93")
    assert Entry.objects.filter(course=course, body__has_key="heart_rate").count() == 1
