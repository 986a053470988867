"""What a row of the board says is late, asked and planned; the same numbers computed otherwise."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.algorithm.missing_data import _CHART
from patients.display.text import clock_text
from patients.models import Course
from patients.recording.record import retract_entry
from patients.ward.board import open_board_rows
from patients.ward.row import BoardRow
from patients.ward.to_do import QUESTIONS
from tests.factories import admit, ago, chart, correct, sending
from tests.patients.guidance_panel import answered, card, codes
from tests.patients.policy.policy_form import Make

pytestmark = pytest.mark.django_db
HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
BOARD = "/"
REASSESS = "tocilizumab.reassess"
SET = {"temperature_c": "36.8", "systolic_mmhg": "120"}
DUE_AFTER = {0: 240, 1: 180, 2: 120, 3: 60, 4: 60}
"""Minutes after a set of observations, by grade, as the specification has them."""


def row_of(course: Course, now: datetime | None = None) -> BoardRow:
    rows = open_board_rows(now or timezone.now())
    return next(row for row in rows if row.course_id == course.pk)


def tags(course: Course, now: datetime | None = None) -> list[str]:
    found = row_of(course, now).to_do
    return [f"{tag.level}: {tag.text} {tag.late}".strip() for tag in found]


BRINGS: dict[int, list[tuple[str, dict[str, str]]]] = {
    0: [],
    1: [],
    2: [("oxygen", {"device": "nasal_cannula", "flow_l_per_min": "2"})],
    3: [("oxygen", {"device": "venturi_mask", "fio2_percent": "50"})],
    4: [("oxygen", {"device": "invasive_ventilation", "fio2_percent": "50"})],
}


@pytest.mark.parametrize("grade", DUE_AFTER)
def test_observations_are_late_from_their_minute_on(
    grade: int, course: Course, clinician: User
) -> None:
    seen = timezone.now().replace(microsecond=0)
    temperature = "38.6" if grade == 1 else "36.8"
    for kind, body in BRINGS[grade]:
        chart(course, clinician, kind, seen - timedelta(minutes=30), **body)
    chart(course, clinician, "vitals", seen, **SET | {"temperature_c": temperature})
    due = seen + timedelta(minutes=DUE_AFTER[grade])
    before, at_once = row_of(course, due - timedelta(seconds=1)), row_of(course, due)
    assert (before.grade, before.due_at, before.is_late) == (grade, due, False)
    assert (at_once.due_at, at_once.is_late) == (due, True)
    later = row_of(course, due + timedelta(minutes=129))
    assert (later.to_do[0].text, later.to_do[0].late) == ("Obs", "2 h 9 min late")


def test_half_a_set_does_not_put_off_the_other_half(course: Course, clinician: User) -> None:
    """A heart rate, a result or an oxygen alone is no set of observations."""
    chart(course, clinician, "vitals", ago(300), **SET)
    chart(course, clinician, "ice", ago(10), score=10)
    for kind, body in (("vitals", {"heart_rate": "90"}), ("oxygen", {"device": "room_air"})):
        chart(course, clinician, kind, ago(5), **body)
    assert tags(course) == ["late: Obs 1 h late"]
    chart(course, clinician, "vitals", ago(4), temperature_c="36.9")
    assert tags(course) == ["late: BP 1 h late"]
    last = chart(course, clinician, "vitals", ago(3), mean_arterial_pressure_mmhg="80").entries[0]
    assert [tag.partition(" due ")[0] for tag in tags(course)] == ["coming: Obs", "coming: ICE"]
    retract_entry(last, sending(clinician, answers={"reason": "misread"}))
    assert tags(course) == ["late: BP 1 h late"]


def test_before_the_first_set_the_time_runs_from_the_infusion(clinician: User) -> None:
    infused = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=279)
    course = admit(clinician, infused_at=infused)
    assert tags(course) == ["late: First set 39 min late"]
    assert not row_of(course, infused + timedelta(minutes=239)).is_late


def test_the_interval_is_that_of_the_policy_in_force(
    course: Course, clinician: User, decided: Make
) -> None:
    chart(course, clinician, "vitals", ago(100), **SET)
    chart(course, clinician, "ice", ago(10), score=10)
    assert not row_of(course).is_late
    decided(observations_due_grade_0_minutes=90)
    assert tags(course) == ["late: Obs 10 min late"]


def test_after_a_death_nothing_is_due(course: Course, clinician: User) -> None:
    chart(course, clinician, "vitals", ago(600), **SET)
    chart(course, clinician, "death", ago(10))
    row = row_of(course)
    assert (row.grade, row.observations, row.to_do) == (5, None, ())


def test_late_observations_are_sent_with_nobody_typing(
    course: Course, clinician: User, nurse_client: Client, time_machine: Any, settings: Any
) -> None:
    """A poll is answered 204 until the minute, and then with the row, which the filter finds."""
    settings.SIGNED_OUT_AFTER_IDLE = timedelta(hours=12)
    start = timezone.now().replace(minute=1, second=0, microsecond=0) + timedelta(hours=1)
    time_machine.move_to(start, tick=False)
    seen_at = start - timedelta(minutes=210)
    chart(course, clinician, "vitals", seen_at, **SET)
    first = nurse_client.get(BOARD)
    assert first.context["board"].counts.get("late", 0) == 0
    seen = {"seen": first.context["signature"]}
    due = seen_at + timedelta(minutes=240)
    time_machine.move_to(due - timedelta(seconds=5), tick=False)
    assert nurse_client.get(BOARD, seen, **HTMX).status_code == 204
    time_machine.move_to(due, tick=False)
    answer = nurse_client.get(BOARD, seen | {"show": "late"}, **HTMX)
    assert answer.status_code == 200
    assert [row.course_id for row in answer.context["rows"]] == [course.pk]


def test_what_is_asked_is_what_guidance_asks(course: Course, clinician: User) -> None:
    """The board reads stored findings and entries; the panel computes the same from the state."""
    chart(course, clinician, "oxygen", ago(40), device="nasal_cannula")
    chart(course, clinician, "vitals", ago(30), temperature_c="38.5", systolic_mmhg="95")
    row, bound = row_of(course), card(course, "bound.resolve")
    asked = [tag.text for tag in row.to_do if tag.text in QUESTIONS.values()]
    assert "FiO2 or flow not entered" in asked
    assert len(asked) == len(bound.unknown)
    assert bound.summary.startswith(f"Grade may be {row.at_most}.")


def test_the_risk_questions_are_counted_at_grade_2(course: Course, clinician: User) -> None:
    def asked() -> list[str]:
        return [tag.text for tag in row_of(course).to_do if tag.level == "asked"]

    assert asked() == []
    chart(course, clinician, "oxygen", ago(30), device="nasal_cannula", flow_l_per_min="2")
    assert asked() == ["2 risk questions"]
    chart(course, clinician, "risk", ago(20), older_age=False)
    assert asked() == ["1 risk question"]
    chart(course, clinician, "risk", ago(10), extensive_comorbidities=True)
    assert asked() == []


def test_every_open_question_of_the_engine_has_its_words() -> None:
    assert set(QUESTIONS) == set(_CHART)


def test_the_24_h_check_is_planned_asked_and_answered_as_in_guidance(
    course: Course, clinician: User, nurse_client: Client
) -> None:
    given = {"agent": "tocilizumab", "dose_mg": "320"}
    chart(course, clinician, "oxygen", ago(hours=30), device="nasal_cannula", flow_l_per_min="2")
    chart(course, clinician, "risk", ago(hours=30), older_age=False, extensive_comorbidities=False)
    chart(course, clinician, "ice", ago(10), score=10)
    dose = chart(course, clinician, "treatment", ago(hours=25), **given).entries[0]
    chart(course, clinician, "vitals", ago(1), **SET)
    due = dose.at + timedelta(hours=24)

    row = row_of(course)
    assert REASSESS in codes(course)
    assert (row.check_at, row.to_do[0].level, row.to_do[0].text) == (due, "late", "24-h check")
    answered(nurse_client, course, REASSESS, "stabilised")
    assert REASSESS not in codes(course)
    assert row_of(course).check_at is None

    again = chart(course, clinician, "treatment", ago(hours=2), **given).entries[0]
    row = row_of(course)
    assert row.check_at == again.at + timedelta(hours=24)
    assert [tag.level for tag in row.to_do] == ["planned"]
    correct(again, again.at, {"agent": "antipyretic"}, sending(clinician))
    assert row_of(course).check_at is None


def test_ice_is_due_by_the_policy_and_sooner_after_lost_points(
    course: Course, clinician: User
) -> None:
    seen = timezone.now().replace(microsecond=0)
    chart(course, clinician, "vitals", seen, **SET)
    assert "late: ICE 1 d 12 h late" in tags(course)
    chart(course, clinician, "ice", seen - timedelta(hours=6), score=10)
    assert tags(course)[0].startswith("coming: Obs due")
    assert tags(course)[1] == f"coming: ICE due {clock_text(seen + timedelta(hours=6), seen)}"
    chart(course, clinician, "ice", seen - timedelta(hours=4), score=9)
    due = row_of(course).ice_due_at
    assert due == seen + timedelta(hours=4)
    later = seen + timedelta(hours=4, minutes=20)
    assert [tag for tag in tags(course, later) if "ICE" in tag] == ["late: ICE 20 min late"]
    assert row_of(course).changes_at(due - timedelta(minutes=1)) is not None
    chart(course, clinician, "death", ago(0), attribution="crs")
    assert row_of(course, later).ice_due_at is None


def test_capd_is_due_for_a_child_and_with_developmental_delay(clinician: User) -> None:
    child = admit(clinician, birth_date=date(2020, 1, 1))
    delayed = admit(clinician, developmental_delay=True)
    for course in (child, delayed):
        chart(course, clinician, "ice", ago(30), score=10)
        assert any(tag.startswith("late: CAPD") for tag in tags(course))
        chart(course, clinician, "capd", ago(20), score=0)
        assert not any("late: CAPD" in tag for tag in tags(course))
