"""Wards: a table that administrators keep; admissions and moves name one of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts import demo
from crs_app.accounts.models import Role, User, Ward, WardMembership
from crs_app.accounts.wards import WardClosedError, change_wards, let_work_everywhere, set_wards
from crs_app.record.models import Event, EventKind
from patients.models import Course, Transfer
from patients.ward.transfer import location_token
from patients.ward.wards import add_ward
from tests.factories import admit, ago, end, reopen
from tests.patients.ward.test_emergency import url

pytestmark = pytest.mark.django_db


def admission(**changes: str) -> dict[str, str]:
    then = timezone.localtime(ago(hours=24))
    sent = {
        "form_id": str(uuid.uuid4()), "mrn": "4471902", "name": "LINDQVIST, Per", "sex": "male",
        "birth_date": "1970-03-01", "product": "CD19 CAR-T", "infused_date": f"{then:%Y-%m-%d}",
        "infused_time": "10:00", "weight_kg": "80", "ward": "7B", "bed": "14",
    }  # fmt: skip
    return sent | changes


def on_page(client: Client, ward: Ward, **sent: str) -> Any:
    address = reverse("patients:ward", args=[ward.pk])
    return client.post(address, {"form_id": str(uuid.uuid4())} | sent)


class TestThePage:
    def test_adds_a_ward_on_which_nobody_works(
        self, administrator_client: Client, nurse: User
    ) -> None:
        sent = {"form_id": str(uuid.uuid4()), "name": "  ICU   B "}
        assert administrator_client.post(reverse("patients:wards"), sent).status_code == 302
        ward = Ward.objects.get(name="ICU B")
        assert not ward.memberships.exists()
        event = Event.objects.get(kind=EventKind.WARDS_CHANGED)
        assert event.details == {"ward": "ICU B", "change": "added"}

    def test_a_second_tap_adds_no_second_ward_and_is_answered_as_the_first(
        self, administrator_client: Client, make_user: Callable[..., User]
    ) -> None:
        address, sent = reverse("patients:wards"), {"form_id": str(uuid.uuid4()), "name": "ICU B"}
        for _ in range(2):
            answer = administrator_client.post(address, sent, follow=True)
            assert "Ward ICU B was added." in answer.content.decode()
        assert Event.objects.filter(kind=EventKind.WARDS_CHANGED).count() == 1
        other = Client()
        other.force_login(make_user("other", Role.ADMINISTRATOR))
        for client, changes in ((other, {}), (administrator_client, {"name": "icu b"})):
            answer = client.post(address, sent | changes)
            assert (answer.status_code, Ward.objects.count()) == (422, 1)
            assert "There is a ward ICU B already" in answer.content.decode()
        ward = Ward.objects.get()
        on_page(administrator_client, ward, step="close")
        assert administrator_client.post(address, sent).status_code == 422

    @pytest.mark.parametrize(
        "name", ["", "\u200b", "7b", "7B", "\u200b7B", "x" * 61, "\ufdfa" * 10]
    )
    def test_a_name_that_is_empty_long_or_taken_is_refused(
        self, administrator_client: Client, course: Course, name: str
    ) -> None:
        sent = {"form_id": str(uuid.uuid4()), "name": name}
        answer = administrator_client.post(reverse("patients:wards"), sent)
        assert answer.status_code == 422
        assert answer.context["form"].errors["name"]
        assert Ward.objects.count() == 1

    def test_renames_a_ward_in_its_open_courses_and_not_in_the_closed(
        self, administrator_client: Client, nurse_client: Client, course: Course, clinician: User
    ) -> None:
        ended = admit(clinician, name="WEBER, Luca")
        end(ended, clinician)
        assert on_page(administrator_client, course.on_ward, name="7C").status_code == 302
        course.refresh_from_db()
        ended.refresh_from_db()
        assert (course.ward, course.on_ward.name, ended.ward) == ("7C", "7C", "7B")
        moved = Transfer.objects.get(course=course)
        assert (moved.from_ward, moved.to_ward, moved.to_bed) == ("7B", "7C", "12")
        assert moved.reason == "Ward 7B is named 7C now"
        then = {"known_at": course.admitted_at.isoformat()}
        assert "7B 12" in nurse_client.get(url("review", course), then).content.decode()
        assert "7C 12" in nurse_client.get(url("bedside", course)).content.decode()
        reopen(ended, clinician)
        assert (ended.ward, ended.on_ward) == ("7C", course.on_ward), "it is the same ward"
        assert Ward.objects.count() == 1

    def test_a_name_is_not_set_back_by_a_page_from_before_another_change(
        self, administrator_client: Client, course: Course
    ) -> None:
        ward = course.on_ward
        address = reverse("patients:ward", args=[ward.pk])
        assert 'name="seen" value="7B"' in administrator_client.get(address).content.decode()
        for _ in range(2):
            sent = {"name": "7C", "seen": "7B"}
            assert on_page(administrator_client, ward, **sent).status_code == 302
        assert Event.objects.filter(kind=EventKind.WARDS_CHANGED).count() == 1
        refused = on_page(administrator_client, ward, name="7D", seen="7B")
        assert refused.status_code == 422
        page = refused.content.decode()
        assert "This ward was renamed since this page was opened: it is 7C now." in page
        assert 'value="7D"' in page
        assert 'name="seen" value="7C"' in page
        assert on_page(administrator_client, ward, name="7D", seen="7C").status_code == 302

    def test_a_former_name_leads_to_the_ward_that_had_it_last(
        self, administrator_client: Client, nurse_client: Client, course: Course, clinician: User
    ) -> None:
        """Pages that were open before still send it; a ward that has the name now comes first."""
        on_page(administrator_client, course.on_ward, name="7C")
        elsewhere = admit(clinician, name="WEBER, Luca", ward="ICU")
        seen = location_token(elsewhere)
        move = {"form_id": str(uuid.uuid4()), "what": "moved", "seen": seen, "bed": "5"}
        sent = move | {"ward": "7b"}
        assert nurse_client.post(url("transfer", elsewhere), sent).status_code == 302
        on_page(administrator_client, course.on_ward, name="7D")
        assert nurse_client.post(url("transfer", elsewhere), sent).status_code == 302, "a replay"
        other = sent | {"ward": "ICU"}
        assert nurse_client.post(url("transfer", elsewhere), other).status_code == 409
        sent = admission(ward="\u200b7B ")
        assert nurse_client.post(reverse("patients:admit"), sent).status_code == 302
        assert admit(clinician, product="another", ward="7C").ward == "7D"
        wards = Course.objects.values_list("on_ward__name", "ward").distinct()
        assert sorted(wards) == [("7D", "7D")]
        assert sorted(Ward.objects.values_list("name", flat=True)) == ["7D", "ICU"]
        add_ward("7B", User.objects.get(username="admin"))
        assert admit(clinician, product="third", ward="7B").on_ward.name == "7B"

    def test_a_ward_with_an_open_course_stays_open(
        self, administrator_client: Client, course: Course, clinician: User
    ) -> None:
        answer = on_page(administrator_client, course.on_ward, step="close")
        assert answer.status_code == 409
        assert "1 open course is on ward 7B" in answer.content.decode()
        end(course, clinician)
        assert on_page(administrator_client, course.on_ward, step="close").status_code == 302
        course.on_ward.refresh_from_db()
        assert not course.on_ward.is_open
        assert on_page(administrator_client, course.on_ward, step="open").status_code == 302

    def test_a_closed_ward_takes_no_patient(
        self, administrator_client: Client, nurse_client: Client, course: Course, clinician: User
    ) -> None:
        end(course, clinician)
        on_page(administrator_client, course.on_ward, step="close")
        refused = nurse_client.post(reverse("patients:admit"), admission())
        assert refused.status_code == 422
        assert "Ward 7B is closed" in refused.content.decode()
        with pytest.raises(WardClosedError):
            admit(clinician, name="WEBER, Luca")
        seen = nurse_client.get(url("transfer", course)).context["place_forms"][1]["seen"].value()
        sent = {"what": "reopened", "seen": seen, "reason": "error", "step": "confirm"}
        sent["form_id"] = str(uuid.uuid4())
        reopened = nurse_client.post(url("transfer", course), sent)
        assert reopened.status_code == 409
        assert "Ward 7B is closed" in reopened.content.decode()

    def test_only_administrators_change_wards(self, nurse: User) -> None:
        with pytest.raises(PermissionDenied):
            add_ward("K9", nurse)
        with pytest.raises(PermissionDenied):
            change_wards(nurse, [], by=nurse)


class TestANewName:
    def test_makes_a_ward_of_all_clinicians_where_forms_may(
        self, nurse_client: Client, nurse: User, intensivist: User, course: Course
    ) -> None:
        sent = admission(ward="K4")
        assert nurse_client.post(reverse("patients:admit"), sent).status_code == 302
        admitted = Course.objects.get(patient__mrn="4471902")
        assert (admitted.ward, admitted.on_ward.name) == ("K4", "K4")
        works_there = set(admitted.on_ward.memberships.values_list("user__username", flat=True))
        assert {"nurse", "icu"} <= works_there

    def test_is_refused_elsewhere_with_what_was_typed_kept(
        self, nurse_client: Client, course: Course, settings: Any
    ) -> None:
        settings.NEW_WARDS = False
        answer = nurse_client.post(reverse("patients:admit"), admission(ward="K4"))
        assert answer.status_code == 422
        page = answer.content.decode()
        assert "There is no ward K4." in page
        assert "LINDQVIST, Per" in page
        assert not Ward.objects.filter(name="K4").exists()

    def test_is_made_by_an_import_and_then_given_by_an_administrator(
        self, settings: Any, nurse: User, administrator: User
    ) -> None:
        settings.NEW_WARDS = False
        files = ["patients/demo/case_1.json"]
        call_command("import_course", *files, ward="Trial 9", bed="1", verbosity=0)
        ward = Ward.objects.get(name="Trial 9")
        assert Course.objects.get().on_ward == ward
        assert not ward.memberships.exists()
        assert not nurse.memberships.exists()
        change_wards(nurse, [ward], by=administrator)
        assert User.objects.get(pk=nurse.pk).ward_ids == {ward.pk}
        event = Event.objects.get(kind=EventKind.WARDS_CHANGED)
        assert event.details == {"user": "nurse", "before": "none", "after": "Trial 9"}

    def test_written_with_other_capitals_is_the_ward_that_there_is(
        self, nurse_client: Client, course: Course
    ) -> None:
        sent = admission(ward="7b")
        assert nurse_client.post(reverse("patients:admit"), sent).status_code == 302
        assert Course.objects.get(patient__mrn="4471902").ward == "7B"
        assert Ward.objects.count() == 1


def test_a_ward_that_is_taken_away_counts_in_the_next_request(
    nurse_client: Client, nurse: User, course: Course
) -> None:
    assert nurse_client.get(url("bedside", course)).status_code == 200
    set_wards(nurse, [])
    assert nurse_client.get(url("bedside", course)).status_code == 302
    assert not WardMembership.objects.filter(user=nurse).exists()


def test_a_stored_user_works_on_the_wards_that_somebody_gave(course: Course) -> None:
    """Storing a user gives no right by itself."""
    hired = User.objects.create_user("hired", role=Role.WARD_CLINICIAN)
    assert hired.ward_ids == set()
    let_work_everywhere(hired)
    assert hired.ward_ids == {course.on_ward_id}
    other = User.objects.create_user("other", role=Role.AUDITOR)
    let_work_everywhere(other)
    assert other.ward_ids == set(), "of the roles only clinicians work on wards"


def test_demonstration_users_work_everywhere(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.NEW_WARDS = False
    monkeypatch.setattr(demo, "SIGN_INS", tmp_path / "sign-ins.txt")
    demo.create_demo_users()
    members = course.on_ward.memberships.values_list("user__role", flat=True)
    assert {Role.WARD_CLINICIAN, Role.ICU_REVIEWER} <= set(members)
    assert not User.objects.get(username="admin").memberships.exists()


def test_the_migration_makes_a_ward_of_each_text_and_gives_clinicians_all(
    course: Course, clinician: User, intensivist: User, auditor: User, as_owner: None
) -> None:
    admit(clinician, name="WEBER, Luca", ward="ICU B")
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE;"
            "ALTER TABLE patients_course ALTER on_ward_id DROP NOT NULL;"
            "DROP TRIGGER place_is_recorded ON patients_course;"
            "UPDATE patients_course SET on_ward_id = NULL;"
            "DELETE FROM accounts_wardmembership; DELETE FROM accounts_ward"
        )
    import_module("patients.migrations.0023_ward_of_course").make_wards(apps, None)
    assert list(Ward.objects.values_list("name", flat=True)) == ["7B", "ICU B"]
    course.refresh_from_db()
    assert (course.ward, course.on_ward.name) == ("7B", "7B")
    for user, wards in ((clinician, 2), (intensivist, 2), (auditor, 0)):
        assert user.memberships.count() == wards
