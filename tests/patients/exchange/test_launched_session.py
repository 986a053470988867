"""A launched session: one patient, an end of its own, frames only where registered."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as site
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from crs_app.accounts.models import TabletSignIn, User
from crs_app.record.models import Event, EventKind
from patients.exchange.smart.issuers import name_identity, switch_issuer
from patients.models import Course, Entry, LaunchIssuer
from tests.entry_forms import HTMX, send
from tests.factories import admit
from tests.health_record import MRN_SYSTEM, FakeRecord
from tests.patients.exchange.launching import SUBJECT, bedside, launch, register
from tests.received import a_system, monitor_set

FRAMED = {"Sec-Fetch-Dest": "iframe"}
EHR = "https://ehr.example"
LINK = re.compile(r'\s(?:href|hx-get)="(/(?!static/)[^"]*)"')


@pytest.fixture
def other(clinician: User) -> Course:
    return admit(clinician, name="LINDQVIST, Per")


@pytest.fixture
def launched(record: FakeRecord, course: Course) -> Client:
    client = Client()
    launch(client, record)
    return client


def open_in_record(record: FakeRecord, course: Course) -> None:
    record.patient = {"identifier": [{"system": MRN_SYSTEM, "value": course.patient.mrn}]}


def test_nothing_but_its_patient_opens(launched: Client, course: Course, other: Course) -> None:
    for address in ("/", "/find/", "/wards/", "/accounts/me/", "/people/", bedside(other),
                    f"{bedside(other)}review/", f"{bedside(course)}join/", "/accounts/switch/",
                    "/courses/admit/", "/reviews/", "/policy/", "/record/"):  # fmt: skip
        answer = launched.get(address)
        assert answer.status_code == 403, address
        assert "LINDQVIST" not in answer.content.decode()
    for part in ("", "review/", "flowsheet/", "handover/", "timeline/", "live/", "summary/"):
        assert launched.get(f"{bedside(course)}{part}").status_code == 200, part


def test_no_page_links_to_what_a_launched_session_refuses(
    record: FakeRecord, grade_3: Course, intensivist: User, administrator: User
) -> None:
    """Every page that its links lead to, one of each address."""
    register(record, administrator)
    open_in_record(record, grade_3)
    name_identity(record.iss, SUBJECT, intensivist, administrator, timezone.now())
    client = Client()
    waiting, opened = [launch(client, record)["Location"]], set()
    refused = []
    while waiting:
        address = waiting.pop()
        answer = client.get(address)
        if answer.status_code == 403:
            refused.append(address)
        if answer.streaming or "html" not in answer["Content-Type"]:
            continue
        for link in map(unescape, LINK.findall(answer.content.decode())):
            name = resolve(urlsplit(link).path).view_name
            if name not in opened:
                opened.add(name)
                waiting.append(link)
    assert {"patients:correct", "patients:identity", "patients:sign_off"} <= opened
    assert refused == []


def test_charting_what_is_held_leads_back_to_the_chart(launched: Client, course: Course) -> None:
    (item,) = monitor_set(a_system(), course, heart_rate="112")
    sent = {"form_id": str(uuid4()), "item": str(item.pk)}
    answer = launched.post(f"{bedside(course)}received/chart/", sent)
    assert (answer.status_code, answer["Location"]) == (302, bedside(course))
    sent["form_id"] = str(uuid4())
    gone = launched.post(f"{bedside(course)}received/chart/", sent, **HTMX)
    assert "already saved this" in gone.content.decode()
    assert "/inbox/" not in gone.content.decode()


def test_the_sources_of_a_grade_open_for_its_patient_alone(
    launched: Client, course: Course, other: Course
) -> None:
    page = launched.get(bedside(course)).content.decode()
    named = f"/sources/?course={course.pk}"
    assert f'"{named}"' in page
    for address in (named, "/sources/", "/roles/"):
        assert launched.get(address).status_code == 200, address
    for wrong in (str(other.pk), other.pk.hex, f"{course.pk}&course={other.pk}"):
        answer = launched.get(f"/sources/?course={wrong}")
        assert answer.status_code == 403
        assert "LINDQVIST" not in answer.content.decode()


def test_a_form_is_saved_for_its_patient(launched: Client, course: Course) -> None:
    answer = send(launched, course, "vitals", temperature="36.9")
    assert answer.status_code == 200, answer.content.decode()
    assert Entry.objects.filter(course=course, kind="vitals").count() == 1


def test_after_a_second_launch_the_forms_of_the_first_page_refuse(
    launched: Client,
    record: FakeRecord,
    course: Course,
    other: Course,
) -> None:
    open_in_record(record, other)
    assert launch(launched, record)["Location"] == bedside(other)
    answer = send(launched, course, "vitals", temperature="36.9")
    assert answer.status_code == 403
    assert "Another patient was opened" in answer.content.decode()
    assert launched.get(f"{bedside(course)}live/", **HTMX).status_code == 403
    assert not Entry.objects.filter(course=course, kind="vitals").exists()
    assert launched.get(bedside(other)).status_code == 200


def test_it_ends_after_15_minutes_without_an_act(launched: Client, course: Course) -> None:
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=14)):
        assert launched.get(bedside(course)).status_code == 200
    with time_machine.travel(now + timedelta(minutes=28)):
        assert launched.get(bedside(course)).status_code == 200
        assert launched.get(f"{bedside(course)}live/", **HTMX).status_code == 200
    with time_machine.travel(now + timedelta(minutes=44)):
        answer = launched.get(bedside(course))
        assert (answer.status_code, answer["Location"]) == (302, "/smart/ended")
        assert launched.get("/smart/ended").status_code == 200
        assert launched.get(bedside(course))["Location"].startswith("/accounts/sign-in/")


def test_it_ends_12_hours_after_its_launch(launched: Client, course: Course) -> None:
    now = timezone.now()
    launched.get(bedside(course))
    for minutes in range(10, 12 * 60, 10):
        with time_machine.travel(now + timedelta(minutes=minutes)):
            launched.post("/accounts/active/")
    with time_machine.travel(now + timedelta(hours=12, seconds=5)):
        answer = launched.get(bedside(course))
        assert (answer.status_code, answer["Location"]) == (302, "/smart/ended")


def test_a_launch_ends_the_session_of_whoever_was_signed_in(
    intensivist_client: Client,
    record: FakeRecord,
    course: Course,
) -> None:
    before = intensivist_client.session.session_key
    launch(intensivist_client, record)
    assert intensivist_client.session.session_key != before
    assert intensivist_client.get("/").status_code == 403
    assert intensivist_client.get(bedside(course)).wsgi_request.user.username == "nurse"


def test_the_browser_becomes_no_tablet_of_the_user(launched: Client) -> None:
    assert not TabletSignIn.objects.exists()
    assert site.TABLET_COOKIE_NAME not in launched.cookies


def test_a_sign_in_with_a_password_begins_a_session_without_the_bond(
    launched: Client, nurse: User
) -> None:
    assert launched.post("/accounts/sign-out/")["Location"] == "/smart/ended"
    launched.post("/accounts/sign-in/", {"username": "nurse", "password": "correct horse 1"})
    assert launched.get("/").status_code == 200


def test_in_a_tab_no_page_is_framed(launched: Client, course: Course) -> None:
    answer = launched.get(bedside(course))
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert launched.cookies[site.SESSION_COOKIE_NAME]["samesite"] == "Lax"


def test_a_frame_that_is_not_registered_gets_pages_that_no_frame_shows(
    record: FakeRecord,
    course: Course,
) -> None:
    client = Client()
    answer = launch(client, record, **FRAMED)
    for page in (answer, client.get(bedside(course), headers=FRAMED)):
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert page["X-Frame-Options"] == "DENY"
    assert client.cookies[site.SESSION_COOKIE_NAME]["samesite"] == "Lax"


def test_a_registered_page_frames_the_launched_session_alone(
    record: FakeRecord,
    course: Course,
    administrator: User,
    nurse_client: Client,
) -> None:
    register(record, administrator, frame_origins=(EHR, "https://portal.example"))
    client = Client()
    answer = launch(client, record, **FRAMED)
    for page in (answer, client.get(bedside(course)), client.get("/")):
        policy = page["Content-Security-Policy"]
        assert f"frame-ancestors {EHR} https://portal.example" in policy
        assert "X-Frame-Options" not in page
    (begun,) = [name for name in client.cookies if name.startswith("crs-launch-")]
    for name in (begun, site.SESSION_COOKIE_NAME, site.CSRF_COOKIE_NAME):
        sent = client.cookies[name].OutputString()
        assert "SameSite=None; Partitioned" in sent
        assert "Secure" in sent
    elsewhere = nurse_client.get("/", headers=FRAMED)
    assert "frame-ancestors 'none'" in elsewhere["Content-Security-Policy"]
    assert elsewhere["X-Frame-Options"] == "DENY"
    tab: Any = Client()
    assert "frame-ancestors 'none'" in launch(tab, record)["Content-Security-Policy"]


def test_the_frame_of_an_ended_session_says_so(
    record: FakeRecord, course: Course, administrator: User
) -> None:
    """Also where the session has ended by a poll of the page, and nothing of it is known."""
    address, unframed = "/smart/ended", "frame-ancestors 'none'"
    client = Client()
    assert unframed in client.get(address, headers=FRAMED)["Content-Security-Policy"]
    register(record, administrator, frame_origins=(EHR,))
    launch(client, record, **FRAMED)
    client.get(bedside(course), headers=FRAMED)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        poll = client.get(f"{bedside(course)}live/", HTTP_CRS_POLL="1", **HTMX)
        assert poll.status_code == 401
        assert client.get(bedside(course), headers=FRAMED)["Location"] == address
        ended = client.get(address, headers=FRAMED)
        assert f"frame-ancestors {EHR};" in f"{ended['Content-Security-Policy']};"
        assert "X-Frame-Options" not in ended
        assert "Open the patient again" in ended.content.decode()
    assert unframed in client.get(address)["Content-Security-Policy"]
    sign_in = client.get("/accounts/sign-in/", headers=FRAMED)
    assert unframed in sign_in["Content-Security-Policy"]
    switch_issuer(LaunchIssuer.objects.latest("pk"), administrator, timezone.now(), is_active=False)
    assert unframed in client.get(address, headers=FRAMED)["Content-Security-Policy"]


def test_it_records_no_print_of_another_patient(
    launched: Client, course: Course, other: Course
) -> None:
    sent = launched.post("/record/printed/", {"path": bedside(other)})
    assert sent.status_code == 403
    assert not Event.objects.filter(kind=EventKind.PRINT).exists()
    assert launched.post("/record/printed/", {"path": bedside(course)}).status_code == 204
