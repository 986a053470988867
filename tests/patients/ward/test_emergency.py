"""A patient of another ward opens after a reason, for four hours, and everybody can see who did."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import Role, User, Ward
from crs_app.accounts.wards import set_wards
from crs_app.record.models import Event, EventKind
from patients.models import Course, EmergencyAccess, Transfer
from patients.ward import emergency
from tests.entry_forms import HTMX, send, vitals
from tests.factories import admit, chart

pytestmark = pytest.mark.django_db


def url(name: str, course: Course, *arguments: Any) -> str:
    return reverse(f"patients:{name}", args=[course.pk, *arguments])


def give_reason(client: Client, course: Course, **changes: str) -> Any:
    """What the form sends, with an emergency as the reason."""
    sent = {"form_id": str(uuid.uuid4()), "reason": "called", "words": "cardiac arrest call"}
    return client.post(url("emergency_access", course), sent | changes)


@pytest.fixture
def other_ward(course: Course, nurse: User) -> Course:
    """The course, with the nurse on another ward than it."""
    set_wards(nurse, [Ward.objects.create(name="K4")])
    return course


def test_the_question_says_who_and_where_and_nothing_of_the_chart(
    nurse_client: Client, other_ward: Course, clinician: User
) -> None:
    chart(other_ward, clinician, "vitals", temperature_c="39.7")
    chart(other_ward, clinician, "oxygen", device="cpap", fio2_percent="60")
    answer = nurse_client.get(url("bedside", other_ward), follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[0][0].startswith(url("emergency_access", other_ward))
    for shown in (other_ward.patient.name, other_ward.patient.mrn, "ward 7B", "bed 12"):
        assert shown in page
    for of_the_chart in (other_ward.product, "39.7", "Grade", "CPAP", "1970", "data-grade"):
        assert of_the_chart not in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reason": ""}, "Choose one of the reasons."),
        ({"reason": "curious"}, "Choose one of the reasons that are listed."),
        ({"words": "  "}, "Say in a few words what happened"),
        ({"words": "x" * 301}, "300"),
    ],
)
def test_no_reason_no_chart_and_what_was_typed_stays(
    nurse_client: Client, other_ward: Course, changes: dict[str, str], sentence: str
) -> None:
    answer = give_reason(nurse_client, other_ward, **changes)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    if "reason" in changes:
        assert "cardiac arrest call" in answer.content.decode()
    assert not EmergencyAccess.objects.exists()
    assert nurse_client.get(url("bedside", other_ward)).status_code == 302


def test_a_reason_opens_the_page_that_was_asked_for(
    nurse_client: Client, other_ward: Course
) -> None:
    asked = nurse_client.get(url("flowsheet", other_ward) + "?bin=4")
    question = nurse_client.get(asked["Location"])
    answer = give_reason(nurse_client, other_ward, next=question.context["next"])
    assert answer["Location"] == url("flowsheet", other_ward) + "?bin=4"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/policy/", "\\"])
def test_a_reason_leads_to_no_other_page(
    nurse_client: Client, other_ward: Course, elsewhere: str
) -> None:
    answer = give_reason(nurse_client, other_ward, next=elsewhere)
    assert answer["Location"] == url("bedside", other_ward)


def test_it_lasts_four_hours_and_no_longer(
    nurse_client: Client, nurse: User, other_ward: Course
) -> None:
    give_reason(nurse_client, other_ward)
    access = EmergencyAccess.objects.get()
    assert access.until - access.recorded_at == timedelta(hours=4)
    assert b"Emergency access until" in nurse_client.get(url("bedside", other_ward)).content
    with time_machine.travel(access.until - timedelta(seconds=1), tick=False):
        nurse_client.logout()
        nurse_client.force_login(nurse)
        assert nurse_client.get(url("live", other_ward), **HTMX).status_code == 200
    with time_machine.travel(access.until, tick=False):
        assert nurse_client.get(url("live", other_ward), **HTMX).status_code == 403
        refused = nurse_client.post(url("entries", other_ward, "vitals"), vitals(temperature="39"))
        assert refused.status_code == 403
        assert b"not on one of your wards" in refused.content


def test_it_opens_one_patient_for_one_user(
    nurse_client: Client, other_ward: Course, clinician: User
) -> None:
    """Another course of the patient opens with it; another patient and another user do not."""
    again = admit(
        clinician, mrn=other_ward.patient.mrn, name=other_ward.patient.name, product="a second"
    )
    neighbour = admit(clinician, name="WEBER, Luca")
    colleague = User.objects.create_user("colleague", role=Role.WARD_CLINICIAN)
    set_wards(colleague, [])
    give_reason(nurse_client, other_ward)
    assert nurse_client.get(url("bedside", again)).status_code == 200
    assert nurse_client.get(url("bedside", neighbour)).status_code == 302
    client = Client()
    client.force_login(colleague)
    assert client.get(url("bedside", other_ward)).status_code == 302


def test_every_act_is_marked_in_the_timeline(nurse_client: Client, other_ward: Course) -> None:
    give_reason(nurse_client, other_ward)
    saved = send(nurse_client, other_ward, "vitals", temperature="38.6")
    assert "emergency access" in saved.content.decode()
    entry = other_ward.entries.get(kind="vitals")
    correction = vitals(temperature="38.4", reason="misread")
    assert nurse_client.post(url("correct", other_ward, entry.pk), correction).status_code == 302
    moved = {"what": "moved", "ward": "7B", "bed": "14", "form_id": str(uuid.uuid4())}
    seen = nurse_client.get(url("transfer", other_ward)).context["place_forms"][0]["seen"].value()
    assert nurse_client.post(url("transfer", other_ward), moved | {"seen": seen}).status_code == 302
    rows = nurse_client.get(url("bedside", other_ward)).context["timeline"].rows
    assert {row.kind: row.by_emergency for row in rows} == {
        "vitals": True, "transfer": True, "weight": False, "baseline": False, "grade_change": False,
    }  # fmt: skip
    retraction = {"reason": "another patient", "form_id": str(uuid.uuid4())}
    latest = other_ward.entries.latest("recorded_at")
    assert nurse_client.post(url("retract", other_ward, latest.pk), retraction).status_code == 302
    assert other_ward.acts.latest("recorded_at").answers["by_emergency_access"] is True
    assert Transfer.objects.get().by_emergency


def test_an_act_on_an_own_ward_is_not_marked(nurse_client: Client, course: Course) -> None:
    assert b"emergency access" not in send(nurse_client, course, "vitals", temperature="39").content


def test_administrators_see_it_at_once(
    nurse_client: Client, administrator_client: Client, other_ward: Course
) -> None:
    give_reason(nurse_client, other_ward)
    page = administrator_client.get(reverse("patients:emergencies")).content.decode()
    for shown in ("J. Ruiz", other_ward.patient.name, other_ward.patient.mrn, "7B 12"):
        assert shown in page
    assert "cardiac arrest call" in page
    assert other_ward.product not in page
    event = Event.objects.get(kind=EventKind.EMERGENCY_ACCESS)
    assert event.course_id == other_ward.pk
    assert event.purpose.endswith("cardiac arrest call")
    nurse_client.get(url("bedside", other_ward))
    assert Event.objects.filter(kind=EventKind.VIEW, purpose="emergency access").exists()


def test_the_same_form_twice_is_one_access(nurse_client: Client, other_ward: Course) -> None:
    form_id = str(uuid.uuid4())
    for _ in range(2):
        assert give_reason(nurse_client, other_ward, form_id=form_id).status_code == 302
    assert EmergencyAccess.objects.count() == 1


def test_the_form_of_another_patient_opens_nothing(
    nurse_client: Client, other_ward: Course, clinician: User
) -> None:
    neighbour = admit(clinician, name="WEBER, Luca")
    form_id = str(uuid.uuid4())
    give_reason(nurse_client, other_ward, form_id=form_id)
    answer = give_reason(nurse_client, neighbour, form_id=form_id)
    assert answer.status_code == 422
    assert "This form was used before, for another patient." in answer.content.decode()
    assert nurse_client.get(url("bedside", neighbour)).status_code == 302


def test_the_same_form_twice_at_once_is_one_access(
    nurse: User, other_ward: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request looked before the first one had stored its row."""
    asked = emergency.AskedAccess("called", "cardiac arrest call", uuid.uuid4())
    first = emergency.open_with_reason(other_ward, asked, nurse)
    found = EmergencyAccess.objects.filter
    answers = [lambda **_of: EmergencyAccess.objects.none()]
    monkeypatch.setattr(
        EmergencyAccess.objects, "filter", lambda **of: (answers.pop() if answers else found)(**of)
    )
    assert emergency.open_with_reason(other_ward, asked, nurse) == first
    assert EmergencyAccess.objects.count() == 1


