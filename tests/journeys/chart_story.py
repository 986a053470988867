"""A course charted over HTTP by several people, and what its pages say, for tests of the past."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from crs_app.accounts.models import User
from patients.models import Course, Entry
from patients.ward.transfer import location_token
from tests.entry_forms import send, url
from tests.journeys.hospital_clock import BERLIN, HospitalClock


def at(day: int, clock: str, *, second: bool = False) -> datetime:
    """A time in October 2026 by the clocks of the hospital; ``second``: after they went back.

    It is in UTC: two times of one zone that show the same would be equal.
    """
    hour, minute = map(int, clock.split(":"))
    there = datetime(2026, 10, day, hour, minute, tzinfo=BERLIN, fold=int(second))
    return there.astimezone(UTC)


class Story:
    """The course, who acts in it, and what its pages said."""

    def __init__(self, clock: HospitalClock, people: dict[str, User]) -> None:
        self.clock, self.people = clock, people
        self.course: Course
        self.kept: Entry
        self.low: Entry
        self.said: dict[datetime, dict[str, str]] = {}

    def client(self, who: str = "nurse") -> Client:
        """Signs in again: the hours between two acts are longer than a session."""
        client = Client()
        client.force_login(self.people[who])
        return client

    def record(self) -> None:
        """Keeps what the pages say now."""
        self.said[self.clock.now] = parts(self.client(), self.course)

    def chart(self, kind: str, **fields: Any) -> Entry:
        answer = send(self.client(), self.course, kind, **fields)
        form = answer.context.get("form")
        if answer.status_code == 422 and form is not None and form.questions:
            fields["confirmed"] = form.questions_digest
            answer = send(self.client(), self.course, kind, **fields)
        assert answer.status_code == 200, _refusal(answer)
        return Entry.objects.filter(course=self.course).latest("recorded_at", "place")

    def post(self, who: str, address: str, fields: dict[str, Any], **extra: Any) -> None:
        answer = self.client(who).post(address, fields, **extra)
        assert answer.status_code in (200, 302), _refusal(answer)

    def move(self, what: str, **fields: Any) -> None:
        self.course.refresh_from_db()
        seen = location_token(self.course)
        sent = {"form_id": str(uuid.uuid4()), "what": what, "seen": seen, "step": "confirm"}
        self.post("nurse", url("transfer", self.course), sent | fields)

    def correct_identity(self, what: str, **fields: Any) -> None:
        address = url("identity", self.course)
        sent = {"form_id": str(uuid.uuid4()), "what": what, "reason": "passport", **fields}
        shown = self.client().post(address, sent | {"step": "preview"})
        sent |= {"seen": shown.context["seen"], "step": "confirm", "compared": "yes"}
        if shown.context["form"].questions:
            sent["confirmed"] = shown.context["form"].questions_digest
        self.post("nurse", address, sent)


def parts(client: Client, course: Course, **then: str) -> dict[str, str]:
    """The named parts of every page, without links, marks of forms and the word "now"."""

    def text(name: str, **query: str) -> str:
        if name == "state" and then:
            query["at"] = then["known_at"]
        answer = client.get(url(name, course), query | then)
        assert answer.status_code == 200, _refusal(answer)
        return answer.content.decode()

    review = text("review", view="table", range="all")
    instant = text("instant")
    sheet = text("flowsheet")
    return {
        "banner": section(review, '<section class="patient-bar', "</dl>"),
        "grade": section(instant, '<div class="at-grade">', "</ul>"),
        "not met": section(instant, '<ul class="not-met">', "</ul>")
        if '<ul class="not-met">' in instant
        else "",
        "beside": section(instant, 'aria-labelledby="advice-title"', "</section>"),
        "grade on review": section(review, '<div class="at-grade">', "</ul>"),
        "table": section(review, "<table>", "</table>"),
        "banner of flowsheet": section(sheet, '<section class="patient-bar', "</dl>"),
        "flowsheet": section(sheet, '<table class="flowsheet', "</main>"),
        "plots": text("review_series", range="all"),
        "cursor": section(text("review_cursor"), '<div class="at-grade">', "</ul>"),
        "state": text("state"),
    }


def section(html: str, start: str, end: str) -> str:
    """The part of a page from ``start`` to ``end``, without blank lines and addresses of links."""
    begins = html.index(start)
    found = html[begins : html.index(end, begins)]
    found = re.sub(r'<small class="grade-at">.*?</small>', "", found)
    found = re.sub(r'<a href="[^"]*">(Correct|History)</a>', "", found)
    found = re.sub(r"\n\s*\n", "\n", found)
    return re.sub(r'(href|data-[a-z]+-url)="[^"]*"', "", found)


def _refusal(answer: Any) -> str:
    """What an answer complains of."""
    form = (answer.context or {}).get("form")
    return f"{answer.status_code}: {getattr(form, 'errors', '')} {answer.content[:300]!r}"
