"""How many statements each request sends: counted exactly, so that one more is a decision.

Statements that open and close a transaction are counted apart: in a test they are savepoints.
The first of each kind of request fills what is kept for the life of a process.

With and without speedups (CRS_PLAIN_DJANGO=1) the counts differ by the statement of the user alone.
Without them Django sends one more at the start of a request, to verify the connection; a test's
client never does.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from tests.factories import admit, chart
from tests.patients.review.sign_off_form import opened, signed

pytestmark = pytest.mark.django_db
HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
SESSION_AND_USER = 2 if settings.PLAIN_DJANGO else 1
"""Two by Django; one by a process that has read the session before."""
RECORDED = 1
"""The record of an opened page, by the last statement; a save, a poll and a swap have none."""
_OF_A_TRANSACTION = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE SAVEPOINT")


class _Inputs(HTMLParser):
    """What a browser would send of the form that charts, as the page has it."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.ticks: dict[str, str] = {}
        self._inside = False
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = "data-entry" in attributes
        if not self._inside:
            return
        name = attributes.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in attributes:
            self.values[self._select] = attributes.get("value", "")
        elif tag == "input" and attributes.get("type") == "checkbox":
            self.ticks[name] = attributes.get("value", "on")
        elif tag == "input" and name:
            self.values[name] = attributes.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


class Page:
    """A bedside page as a nurse has it open."""

    def __init__(self, client: Client, course: Course) -> None:
        self.client, self.course = client, course

    def address(self, name: str, *arguments: str) -> str:
        return reverse(f"patients:{name}", args=[self.course.pk, *arguments])

    def form(self, kind: str) -> _Inputs:
        inputs = _Inputs()
        shown = self.client.get(self.address("bedside"), {"kind": kind})
        inputs.feed(shown.content.decode())
        return inputs

    def save(self, kind: str, *, ticked: bool = False, **typed: str) -> list[str]:
        """The statements of one save, with everything else as the form has it."""
        form = self.form(kind)
        sent = {**form.values, **(form.ticks if ticked else {}), **typed}
        sent["form_id"] = str(uuid.uuid4())
        return self.statements(
            lambda: self.client.post(self.address("entries", kind), sent, **HTMX), b"message-saved"
        )

    def get(self, address: str, status: int = 200, **asked: str) -> list[str]:
        return self.statements(lambda: self.client.get(address, asked, **HTMX), status=status)

    def statements(
        self, ask: Callable[[], HttpResponse], holds: bytes = b"", *, status: int = 200
    ) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            answer = ask()
        assert answer.status_code == status, answer.content.decode()[:2000]
        assert holds in answer.content
        sent = [query["sql"] for query in queries]
        return [sql for sql in sent if not _OF_A_TRANSACTION.match(sql)]


@pytest.fixture
def page(nurse_client: Client, course: Course, clinician: User) -> Page:
    """The page of a course with oxygen and an infusion, after one save of each kind."""
    at = timezone.now() - timedelta(hours=5)
    chart(course, clinician, "oxygen", at, device="nasal_cannula", flow_l_per_min="2")
    chart(course, clinician, "vasopressor", at, drug="norepinephrine", rate="6", unit="ug/min")
    chart(course, clinician, "vitals", at, temperature_c="38.4", systolic_mmhg="104")
    opened = Page(nurse_client, course)
    opened.save("vitals", heart_rate="90")
    opened.save("vasopressor", drug="norepinephrine", rate="7", unit="ug/min")
    return opened


def listed(statements: list[str]) -> str:
    return "\n".join(" ".join(sql.split())[:150] for sql in statements)


PLAIN_SAVE = SESSION_AND_USER + 5
"""Statements of a save, without the two that open and close its transaction."""


def test_a_set_of_vital_signs(page: Page) -> None:
    statements = page.save("vitals", temperature="38.5", heart_rate="92")
    assert len(statements) == PLAIN_SAVE, listed(statements)


def test_a_set_that_changes_the_grade(page: Page) -> None:
    statements = page.save("vitals", systolic_mmhg="80")
    assert len(statements) == PLAIN_SAVE, listed(statements)


def test_a_rate_of_a_vasopressor(page: Page) -> None:
    statements = page.save("vasopressor", drug="norepinephrine", rate="8", unit="ug/min")
    assert len(statements) == PLAIN_SAVE + 1, listed(statements)


