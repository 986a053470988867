"""Administrations of drugs as FHIR writes them, and what is charted of each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from patients.exchange.formats.code_rows import ATC, RXNORM
from patients.exchange.formats.context import LocalCode
from patients.exchange.formats.received import Infusion, WholeEntry
from tests.patients.exchange.formats.fhir_documents import (
    AT,
    Resource,
    bag,
    concept,
    infusion,
    quantity,
    read,
    said,
)

LATER = "2026-03-02T12:00:00+01:00"
OWN = "urn:crs:course-file/1#"


def rate(number: str, unit: str | None, **more: Any) -> Resource:
    return {"dosage": {"rateQuantity": quantity(number, unit, **more)}}


def ratio(above: Resource, below: Resource) -> Resource:
    return {"dosage": {"rateRatio": {"numerator": above, "denominator": below}}}


def dose(number: str, unit: str | None, **more: Any) -> Resource:
    return {"dosage": {"dose": quantity(number, unit, **more)}}


def pump_weight(number: str, unit: str) -> Resource:
    weight = {"url": "urn:crs:dosing-weight", "valueQuantity": quantity(number, unit)}
    return {"extension": [weight]}


BAG = bag("3992", quantity("10", "mg"), quantity("250", "mL"))

RATES: list[tuple[str, Resource, dict[str, str | None]]] = [
    ("ug/min", infusion(**rate("19.95000000000000001", "ug/min")),
     {"drug": "norepinephrine", "rate": "19.95000000000000001", "unit": "ug/min"}),
    ("by ATC", infusion("C01CA24", ATC, **rate("5", "mcg/min")),
     {"drug": "epinephrine", "rate": "5", "unit": "ug/min"}),
    ("by our own word", infusion("dopamine", f"{OWN}vasopressor", **rate("5", "ug/(kg.min)")),
     {"drug": "dopamine", "rate": "5", "unit": "ug/kg/min"}),
    ("units", infusion("11149", **rate("2.4", "[USP'U]/h")),
     {"drug": "vasopressin", "rate": "2.4", "unit": "units/h"}),
    ("a ratio", infusion(**ratio(quantity("6", "mg"), quantity("2", "h"))),
     {"drug": "norepinephrine", "rate": "3", "unit": "mg/h"}),
    ("mL/h", infusion(**(BAG | rate("3", "mL/h"))),
     {"drug": "epinephrine", "rate": "3", "unit": "ml/h", "concentration_per_ml": "40"}),
    ("a ratio of mL", infusion(**(BAG | ratio(quantity("250", "mL"), quantity("8", "h")))),
     {"drug": "epinephrine", "rate": "31.25", "unit": "ml/h", "concentration_per_ml": "40"}),
    ("a strength in litres and grams",
     infusion(**(bag("7512", quantity("0.016", "g"), quantity("0.25", "L")) | rate("3", "ml/h"))),
     {"drug": "norepinephrine", "rate": "3", "unit": "ml/h", "concentration_per_ml": "64"}),
    ("a strength in units",
     infusion(**(bag("11149", quantity("20", "[IU]"), quantity("50", "mL")) | rate("3", "mL/h"))),
     {"drug": "vasopressin", "rate": "3", "unit": "ml/h", "concentration_per_ml": "0.4"}),
    ("the weight in the pump",
     infusion(**(rate("0.1", "ug/kg/min") | pump_weight("82.5", "kg"))),
     {"drug": "norepinephrine", "rate": "0.1", "unit": "ug/kg/min", "weight_kg": "82.5"}),
    ("a rate of nothing", infusion(**rate("0", None)), {"drug": "norepinephrine", "rate": "0"}),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "fields"), [case[1:] for case in RATES],
                         ids=[case[0] for case in RATES])  # fmt: skip
def test_a_rate_is_charted_exactly(resource: Resource, fields: dict[str, str]) -> None:
    document = read(resource)
    assert said(document) == []
    assert [found.content for found in document.statements] == [Infusion(fields, None)]


NULL_RATES: list[tuple[str, Resource]] = [
    ("rate.missing", infusion()),
    ("rate.missing", infusion(dosage={"text": "running", "rateQuantity": {"unit": "ug/min"}})),
    ("rate.missing", infusion("other_vasopressor", f"{OWN}vasopressor")),
    ("unit.missing", infusion(**rate("5", None))),
    ("unit.missing", infusion(**ratio(quantity("6", None), quantity("2", "h")))),
    ("unit.unknown", infusion(**rate("5", "mg/min"))),
    ("unit.unknown", infusion("1999010", **rate("5", "ug/kg/min"))),
    ("unit.unknown", infusion("3966", **rate("5", "mg/h"))),
    ("unit.unknown", infusion(**ratio(quantity("6", "mg"), quantity("50", "mL")))),
    ("infusion.concentration_missing", infusion(**rate("3", "mL/h"))),
    ("infusion.concentration_missing", infusion(
        **(bag("3992", quantity("10", "mg"), None) | rate("3", "mL/h")))),
    ("unit.unknown", infusion(
        **(bag("3992", quantity("1", "mmol"), quantity("50", "mL")) | rate("3", "mL/h")))),
    ("rate.inexact", infusion(
        **(bag("3992", quantity("5", "mg"), quantity("60", "mL")) | rate("3", "mL/h")))),
    ("rate.inexact", infusion(**ratio(quantity("5", "mg"), quantity("3", "h")))),
    ("value.impossible", infusion(**ratio(quantity("5", "mg"), quantity("0", "h")))),
    ("value.impossible", infusion(**rate("900", "ug/min"))),
    ("value.impossible", infusion(**rate("-1", "ug/min"))),
    ("value.impossible", infusion(**(rate("9", "ug/kg/min") | pump_weight("80", "kg")))),
    ("value.impossible", infusion(**(rate("0.1", "ug/kg/min") | pump_weight("800", "kg")))),
    ("unit.unknown", infusion(**(rate("0.1", "ug/kg/min") | pump_weight("80", "stone")))),
    ("comparator", infusion(**rate("5", "ug/min", comparator="<"))),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "resource"), NULL_RATES)
def test_a_drug_whose_rate_cannot_be_used_runs_at_a_rate_not_known(
    reason: str, resource: Resource
) -> None:
    document = read(resource)
    (statement,) = document.statements
    assert isinstance(statement.content, Infusion)
    assert statement.content.fields["rate"] is None
    assert "unit" not in statement.content.fields
    assert said(document) == [reason]


ENDS: list[tuple[Resource, str | None, bool]] = [
    ({"effectivePeriod": {"start": AT}}, None, False),
    ({"effectivePeriod": {"start": AT, "end": LATER}}, LATER, False),
    ({"effectivePeriod": {"start": AT, "end": LATER}, "status": "completed"}, LATER, True),
    ({"effectivePeriod": {"start": AT}, "status": "stopped"}, None, True),
    ({"effectivePeriod": {"start": AT}, "status": "on-hold"}, None, True),
    ({"effectivePeriod": None, "effectiveDateTime": AT, "status": "completed"}, None, True),
]


@pytest.mark.parametrize(("more", "end", "is_over"), ENDS)
def test_an_infusion_ends_where_its_period_does(
    more: Resource, end: str | None, is_over: bool
) -> None:
    (statement,) = read(infusion(**(rate("5", "ug/min") | more))).statements
    assert isinstance(statement.content, Infusion)
    assert statement.content.end == (None if end is None else datetime.fromisoformat(end))
    assert statement.content.is_over is is_over
    assert statement.at == datetime.fromisoformat(AT)


def treatment(agent: str, **fields: str) -> WholeEntry:
    return WholeEntry("treatment", {"agent": agent, **fields}, f"treatment:{agent}")


GIVEN: list[tuple[Resource, object, list[str]]] = [
    (infusion("612865", **dose("320", "mg")), treatment("tocilizumab", dose_mg="320"), []),
    (infusion("6902", **dose("1.5", "g")), treatment("methylprednisolone", dose_mg="1500.0"), []),
    (infusion("612865"), treatment("tocilizumab"), []),
    (infusion("612865", **dose("8", "mg/kg")), treatment("tocilizumab"), ["unit.unknown"]),
    (infusion("612865", **dose("8", None)), treatment("tocilizumab"), ["unit.missing"]),
    (infusion("612865", **dose("32000", "mg")), treatment("tocilizumab"),
     ["value.impossible"]),
    (infusion("antibiotics", f"{OWN}treatment"), treatment("antibiotics"), []),
    (infusion("fluid_bolus", f"{OWN}fluid_bolus", **dose("500", "mL")),
     WholeEntry("fluid_bolus", {"volume_ml": "500"}, "fluid_bolus"), []),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "content", "reasons"), GIVEN)
def test_a_treatment_or_a_bolus_is_charted(
    resource: Resource, content: object, reasons: list[str]
) -> None:
    document = read(resource | {"status": "completed"})
    assert [found.content for found in document.statements] == [content]
    assert said(document) == reasons


TWO = {"coding": concept("7512", RXNORM)["coding"] + concept("3992", RXNORM)["coding"]}
HELD: list[tuple[str, Resource]] = [
    ("code.unknown", infusion("6963")),
    ("code.unknown", infusion("1745276")),
    ("code.unknown", infusion("C01CA", ATC)),
    ("code.unknown", infusion(medicationCodeableConcept={"text": "norepinephrine"})),
    ("code.unknown", infusion(medicationCodeableConcept=None,
                              medicationReference={"reference": "#none"})),
    ("code.conflict", infusion(medicationCodeableConcept=TWO)),
    ("infusion.push_dose", infusion(**dose("10", "ug"))),
    ("time.missing", infusion(effectivePeriod=None)),
    ("time.missing", infusion(effectivePeriod={"end": LATER})),
    ("time.partial", infusion(effectivePeriod={"start": "2026-03-02"})),
    ("time.partial", infusion(effectivePeriod={"start": AT, "end": "2026-03-03"})),
    ("invalid", infusion(status=None)),
    ("invalid", infusion(status="final")),
    ("invalid", infusion(medicationCodeableConcept=None)),
    ("invalid", infusion(medicationReference={"reference": "#bag"})),
    ("invalid", infusion(effectivePeriod={"start": LATER, "end": AT})),
    ("invalid", infusion(effectiveDateTime=AT)),
    ("invalid", infusion(dosage=[{}])),
    ("invalid", infusion(dosage={"rateQuantity": {}, "rateRatio": {}})),
    ("invalid", infusion(dosage={"rateQuantity": {"value": "5"}})),
    ("unit.unknown", infusion("fluid_bolus", f"{OWN}fluid_bolus", **dose("5", "L"))),
    ("value.missing", infusion("fluid_bolus", f"{OWN}fluid_bolus")),
    ("value.impossible", infusion("fluid_bolus", f"{OWN}fluid_bolus", **dose("90000", "mL"))),
    ("status.not_done", infusion(status="not-done")),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "resource"), HELD)
def test_what_is_no_infusion_that_can_be_charted_is_kept_with_its_reason(
    reason: str, resource: Resource
) -> None:
    document = read(resource)
    assert document.statements == ()
    assert said(document) == [reason]


def test_a_medication_of_the_bundle_names_the_drug_and_its_strength() -> None:
    strength = {"numerator": quantity("4", "mg"), "denominator": quantity("50", "mL")}
    salt = {"itemCodeableConcept": {"text": "sodium chloride"}}
    ingredient = {"itemCodeableConcept": concept("7512", RXNORM), "strength": strength}
    medication = {"resourceType": "Medication", "id": "bag", "code": {"text": "Nor 4/50"},
                  "ingredient": [salt, ingredient]}  # fmt: skip
    reference = {"medicationCodeableConcept": None,
                 "medicationReference": {"reference": "Medication/bag"}}  # fmt: skip
    document = read(infusion(**(reference | rate("3", "mL/h"))), medication)
    fields = {"drug": "norepinephrine", "rate": "3", "unit": "ml/h", "concentration_per_ml": "80"}
    assert [found.content for found in document.statements] == [Infusion(fields, None)]


def test_a_bag_of_two_drugs_is_a_conflict() -> None:
    two = [{"itemCodeableConcept": concept(code, RXNORM)} for code in ("7512", "3992")]
    mixed = BAG | {"contained": [{"resourceType": "Medication", "id": "bag", "ingredient": two}]}
    assert said(read(infusion(**mixed))) == ["code.conflict"]


def test_another_vasopressor_is_named_in_the_note() -> None:
    own = concept("other_vasopressor", f"{OWN}vasopressor") | {"text": "terlipressin"}
    assert read(infusion(medicationCodeableConcept=own)).statements[0].note == "terlipressin"
    assert read(infusion("3966")).statements[0].note == "ephedrine"
    assert read(infusion(**rate("5", "ug/min"))).statements[0].note == ""


def test_the_hospitals_own_code_names_a_drug() -> None:
    local = (LocalCode("urn:pumps", "NOR", drug="norepinephrine"),)
    (statement,) = read(
        infusion("NOR", "urn:pumps", **rate("5", "ug/min")), local_codes=local
    ).statements
    assert isinstance(statement.content, Infusion)
    assert statement.content.fields["drug"] == "norepinephrine"


def test_a_retraction_needs_its_key_alone() -> None:
    document = read(infusion(status="entered-in-error", effectivePeriod=None, dosage=None))
    assert (document.statements[0].content, said(document)) == (None, [])
    assert document.statements[0].source.key == "MedicationAdministration/m1"
