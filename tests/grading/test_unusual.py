"""What is asked about: plausible but unusual values, by age; jumps of dose and weight."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.course_file import read_entry
from grading.engine.analytes import Analyte
from grading.engine.entries import Weight
from grading.engine.plausibility import Circumstances, questions
from grading.engine.vocabulary import VITAL_SIGNS, AgeBand, VitalSign

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
AIRWAY = {"device": "invasive_ventilation", "purpose": "airway_protection"}
CANNULA_4 = {"device": "nasal_cannula", "flow_l_per_min": "4"}
ADULT = Circumstances(age_years=54, weight_kg=Decimal(80))


def asked(circumstances: Circumstances = ADULT, **words: Any) -> list[str]:
    entry = read_entry({"id": "1", "at": AT.isoformat(), **words})
    return [sentence for _, sentence in questions(entry, circumstances)]


@pytest.mark.parametrize("sign", VITAL_SIGNS, ids=lambda sign: sign.key)
def test_an_adults_vital_sign_is_asked_about_outside_its_usual_range(sign: VitalSign) -> None:
    tenth = Decimal("0.1")
    for usual in (sign.usual.lowest, sign.usual.highest):
        assert asked(kind="vitals", **{sign.key: str(usual)}) == []
    for unusual in (sign.usual.lowest - tenth, sign.usual.highest + tenth):
        if sign.limits.allow(unusual):
            (sentence,) = asked(kind="vitals", **{sign.key: str(unusual)})
            assert "unusually" in sentence


def test_a_temperature_in_fahrenheit_is_compared_with_the_same_range() -> None:
    assert asked(kind="vitals", temperature_f="95") == []
    assert asked(kind="vitals", temperature_f="106.7") == []
    assert len(asked(kind="vitals", temperature_f="106.71")) == 1


@pytest.mark.parametrize(
    ("age_years", "heart_rate", "is_asked"),
    [
        (0, 180, False),
        (0, 70, True),
        (3, 190, False),
        (3, 60, True),
        (17, 190, True),
        (18, 41, False),
    ],
)
def test_a_childs_pulse_is_compared_with_its_age(
    age_years: int, heart_rate: int, is_asked: bool
) -> None:
    circumstances = Circumstances(age_years=age_years)
    assert bool(asked(circumstances, kind="vitals", heart_rate=heart_rate)) is is_asked


@given(st.integers(0, 120))
def test_every_age_has_one_band_or_is_an_adults(age_years: int) -> None:
    assert (AgeBand.of(age_years) is None) == (age_years >= 18)


def test_usual_ranges_lie_within_the_hard_limits() -> None:
    for sign in VITAL_SIGNS:
        for usual in (sign.usual, *sign.usual_of_children.values()):
            assert sign.limits.allow(usual.lowest)
            assert sign.limits.allow(usual.highest)
    for analyte in Analyte:
        for unit in analyte.units:
            if unit.usual is not None and unit.limits is not None:
                assert unit.limits.allow(unit.usual.lowest)
                assert unit.limits.allow(unit.usual.highest)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"device": "nasal_cannula", "flow_l_per_min": "6"}, ""),
        ({"device": "nasal_cannula", "flow_l_per_min": "6.1"}, "nasal cannula is unusually high"),
        ({"device": "simple_mask", "flow_l_per_min": "4"}, "by simple face mask is unusually low"),
        ({"device": "non_rebreather_mask", "flow_l_per_min": "9"}, "unusually low"),
        ({"device": "high_flow_nasal_cannula", "flow_l_per_min": "61"}, "unusually high"),
        ({"device": "nasal_cannula", "flow_l_per_min": "0"}, "0 L/min by nasal cannula gives no"),
        ({"device": "high_flow_nasal_cannula", "flow_l_per_min": "0"}, "Is it room air?"),
        ({"device": "cpap", "flow_l_per_min": "0", "fio2_percent": "40"}, ""),
        ({**CANNULA_4, "fio2_percent": "90"}, "FiO2 90 % does not fit 4 L/min by nasal cannula: "),
        ({**CANNULA_4, "fio2_percent": "76"}, ""),
        ({**CANNULA_4, "fio2_percent": "76.1"}, "about 36 %."),
        ({**CANNULA_4, "fio2_percent": "24"}, ""),
        ({"device": "cpap", "fio2_percent": "21"}, "FiO2 21 % by CPAP is room air"),
        ({"device": "cpap", "fio2_percent": "0.21"}, "is room air"),
        ({"device": "cpap", "fio2_percent": "22"}, ""),
        ({"device": "invasive_ventilation", "fio2_percent": "60"}, ""),
        ({**AIRWAY, "fio2_percent": "60"}, "FiO2 60 % is over 40 %: that treats low oxygen"),
        ({**AIRWAY, "fio2_percent": "40.1"}, "is over 40 %"),
        ({**AIRWAY, "fio2_percent": "40"}, ""),
        (AIRWAY, ""),
    ],
)  # fmt: skip
def test_oxygen(words: dict[str, str], expected: str) -> None:
    sentences = asked(kind="oxygen", **words)
    assert len(sentences) == bool(expected)
    assert expected in "".join(sentences)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"drug": "norepinephrine", "rate": "100", "unit": "ug/min"}, ""),
        ({"drug": "norepinephrine", "rate": "100.1", "unit": "ug/min"}, "over 100 mcg/min"),
        ({"drug": "norepinephrine", "rate": "1.26", "unit": "ug/kg/min"}, "over 100 mcg/min"),
        ({"drug": "dopamine", "rate": "20.5", "unit": "ug/kg/min"}, "over 20 mcg/kg/min"),
        ({"drug": "vasopressin", "rate": "0.11", "unit": "units/min"}, "over 0.1 units/min"),
        ({"drug": "milrinone", "rate": "0.76", "unit": "ug/kg/min"}, "over 0.75 mcg/kg/min"),
        ({"drug": "norepinephrine", "rate": "0"}, ""),
        ({"drug": "norepinephrine", "rate": None}, ""),
    ],
)
def test_doses(words: dict[str, Any], expected: str) -> None:
    sentences = asked(kind="vasopressor", **words)
    assert len(sentences) == bool(expected)
    assert expected in "".join(sentences)


def test_a_small_childs_norepinephrine_is_asked_about_per_kg() -> None:
    light = Circumstances(age_years=2, weight_kg=Decimal(10))
    dose = {"kind": "vasopressor", "drug": "norepinephrine", "unit": "ug/min"}
    assert asked(light, **dose, rate="30") == []
    assert "over 3 mcg/kg/min" in asked(light, **dose, rate="30.1")[0]


@pytest.mark.parametrize(
    ("before", "rate", "expected"),
    [
        ("4", "20", "5 times the dose before; that was 4 mcg/min"),
        ("4", "19.99", ""),
        ("20", "4", "a fifth of the dose before or less; that was 20 mcg/min"),
        ("20", "4.01", ""),
        ("20", "0", ""),
        (None, "20", ""),
    ],
)
def test_a_five_fold_jump_of_a_dose(before: str | None, rate: str, expected: str) -> None:
    compared_with = Circumstances(54, Decimal(80), dose_before=Fraction(before) if before else None)
    dose = {"kind": "vasopressor", "drug": "norepinephrine", "unit": "ug/min", "rate": rate}
    sentences = asked(compared_with, **dose)
    assert len(sentences) == bool(expected)
    assert expected in "".join(sentences)


def test_a_pump_weight_far_from_the_charted_one() -> None:
    dose = {"kind": "vasopressor", "drug": "norepinephrine", "unit": "ug/kg/min", "rate": "0.1"}
    assert asked(**dose, weight_kg="88") == []
    assert asked(**dose, weight_kg="88.1")[0].startswith("88.1 kg in the pump is")


@pytest.mark.parametrize(
    ("days", "weight_kg", "is_asked"),
    [(1, "88", False), (1, "88.1", True), (1, "71.9", True), (8, "95", False), (-2, "95", True)],
)
def test_a_weight_is_compared_with_those_of_a_week(
    days: int, weight_kg: str, is_asked: bool
) -> None:
    at = AT - timedelta(days=days)
    other = Weight(id="w", at=at, recorded_at=at, weight_kg=Decimal(80))
    compared_with = Circumstances(age_years=54, weights=(other,))
    assert bool(asked(compared_with, kind="weight", weight_kg=weight_kg)) is is_asked


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"analyte": "fibrinogen", "value": "2.4", "unit": "mg/dL"}, "was it reported in g/L?"),
        ({"analyte": "fibrinogen", "value": "2.4", "unit": "g/L"}, ""),
        ({"analyte": "ferritin", "value": "100001", "unit": "ng/mL"}, "unusually high"),
        ({"analyte": "creatinine", "value": "0.19", "unit": "mg/dL"}, "unusually low"),
        ({"analyte": "creatinine", "value": "1327", "unit": "umol/L"}, "over 1326 µmol/L"),
        ({"analyte": "d_dimer", "value": "9999", "unit": "ng/mL"}, ""),
    ],
)
def test_results(words: dict[str, str], expected: str) -> None:
    sentences = asked(kind="lab", **words)
    assert len(sentences) == bool(expected)
    assert expected in "".join(sentences)


@pytest.mark.parametrize(
    ("days_after_infusion", "given_days_after", "is_asked"),
    [
        (9, (1, 2, 3), False),
        (9, (1, 2, 3, 4), True),
        (9, (-1, 0, 1, 2), False),
        (9, (-9, -8, -7, -6), False),
        (-1, (1, 2, 3, 4, 5), False),
    ],
)
def test_a_fifth_dose_of_tocilizumab_is_one_of_five_since_the_infusion(
    days_after_infusion: int, given_days_after: tuple[int, ...], is_asked: bool
) -> None:
    """Day 0 is an hour after the infusion."""
    infused_at = AT - timedelta(days=days_after_infusion, hours=1)
    compared_with = Circumstances(
        age_years=54,
        weight_kg=Decimal(80),
        infused_at=infused_at,
        given_at=tuple(infused_at + timedelta(days=day, hours=1) for day in given_days_after),
    )
    sentences = asked(compared_with, kind="treatment", agent="tocilizumab", dose_mg="560")
    assert sentences == (
        ["5 doses of tocilizumab with this one; the US label allows 4."] if is_asked else []
    )


def test_a_childs_low_creatinine_is_usual() -> None:
    result = {"kind": "lab", "analyte": "creatinine", "value": "0.15", "unit": "mg/dL"}
    assert asked(Circumstances(age_years=4), **result) == []