def test_a_rate_by_weight_that_changes_the_grade(page: Page) -> None:
    statements = page.save("vasopressor", drug="dopamine", rate="12", unit="ug/kg/min")
    assert len(statements) == PLAIN_SAVE + 1, listed(statements)


def test_a_set_with_two_ticks(page: Page) -> None:
    statements = page.save("vitals", ticked=True, temperature="38.5")
    assert len(statements) == PLAIN_SAVE + 1, listed(statements)


def late_set(page: Page, **typed: str) -> list[str]:
    late = timezone.localtime() - timedelta(hours=6)
    there = {"observed_date": f"{late:%Y-%m-%d}", "observed_time": f"{late:%H:%M}"}
    return page.save("vitals", **there, **typed)


def test_a_set_charted_late(page: Page) -> None:
    statements = late_set(page, heart_rate="88")
    assert len(statements) == PLAIN_SAVE + 1, listed(statements)


def test_a_set_charted_late_that_moves_a_change_of_grade(page: Page) -> None:
    statements = late_set(page, temperature="38.5")
    assert len(statements) == PLAIN_SAVE + 1, listed(statements)


def test_one_transaction_a_save(page: Page) -> None:
    form = page.form("vitals")
    sent = {**form.values, "form_id": str(uuid.uuid4()), "heart_rate": "91"}
    with CaptureQueriesContext(connection) as queries:
        page.client.post(page.address("entries", "vitals"), sent, **HTMX)
    opened = [query["sql"] for query in queries if query["sql"].startswith(("BEGIN", "SAVEPOINT"))]
    assert len(opened) == 1, opened


def test_the_bedside_page(page: Page) -> None:
    statements = page.get(page.address("bedside"))
    assert len(statements) == SESSION_AND_USER + 4 + RECORDED, listed(statements)


def test_a_page_of_the_timeline(page: Page) -> None:
    statements = page.get(page.address("timeline"))
    assert len(statements) == SESSION_AND_USER + 2, listed(statements)


def test_the_page_asked_for_by_the_minute(page: Page) -> None:
    """Three statements say that nothing changed; one more reads the timeline where it did."""
    address = page.address("live")
    shown = json.loads(page.client.get(address, **HTMX)["CRS-Live"])
    statements = page.get(address, status=204, **shown)
    assert len(statements) == SESSION_AND_USER + 3, listed(statements)
    statements = page.get(address)
    assert len(statements) == SESSION_AND_USER + 4, listed(statements)


def test_the_flowsheet_of_any_width_now_and_as_known_before(page: Page) -> None:
    """Session, user, course, and one statement for the whole sheet, whatever the window.

    Two more grade ASTCT and ICANS: where to resume, and the entries from there on.
    """
    for asked in ({}, {"bin": "12", "span": "744"}, {"bin": "entry"}):
        for then in ({}, {"known_at": timezone.now().isoformat()}):
            statements = page.get(page.address("flowsheet"), **asked, **then)
            assert len(statements) == SESSION_AND_USER + 4 + RECORDED, listed(statements)


def test_the_summary_now_and_as_known_before(page: Page) -> None:
    """Session, user, course; the chart, what was stated, and what was signed."""
    for name in ("summary", "summary_json"):
        for then in ({}, {"known_at": timezone.now().isoformat()}):
            statements = page.get(page.address(name), **then)
            assert len(statements) == SESSION_AND_USER + 4 + RECORDED, listed(statements)


def test_the_last_day_of_the_card(page: Page) -> None:
    """Session, user, course, one statement for the day, one for whether a grade 0 was assessed."""
    statements = page.get(page.address("last_day"))
    assert len(statements) == SESSION_AND_USER + 3, listed(statements)


def test_the_scales_beside_the_grade(page: Page, clinician: User) -> None:
    """Session, user, course and the chart; the page asks for the authors of the evidence too.

    The line of the first page needs no statement of its own.
    """
    statements = page.get(page.address("scales_line"))
    assert len(statements) == SESSION_AND_USER + 2, listed(statements)
    for asked in ({}, {"papers": "yes"}, {"one": "penn-2018", "other": "lee-2014"}):
        statements = page.get(page.address("scales"), **asked)
        assert len(statements) == SESSION_AND_USER + 3, listed(statements)
    then = {"known_at": timezone.now().isoformat()}
    statements = page.get(page.address("scales"), **then)
    assert len(statements) == SESSION_AND_USER + 3, listed(statements)


