"""The wall screen: started by keyboard, read at three metres, and red when its server is gone."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from crs_app.accounts.models import User
from patients.models import Course
from tests.factories import admit, ago, chart

SMALLER_THAN = """(limit) => [...document.querySelectorAll('.wall-tile p *, .wall-tile p')]
    .filter((part) => part.checkVisibility() && part.textContent.trim())
    .filter((part) => !part.classList.contains('visually-hidden'))
    .filter((part) => parseFloat(getComputedStyle(part).fontSize) < limit)
    .map((part) => part.outerHTML)"""
SIZES = """() => [...document.querySelectorAll('.wall-grade > b')]
    .map((grade) => parseFloat(getComputedStyle(grade).fontSize))"""


class StoppableServer:
    """A second server, which a test can stop: with it end the connections that it kept open."""

    def __init__(self) -> None:
        self._server = LiveServer("localhost")
        self.url = self._server.url
        self._open: list[socket.socket] = []
        httpd: Any = self._server.thread.httpd
        process = httpd.process_request

        def note(request: socket.socket, address: Any) -> None:
            self._open.append(request)
            process(request, address)

        httpd.process_request = note

    def stop(self) -> None:
        self._server.stop()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def own_server(live_server: Any) -> Iterator[StoppableServer]:
    server = StoppableServer()
    yield server
    server.stop()


@pytest.fixture
def wall(
    browser: Browser,
    own_server: StoppableServer,
    nurse: User,
    sign_in: Callable[[Page, User], None],
) -> Iterator[Page]:
    """A screen of 1920 by 1080 pixels; the nurse is signed in."""
    context = browser.new_context(base_url=own_server.url, viewport={"width": 1920, "height": 1080})
    context.set_default_timeout(5_000)
    context.set_default_navigation_timeout(20_000)  # as of the shared contexts
    page = context.new_page()
    sign_in(page, nurse)
    yield page
    context.close()


def test_a_stopped_server_is_told_at_the_first_failed_poll(
    wall: Page, own_server: StoppableServer, nurse: User, course: Course
) -> None:
    dose = {"drug": "norepinephrine", "rate": "22", "unit": "ug/min"}
    chart(course, nurse, "vasopressor", ago(140), **dose)
    unclear = admit(nurse, name="LINDQVIST, Per", bed="7")
    chart(unclear, nurse, "oxygen", device="nasal_cannula")
    wall.clock.install()
    wall.goto("/")
    wall.get_by_role("link", name="Wall screen").click()
    wall.get_by_role("checkbox", name="7B").press("Space")
    wall.get_by_role("button", name="Show the wall here and sign me out").press("Enter")

    tiles = wall.get_by_role("listitem")
    expect(tiles).to_have_count(2)
    expect(tiles.first).to_contain_text("could be 3")
    expect(tiles.last).to_contain_text("→ 3 in")
    expect(wall.get_by_text("OKONKWO")).to_have_count(0)
    assert wall.evaluate(SMALLER_THAN, 24) == []
    assert min(wall.evaluate(SIZES)) >= 40

    notice = wall.get_by_role("alert").filter(has_text="Not connected since")
    wall.wait_for_load_state("load")  # its scripts are there before the server stops
    own_server.stop()
    expect(notice).to_be_hidden()
    with wall.expect_event("requestfailed"):
        wall.clock.fast_forward(61_000)
    expect(notice).to_be_visible()
    expect(tiles.first).to_contain_text("at ")
    expect(tiles.first).to_have_css("border-top-style", "dashed")
    expect(wall.locator(".wall-event").first).to_be_hidden()
    expect(wall.locator(".wall-heard")).to_be_hidden()
    shown = wall.locator("[data-time-now]").text_content()
    wall.clock.fast_forward(120_000)
    expect(wall.locator("[data-time-now]")).not_to_have_text(shown or "")


def test_a_ward_of_twenty_or_thirty_beds_stands_on_one_screen(
    wall: Page, nurse: User, course: Course
) -> None:
    """Without a scroll; a change is shown by the next poll, and the places stay."""
    for bed in range(13, 32):
        last = admit(nurse, name=f"FAMILYNAME, Given {bed}", bed=str(bed), weight_kg=None)
    wall.clock.install()
    wall.goto("/wall/screens/")
    wall.get_by_role("checkbox", name="7B").check()
    wall.get_by_role("button", name="Show the wall here and sign me out").click()
    tiles = wall.get_by_role("listitem")
    expect(tiles).to_have_count(20)
    wall.wait_for_load_state("load")  # its scripts are there before the clock is moved
    assert wall.evaluate("document.documentElement.scrollHeight") <= 1080
    expect(tiles.last).to_contain_text("not assessed")
    chart(last, nurse, "oxygen", device="venturi_mask", fio2_percent="50")
    wall.clock.fast_forward(61_000)
    expect(tiles.last.locator(".wall-grade")).to_contain_text("3")
    beds = tiles.locator(".wall-bed b").all_text_contents()
    assert [bed.removeprefix("Bed ") for bed in beds] == [str(bed) for bed in range(12, 32)]
    for bed in range(32, 42):
        admit(nurse, name=f"FAMILYNAME, Given {bed}", bed=str(bed), weight_kg=None)
    wall.clock.fast_forward(61_000)
    expect(tiles).to_have_count(30)
    assert wall.evaluate("document.documentElement.scrollHeight") <= 1080

    def updated(route: Route) -> None:
        sent = route.fetch()
        route.fulfill(response=sent, headers={**sent.headers, "crs-version": "another"})

    wall.route(re.compile("seen="), updated, times=1)
    with wall.expect_event("load"):  # the site was updated, and the earlier page goes
        wall.clock.fast_forward(61_000)
