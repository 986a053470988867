"""The board is sent again if, and only if, it has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course
from patients.recording.admit import admit_patient
from tests.factories import AdmissionFactory, chart, end, move, sending

pytestmark = pytest.mark.django_db
HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
BOARD = "/"


@pytest.fixture
def looks(nurse_client: Client, course: Course) -> Callable[[], int]:
    """The status of one more look by someone who has seen the board as it is at first."""
    seen = nurse_client.get(BOARD).context["signature"]
    return lambda: nurse_client.get(BOARD, {"seen": seen}, **HTMX).status_code


def test_what_is_seen_is_not_sent_again(looks: Callable[[], int]) -> None:
    assert looks() == 204


def test_every_act_changes_it(course: Course, looks: Callable[[], int], clinician: User) -> None:
    chart(course, clinician, "vitals", heart_rate="90")
    assert looks() == 200


def test_an_admission_and_an_end_change_it(
    course: Course, looks: Callable[[], int], clinician: User
) -> None:
    other = admit_patient(AdmissionFactory(), [], sending(clinician)).course
    assert looks() == 200
    end(other, clinician)
    assert looks() == 204
    end(course, clinician)
    assert looks() == 200


def test_a_bed_changes_it(course: Course, looks: Callable[[], int], clinician: User) -> None:
    move(course, clinician, bed="another")
    assert looks() == 200


def test_the_clock_changes_it_with_no_save(
    nurse_client: Client, course: Course, clinician: User, settings: Any
) -> None:
    """Grade 2 becomes 3 when a high dose has run for three hours; nobody touches anything."""
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=12)
    at = timezone.now() - timedelta(hours=2)
    chart(course, clinician, "vasopressor", at, drug="norepinephrine", rate="25", unit="ug/min")
    before = nurse_client.get(BOARD)
    seen, etag = {"seen": before.context["signature"]}, before["ETag"]
    assert nurse_client.get(BOARD, seen, **HTMX).status_code == 204
    with mock.patch.object(timezone, "now", return_value=at + timedelta(hours=3)):
        later = nurse_client.get(BOARD, seen, **HTMX)
        assert [row.grade for row in later.context["rows"]] == [3]
        again = nurse_client.get(BOARD, headers={"If-None-Match": etag})
        assert [row.grade for row in again.context["rows"]] == [3]


def test_a_value_charted_ahead_changes_it_when_its_time_comes(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    now = timezone.now()
    chart(course, clinician, "vitals", now, heart_rate="90")
    chart(course, clinician, "vitals", now + timedelta(minutes=3), heart_rate="95")
    seen = {"seen": nurse_client.get(BOARD).context["signature"]}
    assert nurse_client.get(BOARD, seen, **HTMX).status_code == 204
    with mock.patch.object(timezone, "now", return_value=now + timedelta(minutes=4)):
        later = nurse_client.get(BOARD, seen, **HTMX)
        (row,) = later.context["rows"]
        assert row.last_observation_at == now + timedelta(minutes=3)


def test_a_new_day_changes_it(looks: Callable[[], int]) -> None:
    """The board prints the day after the infusion."""
    assert looks() == 204
    stays_signed_in = mock.patch("crs_app.accounts.middleware.timezone")
    with stays_signed_in as clock, mock.patch.object(timezone, "now") as now:
        clock.now.return_value = datetime.now(UTC)
        now.return_value = datetime.now(UTC) + timedelta(days=1)
        assert looks() == 200


def test_a_page_is_known_by_its_etag(nurse_client: Client, course: Course, clinician: User) -> None:
    now = timezone.now().replace(second=5)
    with mock.patch.object(timezone, "now", return_value=now):
        first = nurse_client.get(BOARD)
        named = {"headers": {"If-None-Match": first["ETag"]}}
        again = nurse_client.get(BOARD, **named)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        rows_alone = {"headers": {**named["headers"], "HX-Request": "true"}}
        assert nurse_client.get(BOARD, **rows_alone).status_code == 200
        seen = {"seen": first.context["signature"]}
        answer = nurse_client.get(BOARD, seen, **rows_alone)
        assert (answer.status_code, "ETag" in answer) == (204, False)
    with mock.patch.object(timezone, "now", return_value=now + timedelta(minutes=1)):
        assert nurse_client.get(BOARD, **named).status_code == 200, "it prints ages"
    chart(course, clinician, "vitals", heart_rate="90")
    assert nurse_client.get(BOARD, **named).status_code == 200


def test_another_person_has_another_page(
    nurse_client: Client, course: Course, intensivist_client: Client
) -> None:
    now = timezone.now()
    with mock.patch.object(timezone, "now", return_value=now):
        named = {"headers": {"If-None-Match": nurse_client.get(BOARD)["ETag"]}}
        assert intensivist_client.get(BOARD, **named).status_code == 200