def test_the_table_in_the_place_of_the_timeline(page: Page) -> None:
    """Session, user, course, and one statement for the whole sheet."""
    statements = page.get(page.address("timeline_table"))
    assert len(statements) == SESSION_AND_USER + 2, listed(statements)


def test_the_board(page: Page) -> None:
    """With the state that the browser has named, one statement answers that nothing changed.

    Else its state, the courses, their periods and their sign-offs.
    """
    address = reverse("patients:board")
    statements = page.get(address)
    assert len(statements) == SESSION_AND_USER + 4 + RECORDED, listed(statements)
    seen = page.client.get(address).context["signature"]
    statements = page.get(address, 204, seen=seen)
    assert len(statements) == SESSION_AND_USER + 1, listed(statements)


def test_the_panel_of_a_sign_off_and_its_page(page: Page) -> None:
    """The page adds banner and what changed since it was seen: here nothing was yet.

    A panel that says the same is answered without its reasons.
    """
    statements = page.get(page.address("sign_off"))
    assert len(statements) == SESSION_AND_USER + 3, listed(statements)
    shown = page.client.get(page.address("sign_off")).context["panel"]
    asked = {"signature": shown.signature, "at": shown.at.isoformat()}
    statements = page.get(page.address("sign_off"), 204, **asked)
    assert len(statements) == SESSION_AND_USER + 2, listed(statements)
    statements = page.statements(lambda: page.client.get(page.address("sign_off")))
    assert len(statements) == SESSION_AND_USER + 5 + RECORDED, listed(statements)


def test_what_changed_since_a_page_was_seen(page: Page, clinician: User) -> None:
    """With a change of the past, however many there are, one statement says what brought it.

    The review page has seven at most: session with user, course, the course as known, the acts
    beside it, its sign-offs, what changed since it was seen, and what brought that.
    """
    seen = {"known_at": timezone.now().isoformat()}
    statements = page.statements(lambda: page.client.post(page.address("seen"), seen), status=302)
    assert len(statements) == SESSION_AND_USER + 2, listed(statements)
    statements = page.statements(lambda: page.client.get(page.address("sign_off")))
    assert len(statements) == SESSION_AND_USER + 6 + RECORDED, listed(statements)
    for hours in (4, 3, 2):
        late = timezone.now() - timedelta(hours=hours)
        chart(page.course, clinician, "oxygen", late, device="venturi_mask", fio2_percent="50")
        late += timedelta(minutes=30)
        chart(page.course, clinician, "oxygen", late, device="nasal_cannula")
    statements = page.statements(lambda: page.client.get(page.address("sign_off")))
    assert len(statements) == SESSION_AND_USER + 7 + RECORDED, listed(statements)
    statements = page.statements(lambda: page.client.get(page.address("review")))
    assert len(statements) == SESSION_AND_USER + 6 + RECORDED, listed(statements)


def test_a_timeline_with_sign_offs_is_read_by_the_same_statement(
    page: Page, intensivist_client: Client
) -> None:
    """How each stands now is read with it; the poll and the page stay as they are."""
    signed(intensivist_client, page.course)
    for asked in ({}, {"kind": "review"}):
        statements = page.get(page.address("timeline"), **asked)
        assert len(statements) == SESSION_AND_USER + 2, listed(statements)
    statements = page.get(page.address("bedside"))
    assert len(statements) == SESSION_AND_USER + 4 + RECORDED, listed(statements)


def test_what_waits_for_review_in_any_number_of_courses(
    page: Page, clinician: User, intensivist_client: Client
) -> None:
    reviews = reverse("patients:reviews")
    for _ in range(2):
        statements = page.get(reviews)
        assert len(statements) == SESSION_AND_USER + 2 + RECORDED, listed(statements)
        for _ in range(5):
            other = admit(clinician)
            chart(other, clinician, "vitals", temperature_c="39")
            signed(intensivist_client, other)


def test_a_sign_off(page: Page, intensivist_client: Client) -> None:
    """The seventh keeps the message for the next page in the session."""
    form = opened(intensivist_client, page.course)
    page.client = intensivist_client
    statements = page.statements(
        lambda: page.client.post(page.address("sign_off"), form), status=302
    )
    assert len(statements) == SESSION_AND_USER + 7, listed(statements)


def test_computed_and_stated_grades(page: Page, auditor_client: Client) -> None:
    page.client = auditor_client
    page.get(reverse("patients:disagreements"))
    statements = page.get(reverse("patients:disagreements"))
    assert len(statements) == SESSION_AND_USER + 2 + RECORDED, listed(statements)
