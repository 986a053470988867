"""The wall screen: initials, bed and grade without anybody signed in, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User, Ward
from crs_app.accounts.wards import set_wards
from crs_app.record.models import Event, EventKind
from patients.models import Course, WallScreen
from patients.ward.board import open_board_rows
from patients.ward.wall import initials_of, wall_of
from tests.factories import admit, ago, chart

pytestmark = pytest.mark.django_db
WALL, SCREENS = "/wall/", "/wall/screens/"
POLL: dict[str, Any] = {"headers": {"HX-Request": "true", "CRS-Poll": "yes"}}


@pytest.fixture
def screen(nurse_client: Client, course: Course) -> Client:
    """The browser of a wall screen of the course's ward, started by the nurse."""
    answer = nurse_client.post(SCREENS, {"wards": [course.on_ward_id]})
    assert (answer.status_code, answer["Location"]) == (302, WALL)
    return nurse_client


def test_a_screen_shows_the_wall_and_opens_nothing_else(
    screen: Client, course: Course, clinician: User
) -> None:
    admit(clinician, name="OTHER, Ward", ward="K4")
    page = screen.get(WALL)
    html = page.content.decode()
    assert page.status_code == 200
    assert [(tile.bed, tile.initials) for tile in page.context["wall"].tiles] == [("12", "O.A.")]
    for hidden in ("OKONKWO", "Ada", course.patient.mrn, "axicabtagene", str(course.pk), "O.W."):
        assert hidden not in html
    for address in ("/", SCREENS, f"/courses/{course.pk}/", f"/courses/{course.pk}/locked/"):
        answer = screen.get(address)
        assert answer.status_code == 302, address
        assert answer["Location"].startswith(reverse("accounts:sign_in"))


def test_the_screen_stays_for_90_days_and_not_for_a_sign_in(
    screen: Client, time_machine: Any
) -> None:
    start = timezone.now()
    for days, status in ((0.6, 200), (89.9, 200), (90.1, 302)):
        time_machine.move_to(start + timedelta(days=days))
        assert screen.get(WALL).status_code == status, days
    assert screen.get(WALL, **POLL).status_code == 401


def test_who_ended_and_who_started_a_screen_is_recorded(
    screen: Client, course: Course, administrator_client: Client, intensivist_client: Client
) -> None:
    started = Event.objects.get(kind=EventKind.WALL_STARTED)
    assert (started.by_name, started.details) == ("J. Ruiz", {"wards": course.ward})
    assert Event.objects.filter(kind=EventKind.SIGNED_OUT, by=started.by_id).exists()
    (row,) = administrator_client.get(SCREENS).context["screens"]
    end = reverse("patients:wall_end", args=[row[0].pk])
    assert administrator_client.post(SCREENS, {"wards": [course.on_ward_id]}).status_code == 403
    assert administrator_client.post(end).status_code == 302
    ended = Event.objects.get(kind=EventKind.WALL_ENDED)
    assert ended.details == {"wards": course.ward, "started by": "J. Ruiz"}
    assert screen.get(WALL, **POLL).status_code == 401
    assert screen.get(WALL).status_code == 302
    assert intensivist_client.post(end).status_code == 404, "it does not run any more"


def test_a_clinician_starts_and_ends_screens_of_own_wards_alone(
    nurse: User, nurse_client: Client, course: Course
) -> None:
    other = Ward.objects.create(name="K4")
    set_wards(nurse, [course.on_ward])
    refused = nurse_client.post(SCREENS, {"wards": [course.on_ward_id, other.pk]})
    assert refused.status_code == 422
    assert b"One of the wards is not one of yours. Choose again." in refused.content
    none = nurse_client.post(SCREENS, {})
    assert b"Choose the ward that this screen shows." in none.content
    assert not WallScreen.objects.exists()
    assert nurse_client.get("/").status_code == 200, "still signed in"


def test_a_wrong_or_strange_key_leads_to_the_sign_in(course: Course) -> None:
    for key in ("", "x" * 43, "é\ud800".encode("utf-8", "replace").decode(), "a" * 5000):
        stranger = Client()
        stranger.cookies["crs-wall"] = key
        assert stranger.get(WALL).status_code == 302
        assert stranger.get(WALL, **POLL).status_code == 401


def test_a_poll_answers_only_what_changed(
    screen: Client, course: Course, clinician: User, django_assert_num_queries: Any
) -> None:
    """The key, and one small statement."""
    seen = {"seen": screen.get(WALL).context["signature"]}
    with django_assert_num_queries(2):
        assert screen.get(WALL, seen, **POLL).status_code == 204
    chart(course, clinician, "vitals", temperature_c="39")
    answer = screen.get(WALL, seen, **POLL)
    assert answer.status_code == 200
    assert b"<!DOCTYPE" not in answer.content
    assert [tile.grade for tile in answer.context["wall"].tiles] == [1]


def test_the_numbers_are_those_of_the_board_in_order_of_bed(
    course: Course, clinician: User
) -> None:
    for bed, kind, body in (
        ("9", "oxygen", {"device": "venturi_mask", "fio2_percent": "50"}),
        ("30", "oxygen", {"device": "nasal_cannula"}),
        ("4", "vasopressor", {"drug": "norepinephrine", "rate": "22", "unit": "ug/min"}),
    ):
        chart(admit(clinician, name=f"NAME, {bed}", bed=bed), clinician, kind, ago(30), **body)
    now = timezone.now()
    shown = wall_of([course.on_ward_id], now)
    assert [tile.bed for tile in shown.tiles] == ["4", "9", "12", "30"]
    rows = {row.bed: row for row in open_board_rows(now)}
    for tile in shown.tiles:
        row = rows[tile.bed]
        assert (tile.grade, tile.at_most, tile.assessed) == (row.grade, row.at_most, row.assessed)
    assert [tile.rises_to for tile in shown.tiles] == [3, None, None, None]
    assert shown.counts == {
        "": 4, "severe": 1, "could_be_higher": 1, "late": 4, "rise": 1, "sign_off": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("OKONKWO, Ada", "O.A."),
        ("DE WITT, Joris Jan", "D.W.J."),
        ("Ψωμάς, Φώτης", "Ψ.Φ."),
        ("o'hara", "O."),
        ("12, 100%", "?"),
        ("محمد علي", "م.ع."),
    ],
)
def test_initials_are_the_first_letters_of_a_name(name: str, initials: str) -> None:
    assert initials_of(name) == initials


@pytest.mark.parametrize(("beds", "size"), [(20, "large"), (30, "medium"), (31, "small")])
def test_more_beds_have_smaller_tiles(beds: int, size: str, clinician: User) -> None:
    for bed in range(beds):
        last = admit(clinician, bed=str(bed), weight_kg=None)
    assert wall_of([last.on_ward_id], timezone.now()).size == size
