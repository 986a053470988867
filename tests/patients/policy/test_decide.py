"""Decisions on policy: graded forward, never backwards unless a course is regraded by itself."""

import json
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.policy import policy_from
from grading.systems import HEADLINE
from patients.exchange.course_file import import_course
from patients.models import Course, CoursePolicy, GradeCheckpoint, GradePeriod, SitePolicy
from patients.policy.decide import DecidedMeanwhileError, Decision, decide, regrade_from_start
from patients.queries.courses import read_course
from patients.queries.grades import periods_known_at, periods_known_now
from patients.queries.policies import read_latest_site_decision, read_policy_periods, version_of
from patients.queries.status import read_course_status
from patients.recording.record import append_act
from patients.recording.verify import differences
from patients.ward.board import open_board_rows
from tests.factories import UserFactory, admit, ago, chart, end, reopen
from tests.patients.policy.policy_form import Make, grades


def test_a_decision_is_graded_forward_and_history_keeps_its_policy(
    on_cpap: Course, decided: Make
) -> None:
    before = list(periods_known_now(on_cpap, HEADLINE))
    made = decided(cpap_grade=4)
    first, last = before[0].policy_id, made.version_id
    assert grades(on_cpap) == [(0, first), (3, first), (4, last)]
    assert periods_known_now(on_cpap, HEADLINE).last().valid.lower == made.valid_from
    known_then = periods_known_at(on_cpap, HEADLINE, made.recorded_at)
    assert [row.pk for row in known_then] == [row.pk for row in before]
    assert read_course_status(on_cpap, timezone.now()).current.grade == 4
    assert differences(on_cpap) == []


def test_a_save_after_a_decision_is_graded_under_it(
    on_cpap: Course, clinician: User, decided: Make
) -> None:
    decided(fever_threshold_c="38.5", cpap_grade=4)
    chart(on_cpap, clinician, "oxygen", timezone.now(), device="room_air")
    recorded = chart(on_cpap, clinician, "vitals", timezone.now(), temperature_c="38.2")
    assert recorded.status.grade == 0
    assert differences(on_cpap) == []


def test_a_late_entry_is_graded_by_the_policy_of_its_time(
    on_cpap: Course, clinician: User, decided: Make
) -> None:
    made = decided(fever_threshold_c="38.5")
    chart(on_cpap, clinician, "oxygen", ago(30), device="room_air")
    chart(on_cpap, clinician, "vitals", ago(20), temperature_c="38.2")
    rows = {
        row.valid.lower: (row.grade, row.policy_id) for row in periods_known_now(on_cpap, HEADLINE)
    }
    first = on_cpap.policy_id
    assert list(rows.values()) == [
        (0, first),
        (3, first),
        (0, first),
        (1, first),
        (0, made.version_id),
    ]
    assert differences(on_cpap) == []


def test_a_decision_for_later_is_projected_and_can_be_replaced(
    on_cpap: Course, decided: Make
) -> None:
    later = timezone.now() + timedelta(hours=5)
    decided(later, cpap_grade=4)
    assert [grade for grade, _ in grades(on_cpap)] == [0, 3, 4]
    (row,) = open_board_rows(timezone.now())
    assert row.next_change is not None
    assert (row.next_change.at, row.next_change.grade) == (later, 4)
    decided()
    assert [grade for grade, _ in grades(on_cpap)] == [0, 3]
    assert differences(on_cpap) == []


def test_the_board_announces_no_change_where_the_policy_alone_changes(
    on_cpap: Course, decided: Make
) -> None:
    decided(timezone.now() + timedelta(hours=5), bipap_grade=3)
    assert [grade for grade, _ in grades(on_cpap)] == [0, 3, 3]
    assert open_board_rows(timezone.now())[0].next_change is None
    assert read_course_status(on_cpap, timezone.now()).current.upcoming == ()


