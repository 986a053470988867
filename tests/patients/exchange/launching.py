"""Launches from the health record of the tests."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from crs_app.accounts.models import User
from patients.exchange.smart.issuers import IssuerSettings, save_issuer
from patients.exchange.smart.record_client import read_configuration
from patients.models import Course, LaunchIssuer
from tests.health_record import MRN_SYSTEM, FakeRecord
from tests.hospital_provider import CLIENT_ID, CLIENT_SECRET

SUBJECT = "248289761001"


def register(record: FakeRecord, by: User, **changes: Any) -> None:
    asked = {
        "iss": record.iss, "name": "St. Anna", "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET, "mrn_system": MRN_SYSTEM,
    }  # fmt: skip
    rows = LaunchIssuer.objects.filter(iss=record.iss).order_by("-pk")
    save_issuer(
        IssuerSettings(**(asked | changes)), read_configuration(record.iss), by, timezone.now(),
        seen=rows.values_list("pk", flat=True).first(),
    )  # fmt: skip


def sent_to(client: Client, record: FakeRecord, **headers: str) -> str:
    answer = client.get(
        "/smart/launch", {"iss": record.iss, "launch": "xyz"}, headers=headers or None
    )
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def launch(client: Client, record: FakeRecord, **headers: str) -> HttpResponse:
    """The whole launch; the answer to the way back."""
    return client.get(record.return_address(sent_to(client, record, **headers)), headers=headers)


def bedside(course: Course) -> str:
    return f"/courses/{course.pk}/"
