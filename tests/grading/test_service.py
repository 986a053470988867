"""The public interface of grading: status, checkpoints, and what it refuses."""

# ruff: noqa: E501  (one case a line, so that the tables can be read)

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from grading.course_file import read_course, read_entry
from grading.engine.entries import Entry
from grading.engine.facts import CourseFacts
from grading.engine.policy import policy_from
from grading.engine.units import at_least, format_number
from grading.engine.vasopressors import rate_text
from grading.service import CHECKPOINT_EVERY, CurrentStatus, regrade, status_at

START = datetime(2014, 1, 1, tzinfo=UTC)
FACTS = CourseFacts(infused_at=START, age_years=Decimal(54), weight_kg=Decimal(80))
NOREPINEPHRINE = {"kind": "vasopressor", "drug": "norepinephrine", "rate": "20", "unit": "ug/min"}


def charted(minutes: float, **raw: Any) -> Entry:
    at = START + timedelta(minutes=minutes)
    return read_entry({"id": f"at-{minutes}-{raw['kind']}", "at": at.isoformat(), **raw})


def current(*entries: Entry, minutes: float, facts: CourseFacts = FACTS) -> CurrentStatus:
    return status_at(facts, entries, START + timedelta(minutes=minutes))[1]


def test_the_status_has_what_the_clock_will_change() -> None:
    now = current(charted(0, **NOREPINEPHRINE), minutes=30)
    assert (now.grade, now.at_most) == (2, 2)
    (three,) = now.upcoming
    assert (three.start, three.end, three.grade) == (START + timedelta(minutes=180), None, 3)


def test_an_entry_after_now_is_in_the_history_but_not_in_the_status() -> None:
    entries = [charted(0, **NOREPINEPHRINE), charted(33, **{**NOREPINEPHRINE, "rate": "0"})]
    history, now = status_at(FACTS, entries, START + timedelta(minutes=30))
    assert [period.grade for period in history.periods] == [2, 0]
    assert [period.grade for period in now.upcoming] == [3]


COURSE = [
    charted(0, **NOREPINEPHRINE),
    charted(10, kind="vitals", temperature_c="39.1", systolic_mmhg="80"),
    charted(20, kind="oxygen", device="nasal_cannula", flow_l_per_min="2"),
    charted(30, kind="lab", analyte="alt", value="300", unit="U/L", upper_limit="40"),
    charted(40, kind="symptom", term="headache", present=True),
    charted(50, **{**NOREPINEPHRINE, "rate": "5"}),
    charted(60, kind="vitals", temperature_c="38.2", systolic_mmhg="82"),
    charted(70, kind="oxygen", device="room_air"),
    charted(80, kind="lab", analyte="alt", value="30", unit="U/L", upper_limit="40"),
    charted(90, kind="vitals", temperature_c="36.8", systolic_mmhg="110"),
]


def test_a_sentence_names_durations_at_the_start_of_its_period() -> None:
    whole = {period.start: period for period in regrade(FACTS, COURSE).periods}
    for number in range(1, len(COURSE) + 1):
        entries = COURSE[:number]
        then = [p for p in regrade(FACTS, entries).periods if p.start <= entries[-1].at][-1]
        assert whole[then.start].findings_json() == then.findings_json()
        assert whole[then.start].unknown == then.unknown


def test_periods_with_the_same_findings_are_equal() -> None:
    one, other = regrade(FACTS, COURSE), regrade(FACTS, COURSE)
    assert one == other
    assert {*one.periods} == {*other.periods}
    assert repr(one) == repr(other)
    first, second = one.periods[:2]
    assert first.found != second.found
    assert first.criteria[0].explanation in repr(first)


def test_a_doubt_that_reaches_further_within_the_bound_opens_no_period() -> None:
    alt = {"kind": "lab", "analyte": "alt", "unit": "U/L", "upper_limit": "40", "comparator": "<"}
    entries = [
        charted(0, kind="oxygen", device="venturi_mask"),
        charted(0, **alt, value="150"),
        charted(10, **alt, value="250"),
    ]
    (period,) = regrade(FACTS, entries).periods
    assert (period.start, period.grade, period.at_most) == (START, 2, 3)
    assert {item.code: item.could_reach for item in period.unknown} == {
        "oxygen.fio2": 3,
        "lab.alt": 2,
    }


