"""What the pages say: the card, the banner, the timeline, and each kind of entry in words."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from grading.course_file import read_entry
from grading.engine.entries import KINDS
from patients.bedside.page import page_context, read_bedside_data
from patients.bedside.timeline import timeline_of
from patients.display.banner import banner_of
from patients.display.grade_card import GradeCard
from patients.display.text import (
    age_text,
    attribution_text,
    clock_text,
    duration_text,
    entry_text,
    late_text,
    thing_label,
)
from patients.models import Course, GradePeriod
from patients.queries.courses import read_course
from patients.queries.status import read_course_status
from patients.recording.record import record_entries
from patients.ward.board import ended_board_rows, open_board_rows
from tests.factories import admit, chart, correct, end, sending, utc

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}
TEN_HOURS_EAST = ZoneInfo("Australia/Brisbane")

WORDS: list[tuple[str, dict[str, Any], str]] = [
    ("vitals", {"temperature_c": "39.10"}, "Temp 39.1 °C"),
    ("vitals", {"temperature_f": "101.3"}, "Temp 101.3 °F (38.5 °C)"),
    ("vitals", {"temperature_f": "100.399"}, "Temp 100.399 °F (≈38.0 °C)"),
    ("vitals", {"systolic_mmhg": "104", "diastolic_mmhg": "58"}, "BP 104/58"),
    (
        "vitals",
        {"mean_arterial_pressure_mmhg": "70", "heart_rate": "118", "respiratory_rate": "22"},
        "MAP 70 · HR 118 · RR 22",
    ),
    ("vitals", {"diastolic_mmhg": "58", "spo2_percent": "94"}, "DBP 58 · SpO₂ 94 %"),
    ("oxygen", {"device": "room_air"}, "Room air"),
    ("oxygen", {"device": "nasal_cannula"}, "Nasal cannula, flow not charted"),
    ("oxygen", {"device": "nasal_cannula", "flow_l_per_min": "4"}, "Nasal cannula, 4 L/min"),
    ("oxygen", {"device": "venturi_mask", "fio2_percent": "0.35"}, "Venturi mask, FiO2 35 %"),
    (
        "vasopressor",
        {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"},
        "Norepinephrine 0.25 mcg/kg/min × 80 kg = 20 mcg/min",
    ),
    (
        "vasopressor",
        {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min", "weight_kg": "60"},
        "Norepinephrine 0.25 mcg/kg/min × 60 kg = 15 mcg/min",
    ),
    (
        "vasopressor",
        {"drug": "dopamine", "rate": "800", "unit": "ug/min"},
        "Dopamine 800 mcg/min ÷ 80 kg = 10 mcg/kg/min",
    ),
    (
        "vasopressor",
        {"drug": "epinephrine", "rate": "1.2", "unit": "mg/h"},
        "Epinephrine 1.2 mg/h = 20 mcg/min",
    ),
    (
        "vasopressor",
        {"drug": "vasopressin", "rate": "3", "unit": "ml/h", "concentration_per_ml": "0.8"},
        "Vasopressin 3 mL/h of 0.8 units/mL = 0.04 units/min",
    ),
    ("vasopressor", {"drug": "dopamine", "rate": "0"}, "Dopamine stopped"),
    ("vasopressor", {"drug": "dopamine", "rate": None}, "Dopamine dose not known"),
    ("fluid_bolus", {"volume_ml": "500"}, "Fluid bolus 500 mL"),
    ("weight", {"weight_kg": "71.50"}, "Weight 71.5 kg"),
    ("lab", {"analyte": "crp", "value": "142", "unit": "mg/L"}, "CRP 142 mg/L"),
    (
        "lab",
        {"analyte": "bilirubin", "value": "30", "unit": "umol/L", "upper_limit": "21"},
        "Bilirubin 30 µmol/L (upper limit 21)",
    ),
    (
        "lab",
        {"analyte": "inr", "value": "20", "unit": "ratio", "comparator": ">", "lower_limit": "1"},
        "INR >20 (lower limit 1)",
    ),
    ("baseline", {"systolic_mmhg": "126", "diastolic_mmhg": "74"}, "Baseline BP 126/74"),
    (
        "baseline",
        {"diastolic_mmhg": "74", "mean_arterial_pressure_mmhg": "90", "lvef_percent": "60"},
        "Baseline BP –/74 · MAP 90 · LVEF 60 %",
    ),
    ("baseline", {}, "Baseline not established"),
    (
        "risk",
        {"older_age": True, "extensive_comorbidities": False},
        "Risk: extensive comorbidities no, older age yes",
    ),
    ("risk", {}, "Risk: not answered"),
    ("toxicity", {"term": "acute_kidney_injury", "grade": 2}, "Acute kidney injury, CTCAE grade 2"),
    ("toxicity", {"term": "alt", "grade": 0}, "ALT, resolved"),
    (
        "judgement",
        {"about": "life_threatening", "present": False},
        "Judged immediately life-threatening toxicity: no",
    ),
    ("symptom", {"term": "rigors", "present": True}, "Rigors present"),
    ("symptom", {"term": "headache", "present": False}, "Headache absent"),
    ("treatment", {"agent": "tocilizumab", "dose_mg": "320"}, "Tocilizumab 320 mg"),
    ("treatment", {"agent": "antibiotics"}, "Antibiotics"),
    ("note", {"note": "Family called"}, "Note: Family called"),
    (
        "not_observed",
        {"what": "vital_signs", "reason": "off_ward"},
        "Vital signs not observed: off ward",
    ),
    (
        "not_observed",
        {"what": "vital_signs", "reason": "other", "note": "monitor away"},
        "Vital signs not observed: monitor away",
    ),
    ("death", {}, "Death"),
    ("retraction", {"replaces": "x"}, "Entered in error"),
]


def read(kind: str, body: dict[str, Any]) -> Any:
    return read_entry({"id": "1", "at": "2026-03-01T12:00:00+00:00", "kind": kind, **body})


@pytest.mark.parametrize(("kind", "body", "words"), WORDS, ids=[words for _, _, words in WORDS])
def test_an_entry_in_words(kind: str, body: dict[str, Any], words: str) -> None:
    assert entry_text(read(kind, body), Decimal(80)) == words


def test_every_kind_has_words() -> None:
    assert {kind for kind, _, _ in WORDS} == set(KINDS)


def test_a_dose_per_kg_without_a_weight_says_so() -> None:
    said = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}
    assert entry_text(read("vasopressor", said)).endswith("mcg/kg/min, no weight charted")


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (0, "0 min"),
        (41, "41 min"),
        (60, "1 h"),
        (139, "2 h 19 min"),
        (1440, "1 d"),
        (1505, "1 d 1 h"),
    ],
)
def test_lengths_of_time(minutes: int, text: str) -> None:
    assert duration_text(timedelta(minutes=minutes)) == text


def test_ages_and_late_charting() -> None:
    at = utc("2026-03-01 12:00")
    assert age_text(at, at + timedelta(seconds=59)) == "just now"
    assert age_text(at, at + timedelta(minutes=12)) == "12 min ago"
    assert late_text(at, at + timedelta(minutes=10)) == ""
    assert late_text(at, at + timedelta(minutes=11)) == "charted 11 min later"
    assert late_text(at, at + timedelta(minutes=42)) == "charted 42 min later"


def test_a_time_has_its_date_unless_it_is_todays(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    assert clock_text(utc("2026-03-01 12:05"), utc("2026-03-01 20:00")) == "13:05"
    assert clock_text(utc("2026-02-27 12:05"), utc("2026-03-01 20:00")) == "27 Feb 13:05"


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("heart_rate", "Heart rate"),
        ("lab.crp", "CRP"),
        ("vasopressor.angiotensin_ii", "Angiotensin II"),
        ("judgement.refractory_hypotension", "Refractory hypotension"),
        ("toxicity.qtc_prolonged", "QTc prolonged"),
        ("oxygen", "Oxygen"),
    ],
)
def test_things_have_names(key: str, label: str) -> None:
    assert thing_label(key) == label


def test_attribution_is_marked() -> None:
    vitals = {"heart_rate": "140", "temperature_c": "39", "attribution": {"heart_rate": "other"}}
    assert attribution_text(read("vitals", vitals)) == "HR another cause, not counted"
    uncertain = {"device": "cpap", "attribution": "uncertain"}
    assert "uncertain, counted" in attribution_text(read("oxygen", uncertain))
    assert attribution_text(read("oxygen", {"device": "cpap"})) == ""


def card_of(course: Course, now: datetime) -> GradeCard:
    """The card as the page shows it."""
    card: GradeCard = page_context(read_bedside_data(course, now), may_chart=True)["card"]
    return card


def test_the_card_says_why_and_by_whom(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = timezone.now() - timedelta(hours=3)
    chart(course, clinician, "oxygen", at, device="nasal_cannula")
    chart(course, clinician, "vasopressor", at, drug="dopamine", rate=None)
    card = card_of(course, timezone.now())
    assert (card.grade, card.at_most, card.since, card.maximum) == (2, 3, at, 2)
    dopamine = next(line for line in card.criteria if line.code == "vasopressor.single_low_dose")
    assert dopamine.stale
    assert (dopamine.at, dopamine.author) == (at, clinician.display_name)
    page = nurse_client.get(reverse("patients:grade", args=[course.pk])).content.decode()
    assert re.search(r"last charted <span [^>]*>3 h ago</span>: still so\?", page)
    assert {line.code for line in card.unknown} == {
        "oxygen.fio2",
        "vasopressor.dose",
    }
    assert "blood pressure" in card.never_charted
    assert "weight" not in card.never_charted


def test_what_has_another_cause_is_shown_as_excluded(course: Course, clinician: User) -> None:
    at = timezone.now() - timedelta(minutes=9)
    chart(course, clinician, "vitals", at, temperature_c="39.5", attribution="other")
    chart(course, clinician, "oxygen", at, device="simple_mask", attribution="other")
    card = card_of(course, timezone.now())
    assert card.grade == 0
    assert card.excluded == [
        "Simple face mask: another cause, not counted",
        "Temperature 39.5 °C: another cause, not counted",
    ]


def test_after_a_death_not_due_to_crs_nothing_is_graded(course: Course, clinician: User) -> None:
    at = timezone.now() - timedelta(minutes=30)
    chart(course, clinician, "vitals", at - timedelta(hours=1), temperature_c="39.5")
    chart(course, clinician, "death", at, attribution="other")
    card = card_of(course, timezone.now())
    assert (card.grade, card.ended, card.maximum) == (None, True, 1)
    (row,) = open_board_rows(timezone.now())
    assert row.grade is None
    assert GradePeriod.objects.filter(known__upper_inf=True).latest("valid").valid.upper == at


def test_a_death_from_crs_is_grade_5(course: Course, clinician: User) -> None:
    at = timezone.now() - timedelta(minutes=30)
    chart(course, clinician, "death", at)
    chart(course, clinician, "vitals", temperature_c="35")
    card = card_of(course, timezone.now())
    assert (card.grade, card.at_most, card.upcoming) == (5, 5, [])


def test_the_banner_says_what_is_known(clinician: User) -> None:
    now = timezone.now()
    infused = now - timedelta(days=3)
    bare = admit(
        clinician, weight_kg=None, birth_date=None, age_years=Decimal(54), sex="unknown",
        infused_at=infused,
    )  # fmt: skip
    banner = banner_of(read_course_status(read_course(bare.pk), now))
    assert (banner.age_text, banner.weight_text, banner.baseline_text) == (
        "54 y",
        "not charted",
        "not established",
    )
    assert (banner.day, banner.sex_letter, banner.weight_at) == (3, "", None)
    born = timezone.localtime(now).date() - timedelta(days=400)
    mean = {"mean_arterial_pressure_mmhg": "60"}
    child = admit(clinician, birth_date=born, baseline=mean, infused_at=infused)
    banner = banner_of(read_course_status(read_course(child.pk), now))
    assert (banner.age_text, banner.baseline_text) == ("13 mo", "MAP 60")


def test_age_counts_by_the_calendar_of_the_infusion(clinician: User) -> None:
    """The tenth birthday in the offset of the infusion moves the floor from 88 to 90."""
    infused = datetime(2026, 3, 1, 2, 0, tzinfo=TEN_HOURS_EAST)
    for born, grade in ((date(2016, 3, 1), 2), (date(2016, 3, 2), 0)):
        course = admit(clinician, birth_date=born, infused_at=infused)
        recorded = chart(read_course(course.pk), clinician, "vitals", systolic_mmhg="89")
        assert recorded.status.grade == grade


def test_the_demonstration_ward_reads_well() -> None:
    call_command("demo_ward", stdout=StringIO())
    now = timezone.now()
    rows = open_board_rows(now)
    assert [row.grade for row in rows] == sorted((row.grade for row in rows), reverse=True)
    kinds = set()
    for row in rows:
        course = read_course(row.course_id)
        card = card_of(course, now)
        assert (card.grade, card.at_most, card.maximum) == (row.grade, row.at_most, row.maximum)
        coming = [change.at for change in card.upcoming]
        assert coming[:1] == ([] if row.next_change is None else [row.next_change.at])
        for line in card.criteria:
            assert line.text
            assert line.author
            assert line.citation
        timeline = timeline_of(course.pk, now, can_correct=True)
        assert all(line.text for line in timeline.rows)
        kinds |= {line.kind for line in timeline.rows}
        changes = timeline_of(course.pk, now, kind="grade_change").rows
        kinds |= {line.kind for line in changes}
        assert max([line.icon_grade for line in changes], default=0) == card.maximum
    assert {"vitals", "oxygen", "vasopressor", "lab", "grade_change"} <= kinds


def test_a_corrected_dose_is_told_with_the_weight_of_its_own_time(clinician: User) -> None:
    """What it said then, though the correction is for a time when another weight held."""
    course = admit(clinician, weight_kg="70")
    first = chart(
        course, clinician, "vasopressor", course.infused_at + timedelta(hours=1),
        drug="norepinephrine", rate="0.2", unit="ug/kg/min",
    )  # fmt: skip
    later = course.infused_at + timedelta(hours=3)
    chart(course, clinician, "weight", course.infused_at + timedelta(hours=2), weight_kg="80")
    (wrong,) = first.entries
    correct(wrong, later, {**wrong.body, "rate": "0.25"}, sending(clinician))
    rows = timeline_of(course.pk, timezone.now()).rows
    (row,) = [row for row in rows if row.kind == "vasopressor"]
    assert row.text == "Norepinephrine 0.25 mcg/kg/min × 80 kg = 20 mcg/min"
    assert [old.old_text for old in row.corrected] == [
        "Norepinephrine 0.2 mcg/kg/min × 70 kg = 14 mcg/min"
    ]


def test_a_row_has_its_date_on_another_day(
    nurse_client: Client, course: Course, clinician: User
) -> None:
    at = course.infused_at + timedelta(hours=1)
    chart(course, clinician, "vitals", at, heart_rate="93")
    there = timezone.localtime(at)

    def times() -> list[str]:
        said = nurse_client.get(reverse("patients:timeline", args=[course.pk]), **HTMX).content
        return re.findall(r"<time [^>]*>([^<]*)</time>", said.decode())

    assert times()[0] == f"{there.day} {there:%b} {there:%H:%M}"
    with mock.patch.object(timezone, "now", return_value=at):
        assert times()[0] == f"{there:%H:%M}"


def test_an_ended_course_leaves_the_board(course: Course, clinician: User) -> None:
    end(course, clinician)
    assert open_board_rows(timezone.now()) == []
    (row,) = ended_board_rows(timezone.now())
    assert (row.course_id, row.grade, row.next_change) == (course.pk, 0, None)
    late = record_entries(course, [], sending(clinician))
    assert late.status.grade == 0


pytestmark = pytest.mark.django_db
