"""A saved row is put into the timeline by its time, and the rest of the page is unchanged."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Request, expect

from crs_app.accounts.models import User
from patients.models import Course
from patients.queries.timeline import PAGE_OF_ROWS
from tests.browser.bedside_page import BedsidePage
from tests.factories import chart


@pytest.fixture
def looks(bedside: BedsidePage) -> Iterator[list[str]]:
    """The addresses of timelines that the page asks for."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/timeline/" in request.url:
            asked.append(request.url)

    bedside.page.on("request", note)
    yield asked
    bedside.page.remove_listener("request", note)


def rates(bedside: BedsidePage) -> list[str]:
    """The heart rates of the timeline, from the top."""
    texts = bedside.rows.locator(".what").all_inner_texts()
    return [text.split()[1] for text in texts if text.startswith("HR ")]


def chart_rates(course: Course, nurse: User, *hours_and_rates: tuple[float, str]) -> None:
    for hours, rate in hours_and_rates:
        at = timezone.now() - timedelta(hours=hours)
        chart(course, nurse, "vitals", at, heart_rate=rate)


def save_an_hour_back(bedside: BedsidePage, rate: str) -> None:
    bedside.fill({"Heart rate": rate})
    bedside.page.get_by_role("button", name="−60").click()
    bedside.save()
    bedside.expect_saved(f"HR {rate}")


def test_a_late_row_stands_between_its_neighbours(
    bedside: BedsidePage, course: Course, nurse: User, looks: list[str]
) -> None:
    """What is of 30 minutes ago stays above it; of one minute, what was typed last is on top.

    Above a row that another user charted since the page asked, it comes with that row.
    """
    chart_rates(course, nurse, (2, "71"), (0.5, "73"))
    bedside.page.reload()
    save_an_hour_back(bedside, "72")
    expect(bedside.rows.filter(has_text="HR 72")).to_have_class("row-vitals row-new")
    assert rates(bedside)[:3] == ["73", "72", "71"]
    bedside.fill({"Heart rate": "74"})
    bedside.save()
    bedside.expect_saved("HR 74")
    bedside.fill({"Heart rate": "75"})
    bedside.save()
    bedside.expect_saved("HR 75")
    assert rates(bedside)[:5] == ["75", "74", "73", "72", "71"]
    an_hour_back = (timezone.now() - timedelta(hours=1)).replace(second=0, microsecond=0)
    chart(course, nurse, "vitals", an_hour_back, heart_rate="70")
    save_an_hour_back(bedside, "76")
    expect(bedside.rows.filter(has_text="HR 76")).to_have_count(1)
    assert looks == []
    assert rates(bedside)[:7] == ["75", "74", "73", "76", "70", "72", "71"]
    bedside.page.reload()
    assert rates(bedside)[:7] == ["75", "74", "73", "76", "70", "72", "71"]


def test_a_row_of_another_kind_does_not_come_to_a_list_of_one(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    chart(course, nurse, "oxygen", device="nasal_cannula", flow_l_per_min="2")
    bedside.page.reload()
    bedside.page.get_by_label("Show").select_option(label="Oxygen")
    expect(bedside.rows).to_have_count(1)
    save_an_hour_back(bedside, "72")
    expect(bedside.rows).to_have_count(1)
    bedside.page.get_by_label("Show").select_option(label="All")
    expect(bedside.rows.filter(has_text="HR 72")).to_have_count(1)


def test_a_row_older_than_the_page_comes_with_the_older_ones(
    bedside: BedsidePage, course: Course, nurse: User
) -> None:
    """It would else stand under rows that it does not follow: the page says how far it reaches."""
    chart_rates(course, nurse, (3, "60"))
    chart_rates(course, nurse, *((0.9 - place / 100, "73") for place in range(PAGE_OF_ROWS)))
    bedside.page.reload()
    save_an_hour_back(bedside, "72")
    expect(bedside.rows.filter(has_text="HR 72")).to_have_count(0)
    bedside.page.get_by_role("link", name="Older").click()
    expect(bedside.rows.filter(has_text="HR 72")).to_have_count(1)
    assert rates(bedside)[-2:] == ["72", "60"]
