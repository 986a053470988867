"""Whatever time is stored, every page opens, and the row can be put right."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Entry
from patients.recording.inputs import NewEntry
from tests.entry_forms import HTMX, send, send_correction, url
from tests.factories import admit, ago, chart, end, record

# Rows of before the bounds on times, which only the owner can still store.
pytestmark = pytest.mark.usefixtures("as_owner")

YEAR_1 = datetime(1, 1, 1, 0, 30, tzinfo=UTC)
YEAR_9999 = datetime(9999, 12, 31, 20, tzinfo=UTC)
IN_ZONES = [("America/New_York", YEAR_1), ("Asia/Tokyo", YEAR_9999), ("Asia/Tokyo", YEAR_1)]


@contextmanager
def constraints_of_before() -> Iterator[None]:
    """Write rows as before the constraints on the calendar; these are there again afterwards."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conname LIKE '%_in_calendar' AND conislocal"
        )
        constraints = cursor.fetchall()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, name, _ in constraints:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        for table, name, definition in constraints:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def chart_at(course: Course, by: User, at: datetime) -> Entry:
    """Vital signs at an impossible time, stored before the constraints."""
    body = {"temperature_c": "39.1", "systolic_mmhg": "84"}
    recorded = {"recorded_at": at} if at > datetime(2200, 1, 1, tzinfo=UTC) else {}
    with constraints_of_before():
        result = record(course, by, [NewEntry("vitals", at, body)], **recorded)
    return result.entries[0]


def every_page(course: Course) -> list[str]:
    return [
        reverse("patients:board"),
        reverse("patients:board") + "?ended",
        url("bedside", course),
        url("timeline", course),
        url("live", course),
        url("guidance", course),
        url("transfer", course),
        url("course_policy", course),
        url("entries", course, "vitals"),
        url("identity", course) + "?what=infusion",
        url("join", course),
    ]


def all_open(client: Client, addresses: list[str]) -> bool:
    for address in addresses:
        for headers in ({}, HTMX):
            answer = client.get(address, **headers)
            content = b"".join(answer) if answer.streaming else answer.content
            assert answer.status_code == 200, (address, content[:200])
    return True


@pytest.mark.parametrize(("zone", "at"), IN_ZONES)
def test_an_entry_at_the_end_of_the_calendar(
    auditor_client: Client,
    nurse_client: Client,
    course: Course,
    clinician: User,
    settings: Any,
    zone: str,
    at: datetime,
) -> None:
    settings.TIME_ZONE = zone
    entry = chart_at(course, clinician, at)
    exported = reverse("patients:answers_csv")
    assert all_open(auditor_client, [exported, reverse("patients:policy")])
    forms = [url("correct", course, entry.pk), url("retract", course, entry.pk)]
    assert all_open(nurse_client, [*every_page(course), *forms])


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
class TestAnEntryOfTheYear1:
    @pytest.fixture(autouse=True)
    def entry(
        self, as_owner: None, course: Course, clinician: User, settings: Any, zone: str
    ) -> Entry:
        settings.TIME_ZONE = zone
        return chart_at(course, clinician, YEAR_1)

    def test_is_retracted(self, nurse_client: Client, course: Course, entry: Entry) -> None:
        sent = {"form_id": str(uuid.uuid4()), "reason": "wrong time"}
        answer = nurse_client.post(url("retract", course, entry.pk), sent, **HTMX)
        assert answer.status_code == 200
        assert all_open(nurse_client, every_page(course))

    def test_is_corrected(self, nurse_client: Client, course: Course, entry: Entry) -> None:
        kept = send_correction(nurse_client, course, entry)
        assert kept.status_code == 422
        assert "The year 1 is too long ago" in kept.context["form"].errors["observed_date"][0]
        when = {"observed_date": "", "observed_time": "", "observed_which": ""}
        answer = send_correction(nurse_client, course, entry, **when)
        assert answer.status_code == 200
        assert all_open(nurse_client, every_page(course))

    def test_others_are_charted_on(
        self, nurse_client: Client, course: Course, clinician: User, entry: Entry
    ) -> None:
        chart(course, clinician, "vitals", temperature_c="38.5")
        assert all_open(nurse_client, every_page(course))