def test_a_new_course_begins_under_the_policy_in_force(clinician: User, decided: Make) -> None:
    made = decided(cpap_grade=4)
    later = decided(timezone.now() + timedelta(hours=5), cpap_grade=3)
    course = read_course(admit(clinician).pk)
    assert course.policy_id == made.version_id
    assert [(one.version_id, one.site_policy_id) for one in read_policy_periods(course)] == [
        (made.version_id, None),
        (later.version_id, later.pk),
    ]
    assert grades(course) == [(0, made.version_id), (0, later.version_id)]
    chart(course, clinician, "oxygen", ago(60), device="cpap")
    assert [grade for grade, _ in grades(course)] == [0, 4, 3]
    assert differences(course) == []


def test_an_ended_course_is_not_touched(on_cpap: Course, clinician: User, decided: Make) -> None:
    end(on_cpap, clinician)
    before = grades(on_cpap)
    decided(cpap_grade=4)
    assert grades(on_cpap) == before


def test_a_reopened_course_follows_what_the_site_decided_while_it_was_closed(
    on_cpap: Course, clinician: User, administrator: User, decided: Make
) -> None:
    """From the reopening on; also what is decided for later, and nothing twice."""
    end(on_cpap, clinician)
    before = grades(on_cpap)
    made, later = decided(cpap_grade=4), decided(ago(-120), bipap_grade=3)
    assert grades(on_cpap) == before
    reopen(on_cpap, clinician)
    assert grades(on_cpap)[: len(before)] == before
    assert grades(on_cpap)[len(before) :] == [(4, made.version_id), (3, later.version_id)]
    assert differences(on_cpap) == []
    followed = CoursePolicy.objects.filter(course=on_cpap).count()
    end(on_cpap, clinician)
    reopen(on_cpap, clinician)
    assert CoursePolicy.objects.filter(course=on_cpap).count() == followed

    end(on_cpap, clinician)
    regrade_from_start(
        on_cpap, on_cpap.policy, reason="Audit", by=administrator, form_id=uuid.uuid4()
    )
    own = grades(on_cpap)
    reopen(on_cpap, clinician)
    assert [version for _, version in grades(on_cpap)] == [
        *(version for _, version in own), later.version_id,
    ]  # fmt: skip
    assert differences(on_cpap) == []


def test_a_file_with_a_policy_of_its_own_keeps_it(clinician: User, decided: Make) -> None:
    def document(mrn: str, **policy: Any) -> str:
        at = ago(120).isoformat()
        entry = {"id": "o", "kind": "oxygen", "at": ago(60).isoformat(), "device": "bipap"}
        patient = {"mrn": mrn, "name": "File, Ada", "sex": "female", "age_years": 50}
        therapy = {"product": "axicabtagene ciloleucel", "infused_at": at}
        raw = {"format": "crs-course/1", "patient": patient, "therapy": therapy}
        return json.dumps({**raw, "entries": [entry], **({"policy": policy} if policy else {})})

    own = import_course(document("F-1", bipap_grade=4), [clinician])
    following = import_course(document("F-2"), [clinician])
    decided(bipap_grade=3)
    assert [grade for grade, _ in grades(own)][-1] == 4
    assert [grade for grade, _ in grades(following)][-1] == 3
    call_command("verify_grades")


def test_the_same_form_twice_decides_once(on_cpap: Course, administrator: User) -> None:
    one = Decision(policy_from({"cpap_grade": 4}), None, "Why", administrator, uuid.uuid4(), 0)
    assert decide(one) == decide(one)
    assert SitePolicy.objects.count() == CoursePolicy.objects.count() == 1


def test_a_decision_from_an_outdated_page_is_refused(administrator: User, decided: Make) -> None:
    decided(cpap_grade=4)
    stale = Decision(policy_from({"bipap_grade": 3}), None, "Why", administrator, uuid.uuid4(), 0)
    with pytest.raises(DecidedMeanwhileError):
        decide(stale)
    assert SitePolicy.objects.count() == 1


