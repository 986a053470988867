"""Hidden times of an entry form: from 48 h before now to 5 min after it, else asked for."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from patients.forms.registry import ENTRY_FORMS
from patients.models import ChartingAct, Course, Entry
from tests.entry_forms import send, send_correction
from tests.factories import ago

HIDDEN = ("sent_at", "begun_at", "opened_at")
IMPOSSIBLE = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-23:59",
    "1899-12-31T00:00:00Z",
    "yesterday",
    "2026-11-28T19:02",
    "2026-13-45T99:99:99Z",
    "2026-11-28T19:02:00+99:99",
    "0",
    "NaN",
    "\uff12\uff10\uff12\uff16-11-28T19:02:00Z",
)
ZONES = ("UTC", "America/New_York", "Asia/Tokyo")


def just(minutes: float) -> str:
    """The time ``minutes`` from now; negative before now."""
    return (timezone.now() + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("hidden", IMPOSSIBLE)
def test_an_impossible_time_is_asked_for(
    nurse_client: Client, course: Course, settings: Any, zone: str, name: str, hidden: str
) -> None:
    settings.TIME_ZONE = zone
    before = Entry.objects.count()
    fields = {"temperature": "38.4", "observed_then": "yes", name: hidden}
    answer = send(nurse_client, course, "vitals", **fields)
    assert answer.status_code == 422
    (error,) = answer.context["form"].errors["observed_time"]
    assert "Enter the date and the time" in error
    assert "38.4" in answer.content.decode()
    assert Entry.objects.count() == before


@pytest.mark.parametrize("kind", list(ENTRY_FORMS))
@pytest.mark.parametrize("name", HIDDEN)
def test_no_kind_of_entry_takes_one(
    nurse_client: Client, course: Course, kind: str, name: str
) -> None:
    answer = send(nurse_client, course, kind, **{name: IMPOSSIBLE[0]})
    assert answer.status_code == 422
    assert "observed_time" in answer.context["form"].errors


@pytest.mark.parametrize("name", HIDDEN)
@pytest.mark.parametrize("minutes", [-48 * 60 - 1, 6])
def test_one_outside_two_days_is_asked_for(
    nurse_client: Client, course: Course, name: str, minutes: float
) -> None:
    answer = send(nurse_client, course, "vitals", temperature="38", **{name: just(minutes)})
    assert answer.status_code == 422
    assert "observed_time" in answer.context["form"].errors


def test_one_within_two_days_is_accepted(nurse_client: Client, course: Course) -> None:
    sent = just(-47 * 60)
    fields = {"temperature": "38", "sent_at": sent, "begun_at": sent, "opened_at": sent}
    assert send(nurse_client, course, "vitals", **fields).status_code == 200
    entry = Entry.objects.get(course=course, kind="vitals")
    assert entry.at == datetime.fromisoformat(sent).replace(second=0, microsecond=0)
    ahead = dict.fromkeys(HIDDEN, just(4))
    assert send(nurse_client, course, "vitals", temperature="38", **ahead).status_code == 200


def test_an_offset_that_no_place_has_is_the_same_instant(
    nurse_client: Client, course: Course
) -> None:
    sent = timezone.now() - timedelta(hours=2)
    written = (sent + timedelta(hours=23, minutes=59)).replace(tzinfo=None).isoformat() + "+23:59"
    fields = {"temperature": "38", "sent_at": written}
    assert send(nurse_client, course, "vitals", **fields).status_code == 200
    entry = Entry.objects.get(course=course, kind="vitals")
    assert entry.at == sent.replace(second=0, microsecond=0)


def test_a_time_without_its_date_is_not_taken_for_today(
    nurse_client: Client, course: Course
) -> None:
    fields = {"temperature": "38", "begun_at": just(-3 * 24 * 60), "observed_time": "00:00"}
    assert send(nurse_client, course, "vitals", **fields).status_code == 422
    assert not course.entries.filter(kind="vitals").exists()


@pytest.mark.parametrize("name", HIDDEN)
def test_date_and_time_answer_the_question(nurse_client: Client, course: Course, name: str) -> None:
    there = timezone.localtime(ago(hours=3)).replace(second=0, microsecond=0)
    fields = {
        "temperature": "38",
        "observed_date": f"{there:%Y-%m-%d}",
        "observed_time": f"{there:%H:%M}",
        name: IMPOSSIBLE[0],
    }
    assert send(nurse_client, course, "vitals", **fields).status_code == 200
    assert Entry.objects.get(course=course, kind="vitals").at == there


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hidden", IMPOSSIBLE)
def test_a_correction_keeps_its_typed_time(
    nurse_client: Client, course: Course, settings: Any, zone: str, hidden: str
) -> None:
    settings.TIME_ZONE = zone
    weight = course.entries.get(kind="weight")
    fields = dict.fromkeys(HIDDEN, hidden) | {"weight_kg": "82"}
    assert send_correction(nurse_client, course, weight, **fields).status_code == 200
    assert weight.replaced_by.at == weight.at


def test_a_form_that_was_recorded_is_answered_alike_days_later(
    nurse_client: Client, course: Course
) -> None:
    fields = {"temperature": "38", "form_id": "4b6f0d5e-98a3-4f0f-9f3c-6d0d3b4f1f11"}
    assert send(nurse_client, course, "vitals", **fields).status_code == 200
    acts = ChartingAct.objects.count()
    again = send(nurse_client, course, "vitals", **fields, sent_at=just(-3 * 24 * 60))
    assert again.status_code == 200
    assert ChartingAct.objects.count() == acts