@pytest.mark.parametrize(("zone", "at"), IN_ZONES)
def test_an_infusion_at_the_end_of_the_calendar(
    nurse_client: Client, clinician: User, settings: Any, zone: str, at: datetime
) -> None:
    settings.TIME_ZONE = zone
    with constraints_of_before():
        course = admit(clinician, infused_at=at, weight_kg=None, age_years="54", birth_date=None)
    assert all_open(nurse_client, every_page(course))


def test_a_course_infused_in_the_year_1_can_end_and_nothing_else(
    nurse_client: Client, clinician: User, settings: Any
) -> None:
    settings.TIME_ZONE = "America/New_York"
    with constraints_of_before():
        course = admit(
            clinician, infused_at=YEAR_1, weight_kg=None, age_years="54", birth_date=None
        )
    for what, status in (("moved", 422), ("ended", 302), ("reopened", 422)):
        forms = nurse_client.get(url("transfer", course)).context["place_forms"]
        sent = {
            "what": what, "form_id": str(uuid.uuid4()), "seen": forms[0]["seen"].value(),
            "ward": "ICU", "bed": "3", "reason": "admitted twice", "step": "confirm",
        }  # fmt: skip
        assert nurse_client.post(url("transfer", course), sent).status_code == status
    assert all_open(nurse_client, every_page(course))


def test_a_course_infused_in_the_year_1_can_be_charted_by_taps_and_regraded(
    nurse_client: Client, administrator_client: Client, clinician: User, settings: Any
) -> None:
    settings.TIME_ZONE = "America/New_York"
    with constraints_of_before():
        course = admit(
            clinician, infused_at=YEAR_1, weight_kg=None, age_years="54", birth_date=None
        )
    tap = {"form_id": str(uuid.uuid4()), "reason_not_observed": "asleep"}
    assert nurse_client.post(url("not_observed", course), tap, **HTMX).status_code == 200
    refused = send(nurse_client, course, "vitals", temperature="38")
    assert refused.status_code == 422
    assert "more than 5 years after" in refused.content.decode()
    chosen = {"form_id": str(uuid.uuid4()), "reason": "agreed", "version": str(course.policy_id)}
    for step, status in (("preview", 200), ("confirm", 302)):
        answer = administrator_client.post(url("course_policy", course), chosen | {"step": step})
        assert answer.status_code == status
    assert all_open(nurse_client, every_page(course))
    call_command("verify_grades")


def test_an_infusion_in_the_year_1_is_put_right(nurse_client: Client, clinician: User) -> None:
    with constraints_of_before():
        course = admit(clinician, infused_at=YEAR_1, birth_date=None, age_years="54")
        end(course, clinician, course.admitted_at)
    day = timezone.localtime(ago(hours=30))
    typed = {
        "what": "infusion", "day": str(day.day), "month": str(day.month), "year": str(day.year),
        "infused_time": "10:00", "reason": "typing error", "form_id": str(uuid.uuid4()),
    }  # fmt: skip
    shown = nurse_client.post(url("identity", course), typed | {"step": "preview"})
    sent = {"step": "confirm", "compared": "yes", "seen": shown.context["seen"]}
    assert nurse_client.post(url("identity", course), typed | sent).status_code == 302
    course.refresh_from_db()
    assert timezone.localtime(course.infused_at).date() == day.date()
    call_command("verify_grades")


def test_an_entry_in_the_year_1_is_not_moved(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    entry = chart_at(course, clinician, YEAR_1)
    other = admit(clinician, product="another")
    page = nurse_client.get(url("move_entry", course, entry.pk), {"to": other.pk})
    assert page.status_code == 200
    assert page.context["check"].refusals