def test_the_status_names_what_is_stale_and_never_drops_it() -> None:
    entries = [
        charted(0, kind="vitals", temperature_c="39"),
        charted(0, kind="oxygen", device="cpap"),
        charted(0, kind="lab", analyte="lvef", value="60", unit="%"),
        charted(0, kind="lab", analyte="crp", value="60", unit="mg/L"),
        charted(0, kind="weight", weight_kg="80"),
        charted(121, **NOREPINEPHRINE),
    ]
    assert current(*entries, minutes=240).stale == frozenset()
    later = current(*entries, minutes=241)
    assert later.stale == {"temperature_c", "oxygen"}
    assert later.grade == 3
    assert "vasopressor.norepinephrine" in current(*entries, minutes=242).stale
    assert "lab.crp" in current(*entries, minutes=1441).stale
    assert "lab.lvef" not in current(*entries, minutes=10080).stale
    assert "lab.lvef" in current(*entries, minutes=10081).stale


def test_the_status_names_what_is_excluded_by_attribution() -> None:
    entries = [
        charted(
            0, kind="vitals", temperature_c="39", systolic_mmhg="80",
            attribution={"systolic_mmhg": "other"},
        ),
        charted(0, kind="oxygen", device="cpap", attribution="other"),
    ]  # fmt: skip
    now = current(*entries, minutes=1)
    assert {excluded.what for excluded in now.excluded} == {"systolic_mmhg", "oxygen"}
    assert now.grade == 1


@pytest.mark.parametrize(("attribution", "grade"), [("crs", 5), ("uncertain", 5), ("other", None)])
def test_a_death_ends_the_course(attribution: str, grade: int | None) -> None:
    history, now = status_at(
        FACTS,
        [charted(5, kind="death", attribution=attribution), charted(9, **NOREPINEPHRINE)],
        START + timedelta(minutes=10),
    )
    assert (now.grade, now.ended, now.upcoming) == (grade, True, ())
    assert (history.ended_at is not None) is (grade is None)


def test_nothing_is_graded_before_the_infusion() -> None:
    now = current(charted(-60, **NOREPINEPHRINE), minutes=-30)
    assert (now.grade, now.at_most, now.ended) == (None, None, False)


def test_risk_answers_charted_before_the_infusion_hold() -> None:
    now = current(charted(-60, kind="risk", older_age=True), minutes=1)
    assert now.latest["risk"].kind == "risk"


def test_checkpoints_come_every_so_many_entries_and_are_resumed_at() -> None:
    entries = [charted(n, kind="vitals", temperature_c=str(37 + n % 3)) for n in range(120)]
    whole = regrade(FACTS, entries)
    assert len(whole.checkpoints) == len(entries) // CHECKPOINT_EVERY
    last = whole.checkpoints[-1].to_resume_point()
    late = [entry for entry in entries if entry.at > last.at]
    resumed = regrade(FACTS, late, resume=last, now=START + timedelta(minutes=119))
    assert [p.start for p in resumed.periods] == [
        p.start for p in whole.periods if p.start > last.at
    ]


@pytest.mark.parametrize("died_at", [0, 5])
def test_a_checkpoint_survives_json_after_a_death(died_at: int) -> None:
    entries = [charted(0, **NOREPINEPHRINE), charted(died_at, kind="death")]
    entries += [charted(n, kind="vitals", heart_rate="90") for n in range(6, 90)]
    last = regrade(FACTS, entries).checkpoints[-1].to_resume_point()
    resumed = regrade(FACTS, [charted(200, **NOREPINEPHRINE)], resume=last)
    assert resumed.periods == ()
    assert resumed.continuing_until is None


def test_a_time_before_the_resume_point_is_refused() -> None:
    entries = [charted(n, kind="vitals", heart_rate="90") for n in range(60)]
    checkpoint = regrade(FACTS, entries).checkpoints[0].to_resume_point()
    with pytest.raises(ValueError, match="before its resume point"):
        regrade(FACTS, [], resume=checkpoint, now=START)


def test_age_is_required_because_pressure_limits_depend_on_it() -> None:
    with pytest.raises(ValueError, match="birth date or age"):
        regrade(CourseFacts(infused_at=START), [])


@pytest.mark.parametrize(
    ("born", "years"),
    [(date(2004, 1, 1), 10), (date(2004, 1, 2), 9), (date(2012, 2, 29), 1), (date(2013, 12, 5), 0)],
)
def test_age_is_counted_by_the_calendar(born: date, years: int) -> None:
    facts = CourseFacts(infused_at=START, birth_date=born)
    assert facts.age_in_completed_years == years
    assert facts.is_neonate is (born == date(2013, 12, 5))


def test_the_offset_of_the_infusion_decides_the_calendar_day() -> None:
    late = datetime.fromisoformat("2014-01-01T00:30:00+02:00")
    facts = CourseFacts(infused_at=late, birth_date=date(1996, 1, 1))
    assert facts.is_adult


