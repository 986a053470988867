"""The status of an Observation, its retraction, and the name by which it is known again."""

from __future__ import annotations

import pytest

from patients.exchange.formats.context import KnownKey
from patients.exchange.formats.received import OxygenPart, Signs, Standing
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    Resource,
    component,
    measured,
    observation,
    read,
    said,
)

STANDINGS = [("amended", Standing.CORRECTED), ("corrected", Standing.CORRECTED),
             ("preliminary", Standing.PRELIMINARY), ("unknown", Standing.PRELIMINARY)]  # fmt: skip


@pytest.mark.parametrize(("status", "standing"), STANDINGS)
def test_a_status_says_how_sure_the_other_system_is(status: str, standing: Standing) -> None:
    document = read(measured("8310-5", "38", "Cel", status=status))
    assert document.statements[0].standing is standing


RETRACTED: list[tuple[Resource, object]] = [
    (measured("8310-5", "38", "Cel"), Signs({"temperature_c": "38"})),
    (observation("8310-5"), Signs({"temperature_c": ""})),
    (measured("8310-5", "38", "K", effectiveDateTime=None), Signs({"temperature_c": ""})),
    (
        observation("85354-9"),
        Signs(dict.fromkeys(
            ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg"), "")),
    ),
    (observation("19941-4"), OxygenPart(device="")),
    (measured("2160-0", "1", "mg/dL"), None),
    (measured("9999-9", "1", "mg/dL"), None),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "content"), RETRACTED)
def test_a_retraction_needs_its_key_and_names_its_sign(resource: Resource, content: object) -> None:
    document = read(resource | {"status": "entered-in-error"})
    assert said(document) == []
    (statement,) = document.statements
    assert statement.standing is Standing.RETRACTED
    assert statement.source.key == "Observation/o1"
    assert statement.content == content


def test_a_key_is_an_identifier_with_its_system_else_type_and_id() -> None:
    identifiers = [{"value": "no system"}, {"system": "urn:ehr", "value": "77"}]
    more = {"identifier": identifiers, "meta": {"versionId": "3"}}
    numbered = measured("8310-5", "38", "Cel", **more)
    source = read(numbered).statements[0].source
    assert (source.key, source.version) == ("urn:ehr|77", "3")
    unnamed = measured("8310-5", "38", "Cel", id=None)
    key = read(unnamed).statements[0].source.key
    assert key.startswith("Observation/sha256:")
    assert read(unnamed | {"meta": {"lastUpdated": AT}}).statements[0].source.key == key
    assert read(measured("8310-5", "39", "Cel", id=None)).statements[0].source.key != key


FLOW = [component("3151-8", "2", "L/min")]
KNOWN = (KnownKey("Observation/o1", "1", "e1"), KnownKey("Observation/o1#oxygen", "1", "e2"))
PARTS: list[tuple[Resource, list[tuple[str, Standing]]]] = [
    (measured("59408-5", "93", "%", status="amended"),
     [("Observation/o1", Standing.CORRECTED), ("Observation/o1#oxygen", Standing.RETRACTED)]),
    (measured("59408-5", "93", "%", meta={"versionId": "2"}),
     [("Observation/o1", Standing.FINAL), ("Observation/o1#oxygen", Standing.RETRACTED)]),
    (measured("59408-5", "93", "%"), [("Observation/o1", Standing.FINAL)]),
    (measured("59408-5", "93", "%", status="preliminary"),
     [("Observation/o1", Standing.PRELIMINARY)]),
    (measured("59408-5", "93", "%", status="amended", component=FLOW),
     [("Observation/o1", Standing.CORRECTED), ("Observation/o1#oxygen", Standing.CORRECTED)]),
    (observation("59408-5", status="entered-in-error"),
     [("Observation/o1", Standing.RETRACTED), ("Observation/o1#oxygen", Standing.RETRACTED)]),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "statements"), PARTS)
def test_a_part_that_a_correction_leaves_out_is_taken_back(
    resource: Resource, statements: list[tuple[str, Standing]]
) -> None:
    document = read(resource, known=KNOWN)
    assert [(found.source.key, found.standing) for found in document.statements] == statements
