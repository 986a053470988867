"""Fixtures of Chromium, driven by Playwright: one browser a process, an empty context each test."""

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles.finders import get_finder
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.signals import request_finished, request_started
from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from django.test import Client
from django.utils import timezone
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as PlaywrightError

from crs_app.accounts.models import User
from patients.models import Course
from tests.browser.axe import AXE
from tests.browser.bedside_page import BedsidePage
from tests.browser.console_faults import ConsoleFaults
from tests.browser.moved_clock import MovedClock
from tests.browser.shared_contexts import SharedContexts
from tests.factories import admit

HERE = Path(__file__).parent
# Files with tests of several seconds. They run first of this folder: at the end of a run the
# workers share what remains of it, and none should wait for a long test of another.
LONG_FILES = (
    "test_outbox_chaos.py",
    "test_accessibility.py",
    "test_review_sign_off.py",
    "test_flowsheet.py",
    "test_ward_and_paper_sizes.py",
    "test_people.py",
    "test_printed_type.py",
    "test_ice_round.py",
    "test_sign_off.py",
)
# The first has no window system: tests take a third less of a processor by it.
CHROMIUM_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
TABLET = {"width": 768, "height": 1024}
# Playwright's own list (chromiumSwitches), because Chromium obeys only the last --disable-features.
# The three of ours start a process for each new window or page, half of what a window costs.
DISABLED_FEATURES = [
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
]
CHROMIUM_OPTIONS = [
    f"--disable-features={','.join(DISABLED_FEATURES)}",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and order them among themselves: long ones first."""
    places = [place for place, item in enumerate(items) if HERE in item.path.parents]
    ordered = sorted((items[place] for place in places), key=_is_short)
    for place, item in zip(places, ordered, strict=True):
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.django_db(transaction=True))
        items[place] = item


def _is_short(item: pytest.Item) -> bool:
    return item.path.name not in LONG_FILES


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "call" and report.failed and isinstance(item, pytest.Function):
        page = item.funcargs.get("page")
        if isinstance(page, Page) and not page.is_closed():
            folder = settings.VAR_DIR / "browser-failures"
            folder.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^\w-]+", "-", item.name).strip("-")
            page.screenshot(path=folder / f"{name}.png", full_page=True)
    return report


@pytest.fixture(scope="session", autouse=True)
def no_connection_outlives_its_request() -> Iterator[None]:
    """Closes each connection after its request, so that the run can drop its database."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
        yield


@pytest.fixture(scope="session", autouse=True)
def axe_is_served() -> Iterator[None]:
    """Serves axe-core, which the browser then keeps compiled as it does the scripts of the site."""
    folders = [*settings.STATICFILES_DIRS, ("axe-core", AXE.parent)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "STATICFILES_DIRS", folders)
        get_finder.cache_clear()
        yield
    get_finder.cache_clear()


@pytest.fixture(scope="session", autouse=True)
def files_are_cached() -> Iterator[None]:
    """Lets the browser keep scripts and styles, as the site does; no file changes in a run.

    Without it each page asks for all of them again, the sooner the newer the checkout is.
    """
    serve = StaticFilesHandler.serve

    def serve_for_an_hour(self: StaticFilesHandler, request: HttpRequest) -> HttpResponseBase:
        answer = serve(self, request)
        answer["Cache-Control"] = "max-age=3600, immutable"
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "serve", serve_for_an_hour)
        yield


class RequestsInFlight:
    """Counts the requests that the server of the tests has begun and not ended."""

    def __init__(self) -> None:
        self._count, self._changed = 0, threading.Condition()

    def begin(self, **_signal: Any) -> None:
        self._add(1)

    def end(self, **_signal: Any) -> None:
        self._add(-1)

    def _add(self, number: int) -> None:
        with self._changed:
            self._count += number
            self._changed.notify_all()

    def wait_until_none(self, timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._count <= 0, timeout_s)


@pytest.fixture(scope="session")
def requests_in_flight() -> Iterator[RequestsInFlight]:
    requests = RequestsInFlight()
    request_started.connect(requests.begin)
    request_finished.connect(requests.end)
    yield requests
    request_started.disconnect(requests.begin)
    request_finished.disconnect(requests.end)


@pytest.fixture(autouse=True)
def no_request_outlives_its_test(
    transactional_db: None, requests_in_flight: RequestsInFlight
) -> Iterator[None]:
    """Waits until no request reads a table: the flush that follows would be a deadlock with it."""
    yield
    requests_in_flight.wait_until_none(timeout_s=5)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright runs an event loop in this thread, which Django must accept."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as running:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield running


@pytest.fixture(scope="session")
def all_console_faults() -> ConsoleFaults:
    return ConsoleFaults()


@pytest.fixture(autouse=True)
def no_console_faults(
    request: pytest.FixtureRequest, all_console_faults: ConsoleFaults
) -> Iterator[None]:
    """Fails a test whose pages logged an error, or threw, that its mark does not name."""
    all_console_faults.take()
    yield
    named = [str(mark.args[0]) for mark in request.node.iter_markers("logs_error")]
    faults = all_console_faults.take()
    assert [fault for fault in faults if not any(name in fault for name in named)] == []


@pytest.fixture(scope="session")
def browser(playwright: Playwright, all_console_faults: ConsoleFaults) -> Iterator[Browser]:
    """The Chromium that CHROMIUM names, else the system's, else Playwright's own.

    Its time zone is that of the site.
    """
    found = map(shutil.which, CHROMIUM_NAMES)
    executable = os.environ.get("CHROMIUM") or next(filter(None, found), None)
    try:
        launched = playwright.chromium.launch(
            executable_path=executable,
            args=CHROMIUM_OPTIONS,
            env={**os.environ, "TZ": settings.TIME_ZONE},
        )
    except PlaywrightError:
        if executable or os.environ.get("CI"):
            raise
        pytest.skip("NO BROWSER TESTED: there is no Chromium; install it or set CHROMIUM")
    all_console_faults.watch(launched)
    expect.set_options(timeout=5_000)
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def contexts(browser: Browser, live_server: Any) -> SharedContexts:
    return SharedContexts(browser, live_server.url)


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    with contexts.lend(viewport=TABLET) as lent:
        yield lent


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of a bedside tablet, 768 by 1024; not signed in."""
    return context.new_page()


@pytest.fixture
def sign_in(live_server: Any) -> Callable[[Page, User], None]:
    """Signs a user in by the session cookie; the sign-in page has its own test."""

    def sign_in_on(page: Page, user: User) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        page.context.add_cookies([cookie])

    return sign_in_on


@pytest.fixture
def course(nurse: User) -> Course:
    """An adult of 80 kg, baseline 126/74, infused two days ago; nothing else is charted."""
    return admit(nurse, baseline={"systolic_mmhg": "126", "diastolic_mmhg": "74"})


@pytest.fixture
def bedside(
    page: Page, nurse: User, course: Course, sign_in: Callable[[Page, User], None]
) -> BedsidePage:
    """The page of the course, opened by the nurse: the tab with vital signs."""
    sign_in(page, nurse)
    page.goto(f"/courses/{course.pk}/")
    return BedsidePage(page)


@pytest.fixture
def server_clock(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    """The server's clock, which runs on from where a test moves it."""
    clock = MovedClock(timezone.now)
    monkeypatch.setattr(timezone, "now", clock.now)
    return clock
