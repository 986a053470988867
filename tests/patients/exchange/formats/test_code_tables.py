"""The closed tables of codes and units: their form, and that nothing of the chart is left out."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from grading.engine.analytes import Analyte, lab_unit
from grading.engine.vocabulary import (
    DRUGS,
    VITAL_SIGN,
    DoseUnit,
    OxygenDevice,
    TreatmentAgent,
    VasopressorDrug,
)
from patients.exchange.formats.code_rows import LOINC, RXNORM, SNOMED, Amount, Kind
from patients.exchange.formats.codes import CODES, Meaning, meaning_of, written_codes
from patients.exchange.formats.context import LocalCode
from patients.exchange.formats.context_file import read_context
from patients.exchange.formats.device_codes import UNCLEAR_DEVICES
from patients.exchange.formats.drug_codes import NEVER_WRITTEN, WITHOUT_A_CODE
from patients.exchange.formats.unit_rows import UNITS
from patients.exchange.formats.units import NO_UNIT, UnitText, converted, unit_for, written_unit
from patients.exchange.formats.unreadable import UnreadableError

UNCODED_DEVICES = {"tracheostomy_mask"}


def _loinc_check_digit(number: str) -> int:
    doubled = [
        int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(number[::-1])
    ]
    total = sum(value // 10 + value % 10 for value in doubled)
    return -total % 10


def _verhoeff_is_zero(number: str) -> bool:
    multiply = [[0] * 10 for _ in range(10)]
    for a in range(10):
        for b in range(10):
            rotation = (a + b) % 5 if a < 5 else (a - b) % 5
            multiply[a][b] = rotation + (5 if (a < 5) is not (b < 5) else 0)
    permute = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(place % 8):
            value = permute[value]
        check = multiply[check][value]
    return check == 0


TERMS = [row.code for row in CODES if row.system == LOINC and not row.code.startswith("LA")]


@pytest.mark.parametrize("code", TERMS)
def test_each_loinc_term_has_its_check_digit(code: str) -> None:
    number, _, digit = code.partition("-")
    assert _loinc_check_digit(number) == int(digit)


SNOMED_CODES = [row.code for row in (*CODES, *UNCLEAR_DEVICES) if row.system == SNOMED]


@pytest.mark.parametrize("code", SNOMED_CODES)
def test_each_snomed_code_has_its_check_digit(code: str) -> None:
    assert _verhoeff_is_zero(code)


def test_a_wrong_digit_is_seen() -> None:
    assert _loinc_check_digit("3150") == 0  # 3150-6 stands for FiO2 in public maps
    assert not _verhoeff_is_zero("336623008")


def test_no_code_stands_twice() -> None:
    counted = Counter((row.system, row.code) for row in (*CODES, *UNCLEAR_DEVICES))
    assert [code for code, times in counted.items() if times > 1] == []


def test_no_unit_string_of_a_thing_stands_twice() -> None:
    counted = Counter((row.thing, row.text) for row in UNITS)
    assert [unit for unit, times in counted.items() if times > 1] == []


def test_a_row_names_a_source_and_says_whether_it_was_verified() -> None:
    assert [row for row in CODES if not row.source or not row.meaning] == []
    unverified = {row.code for row in CODES if row.verified_on is None}
    assert {"150364", "14631-6", "34714-6", "C01CX09", "6902"} <= unverified
    assert {"8310-5", "3150-0", "147842", "7512", "336623009"}.isdisjoint(unverified)


EVERY_WORD = [
    *((Kind.SIGN, word) for word in VITAL_SIGN),
    *((Kind.ANALYTE, word) for word in Analyte),
    *((Kind.DRUG, word) for word in VasopressorDrug if word not in NEVER_WRITTEN),
    *((Kind.AGENT, word) for word in TreatmentAgent if word not in WITHOUT_A_CODE),
    *((Kind.DEVICE, word) for word in OxygenDevice if word not in UNCODED_DEVICES),
    (Kind.WEIGHT, "weight_kg"),
    (Kind.OXYGEN_FLOW, "flow_l_per_min"),
    (Kind.FIO2, "fio2_percent"),
]


@pytest.mark.parametrize(("kind", "word"), EVERY_WORD)
def test_each_word_of_the_course_file_has_a_code_that_reads_back(kind: Kind, word: str) -> None:
    rows = written_codes(kind, word, Amount.MASS)
    assert rows
    meaning = meaning_of([(row.system, row.code) for row in rows])
    assert meaning is not None
    assert (meaning.kind, meaning.word) == (kind, word)


def test_no_row_has_a_word_that_the_course_file_has_not() -> None:
    words = {
        Kind.SIGN: set(VITAL_SIGN),
        Kind.ANALYTE: set(Analyte),
        Kind.DRUG: set(VasopressorDrug),
        Kind.AGENT: set(TreatmentAgent),
        Kind.DEVICE: set(OxygenDevice),
    }
    assert [row for row in CODES if row.kind in words and row.word not in words[row.kind]] == []
    proposals = {row.proposal for row in UNCLEAR_DEVICES} - {""}
    assert proposals <= set(OxygenDevice)


EVERY_UNIT = [
    *((analyte.value, unit.name) for analyte in Analyte for unit in analyte.units),
    *((drug.value, unit.value) for drug, facts in DRUGS.items() for unit in facts.units),
    *((agent.value, "mg") for agent in TreatmentAgent),
]


@pytest.mark.parametrize(("thing", "unit"), EVERY_UNIT)
def test_each_unit_of_the_course_file_is_written_in_a_unit_that_reads_back(
    thing: str, unit: str
) -> None:
    text = written_unit(thing, unit)
    assert text
    row = unit_for(Meaning(Kind.ANALYTE, thing, is_local=True), UnitText(text, is_ucum=True))
    assert (row.unit, row.factor) == (unit, 1)


def test_no_unit_leads_to_one_that_the_course_file_has_not() -> None:
    for row in UNITS:
        if row.thing in set(Analyte):
            assert lab_unit(Analyte(row.thing), row.unit) is not None
        if row.thing in set(VasopressorDrug):
            assert DoseUnit(row.unit) in DRUGS[VasopressorDrug(row.thing)].units


CREATININE_MASS = [(LOINC, "2160-0")]
READ = [
    # codings, unit, is UCUM, number, charted number, charted unit
    ([(LOINC, "8310-5")], "Cel", True, "38.20", "38.20", "°C"),
    ([(LOINC, "8310-5")], " °C ", False, "38.2", "38.2", "°C"),
    ([(LOINC, "8310-5")], "[degF]", True, "100.399", "100.399", "°F"),
    ([(LOINC, "29463-7")], "g", True, "3450", "3.450", "kg"),
    ([(LOINC, "29463-7")], "[lb_av]", True, "150", "68.03885550", "kg"),
    ([(LOINC, "777-3")], "/uL", True, "150000", "150.000", "10^9/L"),
    ([(LOINC, "777-3")], "K/uL", False, "150", "150", "10^9/L"),
    ([(LOINC, "14682-9")], "\u00b5mol/L", False, "88", "88", "umol/L"),
    ([(LOINC, "14682-9")], "\u03bcmol/L", False, "88", "88", "umol/L"),
    ([(LOINC, "6301-6")], "", False, "1.1", "1.1", "ratio"),
    ([(LOINC, "48065-7")], "ng/mL{FEU}", True, "500", "500", "ng/mL"),
    ([(LOINC, "8310-5")], "Cel", True, "3.82E1", "38.2", "°C"),
]


@pytest.mark.parametrize(("codings", "unit", "is_ucum", "number", "charted", "charted_unit"), READ)
def test_a_unit_of_the_table_is_brought_to_the_charts(
    codings: list[tuple[str, str]],
    unit: str,
    is_ucum: bool,
    number: str,
    charted: str,
    charted_unit: str,
) -> None:
    meaning = meaning_of(codings)
    assert meaning is not None
    row = unit_for(meaning, UnitText(unit, is_ucum))
    assert (converted(number, row), row.unit) == (charted, charted_unit)


REFUSED = [
    ([(LOINC, "8310-5")], UnitText("K", is_ucum=True), "unit.unknown"),
    ([(LOINC, "8310-5")], UnitText("C"), "unit.unknown"),
    ([(LOINC, "8310-5")], UnitText("°C", is_ucum=True), "unit.unknown"),
    ([(LOINC, "8310-5")], UnitText("cel"), "unit.unknown"),
    ([(LOINC, "8310-5")], NO_UNIT, "unit.missing"),
    ([(LOINC, "8480-6")], UnitText("kPa", is_ucum=True), "unit.unknown"),
    ([(LOINC, "777-3")], UnitText("K/uL", is_ucum=True), "unit.unknown"),
    ([(LOINC, "1988-5")], UnitText("K/uL"), "unit.unknown"),
    ([(LOINC, "1742-6")], UnitText("ukat/L"), "unit.unknown"),
    (CREATININE_MASS, UnitText("umol/L", is_ucum=True), "code.unit_conflict"),
    ([(LOINC, "14682-9")], UnitText("mg/dL", is_ucum=True), "code.unit_conflict"),
    ([(LOINC, "48066-5")], UnitText("ng/mL{FEU}"), "code.unit_conflict"),
    ([(LOINC, "48065-7")], UnitText("ng/mL"), "unit.unknown"),
    ([(RXNORM, "1999010")], UnitText("ug/kg/min"), "unit.unknown"),
]


@pytest.mark.parametrize(("codings", "unit", "reason"), REFUSED)
def test_a_unit_that_is_not_in_the_row_is_refused_with_its_reason(
    codings: list[tuple[str, str]], unit: UnitText, reason: str
) -> None:
    meaning = meaning_of(codings)
    assert meaning is not None
    with pytest.raises(UnreadableError) as refusal:
        unit_for(meaning, unit)
    assert refusal.value.reason == reason


CONFLICTS = [
    [(LOINC, "2160-0"), (LOINC, "1975-2")],
    [(LOINC, "2160-0"), (LOINC, "14682-9")],
    [(LOINC, "10839-9"), (LOINC, "6598-7")],
    [(RXNORM, "7512"), (RXNORM, "3992")],
    [(RXNORM, "7512"), ("urn:crs:course-file/1#vasopressor", "epinephrine")],
]


@pytest.mark.parametrize("codings", CONFLICTS)
def test_codings_that_contradict_each_other_are_a_conflict(codings: list[tuple[str, str]]) -> None:
    with pytest.raises(UnreadableError, match=r"code\.conflict"):
        meaning_of(codings)


def test_an_unknown_coding_says_nothing_beside_a_known_one() -> None:
    assert meaning_of([("urn:lab", "CRE"), *CREATININE_MASS]) == meaning_of(CREATININE_MASS)
    assert meaning_of([("urn:lab", "CRE")]) is None
    assert meaning_of([("http://loinc.org/", "2160-0")]) is None


def test_the_hospitals_own_list_gives_a_code_its_meaning() -> None:
    local = [LocalCode("L", "CRE-X", analyte="creatinine"), LocalCode("L", "NOR", drug="dopamine")]
    meaning = meaning_of([("L", "CRE-X")], local)
    assert meaning == Meaning(Kind.ANALYTE, "creatinine", is_local=True)
    for unit in ("mg/dL", "umol/L"):
        assert unit_for(meaning, UnitText(unit)).unit == unit
    drug = meaning_of([("L", "NOR")], local)
    assert drug is not None
    assert (drug.kind, drug.word) == (Kind.DRUG, "dopamine")


@pytest.mark.parametrize(
    ("word", "kind"),
    [("heart_rate", Kind.SIGN), ("temperature_f", Kind.SIGN), ("weight_kg", Kind.WEIGHT),
     ("flow_l_per_min", Kind.OXYGEN_FLOW), ("fio2_percent", Kind.FIO2),
     ("tracheostomy_mask", Kind.DEVICE), ("nasal_cannula", Kind.DEVICE)],
)  # fmt: skip
def test_the_hospitals_own_list_names_signs_and_devices_in_a_context_file(
    word: str, kind: Kind
) -> None:
    codes = [{"system": "L", "code": "X", "sign": word}]
    document = {
        "course": {
            "format": "crs-course/1",
            "patient": {"mrn": "4711", "name": "Jana", "birth_date": "1980-06-15"},
            "therapy": {"product": "axi-cel", "infused_at": "2026-03-01T10:00:00+01:00"},
            "entries": [],
        },
        "mrn_system": "urn:mrn",
        "timezone": "UTC",
        "system": {"name": "ehr-1", "kind": "ehr"},
        "local_codes": codes,
    }
    meaning = meaning_of([("L", "X")], read_context(json.dumps(document)).local_codes)
    assert meaning is not None
    assert meaning.kind is kind


def test_a_factor_is_exact() -> None:
    pound = next(row for row in UNITS if row.text == "[lb_av]")
    assert pound.factor == Decimal("0.45359237")
    assert (
        converted("1" * 40, pound)
        == str(int("1" * 40) * 45359237)[:-8] + "." + str(int("1" * 40) * 45359237)[-8:]
    )
    with pytest.raises(UnreadableError, match=r"value\.impossible"):
        converted("1" * 59, pound)
