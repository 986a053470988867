"""A course as a FHIR Bundle: what each kind becomes, its status, its authors, its grades."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

import fhirkit
import pytest
from fhir.resources.R4B.bundle import Bundle

from grading.course_file import CourseFileError
from grading.course_result import result_json
from patients.exchange.formats.charted import Act, ChartRecord
from patients.exchange.formats.fhir_write import bundle_of
from tests.patients.exchange.written_courses import (
    CHART_RECORD,
    NURSE,
    Raw,
    demo_courses,
    random_courses,
    random_scale_courses,
    recorded_course,
    resources,
    scale_courses,
    worked_courses,
)

AT = "2026-03-02T10:00:00+01:00"
LATER = "2026-03-02T12:00:00+01:00"
LATEST = datetime.fromisoformat(LATER)


def course(*entries: Raw, **facts: Any) -> Raw:
    return {
        "format": "crs-course/1",
        "patient": {"mrn": "4711", "name": "Jana Müller", "sex": "female", "age_years": "45.5"},
        "therapy": {"product": "CAR-T", "infused_at": "2026-03-01T09:00:00+01:00"},
        **facts,
        "entries": [{"at": AT, **entry} for entry in entries],
    }


def exported(*entries: Raw, **options: Any) -> Any:
    return json.loads(bundle_of(json.dumps(course(*entries)), **options))


def of_entries(bundle: Any, kind: str) -> list[Any]:
    """The resources of a kind that entries became: not grades."""
    return [one for one in resources(bundle, kind) if "extension" in one]


def codes(part: Any) -> list[str]:
    return [one["code"] for one in part["code"]["coding"]]


def in_short(resource: Any) -> Any:
    """The part of a resource that says what was charted, without names and displays."""
    if isinstance(resource, dict):
        dropped = {"id", "extension", "subject", "issued", "note", "display", "text", "method"}
        return {k: in_short(v) for k, v in resource.items() if k not in dropped}
    return [in_short(item) for item in resource] if isinstance(resource, list) else resource


LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
LOCAL = "urn:crs:course-file/1#"


def coded(*pairs: tuple[str, str]) -> Raw:
    return {"coding": [{"system": system, "code": code} for system, code in pairs]}


def amount(value: Any, code: str, unit: str = "", **more: Any) -> Raw:
    return {"value": value, "unit": unit or code, "system": UCUM, "code": code, **more}


def observation(code: Raw, category: str = "", **parts: Any) -> Raw:
    categories = {"category": [coded((CATEGORY, category))]} if category else {}
    return {
        "resourceType": "Observation", "status": "final", **categories, "code": code,
        "effectiveDateTime": AT, **parts,
    }  # fmt: skip


def administration(*codings: tuple[str, str], **parts: Any) -> Raw:
    medication = {"medicationCodeableConcept": coded(*codings)} if codings else {}
    return {
        "resourceType": "MedicationAdministration", "status": "completed", **medication, **parts,
    }  # fmt: skip


def part(code: str, **value: Any) -> Raw:
    return {"code": coded((LOINC, code)), **value}


def lab(code: tuple[str, str], value: Raw, **parts: Any) -> Raw:
    return observation(coded(code), "laboratory", valueQuantity=value, **parts)


RUNNING = {"effectivePeriod": {"start": AT}, "status": "in-progress"}
SHAPES: list[tuple[Raw, Raw]] = [
    (
        {"kind": "vitals", "temperature_c": "38.20"},
        observation(coded((LOINC, "8310-5")), "vital-signs", valueQuantity=amount(38.2, "Cel")),
    ),
    (
        {"kind": "vitals", "temperature_f": 100.399},
        observation(
            coded((LOINC, "8310-5")), "vital-signs", valueQuantity=amount(100.399, "[degF]")
        ),
    ),
    (
        {"kind": "vitals", "systolic_mmhg": 88},
        observation(
            coded((LOINC, "85354-9")), "vital-signs",
            component=[
                part("8480-6", valueQuantity=amount(88, "mm[Hg]", "mmHg")),
                part("8462-4", dataAbsentReason=coded((ABSENT, "not-performed"))),
            ],
        ),
    ),
    (
        {"kind": "vitals", "spo2_percent": 93},
        observation(
            coded((LOINC, "2708-6"), (LOINC, "59408-5")), "vital-signs",
            valueQuantity=amount(93, "%"),
        ),
    ),
    (
        {
            "kind": "oxygen", "device": "high_flow_nasal_cannula", "flow_l_per_min": 40,
            "fio2_percent": "0.395",
        },
        observation(
            coded((LOINC, "19941-4")),
            valueCodeableConcept=coded((SNOMED, "426854004")),
            component=[
                part("3151-8", valueQuantity=amount(40, "L/min")),
                part("3150-0", valueQuantity=amount(39.5, "%")),
            ],
        ),
    ),
    (
        {"kind": "oxygen", "device": "room_air"},
        observation(coded((LOINC, "19941-4")), valueCodeableConcept=coded((LOINC, "LA11849-9"))),
    ),
    (
        {"kind": "oxygen", "device": "tracheostomy_mask"},
        observation(
            coded((LOINC, "19941-4")),
            valueCodeableConcept=coded((f"{LOCAL}oxygen", "tracheostomy_mask")),
        ),
    ),
    (
        {
            "kind": "lab", "analyte": "alt", "value": 100, "unit": "U/L", "upper_limit": 40,
            "comparator": ">",
        },
        lab(
            (LOINC, "1742-6"), amount(100, "U/L", comparator=">"),
            referenceRange=[{"high": amount(40, "U/L")}],
        ),
    ),
    (
        {"kind": "lab", "analyte": "creatinine", "value": 88, "unit": "umol/L"},
        lab((LOINC, "14682-9"), amount(88, "umol/L")),
    ),
    (
        {"kind": "lab", "analyte": "inr", "value": "1.10", "unit": "ratio"},
        lab((LOINC, "6301-6"), amount(1.1, "{INR}")),
    ),
    (
        {"kind": "lab", "analyte": "troponin", "value": 7, "unit": "ng/L"},
        lab((f"{LOCAL}lab", "troponin"), amount(7, "ng/L")),
    ),
    (
        {"kind": "lab", "analyte": "d_dimer", "value": 500, "unit": "ng/mL"},
        lab((f"{LOCAL}lab", "d_dimer"), amount(500, "ng/mL")),
    ),
    (
        {"kind": "vasopressor", "drug": "norepinephrine", "rate": 5, "unit": "ug/min"},
        administration(
            (RXNORM, "7512"), (ATC, "C01CA03"), (f"{LOCAL}vasopressor", "norepinephrine"),
            **RUNNING, dosage={"rateQuantity": amount(5, "ug/min", "mcg/min")},
        ),
    ),
    (
        {
            "kind": "vasopressor", "drug": "epinephrine", "rate": 3, "unit": "ml/h",
            "concentration_per_ml": 40,
        },
        administration(
            contained=[
                {
                    "resourceType": "Medication",
                    "code": coded(
                        (RXNORM, "3992"), (ATC, "C01CA24"), (f"{LOCAL}vasopressor", "epinephrine")
                    ),
                    "ingredient": [
                        {
                            "itemCodeableConcept": coded(
                                (RXNORM, "3992"), (ATC, "C01CA24"),
                                (f"{LOCAL}vasopressor", "epinephrine"),
                            ),
                            "strength": {
                                "numerator": amount(40, "ug"), "denominator": amount(1, "mL"),
                            },
                        }
                    ],
                }
            ],
            medicationReference={"reference": "#bag"},
            **RUNNING, dosage={"rateQuantity": amount(3, "mL/h")},
        ),
    ),
    (
        {"kind": "vasopressor", "drug": "other_vasopressor", "rate": None, "note": "terlipressin"},
        administration((f"{LOCAL}vasopressor", "other_vasopressor"), **RUNNING, dosage={}),
    ),
    (
        {"kind": "vasopressor", "drug": "vasopressin", "rate": 0},
        administration(
            (RXNORM, "11149"), (ATC, "H01BA01"), (f"{LOCAL}vasopressor", "vasopressin"),
            effectivePeriod={"start": AT, "end": AT},
            dosage={"rateQuantity": amount(0, "[USP'U]/min")},
        ),
    ),
    (
        {"kind": "treatment", "agent": "tocilizumab", "dose_mg": 320},
        administration(
            (RXNORM, "612865"), (ATC, "L04AC07"), (f"{LOCAL}treatment", "tocilizumab"),
            effectiveDateTime=AT, dosage={"dose": amount(320, "mg")},
        ),
    ),
    (
        {"kind": "treatment", "agent": "antibiotics"},
        administration((f"{LOCAL}treatment", "antibiotics"), effectiveDateTime=AT),
    ),
    (
        {"kind": "fluid_bolus", "volume_ml": 500},
        administration(
            (f"{LOCAL}fluid_bolus", "fluid_bolus"), category={}, effectiveDateTime=AT,
            dosage={"dose": amount(500, "mL")},
        ),
    ),
    (
        {"kind": "toxicity", "term": "rash", "grade": 2},
        observation(coded((f"{LOCAL}toxicity", "rash")), "exam", valueInteger=2),
    ),
    (
        {"kind": "symptom", "term": "rigors", "present": False},
        observation(coded((f"{LOCAL}symptom", "rigors")), "exam", valueBoolean=False),
    ),
    (
        {"kind": "judgement", "about": "life_threatening", "present": True},
        observation(coded((f"{LOCAL}judgement", "life_threatening")), "exam", valueBoolean=True),
    ),
    (
        {"kind": "risk", "older_age": True},
        observation(coded((f"{LOCAL}risk", "older_age")), "survey", valueBoolean=True),
    ),
    (
        {"kind": "note", "note": "asleep"},
        observation(coded((f"{LOCAL}note", "note")), valueBoolean=True),
    ),
    (
        {"kind": "not_observed", "what": "vital_signs", "reason": "refused"},
        observation(
            coded((f"{LOCAL}not_observed", "not_observed")),
            dataAbsentReason=coded((ABSENT, "asked-declined")),
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "shape"), SHAPES, ids=lambda one: str(one)[:60])
def test_an_entry_becomes_one_resource_of_this_shape(entry: Raw, shape: Raw) -> None:
    bundle = exported(entry)
    (resource,) = [
        *of_entries(bundle, "Observation"), *of_entries(bundle, "MedicationAdministration"),
    ]  # fmt: skip
    assert in_short(resource) == shape
    words = resource["extension"][0]
    assert words["url"] == "urn:crs:entry"
    assert json.loads(words["valueString"])["kind"] == entry["kind"]


def test_numbers_keep_the_digits_that_were_charted() -> None:
    text = bundle_of(
        course(
            {"kind": "vitals", "temperature_c": "38.20", "heart_rate": "0120"},
            {"kind": "oxygen", "device": "cpap", "fio2_percent": "39.999999999999999999"},
        )
    )
    for written in ('"value":38.20,', '"value":120,', '"value":39.999999999999999999,'):
        assert written in text
    assert "valueDecimal" in text
    assert '"valueDecimal":45.5}' in text


def test_a_set_of_signs_is_tied_by_a_panel() -> None:
    bundle = exported(
        {"kind": "vitals", "id": "set", "temperature_c": 38, "systolic_mmhg": 90, "heart_rate": 99}
    )
    panel, temperature, pulse, pressure = of_entries(bundle, "Observation")
    assert codes(panel) == ["85353-1"]
    members = [one["reference"].removeprefix("urn:uuid:") for one in panel["hasMember"]]
    assert members == [temperature["id"], pulse["id"], pressure["id"]]


def test_a_baseline_says_so_and_is_dated_when_it_was_measured() -> None:
    measured = "2026-02-27T08:00:00+01:00"
    values = {"systolic_mmhg": 126, "creatinine_mg_dl": "0.8", "measured_at": measured}
    bundle = exported({"kind": "baseline", **values})
    pressure, creatinine = of_entries(bundle, "Observation")
    for one in (pressure, creatinine):
        assert {"text": "baseline"} in one["category"]
        assert one["effectiveDateTime"] == measured
        assert one["method"]["text"]


def test_an_infusion_is_a_period_of_each_rate_and_its_stop_is_an_end() -> None:
    drug = {"kind": "vasopressor", "drug": "norepinephrine", "unit": "ug/min"}
    times = [f"2026-03-02T{hour}:00:00+01:00" for hour in ("10", "11", "12", "13")]
    bundle = exported(
        {**drug, "at": times[0], "rate": 5, "weight_kg": 70},
        {**drug, "at": times[1], "rate": None},
        {**drug, "at": times[2], "rate": 0, "note": "no longer needed"},
        {**drug, "at": times[3], "rate": 0},
    )
    first, second, third = of_entries(bundle, "MedicationAdministration")
    assert first["effectivePeriod"] == {"start": times[0], "end": times[1]}
    weight = [one for one in first["extension"] if one["url"] == "urn:crs:dosing-weight"]
    assert weight[0]["valueQuantity"]["value"] == 70
    assert second["effectivePeriod"] == {"start": times[1], "end": times[2]}
    assert second["dosage"] == {"text": "running, rate not known"}
    (stop,) = [one for one in second["extension"] if one["url"] == "urn:crs:entry-of-stop"]
    assert json.loads(stop["valueString"])["note"] == "no longer needed"
    assert third["effectivePeriod"] == {"start": times[3], "end": times[3]}
    assert [one["status"] for one in (first, second, third)] == ["completed"] * 3


def test_what_was_corrected_or_retracted_stays_and_says_so() -> None:
    bundle = json.loads(bundle_of(recorded_course()))
    wrong, right, weight, _ = of_entries(bundle, "Observation")
    assert (wrong["status"], right["status"]) == ("entered-in-error", "corrected")
    assert wrong["valueQuantity"]["value"] == 40.0
    assert "replaced at 2026-03-02" in wrong["note"][-1]["text"]
    assert weight["status"] == "entered-in-error"
    acts = {one["activity"]["coding"][0]["code"]: one for one in resources(bundle, "Provenance")}
    assert acts["UPDATE"]["target"] == [{"reference": f"urn:uuid:{right['id']}"}]
    revision = {"role": "revision", "what": {"reference": f"urn:uuid:{wrong['id']}"}}
    assert acts["UPDATE"]["entity"] == [revision]
    assert acts["NULLIFY"]["target"] == [{"reference": f"urn:uuid:{weight['id']}"}]


def test_the_present_alone_leaves_out_what_was_replaced() -> None:
    bundle = json.loads(bundle_of(recorded_course(), current=True))
    statuses = [one["status"] for one in of_entries(bundle, "Observation")]
    assert statuses == ["corrected", "final"]
    assert "entered-in-error" not in json.dumps(bundle)


def test_the_bundle_holds_what_was_known_at_its_time() -> None:
    then = datetime.fromisoformat("2026-03-02T09:40:00+01:00")
    bundle = json.loads(bundle_of(recorded_course(), now=then))
    (wrong,) = of_entries(bundle, "Observation")
    assert wrong["status"] == "final"
    assert bundle["timestamp"] == "2026-03-02T09:40:00+01:00"
    later = json.loads(bundle_of(recorded_course(), now=then + timedelta(hours=3), known_at=then))
    assert later["timestamp"] == bundle["timestamp"]
    assert len(of_entries(later, "Observation")) == 1


def test_authors_and_their_systems_stand_in_the_provenance() -> None:
    bundle = json.loads(bundle_of(recorded_course(), record=CHART_RECORD))
    assert fhirkit.validate(json.dumps(bundle)) == []
    (nurse,) = resources(bundle, "Practitioner")
    assert nurse["identifier"] == [{"system": "urn:crs:username", "value": "nurse"}]
    (role,) = resources(bundle, "PractitionerRole")
    by_id = {f"urn:uuid:{one['id']}": one for one in map(resource_of, bundle["entry"])}
    result = next(one for one in of_entries(bundle, "Observation") if "1742-6" in codes(one))
    assert by_id[result["performer"][0]["reference"]]["resourceType"] == "Device"
    of_result = next(
        one
        for one in resources(bundle, "Provenance")
        if one["target"] == [{"reference": f"urn:uuid:{result['id']}"}]
    )
    author, verifier = of_result["agent"]
    assert by_id[author["who"]["reference"]]["deviceName"][0]["name"] == "Laboratory"
    assert verifier["who"] == {"reference": f"urn:uuid:{role['id']}"}
    message = of_result["entity"][0]["what"]["identifier"]
    assert message == {"system": "urn:crs:message:lab-1", "value": "77"}
    update = next(one for one in resources(bundle, "Provenance") if "UPDATE" in json.dumps(one))
    assert update["reason"] == [{"text": "typed for the wrong bed"}]
    (answer,) = resources(bundle, "GuidanceResponse")
    assert answer["moduleUri"] == "urn:crs:guidance/tocilizumab.dose"
    assert answer["note"][0]["text"] == "Answered: done"
    (episode,) = resources(bundle, "EpisodeOfCare")
    assert episode["status"] == "finished"
    assert episode["managingOrganization"]["display"] == "4 West, 12"
    assert resources(bundle, "Patient")[0]["id"] == CHART_RECORD.patient_id


def resource_of(entry: Any) -> Any:
    return entry["resource"]


@pytest.mark.parametrize(
    ("attribution", "on_the_set", "on_the_parts"),
    [
        ("uncertain", ["uncertain", "uncertain"], []),
        ({"systolic_mmhg": "other", "heart_rate": "crs"}, ["crs"], ["other"]),
    ],
)
def test_an_attribution_is_an_extension_of_what_it_is_about(
    attribution: Any, on_the_set: list[str], on_the_parts: list[str]
) -> None:
    bundle = exported(
        {
            "kind": "vitals", "heart_rate": 120, "systolic_mmhg": 80, "diastolic_mmhg": 50,
            "attribution": attribution,
        }
    )  # fmt: skip
    _, *signs = of_entries(bundle, "Observation")
    assert [word for one in signs for word in attributions(one)] == on_the_set
    parts = [component for one in signs for component in one.get("component", ())]
    assert [word for one in parts for word in attributions(one)] == on_the_parts


def attributions(one: Any) -> list[str]:
    found = one.get("extension", ())
    return [item["valueCode"] for item in found if item["url"] == "urn:crs:attribution"]


def test_a_death_stands_in_the_patient_too() -> None:
    bundle = exported({"kind": "death", "attribution": "other"})
    assert resources(bundle, "Patient")[0]["deceasedDateTime"] == AT
    (death,) = of_entries(bundle, "Observation")
    assert death["note"] == [{"text": "Attributed to another cause."}]


def test_each_grade_period_is_an_observation_of_the_device_with_its_reasons() -> None:
    document = course(
        {"kind": "vitals", "id": "pressure", "systolic_mmhg": 80, "diastolic_mmhg": 40},
        {"kind": "oxygen", "id": "oxygen", "device": "high_flow_nasal_cannula", "at": LATER},
        baseline={"systolic_mmhg": 126, "diastolic_mmhg": 74},
    )
    bundle = json.loads(bundle_of(document))
    grades = [one for one in resources(bundle, "Observation") if "lee-2014" in codes(one)]
    graded = [p for p in result_json(document)["periods"] if not p["projected"]]
    assert [one["valueInteger"] for one in grades] == [period["grade"] for period in graded]
    last = grades[-1]
    assert last["effectiveDateTime"] == LATER
    assert grades[-2]["effectivePeriod"] == {"start": AT, "end": LATER}
    assert "ruleset lee-2014/2; policy" in last["method"]["text"]
    found = {codes(one)[0]: one for one in last["component"]}
    assert found["at-most"]["valueInteger"] == graded[-1]["at_most"] == 3
    assert found["hypotension.low_pressure"]["valueInteger"] == 2
    assert found["oxygen.fio2"]["interpretation"] == [{"text": "could reach 3"}]
    assert found["oxygen.fio2"]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert found["diagnosis"]["valueCodeableConcept"]["coding"][0]["code"] == "D89.832"
    evidence = {one["reference"].removeprefix("urn:uuid:") for one in last["derivedFrom"]}
    assert evidence == {one["id"] for one in of_entries(bundle, "Observation")}
    (device,) = [one for one in resources(bundle, "Device") if "version" in one]
    assert last["performer"] == [{"reference": f"urn:uuid:{device['id']}"}]


def test_rows_that_were_charted_under_other_rules_are_exported_as_they_are() -> None:
    document = course({"id": "b", "kind": "fluid_bolus", "volume_ml": "60_00", "note": "a" * 1500})
    with pytest.raises(CourseFileError):
        bundle_of(document)
    bundle = json.loads(bundle_of(document, record=ChartRecord(acts=[Act(LATEST, ["b"], NURSE)])))
    (bolus,) = of_entries(bundle, "MedicationAdministration")
    assert bolus["dosage"]["dose"]["value"] == 6000


def test_ids_are_those_of_the_chart_or_made_of_mrn_and_entry() -> None:
    own = str(uuid.uuid4())
    entries = [
        {"kind": "weight", "id": own, "weight_kg": 70},
        {"kind": "weight", "id": "second", "weight_kg": 71},
    ]
    first, second = of_entries(exported(*entries), "Observation")
    assert first["id"] == own
    assert uuid.UUID(second["id"]).version == 5
    assert bundle_of(course(*entries)) == bundle_of(course(*entries))


def test_two_libraries_accept_every_export() -> None:
    """fhirkit reads R4 without loss; fhir.resources knows which fields are required."""
    courses = chain(
        demo_courses(), worked_courses(), scale_courses(), random_courses(50),
        random_scale_courses(50),
    )  # fmt: skip
    bundles = {name: bundle_of(document) for name, document in courses}
    assert len(bundles) > 500
    assert {n: found for n, one in bundles.items() if (found := fhirkit.validate(one))} == {}
    few = dict([*islice(bundles.items(), 12), *islice(bundles.items(), 12, None, 5)])
    for text in (*few.values(), bundle_of(recorded_course(), record=CHART_RECORD)):
        Bundle.model_validate_json(text)
