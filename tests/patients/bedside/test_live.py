"""The one poll of the page: it sends what differs from what the page shows, and nothing else."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Entry
from patients.recording.record import retract_entry
from tests.entry_forms import HTMX, text_of, url
from tests.factories import ago, chart, correct, end, sending


class OpenPage:
    """The bedside page of a course as one user has it open."""

    def __init__(self, client: Client, course: Course, **shown: str) -> None:
        self.client, self.course, self.shown = client, course, shown
        self.signatures = json.loads(self.answer()["CRS-Live"])

    def answer(self, **signatures: str) -> HttpResponse:
        query = {**self.shown, **signatures}
        return self.client.get(url("live", self.course), query, **HTMX)

    def poll(self) -> str:
        """What the poll brings; "" where nothing changed."""
        answer = self.answer(**self.signatures)
        return "" if answer.status_code == 204 else answer.content.decode()


def parts(html: str) -> set[str]:
    """The ids of what is swapped out of band."""
    tags = re.findall(r"<[a-z]+\s[^>]*hx-swap-oob[^>]*>", html)
    return {found.group(1) for tag in tags if (found := re.search(r'id="([^"]+)"', tag))}


@pytest.fixture
def opened(intensivist_client: Client, course: Course, clinician: User) -> OpenPage:
    """The page of a second user, opened after a set of vital signs."""
    chart(course, clinician, "vitals", ago(40), temperature_c="38.1", heart_rate="90")
    return OpenPage(intensivist_client, course, fields="temperature,heart_rate,spo2_percent")


def test_an_unchanged_page_is_sent_nothing(opened: OpenPage) -> None:
    assert opened.answer(**opened.signatures).status_code == 204


def test_the_entry_of_another_user_reaches_every_part(opened: OpenPage, clinician: User) -> None:
    chart(opened.course, clinician, "vitals", ago(5), temperature_c="39.4")
    chart(opened.course, clinician, "oxygen", ago(4), device="venturi_mask", fio2_percent="50")
    html = opened.poll()
    assert parts(html) >= {
        "grade-card", "banner-badge", "guidance", "rise", "previous-temperature",
        "previous-heart_rate", "unchanged", "timeline-rows",
    }  # fmt: skip
    assert "entry-form" not in parts(html)
    text = text_of(html)
    for shown in ("39.4 °C", "Venturi mask, FiO2 50 %", "Oxygen unchanged", "Grade 1 → 3"):
        assert shown in text
    for named in ("unchanged", "running", ""):  # the form of the page has no other such part
        opened.shown["parts"] = named
        assert parts(opened.poll()) & {"unchanged", "running"} == {named} - {""}


def test_a_note_changes_the_timeline_alone(opened: OpenPage, clinician: User) -> None:
    chart(opened.course, clinician, "note", note="Family informed")
    assert parts(opened.poll()) == {"timeline-rows"}


def test_a_value_that_was_retracted_leaves_its_place(opened: OpenPage, clinician: User) -> None:
    entry = Entry.objects.get(kind="vitals")
    retract_entry(entry, sending(clinician, answers={"reason": "another patient"}))
    html = opened.poll()
    (place,) = re.findall(
        r'<span class="previous" id="previous-temperature"[^>]*>(.*?)</span>', html, re.S
    )
    assert place.strip() == ""
    assert "entered in error: another patient" in text_of(html)


def test_a_correction_of_another_user_replaces_the_row(opened: OpenPage, clinician: User) -> None:
    entry = Entry.objects.get(kind="vitals")
    correct(entry, entry.at, {"temperature_c": "37.0"}, sending(clinician, answers={"reason": "x"}))
    rows = opened.answer(**opened.signatures).context["timeline"].rows
    (row,) = [row for row in rows if row.kind == "vitals"]
    assert row.text == "Temp 37 °C"
    assert [old.old_text for old in row.corrected] == ["Temp 38.1 °C · HR 90"]


def test_the_filter_in_force_stays(
    intensivist_client: Client, course: Course, clinician: User
) -> None:
    opened = OpenPage(intensivist_client, course, show="oxygen")
    chart(course, clinician, "oxygen", device="room_air")
    chart(course, clinician, "vitals", heart_rate="90")
    rows = opened.answer(**opened.signatures).context["timeline"].rows
    assert [row.kind for row in rows] == ["oxygen"]


def test_rows_that_were_loaded_stay_and_older_ones_follow(
    intensivist_client: Client, course: Course, clinician: User
) -> None:
    for minutes in range(60):
        chart(course, clinician, "vitals", ago(200 - minutes), heart_rate=str(60 + minutes))
    first = intensivist_client.get(url("timeline", course), **HTMX).context["timeline"]
    opened = OpenPage(intensivist_client, course, until=first.older)
    chart(course, clinician, "vitals", heart_rate="130")
    page = opened.answer(**opened.signatures).context["timeline"]
    assert len([row for row in page.rows if row.entry_id]) == 41
    assert page.older == first.older


def test_two_hours_of_another_user_cost_one_answer(opened: OpenPage, clinician: User) -> None:
    for minutes in range(0, 120, 2):
        chart(
            opened.course,
            clinician,
            "vitals",
            ago(121 - minutes),
            heart_rate=str(60 + minutes // 2),
        )
    with CaptureQueriesContext(connection) as queries:
        answer = opened.answer(**opened.signatures)
    assert len(queries) <= 6
    assert len(answer.content) < 200_000


def test_the_clock_alone_brings_the_rise_and_its_row(
    nurse_client: Client, course: Course, clinician: User, time_machine: Any
) -> None:
    at = timezone.now() - timedelta(hours=2, minutes=59)
    dose = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}
    chart(course, clinician, "vasopressor", at, **dose)
    opened = OpenPage(nurse_client, course)
    time_machine.move_to(timezone.now() + timedelta(minutes=2))
    text = text_of(opened.poll())
    assert "Grade 2 → 3 · by the clock: High dose" in text


def test_a_poll_after_the_sign_in_has_ended_changes_nothing(client: Client, course: Course) -> None:
    answer = client.get(url("live", course), headers={"HX-Request": "true", "CRS-Poll": "yes"})
    assert answer.status_code == 401
    assert "HX-Refresh" not in answer.headers


def test_closing_reaches_an_open_page_and_leaves_its_form(
    opened: OpenPage, clinician: User
) -> None:
    end(opened.course, clinician)
    html = opened.poll()
    assert parts(html) >= {"closed-notice", "grade-card", "guidance", "rise", "timeline-rows"}
    assert "entry-form" not in parts(html)
    text = text_of(html)
    assert "Course closed" in text
    assert "Grade at end" in text


def test_nothing_of_the_query_is_shown_unchecked(nurse_client: Client, course: Course) -> None:
    query = {"fields": '"><script>,x' * 300, "day": "0001-01-01", "until": "x", "show": "weather"}
    answer = nurse_client.get(url("live", course), query, **HTMX)
    assert answer.status_code == 200
    assert b"<script>" not in answer.content


def test_the_page_and_its_poll_agree_on_what_is_shown(
    nurse_client: Client, grade_3: Course
) -> None:
    page = nurse_client.get(reverse("patients:bedside", args=[grade_3.pk])).content.decode()
    shown = dict(re.findall(r'data-(values|timeline|state)="([^"]*)"', page))
    for part, element in (("card", "grade-card"), ("banner", "banner"), ("guidance", "guidance")):
        (tag,) = re.findall(rf'<section id="{element}"[^>]*>', page)
        shown[part] = re.findall(r'data-signature="([^"]+)"', tag)[0]
    assert nurse_client.get(url("live", grade_3), shown, **HTMX).status_code == 204
