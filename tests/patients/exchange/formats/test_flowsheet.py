"""Flowsheets: what rows become by a reviewed map, and what is held."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from grading.course_file import CourseFileError, read_course
from patients.exchange.formats.context import Context, Filing, SystemKind
from patients.exchange.formats.convert import convert
from patients.exchange.formats.converted import Converted
from patients.exchange.formats.flowsheet import read_flowsheet
from patients.exchange.formats.flowsheet_bags import Overlap
from patients.exchange.formats.flowsheet_map import preset_maps, read_maps
from patients.exchange.formats.received import RefusedDocumentError

Json = dict[str, Any]
NOW = datetime(2026, 3, 3, tzinfo=UTC)
MAP: Json = {
    "NBP sys": {"field": "systolic_mmhg", "unit": "mmHg"},
    "NBP dia": {"field": "diastolic_mmhg", "unit": "mmHg"},
    "Temp F": {"field": "temperature_f", "unit": "F"},
    "Temp C": {"field": "temperature_c", "unit": "C"},
    "Weight lb": {"field": "weight_kg", "unit": "[lb_av]"},
    "FiO2": {"field": "fio2_percent", "unit": "%"},
    "FiO2 part": {"field": "fio2_percent", "unit": "1"},
    "O2 flow": {"field": "flow_l_per_min", "unit": "L/min"},
    "O2 device": {
        "field": "device",
        "values": {"Nasal cannula": "nasal_cannula", "Venti mask": "venturi_mask"},
    },
    "Bolus": {"field": "volume_ml", "unit": "mL"},
    "Device": {"field": "device"},
    "Pulse": {"field": "heart_rate", "units": {"bpm": "/min", "beats": "/min"}},
    "ALT": {"analyte": "alt", "units": {"IU/L": "U/L", "Units/L": "U/L"}},
    "PLT": {"analyte": "platelets", "unit": "K/uL"},
    "Crea": {"analyte": "creatinine", "unit": "mg/dL"},
    "Toci": {"agent": "tocilizumab", "unit": "mg"},
    "Solu-Medrol": {"drug": "methylprednisolone", "units": {"mg": "mg", "gram": "g"}},
    "Norepi": {"drug": "norepinephrine", "units": {"mcg/kg/min": "ug/kg/min", "mcg/min": "ug/min"}},
    "Epi pump": {"drug": "epinephrine", "units": {"mL/hr": "ml/h"}, "concentration_per_ml": "16"},
    "Neo pump": {"drug": "phenylephrine", "units": {"mL/hr": "ml/h", "ug/min": "ug/min"}},
}
HEADER = "patient_id,time,item,value,unit,low,high,end_time,comment,storetime,weight_kg"


def context(zone: str = "UTC") -> Context:
    course = {
        "format": "crs-course/1",
        "patient": {"mrn": "77", "age_years": "50"},
        "therapy": {"product": "CAR-T", "infused_at": "2026-03-01T09:00:00+01:00"},
        "entries": [],
    }
    filing = {"default": Filing.FILE}
    return Context(course, "", ZoneInfo(zone), "warehouse", SystemKind.EHR, filing)


def converted(*rows: str, overlap: Overlap = Overlap.REFUSE, zone: str = "UTC") -> Converted:
    """Rows after the patient; missing cells at the end are empty."""
    lines = [HEADER, *(f"77,{row}" for row in rows)]
    document = read_flowsheet(lines, read_maps(json.dumps(MAP)), context(zone), overlap)
    result = convert(document, context(zone), NOW)
    read_course({**context().course, "entries": list(result.entries)})
    return result


def shown(result: Converted) -> list[Json]:
    dropped = {"id", "recorded_at"}
    return [{k: v for k, v in one.items() if k not in dropped} for one in result.entries]


def reasons(result: Converted) -> list[tuple[str, str, int]]:
    return [(one.reason, one.place, one.count) for one in result.held]


AT = "2026-03-02T10:00:00+00:00"
ROWS: list[tuple[str, Json]] = [
    ("20260302T100000Z,Temp C,38.1,C", {"kind": "vitals", "temperature_c": "38.1"}),
    ("{},Temp F,100.399,F", {"kind": "vitals", "temperature_f": "100.399"}),
    ("{},Temp C,38.20,", {"kind": "vitals", "temperature_c": "38.20"}),
    ("{},Weight lb,100,[lb_av]", {"kind": "weight", "weight_kg": "45.35923700"}),
    ("{},Bolus,500,mL", {"kind": "fluid_bolus", "volume_ml": "500"}),
    ("{},Toci,320,mg", {"kind": "treatment", "agent": "tocilizumab", "dose_mg": "320"}),
    ("{},Solu-Medrol,1,gram", {"kind": "treatment", "agent": "methylprednisolone",
                               "dose_mg": "1000"}),
    ("{},Toci,,", {"kind": "treatment", "agent": "tocilizumab"}),
    ("{},O2 device,Venti mask,", {"kind": "oxygen", "device": "venturi_mask"}),
    ("{},Device,cpap,", {"kind": "oxygen", "device": "cpap"}),
    ("{},Pulse,111,beats", {"kind": "vitals", "heart_rate": "111"}),
    (
        "{},ALT,201,Units/L",
        {"kind": "lab", "analyte": "alt", "value": "201", "unit": "U/L"},
    ),
    (
        "{},Crea,<0.4,mg/dL,0.5,1.2",
        {
            "kind": "lab", "analyte": "creatinine", "value": "0.4", "unit": "mg/dL",
            "comparator": "<", "lower_limit": "0.5", "upper_limit": "1.2",
        },
    ),
    (
        "{},Crea,0.4,mg/dL,see text,1.2",
        {"kind": "lab", "analyte": "creatinine", "value": "0.4", "unit": "mg/dL"},
    ),
    (
        "{},PLT,145,K/uL,150,440",
        {
            "kind": "lab", "analyte": "platelets", "value": "145", "unit": "10^9/L",
            "lower_limit": "150", "upper_limit": "440",
        },
    ),
    (
        "{},Norepi,0.05,mcg/kg/min,,,,,,70",
        {
            "kind": "vasopressor", "drug": "norepinephrine", "rate": "0.05", "unit": "ug/kg/min",
            "weight_kg": "70",
        },
    ),
    (
        "{},Epi pump,3,mL/hr",
        {
            "kind": "vasopressor", "drug": "epinephrine", "rate": "3", "unit": "ml/h",
            "concentration_per_ml": "16",
        },
    ),
    (
        "{},Neo pump,0,mL/hr",
        {"kind": "vasopressor", "drug": "phenylephrine", "rate": "0", "unit": "ml/h"},
    ),
    ("{},Neo pump,0,", {"kind": "vasopressor", "drug": "phenylephrine", "rate": "0"}),
]  # fmt: skip


@pytest.mark.parametrize(("row", "entry"), ROWS, ids=lambda one: str(one)[:40])
def test_a_row_becomes_an_entry_with_its_own_digits(row: str, entry: Json) -> None:
    result = converted(row.format(AT))
    assert shown(result) == [{**entry, "at": AT}]
    assert result.held == ()


HELD = [
    ("{},Temp F,100.4,C", "unit.unknown"),
    ("{},Temp F,hot,F", "value.not_numeric"),
    ("{},Temp F,1e2,F", "value.not_numeric"),
    ("{},Temp F,,F", "value.missing"),
    ("{},Temp F,>104,F", "comparator"),
    ("{},Temp F,114,F", "value.impossible"),
    ("{},Crea,<=0.4,mg/dL", "comparator"),
    ("{},FiO2,0.4,%", "value.ambiguous"),
    ("{},FiO2,1,%", "value.ambiguous"),
    ("{},FiO2 part,40,1", "value.impossible"),
    ("{},O2 device,Face tent,", "code.unknown"),
    ("{},Mystery,1,mg", "code.unknown"),
    (",Temp F,100,F", "time.missing"),
    ("2026-03-02,Temp F,100,F", "time.partial"),
    ("2026-03,Temp F,100,F", "time.partial"),
    ("2026,Temp F,100,F", "time.partial"),
    ("20260302,Temp F,100,F", "time.partial"),
    ("2026-03-02T10,Temp F,100,F", "time.partial"),
    ("2026-03-02T10+01:00,Temp F,100,F", "time.partial"),
    ("2026-13,Temp F,100,F", "invalid"),
    ("yesterday,Temp F,100,F", "invalid"),
    ("2026-03-04T10:00:00+00:00,Temp F,100,F", "time.future"),
    ("2019-03-04T10:00:00+00:00,Temp F,100,F", "value.impossible"),
]


@pytest.mark.parametrize(("row", "reason"), HELD)
def test_what_cannot_be_charted_is_held_by_its_row(row: str, reason: str) -> None:
    result = converted(row.format(AT))
    assert reasons(result) == [(reason, "row 2", 1)]
    assert result.entries == ()


def test_a_drug_runs_at_a_rate_not_known_where_its_rate_cannot_be_used() -> None:
    result = converted(
        f"{AT},Norepi,5,gtt/min", "2026-03-02T11:00:00+00:00,Norepi,,mcg/min",
        f"{AT},Neo pump,5,mL/hr", "2026-03-02T11:00:00+00:00,Neo pump,5,",
    )  # fmt: skip
    assert [one["rate"] for one in result.entries] == [None] * 4
    assert sorted(one[0] for one in reasons(result)) == [
        "infusion.concentration_missing", "rate.missing", "unit.missing", "unit.unknown",
    ]  # fmt: skip


def test_an_unmapped_item_is_one_held_row_with_its_count() -> None:
    result = converted(*[f"{AT},Mystery,{n},mg" for n in range(5)], f"{AT},Other,1,mg")
    assert reasons(result) == [("code.unknown", "row 2", 5), ("code.unknown", "row 7", 1)]


def test_signs_of_one_time_are_one_entry() -> None:
    result = converted(f"{AT},NBP sys,84,mmHg", f"{AT},NBP dia,48,", f"{AT},Temp C,38.1,C")
    (entry,) = shown(result)
    assert entry == {
        "kind": "vitals", "at": AT, "temperature_c": "38.1", "systolic_mmhg": "84",
        "diastolic_mmhg": "48",
    }  # fmt: skip


def test_flow_and_fio2_join_the_device_of_their_minute_and_stand_on_no_other() -> None:
    result = converted(
        f"{AT},O2 device,Venti mask,",
        f"{AT},FiO2 part,0.395,1",
        "2026-03-02T12:00:00+00:00,O2 flow,4,L/min",
    )
    (entry,) = shown(result)
    assert entry == {"kind": "oxygen", "at": AT, "device": "venturi_mask", "fio2_percent": "39.500"}
    assert [one[0] for one in reasons(result)] == ["oxygen.no_device"]


def test_what_was_stored_when_is_what_was_known_when() -> None:
    result = converted(f"{AT},Temp C,38.5,C,,,,,2026-03-02T10:20:00+00:00")
    assert result.entries[0]["recorded_at"] == "2026-03-02T10:20:00+00:00"
    assert converted(f"{AT},Temp C,38.5,C").entries[0]["recorded_at"] == NOW.isoformat()


def test_a_time_without_an_offset_is_one_of_the_zone_of_the_system() -> None:
    result = converted("2026-03-02 10:00:00,Temp C,38.5,C", zone="Europe/Berlin")
    assert result.entries[0]["at"] == "2026-03-02T10:00:00+01:00"
    twice = converted("2025-10-26 02:30:00,Temp C,38.5,C", zone="Europe/Berlin")
    assert reasons(twice) == [("time.ambiguous", "row 2", 1)]


def test_rows_of_other_patients_are_counted_and_a_file_of_others_is_refused() -> None:
    maps = read_maps(json.dumps(MAP))
    lines = [HEADER, f"77,{AT},Temp C,38,C", f"78,{AT},Temp C,41,C", f"79,{AT},Temp C,41,C"]
    document = read_flowsheet(lines, maps, context())
    assert len(document.statements) == 1
    assert [(one.reason, one.what) for one in document.remarks] == [
        ("patient.other", "2 rows of other patients")
    ]
    with pytest.raises(RefusedDocumentError) as refused:
        read_flowsheet([HEADER, *lines[2:]], maps, context())
    assert refused.value.reason == "patient.other"


BAGS = (
    "2026-03-02T10:00:00+00:00,Norepi,5,mcg/min,,,2026-03-02T12:00:00+00:00",
    "2026-03-02T11:00:00+00:00,Norepi,3,mcg/min,,,2026-03-02T13:00:00+00:00",
)


def rates(result: Converted) -> list[tuple[str, str | None]]:
    return [(one["at"][11:16], one["rate"]) for one in result.entries]


def test_bags_that_overlap_are_listed_and_refused_unless_a_person_says_what_they_mean() -> None:
    with pytest.raises(RefusedDocumentError) as refused:
        converted(*BAGS)
    assert refused.value.reason == "infusion.overlap"
    assert "row 2 and row 3" in refused.value.words
    added = converted(*BAGS, overlap=Overlap.SUM)
    assert rates(added) == [("10:00", "5"), ("11:00", "8"), ("12:00", "3"), ("13:00", "0")]
    latest = converted(*BAGS, overlap=Overlap.LATEST)
    assert rates(latest) == [("10:00", "5"), ("11:00", "3"), ("13:00", "0")]
    held = converted(*BAGS, overlap=Overlap.HOLD)
    assert rates(held) == [("10:00", "5"), ("11:00", None), ("12:00", "3"), ("13:00", "0")]
    assert [one[0] for one in reasons(held)] == ["infusion.overlap"]


def test_rates_in_different_units_are_never_added() -> None:
    other = BAGS[1].replace("3,mcg/min", "0.05,mcg/kg/min")
    result = converted(BAGS[0], other, overlap=Overlap.SUM)
    assert rates(result)[:2] == [("10:00", "5"), ("11:00", None)]
    assert [one[0] for one in reasons(result)] == ["infusion.overlap"]


def test_rates_without_an_end_last_until_the_next_row_and_a_zero_is_a_stop() -> None:
    result = converted(
        "2026-03-02T10:00:00+00:00,Norepi,5,mcg/min",
        "2026-03-02T11:00:00+00:00,Norepi,7,mcg/min",
        "2026-03-02T12:00:00+00:00,Norepi,0,mcg/min",
    )
    assert rates(result) == [("10:00", "5"), ("11:00", "7"), ("12:00", "0")]
    assert result.held == ()


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ([], "row 1"),
        (["patient_id,time,item", f"77,{AT},Temp C"], "row 1"),
        (["patient_id,time,item,value,value", f"77,{AT},Temp C,38,38"], "row 1"),
        ([HEADER, f"77,{AT},Temp C,38,C,,,,,,,one too many"], "row 2"),
        ([HEADER, f'77,{AT},"Temp C,38,C'], "document"),
    ],
)
def test_a_table_that_is_none_is_refused_whole(lines: list[str], place: str) -> None:
    with pytest.raises(RefusedDocumentError) as refused:
        read_flowsheet(lines, read_maps(json.dumps(MAP)), context())
    assert (refused.value.reason, refused.value.place) == ("structure", place)


FAULTS: list[tuple[Any, str]] = [
    ([], "map"),
    ({"a": {}}, "map.a"),
    ({"a": "heart_rate"}, "map.a"),
    ({"a": {"field": "pulse"}}, "map.a.field"),
    ({"a": {"field": "heart_rate", "colour": "red"}}, "map.a.colour"),
    ({"a": {"field": "heart_rate", "analyte": "alt"}}, "map.a"),
    ({"a": {"field": "temperature_c", "unit": "F"}}, "map.a.unit"),
    ({"a": {"field": "temperature_f", "unit": "°C"}}, "map.a.unit"),
    ({"a": {"field": "fio2_percent"}}, "map.a.unit"),
    ({"a": {"field": "weight_kg", "unit": "stone"}}, "map.a.unit"),
    ({"a": {"field": "systolic_mmhg", "method": "guess"}}, "map.a.method"),
    ({"a": {"field": "device", "values": []}}, "map.a.values"),
    ({"a": {"analyte": "platelets", "units": {"/uL": "10^9/L"}}}, "map.a.units./uL"),
    ({"a": {"analyte": "alt", "unit": "U/L", "units": {"IU/L": "U/L"}}}, "map.a.unit"),
    ({"a": {"field": "temperature_c", "units": {"F": "C"}}}, "map.a.units.F"),
    ({"a": {"field": "device", "values": {"Face tent": "tent"}}}, "map.a.values.Face tent"),
    ({"a": {"field": "heart_rate", "values": {}}}, "map.a.values"),
    ({"a": {"analyte": "alt", "unit": "ukat/L"}}, "map.a.unit"),
    ({"a": {"analyte": "creatinine"}}, "map.a.unit"),
    ({"a": {"drug": "norepinephrine", "units": {"x": "units/min"}}}, "map.a.units.x"),
    ({"a": {"agent": "aspirin"}}, "map.a.agent"),
    ({"a": {"drug": "aspirin"}}, "map.a.drug"),
    ({"a": {"drug": "tocilizumab", "units": {"mg": "vials"}}}, "map.a.units.mg"),
    ({"a": {"drug": "tocilizumab", "concentration_per_ml": 20}}, "map.a.concentration_per_ml"),
    ({"preset": "eicu"}, "map.preset"),
    ({"items": {"a": {"field": "heart_rate"}}, "columns": {"patient": "x"}}, "map.columns.patient"),
]


@pytest.mark.parametrize(("words", "place"), FAULTS)
def test_a_fault_of_a_map_is_named_by_its_place(words: Any, place: str) -> None:
    with pytest.raises(CourseFileError) as refused:
        read_maps(json.dumps(words))
    assert place in {fault.place for fault in refused.value.faults}


def test_a_map_that_is_no_json_is_named() -> None:
    with pytest.raises(CourseFileError) as refused:
        read_maps("{")
    assert [fault.place for fault in refused.value.faults] == ["map"]


def test_a_limit_that_is_no_number_is_remarked() -> None:
    remarks = converted(f"{AT},Crea,0.4,mg/dL,see text,1.2").remarks
    assert [one.reason for one in remarks] == ["range.ambiguous"]


def test_a_limit_of_another_unit_is_remarked_in_a_table_which_a_message_would_be_held_for() -> None:
    result = converted(f"{AT},Crea,1.9,mg/dL,,106")
    assert [one.reason for one in result.remarks] == ["value.unusual"]
    assert [one["upper_limit"] for one in shown(result)] == ["106"]


def test_columns_of_other_names_are_read_by_the_map() -> None:
    maps = read_maps(
        json.dumps(
            {
                "columns": {"patient_id": "stay", "time": "charttime", "item": "kind"},
                "items": {"hr": {"field": "heart_rate", "unit": "bpm"}},
            }
        )
    )
    lines = ["stay,charttime,kind,value,unit", f"77,{AT},hr,111,bpm"]
    (statement,) = read_flowsheet(lines, maps, context()).statements
    assert statement.at == datetime.fromisoformat(AT)


MIMIC = {
    "chart": [
        "subject_id,charttime,storetime,itemid,value,valuenum,valueuom",
        "77,2026-03-02 10:00:00,2026-03-02 10:11:00,220179,84,84,mmHg",
        "77,2026-03-02 10:00:00,2026-03-02 10:11:00,220180,48,48,mmHg",
        "77,2026-03-02 10:00:00,2026-03-02 10:11:00,223761,101.3,101.3,°F",
        "77,2026-03-02 10:00:00,2026-03-02 10:11:00,226732,Endotracheal tube,,",
        "77,2026-03-02 10:00:00,2026-03-02 10:11:00,999999,1,1,",
    ],
    "input": [
        "subject_id,starttime,endtime,storetime,itemid,rate,rateuom,patientweight",
        "77,2026-03-02 10:00:00,2026-03-02 12:00:00,2026-03-02 10:11:00,221906,0.1,mcg/kg/min,80",
    ],
    "lab": [
        "subject_id,charttime,storetime,itemid,valuenum,valueuom,ref_range_lower,ref_range_upper",
        "77,2026-03-02 10:00:00,2026-03-02 11:00:00,50861,201,IU/L,0,40",
    ],
}


def test_the_tables_of_mimic_iv_are_read_by_a_preset() -> None:
    entries: list[Json] = []
    held = []
    for lines in MIMIC.values():
        result = convert(read_flowsheet(lines, preset_maps(), context()), context(), NOW)
        entries += shown(result)
        held += reasons(result)
    assert [one["kind"] for one in entries] == ["vitals", "vasopressor", "vasopressor", "lab"]
    assert entries[0]["temperature_f"] == "101.3"
    assert (entries[1]["rate"], entries[1]["weight_kg"], entries[2]["rate"]) == ("0.1", "80", "0")
    assert (entries[3]["analyte"], entries[3]["upper_limit"]) == ("alt", "40")
    assert held == [("code.unknown", "row 5", 1), ("code.unknown", "row 6", 1)]
    assert read_maps('{"preset": "mimic-iv"}') == preset_maps()