def test_a_reviewer_reads_every_ward_and_enters_after_a_reason(
    intensivist: User, intensivist_client: Client, course: Course
) -> None:
    set_wards(intensivist, [])
    page = intensivist_client.get(url("bedside", course))
    assert b"To enter values, say why" in page.content
    assert page.context["can_chart"] is False
    assert page.context["can_answer"] is True
    asks = intensivist_client.get(url("emergency_access", course)).content
    assert b"Enter values for 4 hours" in asks
    assert give_reason(intensivist_client, course).status_code == 302
    assert send(intensivist_client, course, "vitals", temperature="39").status_code == 200


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE patients_emergencyaccess SET until = until + interval '1 hour'",
        "DELETE FROM patients_emergencyaccess",
        "TRUNCATE patients_emergencyaccess",
    ],
)
def test_the_database_keeps_it_as_it_was(
    nurse_client: Client, other_ward: Course, as_owner: None, statement: str
) -> None:
    give_reason(nurse_client, other_ward)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        connection.cursor().execute(f"SET CONSTRAINTS ALL IMMEDIATE; {statement}")


def test_a_move_to_another_ward_ends_the_own_right(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    set_wards(nurse, [course.on_ward])
    Ward.objects.create(name="ICU B")
    seen = nurse_client.get(url("transfer", course)).context["place_forms"][0]["seen"].value()
    moved = {"what": "moved", "ward": "icu b", "bed": "3", "form_id": str(uuid.uuid4())}
    answer = nurse_client.post(url("transfer", course), moved | {"seen": seen}, follow=True)
    assert answer.redirect_chain[-1][0] == reverse("patients:board")
    assert "Moved from 7B 12 to ICU B 3" in answer.content.decode()
    assert nurse_client.get(url("bedside", course)).status_code == 302


class TestFind:
    def test_finds_on_all_wards_and_shows_who_and_where_alone(
        self, nurse_client: Client, other_ward: Course
    ) -> None:
        page = nurse_client.get(reverse("patients:find"), {"q": "okonkwo"}).content.decode()
        assert other_ward.patient.mrn in page
        assert url("emergency_access", other_ward) in page
        assert other_ward.product not in page
        assert Event.objects.get(kind=EventKind.SEARCH).details["q"] == "okonkwo"

    def test_asks_for_two_letters(self, nurse_client: Client, other_ward: Course) -> None:
        page = nurse_client.get(reverse("patients:find"), {"q": "o"}).content.decode()
        assert "at least 2 letters" in page
        assert other_ward.patient.mrn not in page

    def test_an_administrator_begins_with_users_from_where_it_is_one_step_away(
        self, administrator_client: Client
    ) -> None:
        first = administrator_client.get(reverse("patients:board"), follow=True)
        assert first.redirect_chain == [(reverse("people:list"), 302)]
        assert f'href="{reverse("patients:find")}"' in first.content.decode()

    def test_leads_an_administrator_to_what_is_decided(
        self, administrator_client: Client, course: Course
    ) -> None:
        page = administrator_client.get(reverse("patients:find"), {"q": "okonkwo"})
        assert url("join", course) in page.content.decode()
        chart = f'href="{url("bedside", course)}"'
        assert chart not in page.content.decode()
        for name in ("join", "course_policy"):
            assert chart not in administrator_client.get(url(name, course)).content.decode()


class TestListsAreOfOwnWards:
    def test_board_and_search(
        self, nurse_client: Client, other_ward: Course, clinician: User
    ) -> None:
        own = admit(clinician, name="WEBER, Luca", ward="K4")
        for asked in ({}, {"q": "12"}, {"ended": "1"}):
            board = nurse_client.get(reverse("patients:board"), asked)
            assert other_ward.patient.mrn not in board.content.decode()
        rows = nurse_client.get(reverse("patients:board")).context["rows"]
        assert [row.course_id for row in rows] == [own.pk]

    def test_an_unchanged_board_changes_with_the_wards_and_with_emergency_access(
        self, nurse_client: Client, nurse: User, other_ward: Course
    ) -> None:
        def stamp() -> str:
            signature: str = nurse_client.get(reverse("patients:board")).context["signature"]
            return signature

        first = stamp()
        give_reason(nurse_client, other_ward)
        second = stamp()
        assert first != second
        with time_machine.travel(timezone.now() + timedelta(hours=4, seconds=1)):
            nurse_client.logout()
            nurse_client.force_login(nurse)
            assert stamp() != second
        set_wards(nurse, Ward.objects.all())
        assert stamp() != second

    def test_a_patient_opened_with_a_reason_stands_on_the_board(
        self, nurse_client: Client, other_ward: Course
    ) -> None:
        give_reason(nurse_client, other_ward)
        rows = nurse_client.get(reverse("patients:board")).context["rows"]
        assert [row.course_id for row in rows] == [other_ward.pk]

    def test_waiting_for_review_policy_and_the_target_of_a_moved_entry(
        self, nurse_client: Client, other_ward: Course, clinician: User
    ) -> None:
        own = admit(clinician, name="WEBER, Luca", ward="K4")
        chart(other_ward, clinician, "oxygen", device="cpap", fio2_percent="60")
        entry = chart(own, clinician, "vitals", temperature_c="38.5").entries[0]
        mrn = other_ward.patient.mrn
        for page in (
            reverse("patients:reviews"),
            reverse("patients:policy"),
            url("move_entry", own, entry.pk) + "?q=okonkwo",
            url("join", own) + "?q=okonkwo",
            url("join", own) + f"?with={other_ward.patient_id}",
        ):
            assert mrn not in nurse_client.get(page).content.decode(), page
        sent = {"to": str(other_ward.pk), "reason": "wrong", "form_id": str(uuid.uuid4())}
        assert nurse_client.post(url("move_entry", own, entry.pk), sent).status_code == 403

    def test_an_address_that_names_another_ward(
        self, nurse_client: Client, other_ward: Course
    ) -> None:
        asked = {"course": str(other_ward.pk)}
        assert nurse_client.get(reverse("patients:sources"), asked).status_code == 302
