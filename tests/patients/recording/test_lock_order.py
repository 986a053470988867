"""Acts that lock patients, wards, the site's policy and courses lock them in one order.

Each test holds one act where it has locked its first row, and begins the other, which must wait.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from crs_app.accounts.models import Role, User, Ward
from grading.engine.policy import DEFAULT_POLICY, policy_from
from patients.models import (
    Course,
    CoursePolicy,
    IdentityCorrection,
    Move,
    Patient,
    PatientJoin,
    Transfer,
)
from patients.policy import decide as deciding
from patients.policy.decide import Decision, decide
from patients.queries.courses import read_course
from patients.recording.admit import admit_patient
from patients.recording.join import JoinRequest, join_records, join_token, undo_join
from patients.ward import wards
from patients.ward.transfer import (
    MovedMeanwhileError,
    TransferRequest,
    location_token,
    record_transfer,
)
from patients.ward.wards import rename_ward
from tests.factories import AdmissionFactory, UserFactory, admit, end, reopen, sending

pytestmark = pytest.mark.django_db(transaction=True)


class Other:
    """An act on a connection of its own; ``begin`` returns when it waits for a lock."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.failure: BaseException | None = None
        self.act = act
        self.thread = threading.Thread(target=self._run)

    def begin(self) -> None:
        waiting = _waiting()
        self.thread.start()
        for _ in range(500):
            if _waiting() > waiting or not self.thread.is_alive():
                return
            time.sleep(0.01)

    def end(self) -> BaseException | None:
        self.thread.join(20)
        return self.failure

    def _run(self) -> None:
        try:
            self.act()
        except BaseException as failure:
            self.failure = failure
        finally:
            connection.close()


def _waiting() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0])


def begins_before_the_courses(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, act: Callable[[], object]
) -> Other:
    """Begin ``act`` when an act of ``module`` is about to lock its first course."""
    other, lock_course = Other(act), module.lock_course

    def lock_later(*arguments: Any) -> Any:
        if not other.thread.ident:
            other.begin()
        return lock_course(*arguments)

    monkeypatch.setattr(module, "lock_course", lock_later)
    return other


@pytest.fixture
def nurse() -> User:
    return UserFactory()


@pytest.fixture
def administrator() -> User:
    return UserFactory(role=Role.ADMINISTRATOR)


def move_within(course: Course, nurse: User) -> Transfer:
    asked = TransferRequest(
        Move.MOVED, timezone.now(), location_token(course), ward=course.ward, bed="99"
    )
    return record_transfer(course, asked, sending(nurse))


def admit_again(course: Course, nurse: User) -> object:
    again = AdmissionFactory(mrn=course.patient.mrn, product="next", developmental_delay=True)
    return admit_patient(again, [], sending(nurse))


def test_a_move_waits_for_who_renames_the_ward(
    monkeypatch: pytest.MonkeyPatch, nurse: User, administrator: User
) -> None:
    course, elsewhere = admit(nurse), admit(nurse, ward="ICU")
    asked = TransferRequest(
        Move.MOVED, timezone.now(), location_token(elsewhere), ward=course.ward, bed="5"
    )
    own = begins_before_the_courses(monkeypatch, wards, partial(move_within, course, nurse))
    coming = Other(partial(record_transfer, elsewhere, asked, sending(nurse)))
    begin_own = own.begin
    monkeypatch.setattr(own, "begin", lambda: (begin_own(), coming.begin()))
    rename_ward(course.on_ward, "8C", sending(administrator))
    assert isinstance(own.end(), MovedMeanwhileError), "the page showed another ward"
    assert coming.end() is None
    assert {read_course(one.pk).ward for one in (course, elsewhere)} == {"8C"}
    assert set(Ward.objects.values_list("name", flat=True)) == {"8C", "ICU"}


@pytest.mark.parametrize(
    ("what", "ward", "bed"), [(Move.MOVED, "ICU", "5"), (Move.ENDED, "7B", "12")]
)
def test_a_ward_is_renamed_while_a_patient_leaves_it(
    monkeypatch: pytest.MonkeyPatch, nurse: User, administrator: User,
    what: Move, ward: str, bed: str,
) -> None:  # fmt: skip
    course, stays = admit(nurse), admit(nurse)
    admit(nurse, ward="ICU")
    to = {"ward": ward, "bed": bed} if what is Move.MOVED else {}
    asked = TransferRequest(what, timezone.now(), location_token(course), reason="Better", **to)
    move = partial(record_transfer, course, asked, sending(nurse))
    other = begins_before_the_courses(monkeypatch, wards, move)
    rename_ward(course.on_ward, "8C", sending(administrator))
    assert other.end() is None
    there = read_course(course.pk)
    assert (there.ward, there.bed) == (ward, bed)
    assert read_course(stays.pk).ward == "8C"


def test_an_admission_waits_for_who_renames_the_ward(
    monkeypatch: pytest.MonkeyPatch, nurse: User, administrator: User
) -> None:
    course = admit(nurse)
    other = begins_before_the_courses(monkeypatch, wards, partial(admit_again, course, nurse))
    rename_ward(course.on_ward, "8C", sending(administrator))
    assert other.end() is None
    assert set(Course.objects.values_list("ward", flat=True)) == {"8C"}


