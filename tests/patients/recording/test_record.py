"""Recording an act: one transaction, one regrade, nothing lost, nothing recorded twice."""

import threading
import uuid
from datetime import timedelta
from unittest import mock

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.outages import WaitedTooLongError
from grading.systems import HEADLINE
from patients.models import ChartingAct, Course, Entry, EntryKind, GradeCheckpoint, GradePeriod
from patients.queries.grades import periods_known_at, periods_known_now
from patients.recording.admit import AlreadyAdmittedError, IdentityDiffersError, admit_patient
from patients.recording.inputs import FormReusedError, NewEntry, ReplacedAlreadyError
from patients.recording.record import retract_entry
from patients.recording.regrade import GradeChange, regrade
from tests.factories import AdmissionFactory, UserFactory, admit, chart, correct, record, sending

NOREPINEPHRINE = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}


def minutes_ago(minutes: float):
    return timezone.now() - timedelta(minutes=minutes)


def grades(course: Course) -> list[tuple[int, int]]:
    return list(periods_known_now(course, HEADLINE).values_list("grade", "at_most"))


def test_an_admission_opens_a_history_of_grade_0(course: Course) -> None:
    (period,) = periods_known_now(course, HEADLINE)
    assert (period.valid.lower, period.valid.upper) == (course.infused_at, None)
    assert period.grade == 0
    assert Entry.objects.filter(course=course).count() == 2


def test_a_fever_opens_a_period_and_says_what_changed(course: Course, clinician: User) -> None:
    at = minutes_ago(5)
    recorded = chart(course, clinician, "vitals", at, temperature_c="38.0")
    assert recorded.grade_before == 0
    assert recorded.status.grade == 1
    assert recorded.grade_changes == (GradeChange(at, 0, 1),)
    assert [g for g, _ in grades(course)] == [0, 1]


def test_a_projected_grade_is_stored_with_the_infusion(course: Course, clinician: User) -> None:
    at = minutes_ago(60)
    recorded = chart(course, clinician, "vasopressor", at, **NOREPINEPHRINE)
    assert recorded.status.grade == 2
    low, high = list(periods_known_now(course, HEADLINE))[-2:]
    assert (low.grade, high.grade) == (2, 3)
    assert high.valid.lower == at + timedelta(hours=3)
    assert recorded.grade_changes == (GradeChange(at, 0, 2),)


def test_the_same_state_again_writes_no_period(course: Course, clinician: User) -> None:
    chart(course, clinician, "vitals", minutes_ago(30), temperature_c="38.5")
    before = set(GradePeriod.objects.values_list("pk", flat=True))
    recorded = chart(course, clinician, "vitals", minutes_ago(10), temperature_c="38.7")
    assert set(GradePeriod.objects.values_list("pk", flat=True)) == before
    assert recorded.grade_changes == ()


def test_a_late_entry_changes_the_past_and_keeps_what_was_known(
    course: Course, clinician: User
) -> None:
    fever = chart(course, clinician, "vitals", minutes_ago(30), temperature_c="38.5")
    knew = periods_known_at(course, HEADLINE, fever.act.recorded_at)
    assert [p.grade for p in knew] == [0, 1]
    late = chart(course, clinician, "oxygen", minutes_ago(90), device="simple_mask")
    assert [p.grade for p in periods_known_now(course, HEADLINE)] == [0, 3, 3]
    assert GradeChange(late.entries[0].at, 0, 3) in late.grade_changes
    assert [p.grade for p in periods_known_at(course, HEADLINE, fever.act.recorded_at)] == [0, 1]


def test_a_correction_takes_the_place_of_what_it_corrects(course: Course, clinician: User) -> None:
    wrong = chart(course, clinician, "vitals", minutes_ago(10), temperature_c="39.9").entries[0]
    corrected = correct(
        wrong, wrong.at, {"temperature_c": "36.9"}, sending(clinician, answers={"reason": "typo"})
    )
    assert corrected.status.grade == 0
    assert corrected.grade_before == 1
    assert Entry.objects.get(pk=wrong.pk).body == {"temperature_c": "39.9"}
    assert [p.grade for p in periods_known_at(course, HEADLINE, wrong.recorded_at)] == [0, 1]


def test_a_retraction_leaves_the_history_that_was_shown(course: Course, clinician: User) -> None:
    wrong = chart(course, clinician, "vitals", minutes_ago(10), temperature_c="39.9").entries[0]
    back = retract_entry(wrong, sending(clinician, answers={"reason": "other patient"}))
    assert back.status.grade == 0
    assert [p.grade for p in periods_known_now(course, HEADLINE)] == [0]
    assert [p.grade for p in periods_known_at(course, HEADLINE, wrong.recorded_at)] == [0, 1]


def test_a_retracted_correction_does_not_bring_the_original_back(
    course: Course, clinician: User
) -> None:
    first = chart(course, clinician, "vitals", minutes_ago(10), temperature_c="39.9").entries[0]
    second = correct(first, first.at, {"temperature_c": "38.9"}, sending(clinician)).entries[0]
    assert retract_entry(second, sending(clinician)).status.grade == 0


