"""The last 24 hours in the grade card: they come by themselves, and follow what is charted."""

from __future__ import annotations

from playwright.sync_api import expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.bedside_page import BedsidePage
from tests.factories import ago, chart

HEIGHT = "element => element.getBoundingClientRect().height"


def test_the_day_follows_a_save_and_a_poll_and_nothing_on_the_page_moves(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    page, place = bedside.page, bedside.page.locator("#last-day")
    expect(place).to_contain_text("Temperature: nothing charted.")
    height = place.evaluate(HEIGHT)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    bedside.fill({"Temperature": "38.4"})
    bedside.save_and_see_it_saved()
    expect(place).to_contain_text("Temperature: 38.4 °C")
    assert place.evaluate(HEIGHT) == height
    asked = [url.rsplit("/", 2)[-2] for url in requests]
    assert sorted({*asked} - {"received"}) == ["last-day", "line", "vitals"]
    assert len(asked) == len({*asked})
    # Someone else charts: the poll brings it.
    chart(course, nurse, "vitals", ago(minutes=1), temperature_c="39.6")
    page.evaluate("document.body.dispatchEvent(new Event('crs:clock'))")
    expect(place).to_contain_text("Temperature: 38.4 to 39.6 °C")


def test_a_day_that_cannot_be_loaded_says_so_and_comes_with_the_next_poll(
    bedside: BedsidePage,
) -> None:
    """Its link then leads to the review page of 24 hours."""
    page, place = bedside.page, bedside.page.locator("#last-day")
    page.route("**/last-day/", lambda route: route.fulfill(status=500), times=1)
    page.reload()
    expect(place).to_have_text(
        "The last 24 h could not be loaded. They are asked for again within a minute."
    )
    expect(page.locator("#connection")).to_be_hidden()
    page.evaluate("document.body.dispatchEvent(new Event('crs:clock'))")
    expect(place).to_contain_text("Open the review page.")
    bedside.page.get_by_role("link", name="Last 24 hours.").press("Enter")
    expect(bedside.page).to_have_url(f"{bedside.page.url.split('?')[0]}?range=24h")
    assert "/review/" in bedside.page.url
