"""One notice above the card, and the words of a refusal on a page without a place for them."""

import re
from datetime import timedelta
from functools import partial

from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from crs_app.accounts.models import User
from patients.models import Course
from patients.recording.inputs import NewEntry
from tests.browser.bedside_page import OF_THE_SERVER, BedsidePage
from tests.factories import ago, chart, record


def late(course: Course, nurse: User, results: list[dict[str, str]]) -> None:
    """Results of one panel, charted 48 minutes after they were taken."""
    at = timezone.now() - timedelta(minutes=48)
    record(course, nurse, [NewEntry("lab", at, result) for result in results])


def refuse(status: int, route: Route) -> None:
    body = f'<p class="message message-wrong" role="alert">Refused by {status}.</p>'
    route.fulfill(status=status, headers=OF_THE_SERVER, content_type="text/html", body=body)


def test_of_two_notices_the_second_is_one_line_until_it_is_opened(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    chart(course, nurse, "oxygen", ago(5), device="venturi_mask", fio2_percent="50")
    page = bedside.page
    page.reload()
    rise = page.get_by_role("region", name="The grade has risen")
    more = page.locator("#more-notices")
    expect(rise).to_be_visible()
    expect(more).to_be_hidden()

    page.context.set_offline(True)
    expect(page.get_by_text(re.compile(r"No connection since"))).to_be_visible()
    expect(rise).to_be_hidden()
    expect(more).to_have_text("1 more notice")
    more.click()
    expect(rise).to_be_visible()
    expect(more).to_be_hidden()

    page.context.set_offline(False)
    expect(page.get_by_text("No connection since")).to_be_hidden()
    rise.get_by_role("button", name="OK, seen").click()
    expect(rise).to_be_hidden()
    expect(more).to_be_hidden()


def test_a_refusal_is_shown_where_the_page_has_no_place_for_it(bedside: BedsidePage) -> None:
    page, errors = bedside.page, list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.locator("#entry-form").evaluate("form => form.remove()")

    for place, status in enumerate((409, 422), 1):
        page.route("**/timeline/**", partial(refuse, status))
        page.get_by_label("Show").select_option(index=place)
        expect(page.locator("[data-refusal]")).to_contain_text(f"Refused by {status}.")
        page.unroute("**/timeline/**")
    assert errors == []


def test_the_late_tag_of_a_panel_of_results_covers_no_text(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    page: Page = bedside.page
    results = [
        {"analyte": analyte, "value": "1.1", "unit": "mg/dL", "upper_limit": "1.2"}
        for analyte in ("creatinine", "bilirubin")
    ]
    late(course, nurse, results)
    for width in (390, 768, 1440):
        page.set_viewport_size({"width": width, "height": 1024})
        page.reload()
        row = bedside.rows.filter(has_text="2 results")
        summary = row.locator("summary").first.bounding_box()
        tag = row.locator(".tag-warn").bounding_box()
        assert summary is not None
        assert tag is not None
        assert tag["y"] >= summary["y"] + summary["height"] - 1, width
        assert "\u00a0min" in row.locator(".tag-warn").inner_text(), width
