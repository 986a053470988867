"""HL7 v2 messages about courses of the tests, and the systems that send them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from patients.exchange.register import register_system
from patients.models import Course, ExternalSystem, SystemKind


def laboratory(name: str = "lab-1", **settings: Any) -> ExternalSystem:
    """A laboratory on this machine."""
    values = {"mrn_system": "urn:crs:mrn", "allowed_addresses": ["127.0.0.1"]} | settings
    kind = values.pop("kind", SystemKind.LABORATORY)
    return register_system(name, kind, by=None, **values)


def oru(
    course: Course | str,
    control_id: str,
    value: str = "1.9",
    *,
    at: datetime | None = None,
    kind: str = "ORU^R01",
    name: str = "",
    status: str = "F",
    acknowledge: str = "",
    patient: str | None = None,
) -> bytes:
    """A creatinine of a course, or of a record number."""
    mrn = course if isinstance(course, str) else course.patient.mrn
    when = (at or timezone.now()).strftime("%Y%m%d%H%M%S%z")
    segments = [
        f"MSH|^~\\&|LAB|KH|CRS|KH|{when}||{kind}|{control_id}|P|2.5.1|||{acknowledge}",
        f"PID|1||{mrn}^^^^MR||{name}" if patient is None else patient,
        f"OBR|1||{control_id}|24323-8^Panel^LN|||{when}",
        f"OBX|1|NM|2160-0^Creatinine^LN||{value}|mg/dL|0.5-1.2||||{status}",
    ]
    return "".join(f"{segment}\r" for segment in segments).encode()
