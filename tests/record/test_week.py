"""What a user did in the last seven days, on the page of the user."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app.accounts.models import User
from crs_app.record.models import Event, EventKind
from crs_app.record.write import record_event
from patients.models import Course
from tests.entry_forms import text_of
from tests.factories import admit, chart

pytestmark = pytest.mark.django_db


def week_of(client: Client, person: User) -> Any:
    return client.get(reverse("record:person_week", args=[person.pk]))


def test_it_counts_sign_ins_patients_entries_and_emergencies(
    nurse: User, nurse_client: Client, administrator_client: Client, course: Course
) -> None:
    second = admit(nurse, name="WEBER, Luca")
    for each in (course, course, second):
        nurse_client.get(reverse("patients:bedside", args=[each.pk]))
    chart(course, nurse, "vitals", temperature_c="38.5")
    before = week_of(administrator_client, nurse).context["week"].entries
    chart(course, nurse, "vitals", temperature_c="38.6")
    for kind in (EventKind.SIGN_IN, EventKind.SIGN_IN_FAILED, EventKind.SIGN_IN_FAILED):
        record_event(kind, by=nurse)
    record_event(
        EventKind.EMERGENCY_ACCESS, by=nurse, course_id=second.pk, purpose="cardiac arrest call"
    )
    answer = week_of(administrator_client, nurse)
    week = answer.context["week"]
    assert (week.sign_ins, week.failed_sign_ins) == (1, 2)
    assert (week.patients_opened, week.entries) == (2, before + 1)
    assert week.emergencies == 1
    text = text_of(answer.content.decode())
    assert "1, 2 failed" in text
    assert "cardiac arrest call" in text
    assert "Opened: chart" not in text, "what says little is counted alone"


def test_what_is_older_than_seven_days_is_left_out(
    nurse: User, administrator_client: Client, time_machine: TimeMachineFixture
) -> None:
    record_event(EventKind.SIGN_IN, by=nurse)
    assert week_of(administrator_client, nurse).context["week"].sign_ins == 1
    time_machine.move_to(timezone.now() + timedelta(days=7, hours=1))
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    week = week_of(client, nurse).context["week"]
    assert (week.sign_ins, week.rows) == (0, [])


def test_opening_the_page_of_a_user_is_recorded_as_a_reading(
    nurse: User, administrator_client: Client
) -> None:
    page = administrator_client.get(reverse("people:person", args=[nurse.pk]))
    assert reverse("record:person_week", args=[nurse.pk]) in page.content.decode()
    (event,) = Event.objects.filter(kind=EventKind.RECORD_READ)
    assert event.details["user_id"] == str(nurse.pk)
