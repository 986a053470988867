"""A health record opens a patient: in a tab of its own, and in its frame where it is registered."""

import os
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from crs_app.accounts.models import User
from patients.exchange.smart.issuers import name_identity
from patients.models import Course, Entry
from tests.browser.shared_contexts import FOR_AXE, SharedContexts
from tests.browser.test_people import assert_accessible
from tests.health_record import MRN_SYSTEM, FakeRecord, running_record
from tests.patients.exchange.launching import SUBJECT, register


@pytest.fixture
def context(contexts: SharedContexts) -> Iterator[BrowserContext]:
    """Lets axe-core in past the page's own policy."""
    with contexts.lend(**FOR_AXE) as lent:
        yield lent


@pytest.fixture
def strict(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A page that keeps to the policy of each page."""
    made = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    made.set_default_timeout(5_000)
    made.set_default_navigation_timeout(20_000)  # as of the shared contexts
    yield made.new_page()
    made.close()


@pytest.fixture
def record(
    course: Course, nurse: User, administrator: User, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeRecord]:
    monkeypatch.setitem(os.environ, "NO_PROXY", "127.0.0.1")
    with running_record() as running:
        running.patient = {"identifier": [{"system": MRN_SYSTEM, "value": course.patient.mrn}]}
        register(running, administrator)
        name_identity(running.iss, SUBJECT, nurse, administrator, timezone.now())
        yield running


def launch_address(record: FakeRecord, base: str = "") -> str:
    return f"{base}/smart/launch?{urlencode({'iss': record.iss, 'launch': 'x'})}"


def test_a_launched_tab_names_its_patient_and_opens_nothing_else(
    page: Page, record: FakeRecord, course: Course
) -> None:
    page.goto(launch_address(record))
    page.get_by_role("link", name="I am Jo").click()
    expect(page.get_by_role("heading", name="OKONKWO, Ada")).to_be_attached()
    named = rf"^OKONKWO, Ada, MRN {course.patient.mrn}, 56 y"
    expect(page).to_have_title(re.compile(named))
    expect(page.get_by_role("link", name="Back to the board")).to_have_count(0)
    assert_accessible(page, "launched page")

    page.goto("/")
    expect(page.get_by_role("heading", name="Opened for one patient")).to_be_visible()
    assert_accessible(page, "closed page")
    page.get_by_role("link", name="To the patient that is open").click()
    expect(page.get_by_role("heading", name="OKONKWO, Ada")).to_be_attached()


class _Frames(BaseHTTPRequestHandler):
    """A page of the health record with ours in a frame."""

    address = ""

    def do_GET(self) -> None:
        body = (
            f"<title>St. Anna</title><iframe src='{self.address}' width=1000 height=700>".encode()
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@pytest.fixture
def framing(record: FakeRecord, live_server: Any) -> Iterator[str]:
    """The address of that page, which is another site than ours."""
    ours = live_server.url.replace("127.0.0.1", "localhost")
    handler = type("Frames", (_Frames,), {"address": launch_address(record, ours)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_registered_page_frames_the_patient_and_a_save_works_there(
    strict: Page, record: FakeRecord, administrator: User, framing: str, course: Course
) -> None:
    register(record, administrator, frame_origins=(framing,))
    strict.goto(framing)
    frame = strict.frame_locator("iframe")
    frame.get_by_role("link", name="I am Jo").click()
    expect(frame.get_by_role("heading", name="OKONKWO, Ada")).to_be_attached()
    frame.get_by_label("Temperature", exact=False).first.fill("36.9")
    frame.get_by_role("button", name="Save").first.click()
    expect(frame.get_by_text("36.9").first).to_be_visible()
    assert Entry.objects.filter(course=course, kind="vitals").count() == 1
    cookies = strict.context.cookies()
    assert {cookie["sameSite"] for cookie in cookies} == {"None"}


@pytest.mark.logs_error("frame-ancestors 'none'")
def test_a_page_that_is_not_registered_shows_nothing_of_a_patient(
    strict: Page, record: FakeRecord, framing: str
) -> None:
    strict.goto(framing)
    strict.frame_locator("iframe").get_by_role("link", name="I am Jo").click()
    strict.wait_for_timeout(500)
    (shown,) = strict.frames[1:]
    assert "OKONKWO" not in shown.content()