def test_a_second_correction_of_an_entry_is_refused_with_the_first(
    course: Course, clinician: User
) -> None:
    wrong = chart(course, clinician, "vitals", minutes_ago(10), temperature_c="39.9").entries[0]
    first = correct(wrong, wrong.at, {"temperature_c": "36.9"}, sending(clinician))
    with pytest.raises(ReplacedAlreadyError) as refused:
        correct(wrong, wrong.at, {"temperature_c": "37.9"}, sending(clinician))
    assert refused.value.successor == first.entries[0]
    assert Entry.objects.filter(replaces=wrong).count() == 1


def test_a_form_sent_twice_is_recorded_once_and_answered_alike(
    course: Course, clinician: User
) -> None:
    form_id = uuid.uuid4()
    draft = NewEntry(EntryKind.VITALS, minutes_ago(3), {"temperature_c": "38.4"})
    first = record(course, clinician, [draft], form_id=form_id, request_digest="a")
    again = NewEntry(EntryKind.VITALS, draft.at, draft.body)
    second = record(course, clinician, [again], form_id=form_id, request_digest="a")
    assert second.is_replay
    assert second.entries == first.entries
    assert second.grade_changes == first.grade_changes
    assert second.status.grade == first.status.grade == 1
    assert Entry.objects.filter(course=course, kind="vitals").count() == 1


def test_a_correction_sent_twice_is_no_conflict_with_itself(
    course: Course, clinician: User
) -> None:
    wrong = chart(course, clinician, "vitals", minutes_ago(10), temperature_c="39.9").entries[0]
    form = sending(clinician)
    correct(wrong, wrong.at, {"temperature_c": "36.9"}, form)
    assert correct(wrong, wrong.at, {"temperature_c": "36.9"}, form).is_replay


def test_a_form_sent_again_with_other_contents_is_refused(course: Course, clinician: User) -> None:
    form_id = uuid.uuid4()
    draft = NewEntry(EntryKind.VITALS, minutes_ago(3), {"temperature_c": "38.4"})
    record(course, clinician, [draft], form_id=form_id, request_digest="a")
    with pytest.raises(FormReusedError):
        record(
            course,
            clinician,
            [NewEntry(EntryKind.VITALS, draft.at, {"temperature_c": "39.4"})],
            form_id=form_id,
            request_digest="b",
        )
    assert Entry.objects.filter(course=course, kind="vitals").count() == 1


def test_several_entries_of_one_act_are_one_regrade(course: Course, clinician: User) -> None:
    at = minutes_ago(2)
    with mock.patch("patients.recording.regrade.regrade", wraps=regrade) as wrapped:
        recorded = record(
            course,
            clinician,
            [
                NewEntry(EntryKind.VITALS, at, {"temperature_c": "38.4"}),
                NewEntry(EntryKind.OXYGEN, at, {"device": "nasal_cannula", "flow_l_per_min": "2"}),
            ],
        )
    assert wrapped.call_count == 1
    assert recorded.status.grade == 2
    assert [entry.place for entry in recorded.entries] == [0, 1]


def test_nothing_is_stored_where_grading_fails(course: Course, clinician: User) -> None:
    before = (Entry.objects.count(), ChartingAct.objects.count(), GradePeriod.objects.count())
    with (
        mock.patch("patients.recording.regrade.regrade", side_effect=ZeroDivisionError),
        pytest.raises(ZeroDivisionError),
    ):
        chart(course, clinician, "vitals", temperature_c="38.4")
    assert before == (
        Entry.objects.count(),
        ChartingAct.objects.count(),
        GradePeriod.objects.count(),
    )


def test_a_changed_baseline_regrades_the_whole_course(course: Course, clinician: User) -> None:
    chart(course, clinician, "vitals", minutes_ago(300), systolic_mmhg="95")
    recorded = chart(course, clinician, "baseline", minutes_ago(1), systolic_mmhg="150")
    assert recorded.status.at_most == 2
    assert any(period.at_most == 2 for period in periods_known_now(course, HEADLINE))


def test_recording_times_rise_strictly_within_a_course(course: Course, clinician: User) -> None:
    for minute in range(5):
        chart(course, clinician, "vitals", minutes_ago(9 - minute), heart_rate="90")
    times = list(course.acts.order_by("recorded_at").values_list("recorded_at", flat=True))
    assert len(set(times)) == len(times) == 6


