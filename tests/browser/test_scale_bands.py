"""The bands of ASTCT and ICANS under the ribbon of Lee's grade."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, Route, expect

from crs_app.accounts.models import User
from tests.browser.test_review_plots import SIZES, lane
from tests.patients.review.scale_course import ENTRIES, after, imported

SignIn = Callable[[Page, User], None]


@pytest.fixture
def review(page: Page, nurse: User, sign_in: SignIn) -> str:
    """The address of the review page of a course with both scales, at 25 h."""
    course = imported(nurse, *ENTRIES)
    sign_in(page, nurse)
    query = urlencode({"range": "all", "at": after(25), "known_at": after(48)})
    return f"/courses/{course.pk}/review/?{query}"


def test_the_bands_stand_under_the_ribbon_and_nothing_jumps(page: Page, review: str) -> None:
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        bands_stand_under_the_ribbon(page, review)


def bands_stand_under_the_ribbon(page: Page, review: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/scales.json*", hold, times=1)
    page.goto(review)
    expect(lane(page, "CRS grade").locator(".lane-value")).to_contain_text("2")
    before = page.locator("#plots .lane").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().top)"
    )
    expect(lane(page, "ASTCT").locator(".lane-value")).to_contain_text("loading")
    held[0].continue_()
    expect(lane(page, "ASTCT").locator(".lane-value")).to_contain_text("3 since")
    expect(lane(page, "ICANS").locator(".lane-value")).to_contain_text("not assessed")
    expect(page.locator("#scales-at")).to_contain_text("not assessed, could be 4")
    after_ = page.locator("#plots .lane").evaluate_all(
        "all => all.map((one) => one.getBoundingClientRect().top)"
    )
    assert after_ == before
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    names = page.locator("#plots .lane-name").all_inner_texts()
    assert [name.split("\n")[0] for name in names[1:4]] == ["CRS grade", "ASTCT", "ICANS"]


def test_a_scale_that_did_not_load_says_so(page: Page, review: str) -> None:
    page.route("**/scales.json*", lambda route: route.fulfill(status=500))
    page.goto(review)
    expect(lane(page, "ASTCT")).to_contain_text("ASTCT could not be loaded. Try again")
    expect(lane(page, "CRS grade").locator(".lane-value")).to_contain_text("2")
    page.unroute("**/scales.json*")
    lane(page, "ASTCT").get_by_role("button", name="Try again").click()
    expect(lane(page, "ASTCT").locator(".lane-value")).to_contain_text("3 since")