def test_a_decision_that_fails_on_one_course_is_not_made(
    on_cpap: Course, clinician: User, decided: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    admit(clinician)
    append, calls = append_act, []

    def failing(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise RuntimeError("the second course")
        return append(*arguments)

    monkeypatch.setattr("patients.policy.decide.append_act", failing)
    before = GradePeriod.objects.count()
    with pytest.raises(RuntimeError):
        decided(cpap_grade=4)
    assert (SitePolicy.objects.count(), GradePeriod.objects.count()) == (0, before)


def test_stored_equals_recomputed_across_many_decisions(
    clinician: User, decided: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grading.service.CHECKPOINT_EVERY", 3)
    course = read_course(admit(clinician).pk)
    policies: list[dict[str, Any]] = [
        {"fever_threshold_c": "38.5"},
        {"norepinephrine_expressed_as": "bitartrate"},
        {"high_dose_minutes": 60, "cpap_grade": 4},
        {},
    ]
    charted = 0
    for minutes, overrides in zip((600, 400, 200, 90), policies, strict=True):
        for step in range(4):
            at = ago(minutes - step)
            chart(course, clinician, "vitals", at, temperature_c=str(38 + charted % 2))
            chart(
                course,
                clinician,
                "vasopressor",
                at,
                drug="norepinephrine",
                rate="24",
                unit="ug/min",
            )
            charted += 1
        decided(timezone.now() + timedelta(minutes=charted), **overrides)
        decided(ago(1), **overrides)
        chart(course, clinician, "oxygen", ago(minutes + 5), device="cpap")
        assert differences(course) == []
    assert GradeCheckpoint.objects.filter(course=course).count() > 2
    rows = list(periods_known_now(course, HEADLINE))
    assert all(one.valid.upper == two.valid.lower for one, two in pairwise(rows))


def test_a_course_is_graded_backwards_only_by_its_own_act(
    on_cpap: Course, administrator: User, decided: Make
) -> None:
    decided(timezone.now() + timedelta(hours=5), cpap_grade=3, bipap_grade=3)
    version = version_of(policy_from({"cpap_grade": 4}), timezone.now())
    before = list(periods_known_now(on_cpap, HEADLINE))
    recorded = regrade_from_start(
        on_cpap, version, reason="Study", by=administrator, form_id=uuid.uuid4()
    )
    assert [grade for grade, _ in grades(on_cpap)] == [0, 4, 3]
    assert recorded.act.answers == {"reason": "Study"}
    known_then = periods_known_at(
        on_cpap, HEADLINE, recorded.act.recorded_at - timedelta(microseconds=1)
    )
    assert [row.pk for row in known_then] == [row.pk for row in before]
    assert differences(on_cpap) == []
    decided(bipap_grade=3)
    assert [grade for grade, _ in grades(on_cpap)] == [0, 4, 3]
    assert differences(on_cpap) == []


@pytest.mark.django_db(transaction=True)
def test_a_course_admitted_while_the_policy_changes_is_graded_under_it(
    administrator: User,
) -> None:
    """Either the admission is seen by the decision, or the decision by the admission."""
    nurse = UserFactory()
    for cpap_grade in (4, 3, 4, 3):
        seen = getattr(read_latest_site_decision(), "pk", 0)
        policy = policy_from({"cpap_grade": cpap_grade})
        decision = Decision(policy, None, "Why", administrator, uuid.uuid4(), seen)
        at_once(partial(admit, nurse), partial(decide, decision))
    made = SitePolicy.objects.latest("pk")
    assert SitePolicy.objects.count() == Course.objects.count() == 4
    for course in Course.objects.select_related("policy"):
        assert read_policy_periods(course)[-1].version_id == made.version_id
    call_command("verify_grades")


def at_once(*acts: Callable[[], object]) -> None:
    all_ready = threading.Barrier(len(acts), timeout=10)

    def run(act: Callable[[], object]) -> None:
        all_ready.wait()
        try:
            act()
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[act]) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