def test_checkpoints_are_kept_resumed_from_and_replaced(course: Course, clinician: User) -> None:
    start = course.infused_at + timedelta(minutes=1)
    drafts = [
        NewEntry(EntryKind.VITALS, start + timedelta(minutes=n), {"temperature_c": f"{37 + n % 3}"})
        for n in range(120)
    ]
    record(course, clinician, drafts)
    kept = list(GradeCheckpoint.objects.filter(course=course).order_by("at"))
    assert len(kept) >= 2
    with CaptureQueriesContext(connection) as queries:
        recorded = chart(course, clinician, "vitals", minutes_ago(1), heart_rate="90")
    assert len(recorded.in_force) < 60
    assert list(GradeCheckpoint.objects.filter(course=course).order_by("at")) == kept
    assert len(queries) <= 12
    chart(course, clinician, "vitals", start + timedelta(minutes=70, seconds=1), temperature_c="41")
    assert GradeCheckpoint.objects.filter(pk=kept[0].pk).exists()
    assert not GradeCheckpoint.objects.filter(pk=kept[-1].pk).exists()
    call_command("verify_grades")


def test_the_number_of_statements_does_not_grow(course: Course, clinician: User) -> None:
    counts = []
    for minute in range(3):
        with CaptureQueriesContext(connection) as queries:
            chart(course, clinician, "vitals", minutes_ago(9 - minute), heart_rate="90")
        counts.append(len(queries))
    assert counts[0] == counts[-1] <= 9, [q["sql"][:80] for q in queries]


def test_another_person_under_the_same_record_number_is_refused(
    course: Course, clinician: User
) -> None:
    other = AdmissionFactory(mrn=course.patient.mrn, name="SOMEONE, Else")
    with pytest.raises(IdentityDiffersError):
        admit_patient(other, [], sending(clinician))


def test_the_same_course_twice_is_refused_but_a_form_sent_twice_is_not(clinician: User) -> None:
    admission, form = AdmissionFactory(), sending(clinician)
    first = admit_patient(admission, [], form)
    assert admit_patient(admission, [], form).course == first.course
    with pytest.raises(AlreadyAdmittedError):
        admit_patient(admission, [], sending(clinician))
    second = AdmissionFactory(mrn=admission.mrn, product="blinatumomab")
    assert admit_patient(second, [], sending(clinician)).course.patient == first.course.patient


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_once_both_count() -> None:
    nurses = [UserFactory(), UserFactory()]
    course = admit(nurses[0])
    both_ready = threading.Barrier(2, timeout=10)
    failures: list[BaseException] = []

    def save(nurse: User, drug: str) -> None:
        try:
            for n in range(8):
                both_ready.wait()
                chart(
                    course, nurse, "vasopressor", minutes_ago(60 - n), drug=drug,
                    rate=f"{n + 1}", unit="ug/min",
                )  # fmt: skip
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=save, args=(nurse, drug))
        for nurse, drug in zip(nurses, ("norepinephrine", "epinephrine"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert Entry.objects.filter(course=course, kind="vasopressor").count() == 16
    assert periods_known_now(course, HEADLINE).last().grade == 3
    call_command("verify_grades")


@pytest.mark.skipif(settings.POOLER != "", reason="it sets a limit of its session")
@pytest.mark.django_db(transaction=True)
def test_a_save_without_the_lock_records_nothing_and_can_be_tried_again() -> None:
    """Whoever else writes to the course for too long."""
    nurse = UserFactory()
    course = admit(nurse)
    before = Entry.objects.count()
    connection.cursor().execute("SET lock_timeout = '50ms'")
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SELECT FROM patients_course WHERE id = %s FOR UPDATE", [course.pk])
        with pytest.raises(WaitedTooLongError):
            chart(course, nurse, "vitals", minutes_ago(5), heart_rate="90")
    assert Entry.objects.count() == before
    chart(course, nurse, "vitals", minutes_ago(5), heart_rate="90")
    assert Entry.objects.count() == before + 1
    connection.close()


def test_nobody_waits_for_a_turn_inside_a_transaction(course: Course, clinician: User) -> None:
    """Two who hold a lock and a turn each, and wait for the other's, would wait for ever."""
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        chart(course, clinician, "vitals", minutes_ago(5), heart_rate="90")
    chart(course, clinician, "vitals", minutes_ago(5), heart_rate="90")


def test_what_is_not_there_cannot_be_charted_on(course: Course, clinician: User) -> None:
    gone = Course(pk=uuid.uuid4(), patient=course.patient, infused_at=course.infused_at)
    with pytest.raises(Course.DoesNotExist):
        chart(gone, clinician, "vitals", minutes_ago(5), heart_rate="90")


@pytest.mark.django_db(transaction=True)
def test_two_forms_that_admit_the_same_course_at_once_open_one() -> None:
    nurse, admission = UserFactory(), AdmissionFactory()
    form = sending(nurse)
    both_ready = threading.Barrier(2, timeout=10)
    answers: list[object] = []

    def send() -> None:
        both_ready.wait()
        try:
            answers.append(admit_patient(admission, [], form).course.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [Course.objects.get().pk] * 2


def test_an_import_cannot_record_before_what_is_recorded(course: Course, clinician: User) -> None:
    draft = NewEntry(EntryKind.VITALS, minutes_ago(90), {"heart_rate": "90"})
    with pytest.raises(ValueError, match="order of its recording"):
        record(course, clinician, [draft], recorded_at=minutes_ago(60))