def test_an_answer_names_its_policy() -> None:
    document = read_course(
        json.dumps(
            {
                "format": "crs-course/1",
                "patient": {"age_years": 54},
                "therapy": {"infused_at": START.isoformat()},
                "policy": {"cpap_grade": "4", "neuro_counts": False, "nasal_cannula_rule": "low_flow_up_to_6"},
                "entries": [],
            }
        )
    )  # fmt: skip
    values = document.facts.policy.values()
    assert (values["cpap_grade"], values["neuro_counts"]) == (4, False)
    assert policy_from(values) == document.facts.policy


RATES = [
    ({"rate": None}, "dose not known"),
    ({"rate": 0}, "stopped"),
    ({"rate": "0.25", "unit": "ug/kg/min"}, "0.25 mcg/kg/min"),
    ({"rate": "75", "unit": "ml/h", "concentration_per_ml": "16"}, "75 mL/h of 16 mcg/mL"),
]


@pytest.mark.parametrize(("rate", "text"), RATES)
def test_a_rate_is_written_as_it_was_charted(rate: dict[str, Any], text: str) -> None:
    entry = charted(0, kind="vasopressor", drug="norepinephrine", **rate)
    assert rate_text(entry) == text  # type: ignore[arg-type]


INFUSIONS = [
    ("norepinephrine", {"rate": "0.25", "unit": "ug/kg/min"}, "× 80 kg = 20 mcg/min"),
    ("norepinephrine", {"rate": "75", "unit": "ml/h", "concentration_per_ml": "16"}, "16 mcg/mL = 20 mcg/min"),
    ("norepinephrine", {"rate": "1.2", "unit": "mg/h"}, "1.2 mg/h = 20 mcg/min"),
    ("dopamine", {"rate": "800", "unit": "ug/min"}, "800 mcg/min ÷ 80 kg = 10 mcg/kg/min"),
    ("dopamine", {"rate": "30", "unit": "ml/h", "concentration_per_ml": "1600"}, "÷ 80 kg = 10 mcg/kg/min"),
    ("vasopressin", {"rate": "1.8", "unit": "units/h"}, "1.8 units/h = 0.03 units/min"),
    ("vasopressin", {"rate": "1", "unit": "ml/h", "concentration_per_ml": "1"}, "1 units/mL = ≈0.017 units/min"),
    ("other_vasopressor", {"rate": "5"}, "Other vasopressor running"),
    ("norepinephrine", {"rate": None}, "Norepinephrine dose not known"),
]  # fmt: skip


@pytest.mark.parametrize(("drug", "rate", "text"), INFUSIONS)
def test_an_infusion_shows_its_arithmetic(drug: str, rate: dict[str, Any], text: str) -> None:
    now = current(charted(0, kind="vasopressor", drug=drug, **rate), minutes=1)
    assert text in now.criteria[0].explanation


def test_an_infusion_without_weight_says_so_and_salt_is_read_as_base() -> None:
    entry = charted(0, kind="vasopressor", drug="norepinephrine", rate="0.5", unit="ug/kg/min")
    bare = CourseFacts(infused_at=START, age_years=Decimal(54))
    assert "no weight charted" in current(entry, minutes=1, facts=bare).criteria[0].explanation
    salt = CourseFacts(
        infused_at=START, age_years=Decimal(54), weight_kg=Decimal(80),
        policy=policy_from({"norepinephrine_expressed_as": "bitartrate"}),
    )  # fmt: skip
    assert (
        "× 80 kg = 20 mcg/min base" in current(entry, minutes=1, facts=salt).criteria[0].explanation
    )


@pytest.mark.parametrize(
    ("fahrenheit", "fever"), [("100.4", True), ("100.399", False), ("100.5", True)]
)
def test_fahrenheit_is_compared_exactly(fahrenheit: str, fever: bool) -> None:
    now = current(charted(0, kind="vitals", temperature_f=fahrenheit), minutes=1)
    assert (now.grade == 1) is fever
    if fever:
        assert f"Temperature {fahrenheit} °F = " in now.criteria[0].explanation


def test_thirds_are_never_rounded_up_to_a_threshold() -> None:
    assert not at_least(Fraction(59999999, 3000000), Decimal(20))
    assert at_least(Fraction(20), Decimal(20))
    assert format_number(Fraction(1, 3)) == "≈0.333"
    assert format_number(Decimal("20.00")) == "20"
    assert format_number(Decimal("1E+2")) == "100"
