"""Opening a page is recorded with who and what; a poll, a swap and a save's answer are not."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.urls import get_resolver, reverse

from crs_app.accounts.models import User
from crs_app.record import downloads, middleware, write
from crs_app.record.models import MAIN_CHAIN, Event, EventKind
from crs_app.record.openings import OF_NO_PATIENT, OPENINGS
from patients.models import Course
from tests.entry_forms import HTMX, send
from tests.record.conftest import recorded

pytestmark = pytest.mark.django_db


def at(course: Course, name: str, *more: str) -> str:
    return reverse(f"patients:{name}", args=[course.pk, *more])


def test_every_address_of_chart_and_record_has_a_row() -> None:
    """A new one must say what is recorded of it."""
    resolvers: list[Any] = get_resolver().url_patterns
    named = {
        f"{one.namespace}:{entry.name}"
        for one in resolvers
        if getattr(one, "namespace", "") in ("patients", "record", "people")
        for entry in one.url_patterns
    }
    assert named == OPENINGS.keys() | OF_NO_PATIENT


def test_an_opened_chart_is_recorded_with_user_role_address_and_page(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    nurse_client.get(at(course, "bedside"), {"kind": "lab"}, REMOTE_ADDR="10.4.7.31")
    event = Event.objects.get(chain=course.pk)
    assert (event.kind, event.by, event.by_role) == ("view", nurse, "ward_clinician")
    assert (event.address, event.course_id) == ("10.4.7.31", course.pk)
    assert event.details == {"page": "chart", "kind": "lab"}


def test_an_address_behind_a_named_proxy_is_that_of_the_client(
    nurse_client: Client, course: Course, settings: Any
) -> None:
    settings.BEHIND_PROXY = True
    nurse_client.get(at(course, "bedside"), headers={"X-Forwarded-For": "1.2.3.4, 10.4.7.31"})
    assert Event.objects.get(chain=course.pk).address == "10.4.7.31"


@pytest.mark.parametrize(
    "name",
    ["bedside", "review", "instant", "flowsheet", "timeline", "identity", "sign_off", "transfer"],
)
def test_each_page_of_a_course_is_recorded_each_time(
    intensivist_client: Client, course: Course, name: str
) -> None:
    for _ in range(2):
        assert intensivist_client.get(at(course, name)).status_code == 200
    assert [event.details["page"] for event in recorded(course)] == [
        OPENINGS[f"patients:{name}"].shows
    ] * 2


def test_polls_swaps_and_saves_on_an_open_page_are_not_recorded(
    nurse_client: Client, course: Course
) -> None:
    nurse_client.get(at(course, "bedside"))
    parts = ("live", "timeline", "last_day", "timeline_table", "sign_off", "review_cursor")
    for name in (*parts, "kept_forms"):
        nurse_client.get(at(course, name), **HTMX)
    nurse_client.get(at(course, "entries", "lab"), **HTMX)
    nurse_client.get(at(course, "review_latest"), {"since": "2026-01-01T00:00:00Z"})
    nurse_client.get(at(course, "review_series"))
    assert b"message-saved" in send(nurse_client, course, "vitals", heart_rate="90").content
    refused = nurse_client.post(at(course, "entries", "vitals"), {"form_id": uuid.uuid4()}, **HTMX)
    assert refused.status_code == 422
    nurse_client.head(at(course, "bedside"))
    assert len(recorded(course)) == 1


@pytest.mark.parametrize("name", ["live", "timeline", "last_day", "review_cursor", "review_series"])
def test_a_part_of_a_page_that_was_not_opened_is_recorded(
    nurse_client: Client, course: Course, name: str
) -> None:
    """A header that anybody can send hides nothing."""
    nurse_client.get(at(course, name), headers={"HX-Request": "true", "CRS-Poll": "yes"})
    assert len(recorded(course)) == 1


@pytest.mark.parametrize("name", ["record:course", "record:course_csv", "patients:course_policy"])
def test_who_has_read_about_a_patient_elsewhere_has_not_opened_the_chart(
    auditor_client: Client, course: Course, name: str
) -> None:
    """Else a chart could be read part by part after *who looked at this patient*."""
    auditor_client.get(reverse(name, args=[course.pk]))
    before = len(recorded(course))
    for part in ("live", "timeline", "timeline"):
        assert auditor_client.get(at(course, part), **HTMX).status_code == 200
    assert [event.details["page"] for event in recorded(course)[before:]] == ["chart"]


def test_a_part_of_a_page_without_a_course_is_recorded_where_another_page_was_opened(
    nurse_client: Client, administrator_client: Client, nurse: User, administrator: User
) -> None:
    """The board after the sources, the week of one user after the page of another."""

    def pages_recorded(client: Client, *paths: str) -> list[str]:
        of_no_course = Event.objects.filter(chain=MAIN_CHAIN).order_by("number")
        before = of_no_course.count()
        for path in paths:
            assert client.get(path, **HTMX).status_code == 200
        return [event.details["page"] for event in of_no_course[before:]]

    board, week = reverse("patients:board"), reverse("record:person_week", args=[nurse.pk])
    nurse_client.get(reverse("patients:sources"))
    assert pages_recorded(nurse_client, board, board) == ["ward board"]
    administrator_client.get(reverse("people:person", args=[administrator.pk]))
    assert pages_recorded(administrator_client, week) == ["what a person did in 7 days"]
    administrator_client.get(reverse("people:person", args=[nurse.pk]))
    assert pages_recorded(administrator_client, week, week) == []


def test_what_another_user_or_session_has_opened_does_not_count(
    nurse_client: Client, intensivist: User, course: Course
) -> None:
    nurse_client.get(at(course, "bedside"))
    other = Client()
    other.cookies.load(
        {name: one.value for name, one in nurse_client.cookies.items() if "opened" in name}
    )
    other.force_login(intensivist)
    other.get(at(course, "live"), **HTMX)
    assert [event.by_name for event in recorded(course)] == ["J. Ruiz", "A. Osei"]


def test_a_refused_form_that_shows_the_whole_page_is_recorded_where_nobody_opened_it(
    nurse_client: Client, course: Course
) -> None:
    nurse_client.post(at(course, "entries", "vitals"), {"form_id": uuid.uuid4()})
    assert len(recorded(course)) == 1
    nurse_client.post(at(course, "entries", "vitals"), {"form_id": uuid.uuid4()})
    assert len(recorded(course)) == 1


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("entries", ["vitals"]),
        ("not_observed", []),
        ("guidance_action", []),
        ("guidance_answer", ["icu.one_to_one", "done"]),
    ],
)
def test_a_refused_form_that_shows_a_part_is_recorded_where_nobody_opened_the_page(
    nurse_client: Client, course: Course, name: str, more: list[str]
) -> None:
    """It has the name and the last values of the patient; else they could be read by it unseen."""
    for _ in range(2):
        sent = nurse_client.post(at(course, name, *more), {"form_id": "none"}, **HTMX)
        assert sent.status_code in (409, 422)
        assert not sent.content.startswith(b"<!DOCTYPE html>")
        (event,) = recorded(course)
        assert event.details["page"] == OPENINGS[f"patients:{name}"].shows


def test_the_page_of_the_policy_names_courses_and_is_recorded(
    auditor_client: Client, course: Course
) -> None:
    assert course.patient.mrn in auditor_client.get(reverse("patients:policy")).content.decode()
    event = Event.objects.get(by_role="auditor")
    assert (event.kind, event.details["page"]) == ("view", OPENINGS["patients:policy"].shows)


def test_the_board_is_one_record_with_its_filter_and_a_search_is_a_search(
    nurse_client: Client, course: Course
) -> None:
    board = reverse("patients:board")
    seen = nurse_client.get(board, {"ward": "7B"}).context["signature"]
    assert nurse_client.get(board, {"ward": "7B", "seen": seen}, **HTMX).status_code == 204
    assert nurse_client.get(board, {"ward": "7B", "seen": "old"}, **HTMX).status_code == 200
    nurse_client.get(board, {"q": "okon"}, **HTMX)
    nurse_client.get(board, {"q": "okon", "seen": "old"}, **HTMX)
    events = Event.objects.filter(chain=MAIN_CHAIN, by__isnull=False).order_by("number")
    assert [(event.kind, event.details) for event in events] == [
        ("view", {"page": "ward board", "ward": "7B"}),
        ("search", {"page": "ward board", "q": "okon"}),
    ]


@pytest.mark.parametrize(
    ("name", "asked"), [("disagreements_csv", {}), ("answers_csv", {"course": "x"})]
)
def test_downloads_are_exports(
    auditor_client: Client, course: Course, name: str, asked: dict[str, str]
) -> None:
    asked = {key: str(course.pk) for key in asked}
    auditor_client.get(reverse(f"patients:{name}"), asked)
    (event,) = Event.objects.filter(kind="export")
    assert event.by_name == "M. Ito"
    assert asked.items() <= event.details.items()


def test_the_grade_as_json_is_an_export_also_for_a_page_that_is_open(
    nurse_client: Client, course: Course
) -> None:
    nurse_client.get(at(course, "bedside"))
    nurse_client.get(at(course, "state"))
    assert [event.kind for event in recorded(course)] == ["view", "export"]


def test_a_page_that_is_printed_is_recorded_with_its_patient(
    nurse_client: Client, course: Course
) -> None:
    printed = reverse("record:printed")
    for path in (at(course, "flowsheet"), "/", "/accounts/sign-in/"):
        assert nurse_client.post(printed, {"path": path}, **HTMX).status_code == 204
    assert nurse_client.post(printed, {"path": "/nowhere/"}).status_code == 404
    assert nurse_client.post(printed).status_code == 404
    assert [(event.kind, event.details) for event in recorded(course)] == [
        ("print", {"page": "flowsheet"})
    ]
    assert Event.objects.filter(kind="print").count() == 2


def test_a_print_of_what_is_read_about_a_patient_or_a_person_is_recorded_too(
    administrator_client: Client, nurse: User, course: Course
) -> None:
    printed = reverse("record:printed")
    about = ("record:course", "patients:course_policy")
    paths = [reverse(name, args=[course.pk]) for name in about]
    for path in (*paths, reverse("record:person", args=[nurse.pk])):
        assert administrator_client.post(printed, {"path": path}).status_code == 204
    nowhere = reverse("record:course", args=[uuid.uuid4()])
    assert administrator_client.post(printed, {"path": nowhere}).status_code == 404
    shown = ["who looked at this patient", "policy of the course"]
    assert [(event.kind, event.details) for event in recorded(course)] == [
        ("print", {"page": page}) for page in shown
    ]
    last = Event.objects.filter(chain=MAIN_CHAIN).latest("number")
    assert last.details == {"page": "what a person did", "user_id": str(nurse.pk)}


def test_what_a_role_is_refused_is_recorded(auditor_client: Client, course: Course) -> None:
    assert auditor_client.get(at(course, "transfer")).status_code == 403
    assert [event.kind for event in recorded(course)] == ["refused"]


def test_nothing_is_recorded_where_nothing_is_shown(client: Client, nurse_client: Client) -> None:
    before = Event.objects.count()
    assert client.get(reverse("patients:board")).status_code == 302
    assert nurse_client.get(f"/courses/{uuid.uuid4()}/").status_code == 404
    assert nurse_client.post(reverse("patients:board")).status_code == 405
    assert Event.objects.count() == before


def test_what_cannot_be_recorded_is_not_shown(
    nurse_client: Client, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: Any, **_named: Any) -> None:
        raise DatabaseError("full")

    monkeypatch.setattr(middleware, "record_event", fails)
    nurse_client.raise_request_exception = False
    answer = nurse_client.get(at(course, "bedside"))
    assert answer.status_code == 500
    assert course.patient.name not in answer.content.decode()


def test_the_cookie_of_an_opened_page_goes_to_its_course_alone_and_not_to_scripts(
    nurse_client: Client, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SESSION_COOKIE_SECURE", True)
    cookies = nurse_client.get(at(course, "bedside")).cookies
    cookie = cookies[f"__Secure-crs-opened-{course.pk.hex}"]
    assert cookie["path"] == f"/courses/{course.pk}/"
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Strict")


def test_sixty_downloads_in_an_hour_and_no_more(
    intensivist_client: Client,
    intensivist: User,
    course: Course,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Charts open as before, and the refusal is recorded; a grade as JSON is no file."""
    file, state = reverse("patients:answers_csv"), at(course, "state")
    for page in ["answers to guidance (CSV)"] * 59 + ["grade (JSON)"] * 5:
        write.record_event(EventKind.EXPORT, by=intensivist, details={"page": page})
    assert intensivist_client.get(file).status_code == 200
    refused = intensivist_client.get(file)
    assert refused.status_code == 429
    assert "You have downloaded 60 files within an hour." in refused.content.decode()
    assert intensivist_client.post(at(course, "export_course")).status_code == 429
    last = recorded(course)[-1]
    assert (last.kind, last.by, last.details["page"]) == ("refused", intensivist, "download")
    for path in (at(course, "export_course"), at(course, "bedside"), state):
        assert intensivist_client.get(path).status_code == 200

    assert timedelta(hours=1) == downloads.WINDOW
    monkeypatch.setattr(downloads, "WINDOW", timedelta(0))  # as when it has passed
    assert intensivist_client.get(file).status_code == 200
