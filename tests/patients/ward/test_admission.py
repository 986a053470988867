"""Admission: a patient and a course by one form, once."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from patients.models import CONFIRMED, Course
from tests.entry_forms import url


def admission(**fields: Any) -> dict[str, Any]:
    there = timezone.localtime(timezone.now() - timedelta(days=1))
    return {
        "form_id": str(uuid.uuid4()),
        "mrn": "4471902",
        "name": "OKONKWO, Ada",
        "birth_date": "1970-03-01",
        "sex": "female",
        "product": "CD19 CAR-T",
        "infused_date": f"{there:%Y-%m-%d}",
        "infused_time": "10:00",
        "weight_kg": "80",
        "systolic_mmhg": "126",
        "diastolic_mmhg": "74",
        "ward": "7B",
        "bed": "12",
    } | fields


def test_a_patient_is_admitted_once(nurse_client: Client) -> None:
    sent = admission()
    for _ in range(2):
        answer = nurse_client.post(reverse("patients:admit"), sent)
        assert answer.status_code == 302
    course = Course.objects.get()
    assert answer["Location"] == url("bedside", course)
    banner = nurse_client.get(url("bedside", course)).context["banner"]
    assert (banner.weight_text, banner.baseline_text) == ("80 kg", "126/74")
    assert banner.day == 1
    for product in (sent["product"], "cd19 car-t", "CD19  CAR\u2010T", "\uff23D19 CAR-T"):
        other = nurse_client.post(reverse("patients:admit"), admission(product=product))
        assert other.status_code == 422
        assert "open already" in str(other.context["form"].errors["product"])
    named = nurse_client.post(reverse("patients:admit"), admission(name="X, Y", product="other"))
    assert "belongs to OKONKWO" in str(named.context["form"].errors["mrn"])
    assert Course.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birth_date": ""}, "birth_date"),
        ({"age_years": "54"}, "age_years"),
        ({"birth_date": "2999-01-01"}, "birth_date"),
        ({"birth_date": "1850-01-01"}, "birth_date"),
        ({"infused_date": "2999-01-01"}, "infused_time"),
        ({"infused_date": "yesterday"}, "infused_date"),
        ({"weight_kg": "800"}, "weight_kg"),
        ({"diastolic_mmhg": "130"}, "diastolic_mmhg"),
        ({"sex": ""}, "sex"),
        ({"mrn": " "}, "mrn"),
    ],
)
def test_an_impossible_admission_is_refused(
    nurse_client: Client, changes: dict[str, str], field: str
) -> None:
    answer = nurse_client.post(reverse("patients:admit"), admission(**changes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Course.objects.exists()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize(
    ("day", "clock"),
    [("0001-01-01", "00:00"), ("1900-01-01", "00:00"), ("9999-12-31", "23:59"), ("2020-01-01", "")],
)
def test_an_infusion_at_an_impossible_time_is_refused(
    nurse_client: Client, settings: Any, zone: str, day: str, clock: str
) -> None:
    settings.TIME_ZONE = zone
    sent = admission(infused_date=day, infused_time=clock or "10:00", birth_date="2019-03-01")
    answer = nurse_client.post(reverse("patients:admit"), sent)
    assert answer.status_code == 422
    assert {"infused_date", "infused_time"} & answer.context["form"].errors.keys()
    assert not Course.objects.exists()


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_birth_at_an_end_of_the_calendar_is_refused(
    nurse_client: Client, settings: Any, zone: str, day: str
) -> None:
    settings.TIME_ZONE = zone
    answer = nurse_client.post(reverse("patients:admit"), admission(birth_date=day))
    assert answer.status_code == 422
    assert "birth_date" in answer.context["form"].errors


def test_an_infusion_of_more_than_sixty_days_ago_is_asked_about(nurse_client: Client) -> None:
    there = timezone.localtime(timezone.now() - timedelta(days=61))
    sent = admission(infused_date=f"{there:%Y-%m-%d}")
    asked = nurse_client.post(reverse("patients:admit"), sent)
    assert asked.status_code == 422
    page = asked.content.decode()
    assert "The infusion was more than 60 days ago" in page
    # Enter presses the first button of the form, which must not be the yes.
    assert page.index("Admit</button>") < page.index("Value is right, save</button>")
    assert not Course.objects.exists()
    sent["confirmed"] = asked.context["form"].questions_digest
    assert nurse_client.post(reverse("patients:admit"), sent).status_code == 302
    act = Course.objects.get().acts.get()
    ((place, sentence),) = act.answers[CONFIRMED]
    assert place is None
    assert "more than 60 days ago" in sentence


def test_an_infusion_of_fifty_nine_days_ago_is_not_asked_about(nurse_client: Client) -> None:
    there = timezone.localtime(timezone.now() - timedelta(days=59))
    sent = admission(infused_date=f"{there:%Y-%m-%d}", infused_time=f"{there:%H:%M}")
    assert nurse_client.post(reverse("patients:admit"), sent).status_code == 302


def test_an_unusual_dosing_weight_is_asked_about(nurse_client: Client) -> None:
    asked = nurse_client.post(reverse("patients:admit"), admission(weight_kg="220"))
    assert asked.status_code == 422
    assert "Weight 220 kg is unusually high: over 200 kg." in asked.content.decode()
    yes = asked.context["form"].questions_digest
    sent = admission(weight_kg="220", confirmed=yes)
    assert nurse_client.post(reverse("patients:admit"), sent).status_code == 302
    assert Course.objects.get().acts.get().answers[CONFIRMED]
