"""The export held to FHIR R4's own definitions, to UCUM, and to a server and a client of others."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Any

import pytest
import requests
from fhirpy import SyncFHIRClient

from patients.exchange.formats.fhir_write import bundle_of
from tests.partners.r4_rules import R4Rules, bundle_faults, unit_codes, vital_sign_faults
from tests.patients.exchange.written_courses import (
    CHART_RECORD,
    demo_courses,
    random_courses,
    random_scale_courses,
    recorded_course,
    resources,
    scale_courses,
    worked_courses,
)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def rules(definitions: Callable[[str], Any]) -> R4Rules:
    return R4Rules(definitions)


@pytest.fixture(scope="module")
def bundles() -> dict[str, Json]:
    """Exports of demonstration patients, of worked cases and of random courses, by name."""
    courses = chain(
        demo_courses(),
        worked_courses(),
        islice(scale_courses(), 0, None, 4),
        random_courses(40),
        random_scale_courses(40),
    )
    found = {name: json.loads(bundle_of(document)) for name, document in courses}
    found["with authors"] = json.loads(bundle_of(recorded_course(), record=CHART_RECORD))
    return found


def every_resource(bundles: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    """Each resource once: most worked cases have the same patient and device."""
    seen = set()
    for name, bundle in bundles.items():
        for one in bundle["entry"]:
            text = json.dumps(one["resource"])
            if text not in seen:
                seen.add(text)
                yield name, one["resource"]


def test_the_schema_of_r4_finds_no_fault(rules: R4Rules, bundles: dict[str, Json]) -> None:
    found = [
        f"{name}: {fault}"
        for name, resource in every_resource(bundles)
        for fault in rules.schema_faults(resource)
    ]
    assert found == []
    whole = {key: value for key, value in bundles["case_1"].items() if key != "entry"}
    assert list(rules.schema_faults(whole)) == []


def test_the_invariants_and_the_vital_sign_profiles_of_r4_find_no_fault(
    rules: R4Rules, bundles: dict[str, Json]
) -> None:
    found = [
        f"{name}: {fault}"
        for name, resource in every_resource(bundles)
        for fault in chain(rules.invariant_faults(resource), vital_sign_faults(resource))
    ]
    assert found == []


def test_each_address_stands_once_and_each_reference_leads_somewhere(
    bundles: dict[str, Json],
) -> None:
    found = [f"{name}: {fault}" for name, one in bundles.items() for fault in bundle_faults(one)]
    assert found == []


FEVER = {
    "resourceType": "Observation",
    "status": "final",
    "category": [{"coding": [{"code": "vital-signs"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]},
    "subject": {"reference": "urn:uuid:1"},
    "effectiveDateTime": "2026-03-02T10:00:00+01:00",
    "valueQuantity": {
        "value": 38.2, "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ({"status": "finished"}, "$.status"),
        ({"valueQuantity": {"value": 38, "comparator": "~"}}, "$.valueQuantity"),
        ({"dataAbsentReason": {"text": "none"}}, "Observation obs-6"),
        ({"valueQuantity": None}, "bodytemp vs-2"),
        ({"valueQuantity": {"value": 38, "code": "Cel"}}, "Quantity qty-3"),
        ({"component": [{"code": FEVER["code"]}]}, "Observation obs-7"),
        ({"effectivePeriod": {"start": "2026-03-02", "end": "2026-03-01"}}, "Period per-1"),
        ({"category": [{"text": "vital-signs"}]}, "no category vital-signs"),
        ({"valueQuantity": {"value": 38, "code": "K"}}, "8310-5: unit K"),
    ],
)
def test_the_rules_find_what_is_broken(rules: R4Rules, broken: Json, fault: str) -> None:
    resource = copy.deepcopy(FEVER) | broken
    resource = {key: value for key, value in resource.items() if value is not None}
    found = [
        *rules.schema_faults(resource),
        *rules.invariant_faults(resource),
        *vital_sign_faults(resource),
    ]
    assert any(one.startswith(fault) for one in found), found


def test_each_unit_is_one_of_ucum(run_script: Callable[..., Any], bundles: dict[str, Json]) -> None:
    codes = sorted({code for bundle in bundles.values() for code in unit_codes(bundle)})
    assert len(codes) > 20
    assert run_script("ucum_codes.cjs", codes) == []
    assert run_script("ucum_codes.cjs", ["mmHg", *codes]) == ["mmHg"]


@pytest.fixture(scope="module")
def server(start_script: Callable[..., str]) -> str:
    return start_script("fhir_server.mjs")


def as_transaction(bundle: Json) -> Json:
    entries = [
        {**one, "request": {"method": "POST", "url": one["resource"]["resourceType"]}}
        for one in bundle["entry"]
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def with_another_mrn(entries: list[Json], mrn: str) -> list[Json]:
    copied: list[Json] = copy.deepcopy(entries)
    copied[0]["resource"]["identifier"][0]["value"] = mrn
    return copied


def stored(server: str, bundle: Json) -> list[Json]:
    """Send a Bundle to a server and return the answers to its resources."""
    answer = requests.post(server, json=as_transaction(bundle), timeout=60)
    assert answer.status_code == 200, answer.text
    entries: list[Json] = answer.json()["entry"]
    return entries


def test_a_server_of_others_takes_every_demonstration_and_a_part_of_the_worked_cases(
    server: str, bundles: dict[str, Json]
) -> None:
    few = [*islice(bundles, 12), *islice(bundles, 12, None, 10)]
    statuses = {one["response"]["status"] for name in few for one in stored(server, bundles[name])}
    assert statuses == {"201"}


def test_a_client_of_others_finds_on_the_server_what_was_exported(
    server: str, bundles: dict[str, Json]
) -> None:
    bundle = bundles["with authors"]
    stored(server, bundle)
    client = SyncFHIRClient(server)
    result = client.resources("Observation").search(code="1742-6").fetch_all()
    [mine] = [one for one in result if one["valueQuantity"].get("comparator") == ">"]
    patient = client.reference(reference=mine["subject"]["reference"]).to_resource()
    assert patient["name"] == [{"text": "Jana Müller"}]


def test_a_client_of_others_counts_the_same_resources(
    server: str, bundles: dict[str, Json]
) -> None:
    bundle = bundles["case_3"]
    stored(server, {**bundle, "entry": with_another_mrn(bundle["entry"], "PARTNER-3")})
    client = SyncFHIRClient(server)
    patients = client.resources("Patient").search(identifier="PARTNER-3").fetch_all()
    assert [one["name"][0]["text"] for one in patients] == ["Lee 2014, case 3"]
    mine = patients[0].to_reference().reference
    for code in ("8310-5", "85354-9", "1988-5", "lee-2014"):
        found = client.resources("Observation").search(subject=mine, code=code).fetch_all()
        wanted = [
            one
            for one in resources(bundle, "Observation")
            if code in {coding["code"] for coding in one["code"].get("coding", ())}
        ]
        assert len(found) == len(wanted) > 0, code
    given = client.resources("MedicationAdministration").search(subject=mine).fetch_all()
    assert len(given) == len(resources(bundle, "MedicationAdministration")) > 0
    assert {one["subject"]["reference"] for one in given} == {mine}
