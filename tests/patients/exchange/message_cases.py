"""Cases of ``cases/*.md``: messages of one system, what stands in the chart after them, and what
is held.

A statement is written ``12:00 hr.2 corrected HR 88``: its time, its key and version, its status
(final where none is written) and its value. Statements of one message stand between semicolons,
messages between slashes. An entry of people is ``12:00 HR 88``; one that the system sent before is
``12:00 HR 88 = hr.1``, with each key that it is charted from. Every case goes through the command
``to-course`` as FHIR text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from grading.course_file import read_course
from grading.engine.entries import in_force
from grading.json_document import read_json
from patients.exchange.formats.code_rows import LOINC, MDC, RXNORM, SNOMED, UCUM
from patients.exchange.formats.device_codes import DEVICE_CODES
from patients.exchange.formats.exact_json import Exact, write_json

CASES = Path(__file__).parent / "cases"
COLUMNS = ("case", "charted", "messages", "in force", "held", "remarks")
DAY = "2026-03-02"
MRN_SYSTEM = "urn:oid:2.999.1.4711"
Json = dict[str, Any]

SIGNS = {
    "T": ("temperature_c", "8310-5", "Cel"),
    "F": ("temperature_f", "8310-5", "[degF]"),
    "HR": ("heart_rate", "8867-4", "/min"),
    "RR": ("respiratory_rate", "9279-1", "/min"),
    "SBP": ("systolic_mmhg", "8480-6", "mm[Hg]"),
    "DBP": ("diastolic_mmhg", "8462-4", "mm[Hg]"),
    "MAP": ("mean_arterial_pressure_mmhg", "8478-0", "mm[Hg]"),
    "SpO2": ("spo2_percent", "2708-6", "%"),
}
BY_METHOD = {
    ("SBP", "cuff"): (LOINC, "76534-7"), ("MAP", "cuff"): (LOINC, "76536-2"),
    ("SBP", "art"): (MDC, "150033"), ("MAP", "art"): (MDC, "150035"),
}  # fmt: skip
DRUGS = {"NE": ("norepinephrine", "7512", "ug/min"), "EPI": ("epinephrine", "3992", "ug/min")}
LABS = {"creatinine": ("2160-0", "mg/dL"), "ALT": ("1742-6", "U/L"), "CRP": ("1988-5", "mg/L")}
AGENTS = {"tocilizumab": "612865"}
STATUSES = ("final", "corrected", "amended", "preliminary", "cancelled", "entered-in-error")


@dataclass(frozen=True)
class Case:
    """One row: ``given`` is the line above its table, which says whose messages they are."""

    name: str
    given: str
    charted: str
    messages: str
    in_force: str
    held: str
    remarks: str


def read_cases() -> Iterator[Case]:
    for path in sorted(CASES.glob("*.md")):
        given = ""
        for line in path.read_text().splitlines():
            if line.startswith("Given: "):
                given = line.removeprefix("Given: ").rstrip(".")
            elif line.startswith("|"):
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                if tuple(cells) == COLUMNS or set("".join(cells)) <= {"-", ":"}:
                    continue
                name, *rest = cells
                yield Case(f"{path.stem}: {name}", given, *rest)


def time_of(text: str) -> str:
    day, clock = text.split("T") if "T" in text else (DAY, text)
    return f"{day}T{clock}:00+00:00" if clock.count(":") == 1 else f"{day}T{clock}+00:00"


def parts_of(text: str, between: str) -> list[str]:
    return [part.strip() for part in text.split(between) if part.strip()]


# What was charted before.


def context_of(case: Case) -> Json:
    kind, _, filing = case.given.partition(", ")
    entries, keys = [], []
    for number, text in enumerate(parts_of(case.charted, ";")):
        words, _, sources = text.partition(" = ")
        words, _, replaced = words.partition(" replaces ")
        entry = entry_of(words) | {"id": f"e{number}"}
        if replaced:
            entry["replaces"] = f"e{replaced}"
            entry["recorded_at"] = time_of("16:00")
        entries.append(entry)
        for source in parts_of(sources, ","):
            keys.append(source_key(source, f"e{number}", words))
    return {
        "course": {
            "format": "crs-course/1",
            "patient": {"mrn": "4711", "name": "Jana Müller", "birth_date": "1980-06-15"},
            "therapy": {"product": "axi-cel", "infused_at": "2026-03-01T10:00:00+00:00"},
            "weight_kg": Exact("80"),
            "entries": entries,
        },
        "mrn_system": MRN_SYSTEM,
        "timezone": "Europe/Berlin",
        "system": {"name": "ehr-1", "kind": kind, "filing": {"default": filing or "file"}},
        "source_keys": keys,
    }


def source_key(source: str, entry: str, words: str) -> Json:
    key, _, version = source.partition(".")
    type_of = "MedicationAdministration" if words.split()[1] in DRUGS else "Observation"
    row: Json = {"resource": f"{type_of}/{key}", "entry": entry}
    return row | ({"versionId": version} if version else {})


def entry_of(text: str) -> Json:
    clock, name, *values = text.split()
    at = time_of(clock)
    if name == "retraction":
        return {"kind": "retraction", "at": at}
    if name in DRUGS:
        drug, _, unit = DRUGS[name]
        rate = {"?": None, "off": Exact("0")}.get(
            values[0], Exact(values[0]) if values[0][0].isdigit() else None
        )
        return {"kind": "vasopressor", "at": at, "drug": drug, "rate": rate, "unit": unit}
    if name in LABS:
        value = {"value": Exact(values[0]), "unit": LABS[name][1]}
        return {"kind": "lab", "at": at, "analyte": name.lower(), **value}
    if name == "weight":
        return {"kind": "weight", "at": at, "weight_kg": Exact(values[0])}
    if name in AGENTS:
        return {"kind": "treatment", "at": at, "agent": name, "dose_mg": Exact(values[0])}
    if name in SIGNS or name == "BP":
        return {"kind": "vitals", "at": at} | signs_of([name, *values])
    oxygen: Json = {"kind": "oxygen", "at": at, "device": name}
    names = {"flow": "flow_l_per_min", "FiO2": "fio2_percent"}
    for field, number in zip(values[::2], values[1::2], strict=True):
        oxygen[names[field]] = Exact(number)
    return oxygen


def signs_of(words: list[str]) -> Json:
    signs: Json = {}
    for name, number in zip(words[::2], words[1::2], strict=True):
        if name == "BP":
            signs["systolic_mmhg"], signs["diastolic_mmhg"] = map(Exact, number.split("/"))
        else:
            signs[SIGNS[name][0]] = Exact(number)
    return signs


# What is sent.


def bundles_of(case: Case) -> list[str]:
    return [
        write_json(bundle_of([resource_of(one) for one in parts_of(message, ";")]))
        for message in parts_of(case.messages, " / ")
    ]


def bundle_of(resources: list[Json]) -> Json:
    patient = {
        "resourceType": "Patient", "id": "p1",
        "identifier": [{"system": MRN_SYSTEM, "value": "4711"}],
    }  # fmt: skip
    entries = [{"resource": one} for one in (patient, *resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def resource_of(text: str) -> Json:
    clock, source, *words = text.split()
    key, _, version = source.partition(".")
    status = words.pop(0) if words[0] in STATUSES else "final"
    resource: Json = {"id": key, "subject": {"reference": "Patient/p1"}}
    if version:
        resource["meta"] = {"versionId": version}
    name, *values = words
    at = time_of(clock)
    if name in DRUGS:
        return resource | infusion(status, at, name, values)
    if name in AGENTS:
        return resource | {
            "resourceType": "MedicationAdministration",
            "status": "completed" if status == "final" else status,
            "medicationCodeableConcept": concept(RXNORM, AGENTS[name]),
            "effectiveDateTime": at,
            "dosage": {"dose": quantity(values[0], "mg")},
        }
    observation = {"resourceType": "Observation", "status": status, "effectiveDateTime": at}
    return resource | observation | value_of(name, values)


def infusion(status: str, at: str, name: str, values: list[str]) -> Json:
    """``NE 5 to 14:00 stopped``, ``NE ?``: a rate, perhaps its end and how the drug goes on."""
    _, code, unit = DRUGS[name]
    rate, *rest = values
    period = {"start": at}
    how = "in-progress"
    while rest:
        word = rest.pop(0)
        if word == "to":
            period["end"], how = time_of(rest.pop(0)), "completed"
        else:
            how = word
    return {
        "resourceType": "MedicationAdministration",
        "status": how if status == "final" else status,
        "medicationCodeableConcept": concept(RXNORM, code),
        "effectivePeriod": period,
        "dosage": {} if rate == "?" else {"rateQuantity": quantity(rate, unit)},
    }


def value_of(name: str, values: list[str]) -> Json:
    if name == "BP":
        systolic, diastolic = values[0].split("/")
        parts = [component("8480-6", systolic, "mm[Hg]"), component("8462-4", diastolic, "mm[Hg]")]
        return {"code": concept(LOINC, "85354-9"), "component": parts}
    if name == "panel":
        signs = zip(values[::2], values[1::2], strict=True)
        parts = [component(SIGNS[sign][1], number, SIGNS[sign][2]) for sign, number in signs]
        return {"code": concept(LOINC, "85353-1"), "component": parts}
    if name in SIGNS:
        _, code, unit = SIGNS[name]
        method = values[1] if len(values) > 1 else ""
        system, code = BY_METHOD.get((name, method), (LOINC, code))
        return {"code": concept(system, code), "valueQuantity": quantity(values[0], unit)}
    if name in LABS:
        code, unit = LABS[name]
        return {"code": concept(LOINC, code), "valueQuantity": quantity(values[0], unit)}
    if name == "weight":
        return {"code": concept(LOINC, "29463-7"), "valueQuantity": quantity(values[0], "kg")}
    oxygen = {"flow": ("3151-8", "L/min"), "FiO2": ("3150-0", "%")}
    if name in oxygen:
        code, unit = oxygen[name]
        return {"code": concept(LOINC, code), "valueQuantity": quantity(values[0], unit)}
    parts = [
        component(oxygen[field][0], number, oxygen[field][1])
        for field, number in zip(values[::2], values[1::2], strict=True)
    ]
    device = {"code": concept(LOINC, "19941-4"), "valueCodeableConcept": device_of(name)}
    return device | ({"component": parts} if parts else {})


def device_of(word: str) -> Json:
    if word == "room_air":
        return concept(LOINC, "LA11849-9")
    row = next(row for row in DEVICE_CODES if row.word == word and row.system == SNOMED)
    return concept(SNOMED, row.code)


def concept(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def quantity(number: str, unit: str) -> Json:
    return {"value": Exact(number), "unit": unit, "system": UCUM, "code": unit}


def component(code: str, number: str, unit: str) -> Json:
    return {"code": concept(LOINC, code), "valueQuantity": quantity(number, unit)}


# What became of it.


def shown_in_force(answer: str) -> str:
    """Return the entries that count, in the order of their times, as a case writes them."""
    words = read_json(answer)["course"]
    document = read_course(words)
    counting = {entry.id for entry in in_force(document.entries)}
    entries = [entry for entry in words["entries"] if entry["id"] in counting]
    return "; ".join(shown(entry) for entry in sorted(entries, key=lambda one: str(one["at"])))


def shown(entry: Json) -> str:
    clock = re.sub(r"^.*T(\d\d:\d\d)(:\d\d).*$", r"\1\2", str(entry["at"])).removesuffix(":00")
    if str(entry["at"])[:10] != DAY:
        clock = f"{str(entry['at'])[:10]}T{clock}"
    return f"{clock} {_value_shown(entry)}"


def _value_shown(entry: Json) -> str:
    if entry["kind"] == "vasopressor":
        name = next(name for name, row in DRUGS.items() if row[0] == entry["drug"])
        rate = entry.get("rate")
        return f"{name} {'?' if rate is None else 'off' if Decimal(rate) == 0 else rate}"
    if entry["kind"] == "lab":
        name = next(name for name in LABS if name.lower() == entry["analyte"])
        return f"{name} {entry.get('comparator') or ''}{entry['value']}"
    if entry["kind"] == "weight":
        return f"weight {entry['weight_kg']}"
    if entry["kind"] == "treatment":
        return " ".join(str(one) for one in (entry["agent"], entry.get("dose_mg")) if one)
    if entry["kind"] == "oxygen":
        parts = [("flow", "flow_l_per_min"), ("FiO2", "fio2_percent")]
        more = [f"{name} {entry[field]}" for name, field in parts if field in entry]
        return " ".join([str(entry["device"]), *more])
    return _signs_shown(entry)


def _signs_shown(entry: Json) -> str:
    found = []
    has_both = "systolic_mmhg" in entry and "diastolic_mmhg" in entry
    for name, (field, _, _) in SIGNS.items():
        if has_both and name in ("SBP", "DBP"):
            if name == "SBP":
                found.append(f"BP {entry['systolic_mmhg']}/{entry['diastolic_mmhg']}")
        elif field in entry:
            found.append(f"{name} {entry[field]}")
    return " ".join(found)


def shown_held(answer: str) -> str:
    held = json.loads(answer)["held"]
    return "; ".join(
        f"{one['reason']} {one.get('key', '').split('/')[-1]}".rstrip() for one in held
    )


def shown_remarks(answer: str) -> str:
    return "; ".join(one["reason"] for one in json.loads(answer)["remarks"])
