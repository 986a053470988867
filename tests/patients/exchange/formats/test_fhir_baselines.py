"""Observations of category "baseline", and procedures that give oxygen."""

from __future__ import annotations

import pytest

from patients.exchange.formats.code_rows import SNOMED
from patients.exchange.formats.received import OxygenPart, WholeEntry
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    Resource,
    component,
    concept,
    device,
    measured,
    observation,
    quantity,
    read,
    said,
)

PANEL = observation(
    "85354-9",
    component=[component("8480-6", "118", "mm[Hg]"), component("8462-4", "66", "mm[Hg]")],
)

BASELINES: list[tuple[Resource, dict[str, str]]] = [
    (PANEL, {"systolic_mmhg": "118", "diastolic_mmhg": "66"}),
    (measured("2160-0", "0.9", "mg/dL"), {"creatinine_mg_dl": "0.9"}),
    (measured("10230-1", "60", "%"), {"lvef_percent": "60"}),
    (measured("3255-7", "3.2", "g/L"), {"fibrinogen_mg_dl": "320.0"}),
]


@pytest.mark.parametrize(("resource", "fields"), BASELINES)
def test_an_observation_of_category_baseline_is_a_baseline(
    resource: Resource, fields: dict[str, str]
) -> None:
    (statement,) = read(resource | {"category": [{"text": "baseline"}]}).statements
    assert isinstance(statement.content, WholeEntry)
    assert statement.content.kind == "baseline"
    assert statement.content.fields == fields | {"measured_at": AT}


NO_BASELINES = [
    ("code.unknown", measured("8867-4", "80", "/min")),
    ("code.unknown", device("336623009")),
    ("unit.unknown", measured("14682-9", "80", "umol/L")),
    ("value.impossible", measured("2160-0", "900", "mg/dL")),
    ("comparator", observation("2160-0", valueQuantity=quantity("1", "mg/dL", comparator="<"))),
]


@pytest.mark.parametrize(("reason", "resource"), NO_BASELINES)
def test_what_has_no_baseline_in_the_chart_is_held(reason: str, resource: Resource) -> None:
    document = read(resource | {"category": [{"text": "baseline"}]})
    assert (document.statements, said(document)) == ((), [reason])


PROCEDURES: list[tuple[str, Resource, list[object], list[str]]] = [
    ("371907003", {"performedDateTime": AT}, [OxygenPart("nasal_cannula")], []),
    ("371907003", {"performedPeriod": {"start": AT}}, [OxygenPart("nasal_cannula")], []),
    ("371907003", {}, [], ["time.missing"]),
    ("428311008", {"performedDateTime": AT}, [], ["code.unknown"]),
    ("371907003", {"performedDateTime": AT, "status": "not-done"}, [], ["status.not_done"]),
    ("371907003", {"status": "entered-in-error"}, [OxygenPart("nasal_cannula")], []),
    ("371907003", {"performedDateTime": AT, "status": None}, [], ["invalid"]),
    ("433236007", {"performedDateTime": AT}, [], []),
]


@pytest.mark.parametrize(("code", "more", "contents", "reasons"), PROCEDURES)
def test_a_procedure_of_the_table_is_a_device(
    code: str, more: Resource, contents: list[object], reasons: list[str]
) -> None:
    procedure = {"resourceType": "Procedure", "id": "x", "status": "completed",
                 "code": concept(code, SNOMED), "subject": {"reference": "Patient/p1"}}  # fmt: skip
    document = read(procedure | more)
    assert [statement.content for statement in document.statements] == contents
    assert said(document) == reasons
