"""Rows of consciousness, seizures, signs, place of care and blood products over HTTP."""

import json
from typing import Any

import pytest
from django.test import Client

from crs_app.accounts.models import User
from patients.exchange.course_file import import_course
from patients.models import Course
from tests.patients.review.flowsheet_page import MARCH_2, rows_of, sheet_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site_in_utc")]

WINDOW = {**MARCH_2, "bin": "4"}


def imported(nurse: User, *entries: dict[str, Any]) -> Course:
    document = {
        "format": "crs-course/2",
        "patient": {"mrn": "I1", "name": "Import, Ida", "age_years": 50, "sex": "female"},
        "therapy": {"product": "CAR-T", "infused_at": "2024-03-01T06:00:00+00:00"},
        "entries": list(entries),
    }
    return import_course(json.dumps(document), [nurse])


def texts(client: Client, course: Course) -> dict[str, list[str]]:
    return {
        key: [c.text for c in cells]
        for key, cells in rows_of(sheet_of(client, course, **WINDOW)).items()
    }


def at(hour: int, day: int = 2) -> str:
    return f"2024-03-{day:02}T{hour:02}:00:00+00:00"


def test_scores_stand_in_their_column_and_the_worst_stands_for_several(
    nurse: User, nurse_client: Client
) -> None:
    course = imported(
        nurse,
        {"kind": "ice", "at": at(6), "score": 9},
        {"kind": "ice", "at": at(7), "score": 4},
        {"kind": "ice", "at": at(8), "performed": False, "reason": "sedated"},
        {"kind": "ice", "at": at(10), "orientation": 4, "naming": 2},
        {"kind": "ice", "at": at(14), "performed": False},
        {"kind": "capd", "at": at(6), "score": 3},
        {"kind": "capd", "at": at(7), "score": 12},
        {"kind": "capd", "at": at(10), "performed": False},
    )
    found = texts(nurse_client, course)
    assert found["ice"] == ["4", "6–9", "not done", "", "", ""]
    assert found["capd"] == ["12", "not done", "", "", "", ""]


def test_consciousness_a_present_sign_and_the_place_of_care_last_until_the_next(
    nurse: User, nurse_client: Client
) -> None:
    course = imported(
        nurse,
        {"kind": "consciousness", "at": at(5), "level": "voice"},
        {"kind": "consciousness", "at": at(14), "level": "alert"},
        {"kind": "neuro_sign", "at": at(5), "sign": "papilledema", "present": True},
        {"kind": "neuro_sign", "at": at(5), "sign": "posturing", "present": True},
        {"kind": "neuro_sign", "at": at(10), "sign": "papilledema", "present": False},
        {"kind": "admission", "at": at(5), "setting": "ward"},
        {"kind": "admission", "at": at(18), "setting": "icu", "because_of_crs": True},
    )
    found = texts(nurse_client, course)
    assert found["consciousness"] == ["to voice"] * 2 + ["alert"] * 4
    assert found["neuro_sign.papilledema"] == ["present", "absent", "", "", "", ""]
    assert found["neuro_sign.posturing"] == ["present"] * 6
    assert found["admission"] == ["ward"] * 3 + ["intensive care, for CRS"] * 3


def test_seizures_and_blood_products_are_events_of_their_column(
    nurse: User, nurse_client: Client
) -> None:
    seizure = {"kind": "seizure", "seizure_type": "generalised"}
    course = imported(
        nurse,
        {**seizure, "at": at(6)},
        {**seizure, "at": at(7), "duration_minutes": "2.5"},
        {**seizure, "at": at(10), "duration_minutes": 7},
        {"kind": "blood_product", "at": at(10), "product": "cryoprecipitate"},
    )
    found = texts(nurse_client, course)
    assert found["seizure"] == ["general, 2.5 min", "general, 7 min", "", "", "", ""]
    assert found["blood_product.cryoprecipitate"] == ["", "given", "", "", "", ""]
    assert "blood_product.red_cells" not in found


def test_a_device_that_protects_the_airway_says_so(nurse: User, nurse_client: Client) -> None:
    ventilator = {"kind": "oxygen", "device": "invasive_ventilation", "fio2_percent": 30}
    course = imported(
        nurse,
        {**ventilator, "at": at(6), "purpose": "airway_protection"},
        {**ventilator, "at": at(10)},
    )
    device = texts(nurse_client, course)["device"]
    assert device[0].endswith(", airway")
    assert not device[1].endswith(", airway")


def test_results_of_other_scales_have_rows_and_change_no_grade(
    nurse: User, nurse_client: Client
) -> None:
    course = imported(
        nurse,
        {"kind": "lab", "at": at(6), "analyte": "hemoglobin", "value": 9, "unit": "g/dL"},
        {"kind": "lab", "at": at(7), "analyte": "hemoglobin", "value": 5, "unit": "g/dL"},
        {
            "kind": "lab",
            "at": at(7),
            "analyte": "ldh",
            "value": 99999,
            "unit": "U/L",
            "upper_limit": 250,
        },
        {"kind": "lab", "at": at(7), "analyte": "triglycerides", "value": 200, "unit": "mmol/L"},
    )
    sheet = sheet_of(nurse_client, course, **WINDOW)
    found = rows_of(sheet)
    assert found["lab.hemoglobin"][0].text == "5"
    assert (found["lab.ldh"][0].text, found["lab.ldh"][0].arrows) == ("99999", "▲")
    assert found["lab.triglycerides"][0].text == "200"
    assert {cell.grade for cell in found["grade"] if cell.grade is not None} <= {0}
    assert not [key for key in found if key.startswith("criterion.")]
