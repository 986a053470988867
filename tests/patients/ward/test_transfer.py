"""A course moves to another ward or bed, ends and is reopened: by whom, when, from where."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.models import Course, Transfer
from patients.ward.transfer import location_token
from patients.ward.wards import rename_ward
from tests.entry_forms import url
from tests.factories import sending


def send(client: Client, course: Course, what: str, **fields: Any) -> Any:
    course.refresh_from_db()
    form = {
        "form_id": str(uuid.uuid4()),
        "what": what,
        "seen": location_token(course),
        "step": "confirm",
        **fields,
    }
    return client.post(reverse("patients:transfer", args=[course.pk]), form)


def test_a_move_is_recorded_and_shown(nurse_client: Client, nurse: User, course: Course) -> None:
    answer = send(nurse_client, course, "moved", ward="ICU", bed="3")
    assert answer.status_code == 302
    course.refresh_from_db()
    assert (course.ward, course.bed) == ("ICU", "3")
    moved = Transfer.objects.get()
    assert (moved.from_ward, moved.from_bed) == ("7B", "12")
    assert (moved.to_ward, moved.to_bed) == ("ICU", "3")
    assert moved.recorded_by == nurse
    page = nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode()
    assert "Moved from 7B 12 to ICU 3" in page
    address = reverse("patients:timeline", args=[course.pk])
    filtered = nurse_client.get(address, {"kind": "transfer"})
    assert "Moved from 7B 12 to ICU 3" in filtered.content.decode()


def test_a_course_leaves_the_board_and_comes_back(nurse_client: Client, course: Course) -> None:
    assert send(nurse_client, course, "ended", reason="Discharged home").status_code == 302
    assert course.patient.name not in nurse_client.get(reverse("patients:board")).content.decode()
    page = nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode()
    assert "Course closed (7B 12)" in page
    assert "Discharged home" in page
    assert send(nurse_client, course, "reopened", reason="Fever at home").status_code == 302
    assert course.patient.name in nurse_client.get(reverse("patients:board")).content.decode()


@pytest.mark.parametrize(
    ("what", "fields", "sentence"),
    [
        ("moved", {"ward": "", "bed": "3"}, "Enter the ward"),
        ("moved", {"ward": "7B", "bed": "12"}, "already in this bed"),
        ("moved", {"ward": "ICU", "observed_time": "25:00"}, "24-hour clock"),
        ("moved", {"ward": "x" * 61}, "at most 60"),
        ("ended", {}, "Enter the reason"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_typed(
    nurse_client: Client, course: Course, what: str, fields: dict[str, str], sentence: str
) -> None:
    answer = send(nurse_client, course, what, **fields)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert fields.get("bed", "") in answer.content.decode()
    assert not Transfer.objects.exists()


def test_a_time_before_the_infusion_is_refused(nurse_client: Client, course: Course) -> None:
    before = timezone.localtime(course.infused_at) - timedelta(days=1)
    answer = send(
        nurse_client, course, "moved", ward="ICU",
        observed_date=f"{before:%Y-%m-%d}", observed_time=f"{before:%H:%M}",
    )  # fmt: skip
    assert answer.status_code == 422
    assert "before the infusion" in answer.content.decode()


def test_the_second_of_two_moves_is_refused_with_the_first(
    nurse_client: Client, course: Course
) -> None:
    """Both saw bed 12; the first moved the patient to the ICU."""
    seen = location_token(course)
    send(nurse_client, course, "moved", ward="ICU", bed="3")
    answer = send(nurse_client, course, "moved", ward="7B", bed="14", seen=seen)
    assert answer.status_code == 409
    assert (
        "J. Ruiz moved the patient to ICU 3. Please check and try again." in answer.content.decode()
    )
    assert 'value="14"' in answer.content.decode(), "what was typed stays"
    course.refresh_from_db()
    assert course.bed == "3"
    again = answer.context["place_forms"][0]["seen"].value()
    assert send(nurse_client, course, "moved", ward="7B", bed="14", seen=again).status_code == 302


def test_a_ward_that_was_renamed_meanwhile_is_said_to_be(
    nurse_client: Client, administrator: User, course: Course
) -> None:
    """Nobody moved the patient; the reason that was typed stays, and is saved by the next press."""
    seen = location_token(course)
    rename_ward(course.on_ward, "8C", sending(administrator))
    typed = {"reason": "Discharged <home>", "step": "confirm"}
    answer = send(nurse_client, course, "ended", seen=seen, **typed)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Ward 7B is named 8C now. Please check and try again." in page
    assert 'value="Discharged &lt;home&gt;"' in page
    again = answer.context["place_forms"][1]["seen"].value()
    assert send(nurse_client, course, "ended", seen=again, **typed).status_code == 302


def test_a_form_sent_twice_moves_once(nurse_client: Client, course: Course) -> None:
    seen, form_id = location_token(course), str(uuid.uuid4())
    fields = {"ward": "ICU", "bed": "3", "seen": seen, "form_id": form_id}
    for _ in range(2):
        assert send(nurse_client, course, "moved", **fields).status_code == 302
    page = nurse_client.get(reverse("patients:bedside", args=[course.pk])).content.decode()
    assert page.count("Saved. Moved from") == 1
    assert send(nurse_client, course, "moved", **fields | {"bed": "4"}).status_code == 409
    assert Transfer.objects.count() == 1


def test_a_form_sent_again_with_another_time_is_refused_and_keeps_the_first(
    nurse_client: Client, course: Course
) -> None:
    there, earlier = (timezone.localtime(timezone.now() - timedelta(hours=h)) for h in (1, 2))
    once = {"reason": "Discharged", "form_id": str(uuid.uuid4()), "seen": location_token(course)}
    first, other = (
        once | {"observed_date": f"{at:%Y-%m-%d}", "observed_time": f"{at:%H:%M}"}
        for at in (there, earlier)
    )
    for _ in range(2):
        assert send(nurse_client, course, "ended", **first).status_code == 302
    answer = send(nurse_client, course, "ended", **other)
    assert answer.status_code == 409
    assert "You already sent this form with other contents." in answer.content.decode()
    assert Transfer.objects.get().at == there.replace(second=0, microsecond=0)


def test_an_ended_course_is_not_ended_twice(nurse_client: Client, course: Course) -> None:
    send(nurse_client, course, "ended", reason="Home")
    assert send(nurse_client, course, "ended", reason="Home").status_code == 409
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize(
    ("what", "button", "follows"),
    [
        ("ended", "End the course", "The patient leaves the ward board."),
        ("reopened", "Reopen this course", "The patient returns to the ward board."),
    ],
)
def test_an_end_and_a_reopening_are_asked_about_in_a_second_step(
    nurse_client: Client, nurse: User, course: Course, what: str, button: str, follows: str
) -> None:
    """It names the patient, the ward, the reason and what follows; nothing is stored before."""
    if what == "reopened":
        send(nurse_client, course, "ended", reason="Home")
    recorded = Transfer.objects.count()
    asked = send(nurse_client, course, what, reason="Fever <free>", step="")
    assert asked.status_code == 200
    page = asked.content.decode()
    for text in (f"{button}?", "MRN", course.patient.mrn, "7B 12", "Fever &lt;free&gt;", follows):
        assert text in page
    assert Transfer.objects.count() == recorded
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    address = reverse("patients:transfer", args=[course.pk])
    back = nurse_client.post(address, hidden | {"step": "edit", "reason": "Fever <free>"})
    assert back.status_code == 200
    assert 'value="Fever &lt;free&gt;"' in back.content.decode()
    assert Transfer.objects.count() == recorded
    sent = hidden | {"step": "confirm", "reason": "Fever <free>"}
    for _ in range(2):
        assert nurse_client.post(address, sent).status_code == 302
    assert Transfer.objects.count() == recorded + 1


@pytest.mark.parametrize("step", ["", "confirm"])
def test_an_end_after_someone_moved_the_patient_is_refused_at_either_step(
    nurse_client: Client, intensivist_client: Client, course: Course, step: str
) -> None:
    seen = location_token(course)
    send(intensivist_client, course, "moved", ward="ICU", bed="3")
    answer = send(nurse_client, course, "ended", reason="Home", seen=seen, step=step)
    assert answer.status_code == 409
    sentence = "A. Osei moved the patient to ICU 3. Please check and try again."
    assert sentence in answer.content.decode()
    course.refresh_from_db()
    assert course.ended_at is None


def test_who_closed_the_course_first_is_named(
    nurse_client: Client, intensivist_client: Client, course: Course
) -> None:
    send(intensivist_client, course, "ended", reason="Home")
    answer = send(nurse_client, course, "ended", reason="Home")
    assert answer.status_code == 409
    assert "A. Osei closed the course (7B 12)." in answer.content.decode()


def test_what_is_neither_a_move_nor_an_end_is_refused(nurse_client: Client, course: Course) -> None:
    assert send(nurse_client, course, "teleported", ward="ICU").status_code == 422
    assert not Transfer.objects.exists()


def test_the_form_of_another_user_is_not_answered_as_saved(
    nurse_client: Client, intensivist_client: Client, course: Course
) -> None:
    seen, form_id = location_token(course), str(uuid.uuid4())
    fields = {"ward": "ICU", "bed": "3", "seen": seen, "form_id": form_id}
    assert send(intensivist_client, course, "moved", **fields).status_code == 302
    answer = send(nurse_client, course, "moved", **fields)
    assert answer.status_code == 409
    assert "A. Osei already sent this form." in answer.content.decode()


def test_only_who_may_move_a_patient_sees_the_link(
    nurse_client: Client, auditor_client: Client, course: Course
) -> None:
    page, link = url("bedside", course), url("transfer", course)
    assert link in nurse_client.get(page).content.decode()
    shown = auditor_client.get(page).content.decode()
    assert link not in shown
    assert "7B 12" in shown


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM patients_transfer",
        "UPDATE patients_transfer SET to_bed = '9'",
        "TRUNCATE patients_transfer",
    ],
)
@pytest.mark.usefixtures("as_owner")
def test_the_database_keeps_what_was_moved(nurse_client: Client, course: Course, sql: str) -> None:
    send(nurse_client, course, "moved", ward="ICU", bed="3")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
