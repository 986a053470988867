"""A form that another user sent is never answered as one's own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import Role, User
from patients.models import ChartingAct, Course, SitePolicy
from tests.conftest import _signed_in
from tests.entry_forms import HTMX, form, url, vitals
from tests.factories import chart
from tests.patients.policy.policy_form import policy_form


@pytest.fixture
def admission() -> dict[str, Any]:
    there = timezone.localtime(timezone.now() - timedelta(days=1))
    return form() | {
        "mrn": "4471902", "name": "LINDQVIST, Per", "birth_date": "1970-03-01", "sex": "male",
        "product": "CD19 CAR-T", "infused_date": f"{there:%Y-%m-%d}", "infused_time": "10:00",
        "ward": "7B", "bed": "14",
    }  # fmt: skip


@pytest.mark.parametrize("headers", [HTMX, {}], ids=["by htmx", "as a page"])
def test_an_entry(
    nurse_client: Client, intensivist_client: Client, course: Course, headers: dict[str, Any]
) -> None:
    sent, address = form() | vitals(temperature="39"), url("entries", course, "vitals")
    assert nurse_client.post(address, sent, **headers).status_code in (200, 302)
    recorded = ChartingAct.objects.count()
    again = nurse_client.post(address, sent, **headers)
    assert again.status_code in (200, 302)
    other = intensivist_client.post(address, sent, **headers)
    assert other.status_code == 409
    refusal = other.content.decode()
    assert "J. Ruiz already saved this form." in refusal
    assert re.search(r"Saved before: \d\d:\d\d <b>Temp 39 °C</b>", refusal)
    assert ChartingAct.objects.count() == recorded


@pytest.mark.parametrize("name", ["not_observed", "retract"])
def test_a_tap_and_a_retraction(
    nurse_client: Client, intensivist_client: Client, course: Course, clinician: User, name: str
) -> None:
    entry = chart(course, clinician, "vitals", temperature_c="39").entries[0]
    address = url(name, course, *([entry.pk] if name == "retract" else []))
    sent = form() | {"reason_not_observed": "asleep", "reason": "Another patient"}
    assert nurse_client.post(address, sent, **HTMX).status_code == 200
    recorded = ChartingAct.objects.count()
    other = intensivist_client.post(address, sent, **HTMX)
    assert other.status_code == 409
    assert "J. Ruiz" in other.content.decode()
    assert ChartingAct.objects.count() == recorded


def test_an_admission(
    nurse_client: Client, intensivist_client: Client, admission: dict[str, Any]
) -> None:
    address = reverse("patients:admit")
    for _ in range(2):
        assert nurse_client.post(address, admission).status_code == 302
    other = intensivist_client.post(address, admission)
    assert other.status_code == 409
    assert "J. Ruiz already saved this form." in other.content.decode()
    assert Course.objects.count() == 1


def test_a_decision_about_the_policy(
    administrator_client: Client, administrator: User, make_user: Any
) -> None:
    sent, address = form() | policy_form(cpap_grade="4", step="confirm"), reverse("patients:policy")
    for _ in range(2):
        assert administrator_client.post(address, sent).status_code == 302
    colleague = _signed_in(make_user("other", Role.ADMINISTRATOR, last_name="Else"))
    other = colleague.post(address, sent)
    assert other.status_code == 409
    assert "L. Berg has changed the policy since this page was opened" in other.content.decode()
    assert SitePolicy.objects.count() == 1
