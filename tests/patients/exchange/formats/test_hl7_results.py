"""Each OBX of an HL7 v2 message is a statement, a held item or a remark."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from patients.exchange.formats.context import LocalCode, SystemKind
from patients.exchange.formats.convert import context_after, convert
from patients.exchange.formats.received import (
    Held,
    OxygenPart,
    Received,
    Remark,
    Signs,
    Standing,
    WholeEntry,
)
from tests.patients.exchange.formats.hl7_sent import NOW, OBR, context, document, result


def lab(analyte: str, value: str, unit: str, **more: str) -> WholeEntry:
    return WholeEntry(
        "lab", {"analyte": analyte, "value": value, "unit": unit, **more}, f"lab:{analyte}"
    )


CREATININE = "OBX|1|NM|2160-0^Creatinine^LN||{}|mg/dL|||||F"


@pytest.mark.parametrize(
    ("obx", "content"),
    [
        ("NM|2160-0^Creatinine^LN||1.20|mg/dL|0.5-1.1", lab(
            "creatinine", "1.20", "mg/dL", lower_limit="0.5", upper_limit="1.1")),
        ("NM|2160-0^Creatinine^LN||1.2|mg/dL|<1.1", lab(
            "creatinine", "1.2", "mg/dL", upper_limit="1.1")),
        ("NM|2160-0^Creatinine^LN||1.2|mg/dL|<=1.1", lab(
            "creatinine", "1.2", "mg/dL", upper_limit="1.1")),
        ("NM|3255-7^Fibrinogen^LN||210|mg/dL|>200", lab(
            "fibrinogen", "210", "mg/dL", lower_limit="200")),
        ("NM|777-3^PLT^LN||150000|/uL|140000 - 400000", lab(
            "platelets", "150.000", "10^9/L", lower_limit="140.000", upper_limit="400.000")),
        ("NM|CRE-X^Krea^L^2160-0^Creatinine^LN||1.2|mg/dL|", lab("creatinine", "1.2", "mg/dL")),
        ("NM|14682-9^Creatinine^LN||88|µmol/L", lab("creatinine", "88", "umol/L")),
        ("NM|777-3^PLT^LN||88|K/uL", lab("platelets", "88", "10^9/L")),
        ("NM|777-3^PLT^LN||88|1^K/uL^L", lab("platelets", "88", "10^9/L")),
        ("NM|6301-6^INR^LN||1.1|", lab("inr", "1.1", "ratio")),
        ("SN|2276-4^Ferritin^LN||>^1000|ng/mL", lab("ferritin", "1000", "ng/mL", comparator=">")),
        ("SN|2276-4^Ferritin^LN||=^1000|ng/mL", lab("ferritin", "1000", "ng/mL")),
        ("SN|2276-4^Ferritin^LN||^0100|ng/mL", lab("ferritin", "100", "ng/mL")),
        ("NM|8310-5^Temp^LN||+038.20|Cel", Signs({"temperature_c": "38.20"})),
        ("NM|8310-5^Temp^LN||100.399|[degF]^^UCUM", Signs({"temperature_f": "100.399"})),
        ("NM|8480-6^SBP^LN||88|mm[Hg]^^UCUM", Signs({"systolic_mmhg": "88"})),
        ("NM|150021^NBP^MDC||88|266016^MDC_DIM_MMHG^MDC", Signs({"systolic_mmhg": "88"}, "cuff")),
        ("NM|147842^HR^MDC||72|264864^MDC_DIM_BEAT_PER_MIN^MDC", Signs({"heart_rate": "72"})),
        ("NM|29463-7^Weight^LN||70500|g", WholeEntry(
            "weight", {"weight_kg": "70.500"}, "weight")),
        ("NM|3151-8^Flow^LN||4|L/min", OxygenPart(flow_l_per_min="4")),
        ("NM|3150-0^FiO2^LN||39.999999999999999999|%", OxygenPart(
            fio2_percent="39.999999999999999999")),
        ("NM|3150-0^FiO2^LN||0.40|1", OxygenPart(fio2_percent="40.00")),
    ],
)  # fmt: skip
def test_a_number_is_charted_under_its_code_and_unit(obx: str, content: object) -> None:
    fields = obx.split("|")
    obx = "|".join([*fields, *[""] * (6 - len(fields)), "|||F"])
    read = result(f"OBX|1|{obx}")
    assert isinstance(read, Received), read
    assert (read.content, read.standing) == (content, Standing.FINAL)


@pytest.mark.parametrize(
    ("obx", "reason"),
    [
        ("ST|2160-0^C^LN||hemolysed|mg/dL|||||F", "value.not_numeric"),
        ("CWE|19941-4^Device^LN||426854004^HFNC^SCT||||||F", "value.not_numeric"),
        ("ED|18748-4^Report^LN||LAB^PDF^^Base64^AAAA||||||F", "value.not_numeric"),
        ("|2160-0^C^LN||1.2|mg/dL|||||F", "value.not_numeric"),
        ("NM|2160-0^C^LN||1,2|mg/dL|||||F", "value.not_numeric"),
        ("NM|2160-0^C^LN||1.2E1|mg/dL|||||F", "value.not_numeric"),
        ("NM|2160-0^C^LN||.5|mg/dL|||||F", "value.not_numeric"),
        ("NM|2160-0^C^LN||1.2~1.3|mg/dL|||||F", "value.not_numeric"),
        ("NM|2160-0^C^LN||<1.2|mg/dL|||||F", "value.not_numeric"),
        ("SN|2276-4^F^LN||^1^:^128|ng/mL|||||F", "value.not_numeric"),
        ("SN|2276-4^F^LN||^1:^128|ng/mL|||||F", "value.not_numeric"),
        ("SN|2276-4^F^LN||^10^-^20|ng/mL|||||F", "value.not_numeric"),
        ("SN|2276-4^F^LN||~^10|ng/mL|||||F", "value.not_numeric"),
        ("SN|2276-4^F^LN||>=^10|ng/mL|||||F", "comparator"),
        ("SN|8310-5^T^LN||<^36|Cel|||||F", "comparator"),
        ("NM|99999-9^X^LN||1|mg/dL|||||F", "code.unknown"),
        ("NM|2160-0^Creatinine||1|mg/dL|||||F", "code.unknown"),
        ("NM|^Creatinine^LN||1|mg/dL|||||F", "code.unknown"),
        ("NM|2160-0^C^LN^1975-2^B^LN||1|mg/dL|||||F", "code.conflict"),
        ("NM|2160-0^C^LN||1|umol/L|||||F", "code.unit_conflict"),
        ("NM|2160-0^C^LN||1||||||F", "unit.missing"),
        ("NM|2160-0^C^LN||1|foo^bar^L|||||F", "unit.unknown"),
        ("NM|777-3^PLT^LN||88|K/uL^^UCUM|||||F", "unit.unknown"),
        ("NM|777-3^PLT^LN||88|10\\S\\3/uL|||||F", "unit.unknown"),
        ("NM|3150-0^FiO2^LN||1|%|||||F", "value.ambiguous"),
        ("NM|3150-0^FiO2^LN||0.5|%|||||F", "value.ambiguous"),
        ("NM|3150-0^FiO2^LN||15|1|||||F", "value.ambiguous"),
        ("NM|3150-0^FiO2^LN||21|1|||||F", "value.impossible"),
        ("NM|3150-0^FiO2^LN||0.2|1|||||F", "value.impossible"),
        ("NM|3150-0^FiO2^LN||101|%|||||F", "value.impossible"),
        ("NM|85354-9^BP^LN||120|mm[Hg]|||||F", "value.not_numeric"),
        ("NM|2160-0^C^LN||1|mg/dL|||||", "status.missing"),
        ("NM|2160-0^C^LN||1|mg/dL|||||Z", "invalid"),
        ("NM|2160-0^C^LN||\"\"|mg/dL|||||C", "value.missing"),
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||20260302", "time.partial"),
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||2026030210", "time.partial"),
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||202603", "time.partial"),
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||202602301000", "invalid"),
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||202603021000+9900", "invalid"),
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||2026-03-02", "invalid"),
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||202603290230", "time.ambiguous"),  # never was
        ("NM|2160-0^C^LN||1|mg/dL|||||F|||202610250230", "time.ambiguous"),  # was twice
    ],
)  # fmt: skip
def test_what_is_not_read_is_held_with_its_reason(obx: str, reason: str) -> None:
    read = result(f"OBX|1|{obx}")
    assert isinstance(read, Held), read
    assert (read.reason, read.place) == (reason, "OBX[1]")
    assert read.what.isprintable()


def test_a_result_without_any_time_is_held() -> None:
    (held,) = document("OBR|1|P1|F1|24323-8^Panel^LN", CREATININE.format("1")).held
    assert held.reason == "time.missing"


@pytest.mark.parametrize(
    ("status", "kind", "standing"),
    [
        *((status, SystemKind.LABORATORY, Standing.FINAL) for status in "FVU"),
        *((status, SystemKind.LABORATORY, Standing.CORRECTED) for status in "CAB"),
        *((status, SystemKind.LABORATORY, Standing.PRELIMINARY) for status in "PSR"),
        *((status, SystemKind.MONITOR, Standing.UNVALIDATED) for status in "PSR"),
        *((status, SystemKind.PUMP, Standing.UNVALIDATED) for status in "PSR"),
        ("D", SystemKind.MONITOR, Standing.RETRACTED),
        ("F", SystemKind.MONITOR, Standing.FINAL),
    ],
)
def test_the_status_says_how_sure_the_sender_is(
    status: str, kind: SystemKind, standing: Standing
) -> None:
    read = result(f"OBX|1|NM|8310-5^T^LN||38|Cel|||||{status}", into=context(kind))
    assert isinstance(read, Received)
    assert read.standing is standing


@pytest.mark.parametrize("status", "XNOI")
def test_a_status_of_no_result_is_remarked(status: str) -> None:
    assert isinstance(result(f"OBX|1|NM|8310-5^T^LN||38|Cel|||||{status}"), Remark)


@pytest.mark.parametrize("value", ["", '""', "  ", "^", "^^~", '""^""'])
def test_an_empty_value_is_remarked(value: str) -> None:
    assert isinstance(result(f"OBX|1|NM|99999-9^X^LN||{value}||||||F"), Remark)


@pytest.mark.parametrize("value", ["38|Cel", '""|', "hemolysed|"])
def test_a_retraction_needs_no_value(value: str) -> None:
    read = result(f"OBX|1|NM|8310-5^T^LN||{value}|||||D")
    assert isinstance(read, Received)
    assert read.standing is Standing.RETRACTED


def test_a_result_posted_as_wrong_says_that_the_right_patient_is_to_be_found() -> None:
    read = document(OBR, "OBX|1|NM|8310-5^T^LN||38|Cel|||||W")
    assert [statement.standing for statement in read.statements] == [Standing.RETRACTED]
    assert ["look for the patient" in remark.what for remark in read.remarks] == [True]


@pytest.mark.parametrize(
    ("limits", "are_read"),
    [("0.5-1.1", True), ("", True), ("0.5 to 1.1", False), (">=0.5", False), ("1.1-0.5", False),
     ("M: 0.5-1.1 F: 0.4-1.0", False), ("negative", False), ("0.5-1.1~0.4-1.0", False)],
)  # fmt: skip
def test_limits_that_are_not_read_are_remarked_and_the_value_is_charted(
    limits: str, are_read: bool
) -> None:
    read = document(OBR, f"OBX|1|NM|2160-0^C^LN||1.2|mg/dL|{limits}||||F")
    assert len(read.statements) == 1
    assert [remark.reason for remark in read.remarks] == ([] if are_read else ["range.ambiguous"])


def test_a_vital_sign_has_no_limits_to_read() -> None:
    assert document(OBR, "OBX|1|NM|8310-5^T^LN||38|Cel|normal||||F").remarks == ()


@pytest.mark.parametrize(
    ("obr", "obx", "at"),
    [
        ("202603021000", "", datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
        ("202603021000-0500", "", datetime(2026, 3, 2, 15, 0, tzinfo=UTC)),
        ("202603021000", "202603021005", datetime(2026, 3, 2, 9, 5, tzinfo=UTC)),
        ("", "20260302100530.25+0100", datetime(2026, 3, 2, 9, 5, 30, 250000, tzinfo=UTC)),
        ("20260302", "202607011000", datetime(2026, 7, 1, 8, 0, tzinfo=UTC)),
        ("202603021000", '""', datetime(2026, 3, 2, 9, 0, tzinfo=UTC)),
    ],
)
def test_the_time_is_that_of_the_result_else_of_the_order(obr: str, obx: str, at: datetime) -> None:
    read = document(f"OBR|1|P1|F1|X|||{obr}", f"{CREATININE.format('1')}|||{obx}")
    assert [statement.at for statement in read.statements] == [at]


def test_the_key_has_order_code_sub_id_and_instant() -> None:
    def key(obr: str, obx: str) -> str:
        (statement,) = document(f"OBR|1|{obr}|X|||202603021000", obx).statements
        return statement.source.key

    same = key("P1|F1", "OBX|1|NM|2160-0^C^LN|1|1|mg/dL|||||F")
    assert key("P2|F1", "OBX|7|NM|2160-0^Krea^LN|1|9|mg/dL|||||C") == same
    assert key("P1|F1", "OBX|1|NM|2160-0^C^LN|1|1|mg/dL|||||F|||202603020900+0000") == same
    others = {
        key("P1|F2", "OBX|1|NM|2160-0^C^LN|1|1|mg/dL|||||F"),
        key("P1|", "OBX|1|NM|2160-0^C^LN|1|1|mg/dL|||||F"),
        key("P1|F1", "OBX|1|NM|2160-0^C^LN|2|1|mg/dL|||||F"),
        key("P1|F1", "OBX|1|NM|14682-9^C^LN|1|90|umol/L|||||F"),
        key("P1|F1", "OBX|1|NM|2160-0^C^LN|1|1|mg/dL|||||F|||202603021001"),
        key(f"P1|{'F' * 2000}", "OBX|1|NM|2160-0^C^LN|1|1|mg/dL|||||F"),
    }
    assert len(others | {same}) == 7
    assert max(len(each) for each in others) <= 300


def test_comments_on_result_and_order_become_its_note() -> None:
    read = document(
        "NTE|1||on the patient",
        OBR,
        "NTE|1||fasting",
        "OBX|1|NM|10839-9^TnI^LN||1|ng/mL|||||F",
        "NTE|1||slightly \\T\\ surely~hemolysed\\.br\\twice",
        "NTE|2||\\X41\\ \\Zfoo\\ \\X4\\",
        "OBX|2|NM|2160-0^C^LN||1|mg/dL|||||F",
        "OBX|3|NM|1975-2^B^LN||1|mg/dL|||||F",
        f"NTE|1||{'x' * 1001}",
    )
    notes = [statement.note for statement in read.statements]
    assert notes[:2] == [
        "troponin I; fasting slightly & surely hemolysed twice A \\Zfoo\\ \\X4\\",
        "fasting",
    ]
    assert len(notes[2]) == 1000
    assert [remark.reason for remark in read.remarks] == ["note.unplaced", "note.cut"]


@pytest.mark.parametrize(
    ("local", "unit", "content", "details"),
    [
        ({"analyte": "creatinine"}, "umol/L", lab("creatinine", "50", "umol/L"), []),
        ({"sign": "heart_rate"}, "/min", Signs({"heart_rate": "50"}), []),
        ({"drug": "norepinephrine"}, "mcg/min", {"rate": "50", "unit": "ug/min"}, []),
        ({"drug": "norepinephrine"}, "drops", {"rate": None}, ["unit.unknown"]),
        ({"drug": "norepinephrine"}, "mL/h", {"rate": None}, ["infusion.concentration_missing"]),
        ({"drug": "tocilizumab"}, "mg", {"dose_mg": "50"}, []),
        ({"drug": "tocilizumab"}, "mg/kg", {}, ["unit.unknown"]),
    ],
)
def test_a_local_code_means_what_was_configured(
    local: dict[str, str], unit: str, content: Any, details: list[str]
) -> None:
    into = context(local_codes=[LocalCode("99LAB", "X-1", **local)])
    read = result(f"OBX|1|NM|X-1^Any^99LAB||50|{unit}|||||F", into=into)
    assert isinstance(read, Received)
    if isinstance(content, dict):
        assert isinstance(read.content, WholeEntry)
        fields = dict(read.content.fields)
        assert {**fields, **content} == fields
        assert fields.get("agent", fields.get("drug")) == local["drug"]
    else:
        assert read.content == content
    assert [detail.reason for detail in read.details] == details


def test_a_preliminary_result_made_final_without_its_value_keeps_its_value() -> None:
    preliminary = "OBX|1|NM|2160-0^C^LN||1.2|mg/dL|||||P"
    before = convert(document(OBR, preliminary), context(), NOW)
    into = context_after(context(), before)
    read = result("OBX|1|NM|2160-0^C^LN||||||||U", into=into)
    assert isinstance(read, Received)
    assert (read.standing, read.content) == (Standing.FINAL, lab("creatinine", "1.2", "mg/dL"))
    never_came = result("OBX|1|NM|2160-0^C^LN||||||||U")
    assert isinstance(never_came, Held)
    assert never_came.reason == "value.missing"
    assert isinstance(result("OBX|1|NM|2160-0^C^LN||||||||F", into=into), Remark)


def test_every_result_of_a_message_is_counted_once() -> None:
    lines = [
        OBR,
        CREATININE.format("1"),
        "OBX|2|ST|600-7^Culture^LN||positive||||||F",
        "OBX|3|NM|8310-5^T^LN||||||||F",
        "OBX|4|NM|8310-5^T^LN||38|Cel|||||X",
        "OBX|5|NM|8310-5^T^LN||38|Cel|||||D",
    ]
    read = document(*lines)
    places = [
        *(statement.source.place for statement in read.statements),
        *(item.place for item in (*read.held, *read.remarks)),
    ]
    assert sorted(places) == [f"OBX[{number}]" for number in range(1, 6)]
