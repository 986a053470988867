"""No FHIR document ends in anything but a document or a refusal, whatever stands in it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from patients.exchange.formats.exact_json import Exact, read_json, write_json
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.received import Document, RefusedDocumentError
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    PATIENT,
    bag,
    component,
    context,
    device,
    infusion,
    measured,
    observation,
    quantity,
)
from tests.patients.exchange.formats.test_fhir_own_kinds import entry, extended, own

ENTRY = entry("vitals", temperature_c="38.2")
RESOURCES: tuple[dict[str, Any], ...] = (
    extended(measured("8310-5", "38.2", "Cel"), ENTRY),
    observation("85354-9", component=[component("8480-6", "80", "mm[Hg]")]),
    device("336623009", component=[component("3150-0", "40", "%")]),
    measured("2160-0", "1.1", "mg/dL", referenceRange=[{"high": quantity("1.2", "mg/dL")}]),
    measured("2160-0", "1.1", "mg/dL", category=[{"text": "baseline"}]),
    own("toxicity", "seizure", valueInteger=Exact("3")),
    own("note", "note", note=[{"text": "Sleeps."}]),
    extended(own("ice", "ice"), entry("ice", score=Exact("9"))),
    extended(infusion(dosage={"rateQuantity": quantity("5", "ug/min")}),
             entry("vasopressor", drug="norepinephrine", rate=Exact("5"), unit="ug/min")),
    infusion(**bag("3992", quantity("10", "mg"), quantity("250", "mL")),
             dosage={"rateRatio": {"numerator": quantity("6", "mL"),
                                   "denominator": quantity("2", "h")}}),
    infusion("612865", dosage={"dose": quantity("320", "mg")}),
    {"resourceType": "Procedure", "status": "completed", "performedDateTime": AT,
     "code": {"coding": [{"system": "http://snomed.info/sct", "code": "371907003"}]},
     "subject": {"reference": "Patient/p1"}},
)  # fmt: skip

STRANGE: tuple[Any, ...] = (
    None, True, False, "", "x", "final", "entered-in-error", "2026-03-02", "#bag", "Patient/p1",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", Exact("0"), Exact("-1"), Exact("1e59"),
    Exact("0.000000000000000000000000000000000000001"), [], {}, [[]], [{}], [None], [5],
    {"coding": "x"}, {"value": Exact("5")}, {"start": AT, "end": AT}, [{"url": "urn:crs:entry"}],
    "urn:crs:attribution", "urn:crs:course-file/1#note", "\x00", "\u202e", "http://loinc.org",
    "http://unitsofmeasure.org", '{"kind": []}', "9" * 5000, {"versionId": "9" * 5000},
)  # fmt: skip
KEYS: tuple[str, ...] = (
    "status", "code", "value", "unit", "system", "extension", "component", "valueString", "dosage",
    "valueInteger", "effectivePeriod", "effectiveDateTime", "resourceType", "id", "meta", "coding",
    "contained", "identifier", "referenceRange", "issued", "category", "note", "valueQuantity",
    "medicationReference", "dataAbsentReason", "hasMember",
)  # fmt: skip


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container of a tree with each of its keys."""
    keys = (
        tree.keys()
        if isinstance(tree, dict)
        else range(len(tree))
        if isinstance(tree, list)
        else ()
    )
    found = [(tree, key) for key in keys]
    for key in keys:
        found += places(tree[key])
    return found


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A document in which a few values are others, are moved, or stand twice."""
    resources = draw(st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3))
    kind = draw(st.sampled_from(["collection", "transaction", "batch"]))
    entries = [{"fullUrl": f"urn:x:{index}", "resource": copy.deepcopy(resource)}
               for index, resource in enumerate((PATIENT, *resources))]  # fmt: skip
    tree = {"resourceType": "Bundle", "type": kind, "entry": entries}
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(places(tree["entry"][1:])))
        value = draw(st.sampled_from(STRANGE))
        if draw(st.booleans()) and isinstance(container, dict):
            key = draw(st.sampled_from(KEYS))
        container[key] = copy.deepcopy(value)
    return tree


def ends_well(document: bytes) -> Document | None:
    try:
        read = read_bundle(document, context())
    except RefusedDocumentError:
        return None
    for item in (*read.held, *read.remarks):
        assert item.reason
        assert item.place
    return read


@given(broken())
def test_a_broken_document_is_read_or_refused(tree: Any) -> None:
    ends_well(write_json(tree).encode("utf-8", "surrogatepass"))


SAMPLE = Path(settings.BASE_DIR) / "tests/patients/exchange/formats/sample_export.json"


@given(st.data())
def test_a_sample_export_with_broken_bytes_is_read_or_refused(data: st.DataObject) -> None:
    document = bytearray(SAMPLE.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(document) - 1))
        document[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=4))
    ends_well(bytes(document))


def test_the_sample_export_is_read_whole() -> None:
    read = ends_well(SAMPLE.read_bytes())
    assert read is not None
    assert read.held == ()
    assert [remark.reason for remark in read.remarks] == ["data.absent"]
    numbers = write_json(read_json(SAMPLE.read_bytes()))
    assert "39.999999999999999999" in numbers
    contents = [str(statement.content) for statement in read.statements]
    assert sum("39.999999999999999999" in content for content in contents) == 1
    assert sum("19.95000000000000001" in content for content in contents) == 1
    assert [len(statement.details) for statement in read.statements].count(1) == 1
