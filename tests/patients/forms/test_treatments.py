"""Forms of vasopressors, fluid boluses and weights: what they accept and refuse."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.vocabulary import DRUGS, VasopressorDrug
from patients.models import Course
from tests.factories import admit, chart
from tests.patients.forms.bound_forms import body_of, refusal


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (
            {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"},
            {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"},
        ),
        (
            {"drug": "vasopressin", "rate": "3", "unit": "ml/h", "concentration_per_ml": "0.8"},
            {"drug": "vasopressin", "rate": "3", "unit": "ml/h", "concentration_per_ml": "0.8"},
        ),
        (
            {"drug": "dopamine", "rate": "400", "unit": "ug/min", "weight_kg": "81"},
            {"drug": "dopamine", "rate": "400", "unit": "ug/min", "weight_kg": "81"},
        ),
        (
            {"drug": "epinephrine", "stopped": "yes", "unit": "ug/min"},
            {"drug": "epinephrine", "rate": "0"},
        ),
        ({"drug": "epinephrine", "rate": "0"}, {"drug": "epinephrine", "rate": "0"}),
        ({"drug": "dopamine", "dose_not_known": "yes"}, {"drug": "dopamine", "rate": None}),
        (
            {"drug": "other_vasopressor", "note": "terlipressin"},
            {"drug": "other_vasopressor", "rate": None, "note": "terlipressin"},
        ),
        (
            {"drug": "other_vasopressor", "stopped": "yes", "note": "terlipressin"},
            {"drug": "other_vasopressor", "rate": "0", "note": "terlipressin"},
        ),
    ],
)
def test_a_vasopressor_is_charted_as_typed(
    course: Course, fields: dict[str, str], body: dict[str, Any]
) -> None:
    assert body_of(course, "vasopressor", **fields) == body


NE = {"drug": "norepinephrine", "rate": "5", "unit": "ug/min"}


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        (NE | {"drug": ""}, "drug", "Choose the drug"),
        (NE | {"rate": ""}, "rate", "Enter the rate"),
        (NE | {"rate": "-1"}, "rate", "0 or more"),
        (NE | {"unit": ""}, "unit", "mcg/min, mcg/kg/min, mg/h, mL/h"),
        (NE | {"unit": "units/min"}, "unit", "Not a unit of norepinephrine"),
        (NE | {"unit": "ml/h"}, "concentration_per_ml", "Enter the syringe concentration"),
        (NE | {"concentration_per_ml": "16"}, "concentration_per_ml", "Only with mL/h"),
        (NE | {"rate": "301"}, "rate", "mcg/min"),
        (NE | {"rate": "5", "unit": "ug/kg/min"}, "rate", "At 80 kg this is above 300 mcg/min"),
        (NE | {"rate": "5", "unit": "ug/kg/min", "weight_kg": "61"}, "rate", "At 61 kg"),
        (NE | {"weight_kg": "0.5"}, "weight_kg", "is not possible"),
        (NE | {"stopped": "yes"}, "rate", "untick that it was stopped"),
        (NE | {"dose_not_known": "yes"}, "rate", "untick that the dose is not known"),
        (NE | {"rate": "", "stopped": "yes", "dose_not_known": "yes"}, "stopped", "cannot be"),
        ({"drug": "dopamine", "rate": "51", "unit": "ug/kg/min"}, "rate", "50 mcg/kg/min"),
        ({"drug": "other_vasopressor", "rate": "3"}, "rate", "no dose of this drug"),
        ({"drug": "other_vasopressor"}, "note", "Name the drug"),
    ],
)
def test_a_vasopressor_is_refused(
    course: Course, fields: dict[str, str], field: str, sentence: str
) -> None:
    assert sentence in refusal(course, "vasopressor", field, **fields)


def test_without_a_weight_a_dose_per_kg_asks_for_one(clinician: User) -> None:
    course = admit(clinician, weight_kg=None)
    fields = {"drug": "norepinephrine", "rate": "0.25", "unit": "ug/kg/min"}
    assert "weight in the pump" in refusal(course, "vasopressor", "weight_kg", **fields)
    body_of(course, "vasopressor", **fields, weight_kg="80")
    later = timezone.now() + timedelta(minutes=3)
    chart(course, clinician, "weight", later, weight_kg="80")
    refusal(course, "vasopressor", "weight_kg", **fields)
    chart(course, clinician, "weight", weight_kg="80")
    body_of(course, "vasopressor", **fields)


@pytest.mark.parametrize("drug", VasopressorDrug, ids=str)
def test_every_unit_of_every_drug_can_be_charted(course: Course, drug: VasopressorDrug) -> None:
    for unit in DRUGS[drug].units:
        more = {"concentration_per_ml": "1"} if unit.value == "ml/h" else {}
        fields = {"drug": drug.value, "rate": "0.01", "unit": unit.value, **more}
        assert body_of(course, "vasopressor", **fields)["unit"] == unit.value


def test_a_bolus_and_a_weight_are_charted_within_their_limits(course: Course) -> None:
    assert body_of(course, "fluid_bolus", volume_ml="500") == {"volume_ml": "500"}
    assert "Enter the volume" in refusal(course, "fluid_bolus", "volume_ml")
    assert "above 0" in refusal(course, "fluid_bolus", "volume_ml", volume_ml="0")
    assert body_of(course, "weight", weight_kg="71.5", attribution="other") == {"weight_kg": "71.5"}
    assert "1 to 350 kg" in refusal(course, "weight", "weight_kg", weight_kg="700")