def test_an_admission_waits_for_who_decides_the_policy(
    monkeypatch: pytest.MonkeyPatch, nurse: User
) -> None:
    course = admit(nurse)
    other = begins_before_the_courses(monkeypatch, deciding, partial(admit_again, course, nurse))
    decide(Decision(DEFAULT_POLICY, None, "agreed", nurse, uuid.uuid4(), 0))
    assert other.end() is None
    assert IdentityCorrection.objects.count() == 1
    call_command("verify_grades")


def test_a_course_that_is_closed_while_a_policy_is_decided_keeps_its_own(
    monkeypatch: pytest.MonkeyPatch, nurse: User
) -> None:
    closed, stays = admit(nurse), admit(nurse)
    other = begins_before_the_courses(monkeypatch, deciding, partial(end, closed, nurse))
    decide(Decision(policy_from({"cpap_grade": 4}), None, "agreed", nurse, uuid.uuid4(), 0))
    assert other.end() is None
    assert CoursePolicy.objects.get().course_id == stays.pk


def test_a_course_that_is_reopened_while_a_policy_is_decided_follows_it(
    monkeypatch: pytest.MonkeyPatch, nurse: User
) -> None:
    closed, _ = admit(nurse), admit(nurse)
    end(closed, nurse)
    other = begins_before_the_courses(monkeypatch, deciding, partial(reopen, closed, nurse))
    made = decide(Decision(policy_from({"cpap_grade": 4}), None, "agreed", nurse, uuid.uuid4(), 0))
    assert other.end() is None
    assert [one.site_policy_id for one in CoursePolicy.objects.filter(course=closed)] == [made.pk]
    call_command("verify_grades")


def test_an_admission_by_a_joined_number_locks_the_records_as_its_undoing_does(
    nurse: User, administrator: User
) -> None:
    both = sorted((admit(nurse), admit(nurse, product="two")), key=lambda one: one.patient_id)
    kept, joined = (course.patient_id for course in both)
    number = both[1].patient.mrn
    asked = JoinRequest(kept, joined, "one person", join_token(kept, joined))
    joining = join_records(asked, sending(administrator))
    part = partial(
        undo_join, joining, join_token(kept, joined),
        sending(administrator, answers={"reason": "two persons"}),
    )  # fmt: skip
    new = AdmissionFactory(mrn=number, product="three")
    others = [Other(part), Other(partial(admit_patient, new, [], sending(nurse)))]
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=kept)
        for other in others:
            other.begin()
    assert [other.end() for other in others] == [None, None]
    admitted = Course.objects.get(product="three")
    assert admitted.patient_id == joined, "it was parted when the admission came to it"
    call_command("verify_grades")


def test_a_join_and_its_undoing_that_are_sent_twice_at_once_are_answered_twice(
    nurse: User, administrator: User
) -> None:
    kept, joined = (admit(nurse, product=name).patient_id for name in ("one", "two"))
    asked = JoinRequest(kept, joined, "one person", join_token(kept, joined))
    sent_twice(kept, partial(join_records, asked, sending(administrator)))
    joining = PatientJoin.objects.get()
    undoing = sending(administrator, answers={"reason": "two persons"})
    sent_twice(kept, partial(undo_join, joining, join_token(kept, joined), undoing))
    assert PatientJoin.objects.get(undoes=joining).form_id == undoing.form_id


def sent_twice(patient_id: uuid.UUID, act: Callable[[], object]) -> None:
    others = [Other(act), Other(act)]
    with transaction.atomic():
        Patient.objects.select_for_update().get(pk=patient_id)
        for other in others:
            other.begin()
    assert [other.end() for other in others] == [None, None]


def test_two_new_wards_whose_names_look_the_same_at_once_are_one(
    monkeypatch: pytest.MonkeyPatch, nurse: User
) -> None:
    """The first admission has made its ward, and has not committed, when the second begins."""
    course = admit(nurse, ward="7B")
    asked = TransferRequest(
        Move.MOVED, timezone.now(), location_token(course), ward="new\u00a0\u200bicu", bed="5"
    )
    coming = Other(partial(record_transfer, course, asked, sending(nurse)))
    with transaction.atomic():
        admit(nurse, name="WEBER, Luca", ward="New ICU")
        coming.begin()
    assert coming.end() is None
    assert sorted(Ward.objects.values_list("name", flat=True)) == ["7B", "New ICU"]
    assert sorted(Course.objects.values_list("ward", flat=True)) == ["New ICU", "New ICU"]


def test_a_new_ward_and_a_ward_renamed_to_its_name_at_once_are_one(
    nurse: User, administrator: User
) -> None:
    course, elsewhere = admit(nurse, ward="7B"), admit(nurse, ward="ICU")
    asked = TransferRequest(
        Move.MOVED, timezone.now(), location_token(elsewhere), ward="7c", bed="5"
    )
    coming = Other(partial(record_transfer, elsewhere, asked, sending(nurse)))
    with transaction.atomic():
        rename_ward(course.on_ward, "7C", sending(administrator))
        coming.begin()
    assert coming.end() is None
    assert sorted(Ward.objects.values_list("name", flat=True)) == ["7C", "ICU"]
    elsewhere.refresh_from_db()
    assert elsewhere.ward == "7C"
