"""What HL7 v2 messages one after another leave on the chart, by key, status and time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import pytest

from patients.exchange.formats.context import Context, LocalCode, SystemKind
from patients.exchange.formats.convert import context_after, convert
from patients.exchange.formats.hl7v2 import read_messages
from tests.patients.exchange.formats.hl7_sent import NOW, OBR, PID, context, header, message


class Left(NamedTuple):
    """What is in force after all messages, and the reasons of what was held and remarked."""

    entries: list[dict[str, Any]]
    held: list[str]
    remarks: list[str]
    replaced: int


_NOT_COMPARED = frozenset({"id", "recorded_at", "replaces", "at", "kind"})


def left(*messages: list[str], into: Context | None = None) -> Left:
    """Chart messages, each a list of its OBX (an OBR stands before the first)."""
    into = into or context()
    held: list[str] = []
    remarks: list[str] = []
    for number, segments in enumerate(messages):
        raw = message(PID, OBR, *segments, msh=header(control_id=f"A{number}"))
        (read,) = read_messages(raw, into, NOW)
        assert read.document is not None
        converted = convert(read.document, into, NOW)
        counted = len(converted.filed) + len(converted.held) + len(converted.remarks)
        assert counted >= sum(segment.startswith("OBX") for segment in segments)
        held += [item.reason for item in converted.held]
        remarks += [remark.reason for remark in converted.remarks]
        into = context_after(into, converted)
    entries = into.course["entries"]
    gone = {entry.get("replaces") for entry in entries}
    in_force = [
        {name: value for name, value in entry.items() if name not in _NOT_COMPARED}
        for entry in entries
        if entry["id"] not in gone and entry["kind"] != "retraction"
    ]
    return Left(in_force, held, remarks, len(gone - {None}))


def creatinine(value: str, status: str = "F", more: str = "") -> str:
    return f"OBX|1|NM|2160-0^C^LN||{value}|mg/dL|||||{status}{more}"


def values(found: Left) -> list[str]:
    return [entry["value"] for entry in found.entries]


@pytest.mark.parametrize(
    ("messages", "charted", "held", "remarks"),
    [
        ([[creatinine("1.2")], [creatinine("1.2")]], ["1.2"], [], ["unchanged"]),
        ([[creatinine("1.2")], [creatinine("1.4", "C")]], ["1.4"], [], []),
        ([[creatinine("1.2")], [creatinine("1.4", "A")]], ["1.4"], [], []),
        ([[creatinine("1.2")], [creatinine("1.4")]], ["1.2"], ["duplicate.conflict"], []),
        ([[creatinine("1.4", "C")]], ["1.4"], [], ["correction.unknown"]),
        ([[creatinine("1.2", "P")]], [], ["status.preliminary"], []),
        ([[creatinine("1.2", "P")], [creatinine("1.2", "F")]], ["1.2"], ["status.preliminary"], []),
        ([[creatinine("1.2", "P")], [creatinine("", "U")]], ["1.2"], ["status.preliminary"], []),
        ([[creatinine("1.2", "U")]], ["1.2"], [], []),
        ([[creatinine("1.2")], [creatinine("", "D")]], [], [], []),
        ([[creatinine("1.2")], [creatinine("", "W")]], [], [], ["status.wrong"]),
        (
            [[creatinine("", "D")], [creatinine("1.2")]],
            [], [], ["retraction.unknown", "retracted.before"],
        ),
        (
            [[creatinine("1.2")], [creatinine("", "D")], [creatinine("1.4", "C")]],
            [], ["duplicate.conflict"], [],
        ),
        (
            [[creatinine("1.2"), creatinine("1.4")], [creatinine("", "D")], [creatinine("1.4")]],
            [], ["duplicate.conflict"] * 2, ["retracted", "retracted.before"],
        ),
        ([[creatinine("1.2")], [creatinine("1.2", "X")]], ["1.2"], [], ["result.none"]),
        (
            [[creatinine("1.2", "P")], [creatinine("", "X")], [creatinine("1.2", "P")]],
            [], ["status.preliminary"] * 2, ["result.none"],
        ),
        (
            [[creatinine("1.2", "P")], [creatinine("", "X")], [creatinine("", "U")]],
            [], ["status.preliminary", "value.missing"], ["result.none"],
        ),
        ([[creatinine("1.2"), creatinine("1.2")]], ["1.2"], [], ["duplicate.equal"]),
        ([[creatinine("1.2"), creatinine("1.4")]], [], ["duplicate.conflict"] * 2, []),
        (
            [[creatinine("1.2"), creatinine("1.4", "F", "|||202603021005")]],
            ["1.2", "1.4"], [], [],
        ),
        ([[creatinine("1.2", "F", "|||202603021400")]], [], ["time.future"], []),
        ([[creatinine("999")]], [], ["value.impossible"], []),
    ],
)  # fmt: skip
def test_results_of_one_key_follow_their_status(
    messages: list[list[str]], charted: list[str], held: list[str], remarks: list[str]
) -> None:
    found = left(*messages)
    assert (values(found), found.held, found.remarks) == (charted, held, remarks)


def test_a_limit_of_normal_of_another_unit_holds_the_result() -> None:
    """Bilirubin 20 umol/L with the limit of mg/dL would be CTCAE grade 4."""
    bilirubin = "OBX|1|NM|14631-6^Bilirubin^LN||20|umol/L|<{}||||{}"
    sent = [[bilirubin.format("1.2", "F")], [bilirubin.format("1.2", "F")]]
    found = left(*sent)
    assert (found.entries, found.held, found.remarks) == ([], ["value.unusual"], ["unchanged"])
    corrected = left(*sent, [bilirubin.format("21", "C")])
    assert [entry["upper_limit"] for entry in corrected.entries] == ["21"]
    proposed = left(*sent, into=context(proposes=True))
    assert (proposed.entries, proposed.held) == ([], ["unvalidated"])
    people = {
        "id": "n1", "kind": "lab", "at": "2026-03-02T10:00:00+01:00",
        "recorded_at": "2026-03-02T10:05:00+01:00", "analyte": "bilirubin", "value": "20",
        "unit": "umol/L", "upper_limit": "1.2",
    }  # fmt: skip
    into = replace(context(), course={**context().course, "entries": [people]})
    confirmed = left(sent[0], into=into)
    assert (confirmed.held, confirmed.remarks) == ([], ["confirmed"]), "a person was asked"


def sign(code: str, value: str, status: str = "F", unit: str = "mm[Hg]") -> str:
    return f"OBX|1|NM|{code}^X^LN||{value}|{unit}|||||{status}"


def test_the_pressures_of_one_instant_are_one_entry_and_stay_one() -> None:
    set_of_signs = [
        sign("8480-6", "88"), sign("8462-4", "51"), sign("8478-0", "63"),
        sign("8310-5", "38.2", unit="Cel"),
    ]  # fmt: skip
    whole = {
        "systolic_mmhg": "88", "diastolic_mmhg": "51", "mean_arterial_pressure_mmhg": "63",
        "temperature_c": "38.2",
    }  # fmt: skip
    assert left(set_of_signs).entries == [whole]
    corrected = left(set_of_signs, [sign("8310-5", "37.9", "C", "Cel")])
    assert corrected.entries == [whole | {"temperature_c": "37.9"}]
    assert corrected.replaced == 1
    del whole["diastolic_mmhg"]
    assert left(set_of_signs, [sign("8462-4", "51", "D")]).entries == [whole]


def test_an_arterial_and_a_cuff_pressure_of_one_instant_are_not_mixed() -> None:
    unit = "266016^MDC_DIM_MMHG^MDC"
    found = left(
        [f"OBX|1|NM|{code}^X^MDC||{value}|{unit}|||||F" for code, value in
         (("150033", "84"), ("150034", "48"), ("150021", "92"), ("150022", "55"))]
    )  # fmt: skip
    assert found.entries == [{"systolic_mmhg": "84", "diastolic_mmhg": "48"}]
    assert set(found.held) == {"duplicate.method"}


def test_a_monitor_that_sends_everything_as_unvalidated_is_held_where_it_proposes() -> None:
    into = context(SystemKind.MONITOR, proposes=True)
    found = left(
        [
            "OBX|1|ST|HEADER^Vital signs^L||||||||X",
            "OBX|2|NM|147842^HR^MDC||112|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||R",
            "OBX|3|NM|150456^SpO2^MDC||93|%^MDC_DIM_PERCENT|||||R",
        ],
        into=into,
    )
    assert found.entries == []
    assert (set(found.held), found.remarks) == ({"unvalidated"}, ["result.none"])


def test_a_flow_without_a_device_is_held() -> None:
    found = left([sign("3151-8", "4", unit="L/min")])
    assert (found.entries, found.held) == ([], ["oxygen.no_device"])


def test_the_rates_of_a_pump_by_a_local_code_follow_one_another() -> None:
    into = context(SystemKind.PUMP, local_codes=[LocalCode("99P", "NE", drug="norepinephrine")])
    rate = "OBX|1|NM|NE^Norepi^99P||{}|{}|||||F|||2026030210{}"
    found = left(
        [rate.format("5", "mcg/min", "00")],
        [rate.format("8", "mcg/min", "20")],
        [rate.format("12", "drops", "40")],
        [rate.format("0", "mL/h", "45")],
        [rate.format("0", "", "50")],
        into=into,
    )
    drug = {"drug": "norepinephrine"}
    assert [
        {name: entry.get(name) for name in ("drug", "rate", "unit")} for entry in found.entries
    ] == [
        drug | {"rate": "5", "unit": "ug/min"},
        drug | {"rate": "8", "unit": "ug/min"},
        drug | {"rate": None, "unit": None},
        drug | {"rate": "0", "unit": "ml/h"},
        drug | {"rate": "0", "unit": None},
    ]
    assert found.held == ["unit.unknown"]


def test_comments_stand_with_the_entry() -> None:
    (entry,) = left([creatinine("1.2"), "NTE|1||slightly hemolysed"]).entries
    assert entry["note"] == "slightly hemolysed"
