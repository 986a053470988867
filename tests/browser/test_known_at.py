"""The slider of the time known at waits for rest, keeps the page on a fault, and is off offline."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from crs_app.accounts.models import User
from patients.models import Course
from tests.factories import ago, chart

SLIDE = "slider => { slider.value = slider.min; slider.dispatchEvent(new Event('input')); }"


def test_the_slider_opens_the_past_and_a_fault_leaves_the_page(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> None:
    chart(course, nurse, "vitals", ago(minutes=5), temperature_c="38.6")
    sign_in(page, nurse)
    known_at = (timezone.now() - timedelta(seconds=1)).isoformat().replace("+", "%2B")
    page.goto(f"/courses/{course.pk}/review/?known_at={known_at}&view=table")
    slider = page.get_by_role("slider")
    expect(slider).to_be_visible()
    bar = page.locator("[data-then]")
    here = page.url

    def fail(route: Route) -> None:
        if route.request.method == "HEAD":
            route.fulfill(status=503)
        else:
            route.continue_()

    page.route("**/review/**", fail)
    slider.evaluate(SLIDE)
    expect(bar).to_contain_text("loading")
    expect(bar).to_contain_text("Could not load")
    expect(bar).to_contain_text("You still see")
    assert page.url == here
    page.context.set_offline(True)
    expect(slider).to_be_disabled()
    expect(bar).to_contain_text("No network.")
    page.context.set_offline(False)
    expect(slider).to_be_enabled()
    page.unroute("**/review/**")
    slider.evaluate(SLIDE)
    page.wait_for_url(lambda address: address != here)
    expect(page.get_by_text("You are looking at the past.")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_text("You are looking at the past.")).to_have_count(0)
