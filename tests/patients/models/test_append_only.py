"""The database refuses to change or remove recorded rows, and to store impossible ones."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from crs_app.accounts.models import User, Ward
from grading.engine.entries import KINDS
from grading.engine.vocabulary import FAHRENHEIT, VITAL_SIGNS
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.models import (
    ChartingAct,
    Course,
    Entry,
    EntryKind,
    GradeCheckpoint,
    GradePeriod,
)
from tests.factories import admit, chart, correct, end, move, reopen, sending

# Not even the owner of the tables may; the web role has no such right to begin with.
pytestmark = pytest.mark.usefixtures("as_owner")

# ruff: noqa: S608  (the statements are this file's own)


def refused(sql: str, parameters: list[Any] | None = None) -> str:
    """Run ``sql`` with its deferred checks; why the database refused it."""
    with pytest.raises((IntegrityError, DataError)) as refusal:
        _run_with_deferred_checks(sql, parameters)
    return str(refusal.value)


@transaction.atomic
def _run_with_deferred_checks(sql: str, parameters: list[Any] | None = None) -> None:
    _run("SET CONSTRAINTS ALL IMMEDIATE")
    _run(sql, parameters)


def _run(sql: str, parameters: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or [])


@pytest.fixture
def charted(course: Course, clinician: User) -> Entry:
    return chart(course, clinician, "vitals", temperature_c="38.5").entries[0]


@pytest.mark.parametrize(
    "table", ["entry", "chartingact", "policyversion", "gradeperiod", "course"]
)
@pytest.mark.parametrize("verb", ["DELETE FROM", "TRUNCATE"])
def test_rows_are_never_removed(charted: Entry, table: str, verb: str) -> None:
    cascade = " CASCADE" if verb == "TRUNCATE" else ""
    assert "refused" in refused(f"{verb} patients_{table}{cascade}")


@pytest.mark.parametrize(
    ("table", "assignment"),
    [
        ("entry", "body = '{}'"),
        ("entry", "at = at - interval '1 hour'"),
        ("entry", "replaces_id = NULL"),
        ("chartingact", "answers = '{}'"),
        ("policyversion", "values = '{}'"),
        ("course", "infused_at = infused_at - interval '1 hour'"),
        ("course", "age_years = 3"),
        ("gradeperiod", "grade = 0"),
        ("gradeperiod", "findings = '{}'"),
        ("gradeperiod", "valid = tstzrange(NULL, NULL)"),
        ("gradeperiod", "known = tstzrange(lower(known) - interval '1 day', now())"),
        ("gradeperiod", "known = 'empty'"),
    ],
)
def test_rows_are_never_rewritten(charted: Entry, table: str, assignment: str) -> None:
    reason = refused(f"UPDATE patients_{table} SET {assignment}")
    assert "append-only" in reason or "may be closed" in reason or "may change" in reason


@pytest.mark.parametrize(
    "assignment",
    [
        "ended_at = now()",
        "ward = 'ICU'",
        "bed = '3'",
        "on_ward_id = (SELECT id FROM accounts_ward WHERE name = 'ICU')",
        "ward = 'ICU', on_ward_id = (SELECT id FROM accounts_ward WHERE name = 'ICU')",
    ],
)
def test_the_place_and_end_of_a_course_change_only_with_a_recorded_move(
    course: Course, clinician: User, assignment: str
) -> None:
    Ward.objects.create(name="ICU")
    update = f"UPDATE patients_course SET {assignment}"
    assert "only with a recorded move" in refused(update)
    move(course, clinician, ward="ICU", bed="3")
    assert (course.ward, course.on_ward.name, course.bed) == ("ICU", "ICU", "3")
    move(course, clinician, ward="7B", bed="12")
    assert "only with a recorded move" in refused(update)


def test_an_end_that_was_recorded_is_not_taken_back_or_moved(
    course: Course, clinician: User
) -> None:
    end(course, clinician)
    for when in ("NULL", "ended_at - interval '1 hour'"):
        assert "only with a recorded move" in refused(
            f"UPDATE patients_course SET ended_at = {when}"
        )
    reopen(course, clinician)
    assert course.ended_at is None
    assert "only with a recorded move" in refused("UPDATE patients_course SET ended_at = now()")


def test_what_was_known_is_closed_once(charted: Entry) -> None:
    correct(charted, charted.at, {"temperature_c": "36.5"}, sending(charted.recorded_by))
    closed = GradePeriod.objects.filter(known__upper_inf=False).first()
    later = (
        "UPDATE patients_gradeperiod SET known = tstzrange(lower(known), now() + interval '1 h')"
        " WHERE id = %s"
    )
    assert "once" in refused(later, [closed.pk])


def _insert_entry(charted: Entry, **changes: Any) -> tuple[str, list[Any]]:
    row = {
        "id": uuid.uuid4(),
        "course_id": charted.course_id,
        "kind": "vitals",
        "at": charted.at,
        "recorded_at": charted.recorded_at,
        "recorded_by_id": charted.recorded_by_id,
        "act_id": charted.act_id,
        "place": 7,
        "replaces_id": None,
        "body": {"temperature_c": "38"},
    } | changes
    row["body"] = json.dumps(row["body"])
    columns = ", ".join(row)
    marks = ", ".join(["%s"] * len(row))
    return f"INSERT INTO patients_entry ({columns}) VALUES ({marks})", list(row.values())


def test_a_plausible_entry_is_accepted(charted: Entry) -> None:
    own_id = uuid.uuid4()
    _run(*_insert_entry(charted, id=own_id))
    inserted = Entry.objects.get(pk=own_id)
    assert (inserted.kind, inserted.at, inserted.place) == ("vitals", charted.at, 7)
    assert inserted.body == {"temperature_c": "38"}


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"kind": "weather"}, "entry_kind_known_word"),
        ({"kind": "retraction", "body": {}}, "entry_retraction_replaces"),
        ({"body": [1]}, "entry_body_is_an_object"),
        ({"body": {"temperature_c": "hot"}}, "numeric"),
        ({"place": 0}, "entry_"),
        ({"replaces_id": uuid.uuid4()}, "entry_replaces"),
    ],
)
def test_an_impossible_entry_is_refused(
    charted: Entry, changes: dict[str, Any], constraint: str
) -> None:
    assert constraint in refused(*_insert_entry(charted, **changes))


def test_an_entry_from_the_future_is_refused(charted: Entry) -> None:
    ahead = charted.recorded_at + timedelta(minutes=5, seconds=1)
    assert "entry_not_in_the_future" in refused(*_insert_entry(charted, at=ahead))
    _run(*_insert_entry(charted, at=ahead - timedelta(seconds=1)))


def test_a_retraction_states_no_fact_of_its_own(charted: Entry) -> None:
    retraction = {"kind": "retraction", "replaces_id": charted.pk}
    with_fact = _insert_entry(charted, **retraction, body={"temperature_c": "38"})
    assert "entry_retraction_states_no_fact" in refused(*with_fact)
    _run(*_insert_entry(charted, **retraction, body={"note": "wrong patient"}))


def test_an_entry_is_replaced_once_and_within_its_course(charted: Entry, clinician: User) -> None:
    _run(*_insert_entry(charted, replaces_id=charted.pk))
    assert "replaces" in refused(*_insert_entry(charted, replaces_id=charted.pk, place=8))
    other = chart(admit(clinician), clinician, "vitals", heart_rate="90").entries[0]
    stolen = _insert_entry(charted, replaces_id=other.pk, place=9)
    assert "entry_replaces_within_course" in refused(*stolen)


@pytest.mark.parametrize("sign", [*VITAL_SIGNS, FAHRENHEIT], ids=lambda sign: sign.key)
def test_a_vital_sign_outside_its_hard_limits_is_refused(charted: Entry, sign: Any) -> None:
    for impossible in (f"{sign.limits.lowest}", f"{sign.limits.highest}"):
        _run(*_insert_entry(charted, body={sign.key: impossible}, id=uuid.uuid4(), place=20))
        connection.cursor().execute("SET session_replication_role = replica")
        Entry.objects.filter(place=20).delete()
        connection.cursor().execute("SET session_replication_role = origin")
    for impossible in (f"{sign.limits.lowest - 1}", f"{sign.limits.highest}.0000000001"):
        reason = refused(*_insert_entry(charted, body={sign.key: impossible}))
        assert f"entry_{sign.key}_plausible" in reason


def test_what_was_known_of_a_grade_ends_only_with_an_act(charted: Entry) -> None:
    """Else one statement could close the whole history of a course."""
    whole = (
        "UPDATE patients_gradeperiod SET known = tstzrange(lower(known), now() + interval '1 h')"
    )
    assert "only with an act" in refused(f"{whole} WHERE upper_inf(known)")
    chart(charted.course, charted.recorded_by, "note", note="No grade changes by this")
    of_before = (
        "UPDATE patients_gradeperiod AS period SET known = tstzrange(lower(known), act.recorded_at)"
        " FROM patients_chartingact AS act WHERE act.course_id = period.course_id"
        " AND upper_inf(known) AND lower(known) < act.recorded_at"
    )
    assert "only with an act" in refused(of_before)
    before = GradePeriod.objects.count()
    correct(charted, charted.at, {"temperature_c": "36.5"}, sending(charted.recorded_by))
    assert GradePeriod.objects.count() > before


def test_a_checkpoint_is_never_rewritten(charted: Entry, clinician: User) -> None:
    for number in range(1, 60):
        at = charted.at - timedelta(minutes=number)
        chart(charted.course, clinician, "vitals", at, heart_rate="90")
    assert GradeCheckpoint.objects.exists()
    assert "refused" in refused("UPDATE patients_gradecheckpoint SET state = '{}'")
    assert "refused" in refused("TRUNCATE patients_gradecheckpoint")


def test_two_grades_for_one_instant_as_known_are_refused(charted: Entry) -> None:
    period = GradePeriod.objects.filter(known__upper_inf=True).last()
    period.pk = None
    with pytest.raises(IntegrityError, match="grade_period_one_answer"), transaction.atomic():
        period.save()


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"grade": 3, "at_most": 2}, "grade_period_grade_within_bound"),
        ({"at_most": 6}, "grade_period_grade_within_bound"),
    ],
)
def test_an_impossible_grade_is_refused(
    charted: Entry, changes: dict[str, int], constraint: str
) -> None:
    period = GradePeriod.objects.last()
    period.pk, period.system = None, "another"
    for name, value in changes.items():
        setattr(period, name, value)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        period.save()


def test_a_form_is_recorded_once_a_course(charted: Entry) -> None:
    act = ChartingAct.objects.get(pk=charted.act_id)
    act.pk, act.recorded_at = uuid.uuid4(), act.recorded_at + timedelta(seconds=1)
    # In a partition the constraint has the name of its columns.
    name = r"act_form_once|course_id_form_id_key"
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        act.save(force_insert=True)


def test_the_kinds_are_those_of_the_course_file() -> None:
    assert set(EntryKind.values) == set(KINDS)
    assert set(CORRECTION_FORMS) == set(KINDS) - {"retraction"}
    in_a_round = {"capd", "consciousness", "seizure", "neuro_sign"}
    assert set(ENTRY_FORMS) == set(CORRECTION_FORMS) - in_a_round
