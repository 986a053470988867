"""The cause of a change of grade: what was stored with it, never what holds only now."""

import json
import re
import uuid
from datetime import timedelta

from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.bedside.timeline import TimelineView, timeline_of
from patients.models import Course
from patients.ward.board import open_board_rows
from tests.entry_forms import HTMX, rows_of, send, text_of, url
from tests.factories import ago, chart
from tests.patients.guidance_panel import panel
from tests.patients.policy.policy_form import Make

NOREPINEPHRINE = {"drug": "norepinephrine", "unit": "ug/min"}
HIGH_DOSE = NOREPINEPHRINE | {"rate": "22"}


def latest_change(course: Course) -> str:
    rows = timeline_of(course.pk, timezone.now(), TimelineView(kind="grade_change")).rows
    return rows[0].text


def test_the_notice_of_a_rise_names_what_raised_the_grade_then(
    course: Course, clinician: User
) -> None:
    """High-flow raised it to 3; the high dose that came later stands first among the criteria."""
    chart(course, clinician, "vasopressor", ago(hours=5), **NOREPINEPHRINE, rate="5")
    chart(
        course,
        clinician,
        "oxygen",
        ago(hours=4),
        device="high_flow_nasal_cannula",
        fio2_percent="45",
    )
    chart(course, clinician, "vasopressor", ago(hours=3.5), **HIGH_DOSE)
    rise = panel(course).rise
    assert rise is not None
    assert (rise.before, rise.grade) == (2, 3)
    assert "FiO2 45 %" in rise.text
    assert "High dose" not in rise.text
    assert rise.text == latest_change(course)


def test_a_rise_by_the_clock_says_so(nurse_client: Client, course: Course, clinician: User) -> None:
    chart(course, clinician, "vasopressor", ago(hours=3.5), **HIGH_DOSE)
    rise = panel(course).rise
    assert rise is not None
    assert rise.text.startswith("by the clock: High dose by Table 3 for 3 h")
    assert abs(rise.at - ago(hours=0.5)) < timedelta(minutes=1)
    page = text_of(nurse_client.get(url("bedside", course)).content.decode())
    assert re.search(
        r"Grade 2 → 3 at [\d\w :]+, by the clock: High dose .* See advice OK, seen", page
    )


def test_a_fall_names_what_ended_and_what_is_left(course: Course, clinician: User) -> None:
    chart(course, clinician, "vitals", ago(hours=3), temperature_c="39.6")
    chart(course, clinician, "vasopressor", ago(hours=2), **NOREPINEPHRINE, rate="5")
    chart(course, clinician, "vasopressor", ago(hours=1), drug="norepinephrine", rate="0")
    assert latest_change(course) == "norepinephrine stopped; still: Temperature 39.6 °C"


def test_a_fall_by_a_measurement_names_what_no_longer_holds(
    course: Course, clinician: User
) -> None:
    chart(course, clinician, "vitals", ago(hours=2), temperature_c="39.6", systolic_mmhg="82")
    chart(course, clinician, "vitals", ago(hours=1), systolic_mmhg="118")
    assert latest_change(course) == "no longer SBP 82 mmHg; still: Temperature 39.6 °C"
    chart(course, clinician, "vitals", ago(5), temperature_c="37")
    assert latest_change(course) == "no longer Temperature 39.6 °C"


def test_a_fall_to_another_criterion_says_what_holds_now(course: Course, clinician: User) -> None:
    chart(course, clinician, "oxygen", ago(hours=2), device="venturi_mask", fio2_percent="50")
    chart(course, clinician, "oxygen", ago(hours=1), device="nasal_cannula", flow_l_per_min="2")
    text = latest_change(course)
    assert text.startswith("no longer Venturi mask, FiO2 50 %; now: Nasal cannula 2 L/min")


def test_the_answer_to_a_save_names_the_same_cause(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "vitals", ago(hours=3), temperature_c="39.6")
    chart(course, clinician, "vasopressor", ago(hours=2), **NOREPINEPHRINE, rate="5")
    stop = {"drug": "norepinephrine", "stopped": "on"}
    saved = send(nurse_client, course, "vasopressor", **stop).context["saved"]
    (change,) = [row for row in rows_of(saved) if row.kind == "grade_change"]
    assert change.text == latest_change(course)
    assert change.text.startswith("norepinephrine stopped; still: Temperature 39.6")


def test_the_next_change_names_the_criterion_of_its_grade(course: Course, clinician: User) -> None:
    chart(course, clinician, "vasopressor", ago(hours=1), **HIGH_DOSE)
    (row,) = open_board_rows(timezone.now())
    assert row.next_change is not None
    assert re.fullmatch(
        r"Grade 3 at [\w :]+ if norepinephrine stays at 20 mcg/min or more \(3 h rule\)",
        row.next_change.text,
    )


def test_a_change_of_policy_is_named_as_the_cause(on_cpap: Course, decided: Make) -> None:
    decided(cpap_grade=4)
    assert latest_change(on_cpap).startswith("by a change of policy: ")


def test_each_change_opens_to_all_that_the_grade_rested_on(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    chart(course, clinician, "vitals", ago(hours=3), temperature_c="39.6")
    chart(course, clinician, "oxygen", ago(hours=2), device="nasal_cannula")
    html = nurse_client.get(url("timeline", course), {"kind": "grade_change"}, **HTMX).content
    text = text_of(html.decode())
    assert re.search(
        r"Grade 1 → 2 · Nasal cannula.* Why At [\w :]+: 2 ; could be 3 ; because 2 Nasal cannula.* "
        r"1 Temperature 39.6 °C.* \? Nasal cannula.* Could be grade 3",
        text,
    )


def test_the_poll_and_the_page_of_a_replay_know_the_rise(
    nurse_client: Client, grade_3: Course
) -> None:
    """A form that is sent twice brings the notice again, with the cause that is stored."""
    sent = {"form_id": str(uuid.uuid4()), "attribution": "crs", "temperature_unit": "c"}
    address = url("entries", grade_3, "vitals")
    for _ in range(2):
        answer = nurse_client.post(address, sent | {"heart_rate": "99"}, **HTMX)
    assert "FiO2 50 %" in answer.context["guidance"].rise.text
    poll = nurse_client.get(url("live", grade_3), **HTMX)
    assert json.loads(poll["CRS-Live"])["guidance"] == answer.context["guidance"].signature
