"""When ICE or CAPD is due, and where a page says so."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from grading.course_file import read_entry
from grading.engine.policy import DEFAULT_POLICY, policy_from
from patients.display.ice_due import CAPD, ICE, ice_due, tool_of
from patients.models import Course
from tests.entry_forms import HTMX, form_html, send, text_of, url
from tests.factories import admit, ago, chart, end

INFUSED = datetime(2026, 3, 1, 8, tzinfo=UTC)
PARTS = {"orientation": 4, "naming": 3, "commands": 1, "writing": 1, "attention": 1}


def due_after(kind: str, tool: str = ICE, hours: float = 24, **body: Any) -> Any:
    """What is due 24 hours after the infusion, where ``body`` was charted at ``hours``."""
    at = INFUSED + timedelta(hours=hours)
    entry = read_entry({"id": "1", "kind": kind, "at": at.isoformat(), **body})
    now = INFUSED + timedelta(hours=24)
    return ice_due({kind: entry}, DEFAULT_POLICY, tool=tool, infused_at=INFUSED, now=now)


@pytest.mark.parametrize(
    ("kind", "body", "minutes", "every"),
    [
        ("ice", {"score": 10}, 720, "every 12 h"),
        ("ice", PARTS, 720, "every 12 h"),
        ("ice", {"score": 9}, 480, "every 8 h while below 10"),
        ("ice", PARTS | {"writing": None}, 480, "every 8 h while below 10"),
        (
            "ice",
            {"performed": False, "reason": "sedated"},
            480,
            "every 8 h after one that could not be done",
        ),
        ("capd", {"score": 0}, 720, "every 12 h"),
        ("capd", {"score": 1}, 480, "every 8 h while 1 or more"),
    ],
)
def test_the_next_is_due_sooner_where_points_were_lost_or_it_was_not_done(
    kind: str, body: dict[str, Any], minutes: int, every: str
) -> None:
    due = due_after(kind, tool=kind, hours=20, **body)
    assert due.due_at == INFUSED + timedelta(hours=20, minutes=minutes)
    assert due.every_text == every
    assert not due.is_due


def test_it_is_due_from_the_minute_on_at_which_the_interval_ends() -> None:
    assert due_after("ice", hours=12, score=10).is_due
    assert not due_after("ice", hours=12.01, score=10).is_due
    assert due_after("ice", hours=12, score=10).text.startswith("ICE due since ")
    assert due_after("ice", hours=16, score=9).is_due


def test_an_entry_of_the_other_tool_puts_nothing_off() -> None:
    due = due_after("ice", tool=CAPD, hours=23, score=10)
    assert due.due_at == INFUSED + timedelta(hours=12)
    assert due.text.startswith("CAPD due since ")


def test_it_is_offered_from_the_infusion_on_and_due_after_the_first_interval() -> None:
    def at(hours: float, **more: Any) -> Any:
        now = INFUSED + timedelta(hours=hours)
        policy = DEFAULT_POLICY
        return ice_due({}, policy, tool=ICE, infused_at=INFUSED, now=now, **more)

    assert at(-1) is None
    assert at(0).text == "ICE not assessed yet"
    assert not at(11.9).is_due
    assert at(12).is_due
    assert at(12, ended=True) is None


def test_the_intervals_are_the_policy_of_the_site() -> None:
    policy = policy_from({"ice_due_minutes": 90, "ice_due_reduced_minutes": 45})
    due = ice_due({}, policy, tool=ICE, infused_at=INFUSED, now=INFUSED)
    assert due is not None
    assert (due.due_at, due.every_text) == (INFUSED + timedelta(minutes=90), "every 90 min")


@pytest.mark.parametrize(
    ("age", "delay", "tool"),
    [(11, None, CAPD), (12, None, ICE), (12, False, ICE), (40, True, CAPD), (3, False, CAPD)],
)
def test_a_child_below_12_years_and_who_is_delayed_is_assessed_by_capd(
    age: int, delay: bool | None, tool: str
) -> None:
    assert tool_of(age, delay, DEFAULT_POLICY) == tool


@pytest.mark.django_db(transaction=True)
class TestPages:
    def card(self, client: Client, course: Course) -> str:
        page = client.get(url("bedside", course)).content.decode()
        return text_of(page.split('id="grade-card"')[1].split("</section>")[0])

    def test_the_grade_card_says_that_it_is_due_until_it_is_charted(
        self, nurse_client: Client, course: Course
    ) -> None:
        assert "ICE due since" in self.card(nurse_client, course)
        answer = send(nurse_client, course, "ice", tool="ice", not_done="language")
        assert "due since" not in text_of(answer.content.decode())
        assert "due since" not in self.card(nurse_client, course)
        assert "next " in text_of(form_html(nurse_client, course, "ice"))

    def test_a_child_is_due_by_capd(self, nurse_client: Client, clinician: User) -> None:
        born = date(timezone.now().year - 7, 1, 1)
        child = admit(clinician, birth_date=born, weight_kg="23")
        chart(child, clinician, "ice", ago(minutes=5), score="10")
        assert "CAPD due since" in self.card(nurse_client, child)

    def test_it_is_not_due_on_the_day_of_the_infusion_nor_after_the_end(
        self, nurse_client: Client, clinician: User, course: Course
    ) -> None:
        new = admit(clinician, infused_at=ago(hours=3))
        assert "due since" not in self.card(nurse_client, new)
        end(course, clinician)
        assert "due since" not in self.card(nurse_client, course)

    def test_a_poll_brings_the_card_when_it_becomes_due(
        self, nurse_client: Client, clinician: User, course: Course
    ) -> None:
        chart(course, clinician, "ice", ago(hours=11, minutes=58), score="10")
        opened = nurse_client.get(url("live", course), **HTMX)
        signatures = json.loads(opened["CRS-Live"])
        assert nurse_client.get(url("live", course), signatures, **HTMX).status_code == 204
        with time_machine.travel(timezone.now() + timedelta(minutes=3)):
            polled = nurse_client.get(url("live", course), signatures, **HTMX)
        assert "ICE due since" in text_of(polled.content.decode())

    def test_who_only_reads_sees_it_without_a_link(
        self, auditor_client: Client, course: Course
    ) -> None:
        page = auditor_client.get(url("bedside", course)).content.decode()
        assert "ICE due since" in text_of(page)
        assert 'class="tag tag-warn ice-due"' not in page
