"""A session that nobody uses is locked, shows grade and clock alone, and ends after 12 hours."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app import settings as project_settings
from crs_app.accounts.models import User
from crs_app.record.models import Event
from patients.models import Course, Entry
from tests.entry_forms import HTMX, form, text_of
from tests.factories import ago, chart

pytestmark = pytest.mark.django_db
MINUTES = 60
PASSWORD = "correct horse 1"


@pytest.fixture
def started(time_machine: TimeMachineFixture, nurse_client: Client, course: Course) -> None:
    """The nurse has just opened the chart; the clock stands."""
    time_machine.move_to(timezone.now(), tick=False)
    nurse_client.get(reverse("patients:bedside", args=[course.pk]))


def opens(client: Client, course: Course) -> bool:
    """Whether a poll of the chart is answered."""
    headers = {"HX-Request": "true", "CRS-Poll": "yes"}
    address = reverse("patients:live", args=[course.pk])
    return client.get(address, headers=headers).status_code == 200


def save(client: Client, course: Course) -> int:
    address = reverse("patients:entries", args=[course.pk, "vitals"])
    sent = form(temperature_unit="c", heart_rate="90")
    return client.post(address, sent, **HTMX).status_code


def test_the_limits_are_ten_minutes_and_twelve_hours() -> None:
    assert timedelta(minutes=10) == project_settings.SIGNED_OUT_AFTER_IDLE
    assert timedelta(hours=12) == project_settings.SIGNED_OUT_AFTER


@pytest.mark.usefixtures("started")
def test_polls_by_the_minute_do_not_keep_a_session_open(
    nurse_client: Client, course: Course, time_machine: TimeMachineFixture
) -> None:
    for _ in range(9):
        time_machine.shift(MINUTES)
        assert opens(nurse_client, course)
    time_machine.shift(MINUTES)
    assert not opens(nurse_client, course)
    assert save(nurse_client, course) == 401
    assert nurse_client.get(reverse("patients:board")).status_code == 302
    assert not Entry.objects.filter(kind="vitals").exists()


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("act", ["keys and touches", "a save", "a page"])
def test_an_act_keeps_it_open(
    nurse_client: Client, course: Course, time_machine: TimeMachineFixture, act: str
) -> None:
    time_machine.shift(9 * MINUTES)
    if act == "keys and touches":
        assert nurse_client.post(reverse("accounts:active"), **HTMX).status_code == 204
    elif act == "a save":
        assert save(nurse_client, course) == 200
    else:
        nurse_client.get(reverse("patients:board"))
    time_machine.shift(9 * MINUTES)
    assert opens(nurse_client, course)


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("act", ["a save", "a page"])
def test_the_ten_minutes_count_from_the_last_act_to_the_second(
    nurse_client: Client, course: Course, time_machine: TimeMachineFixture, act: str
) -> None:
    """Within a minute of an act before, too; no script of a page reports it here."""
    time_machine.shift(59)
    if act == "a save":
        assert save(nurse_client, course) == 200
    else:
        nurse_client.get(reverse("patients:board"))
    time_machine.shift(10 * MINUTES - 1)
    assert opens(nurse_client, course)
    time_machine.shift(2)
    assert not opens(nurse_client, course)


@pytest.mark.usefixtures("started")
def test_the_time_of_an_act_counts_for_its_own_session_and_opens_no_lock(
    nurse_client: Client, intensivist: User, course: Course, time_machine: TimeMachineFixture
) -> None:
    other = Client()
    other.force_login(intensivist)
    other.get(reverse("patients:board"))
    time_machine.shift(59)
    nurse_client.get(reverse("patients:board"))
    acted = nurse_client.cookies["crs-acted"].value
    for forged in (acted, acted.replace(".", "0."), "9" * 30, "x.y", "²."):
        other.cookies["crs-acted"] = forged
        assert opens(other, course)
    time_machine.shift(10 * MINUTES - 1)
    assert not opens(other, course)

    assert opens(nurse_client, course)
    nurse_client.post(reverse("accounts:active"), {"lock": "yes"}, **HTMX)
    nurse_client.cookies["crs-acted"] = acted
    assert not opens(nurse_client, course)


@pytest.mark.usefixtures("started")
def test_a_page_locks_its_session_when_it_is_left(nurse_client: Client, course: Course) -> None:
    nurse_client.post(reverse("accounts:active"), {"lock": "yes"}, **HTMX)
    assert not opens(nurse_client, course)
    assert nurse_client.post(reverse("accounts:active"), **HTMX).status_code == 401


@pytest.mark.usefixtures("started")
def test_a_locked_tablet_shows_the_grade_and_its_clock_without_name_or_chart(
    nurse_client: Client, course: Course, time_machine: TimeMachineFixture
) -> None:
    chart(course, course.admitted_by, "vitals", ago(minutes=5), temperature_c="39.4")
    address = reverse("patients:locked", args=[course.pk])
    time_machine.shift(3 * 60 * MINUTES)
    before = Event.objects.count()
    page = nurse_client.get(address)
    assert page.status_code == 200
    shown = text_of(page.content.decode())
    assert "Grade 1" in shown
    assert course.ward in shown
    for secret in (course.patient.name, course.patient.mrn, "39.4", course.product):
        assert secret not in page.content.decode()
    assert not opens(nurse_client, course), "it is no act"
    assert Event.objects.count() == before, "it is a poll"
    time_machine.shift(9 * 60 * MINUTES)
    assert nurse_client.get(address).status_code == 302


@pytest.mark.usefixtures("started")
def test_a_locked_session_shows_no_message_of_a_patient(
    nurse_client: Client, course: Course
) -> None:
    asleep = {"form_id": form()["form_id"], "item": "vitals", "reason": "asleep"}
    nurse_client.post(reverse("patients:not_observed", args=[course.pk]), asleep)
    nurse_client.post(reverse("accounts:active"), {"lock": "yes"}, **HTMX)
    page = nurse_client.get(reverse("patients:locked", args=[course.pk])).content.decode()
    assert "asleep" not in page


@pytest.mark.usefixtures("started")
def test_the_same_user_signs_in_again_and_goes_on(
    nurse_client: Client, course: Course, time_machine: TimeMachineFixture
) -> None:
    time_machine.shift(11 * MINUTES)
    there = reverse("patients:bedside", args=[course.pk])
    form_page = nurse_client.get(f"/accounts/sign-in/?next={there}")
    assert form_page.status_code == 200
    sent = {"username": "nurse", "password": PASSWORD, "next": there}
    assert nurse_client.post("/accounts/sign-in/", sent).url == there
    assert nurse_client.get(there).status_code == 200
    time_machine.shift(9 * MINUTES)
    assert opens(nurse_client, course)


@pytest.mark.usefixtures("started")
def test_a_session_ends_twelve_hours_after_the_sign_in_however_busy(
    nurse_client: Client, course: Course, time_machine: TimeMachineFixture
) -> None:
    for _ in range(12 * 60 // 9 - 1):
        time_machine.shift(9 * MINUTES)
        nurse_client.post(reverse("accounts:active"), **HTMX)
    assert SESSION_KEY in nurse_client.session
    time_machine.shift(9 * MINUTES)
    nurse_client.post(reverse("accounts:active"), **HTMX)
    assert SESSION_KEY not in nurse_client.session


def test_a_page_is_told_after_how_long_it_is_locked(nurse_client: Client, course: Course) -> None:
    page = nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode()
    assert 'data-idle-seconds="600"' in page
    assert f'data-locked="{reverse("patients:locked", args=[course.pk])}"' in page
    assert "data-locked" not in nurse_client.get(reverse("patients:board")).content.decode()
