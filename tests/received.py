"""Systems, messages and held items for tests, as the door of the exchange writes them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crs_app.accounts.models import Role, User
from patients.models import (
    Course,
    ExternalSystem,
    HeldItem,
    InboundMessage,
    MessageFormat,
    SystemKind,
    Verdict,
)

HEAD = "MSH|^~\\&|MON|7B|CRS|7B|20260301120000||ORU^R01|M1|P|2.6"
SIGNS = {
    "systolic_mmhg": "150021^MDC_PRESS_CUFF_SYS^MDC",
    "diastolic_mmhg": "150022^MDC_PRESS_CUFF_DIA^MDC",
    "heart_rate": "147842^MDC_ECG_HEART_RATE^MDC",
    "spo2_percent": "150456^MDC_PULS_OXIM_SAT_O2^MDC",
    "temperature_c": "150364^MDC_TEMP_BODY^MDC",
}


def a_system(name: str = "Monitor 7B", kind: str = SystemKind.MONITOR) -> ExternalSystem:
    """A system with its user, who never signs in."""
    username = f"system.{name.lower().replace(' ', '-')}"
    user = User.objects.create(
        username=username, last_name=name, role=Role.SYSTEM, is_active=False, password="!"
    )
    return ExternalSystem.objects.create(
        name=name,
        kind=kind,
        user=user,
        mrn_system="urn:crs:mrn",
        timezone="UTC",
        filing={"default": "propose"},
        changed_at=timezone.now(),
    )


def a_message(
    system: ExternalSystem, course: Course | None, segments: Sequence[str], **more: Any
) -> InboundMessage:
    """An HL7 v2 message that was kept as it came."""
    raw = "\r".join([HEAD, *segments]).encode()
    fields: dict[str, Any] = {"verdict": Verdict.ACCEPTED, "received_at": timezone.now(), **more}
    return InboundMessage.objects.create(
        system=system,
        course=course,
        control_id=uuid.uuid4().hex,
        digest=hashlib.sha256(raw).hexdigest(),
        format=MessageFormat.HL7_V2,
        raw=raw,
        charset="utf-8",
        **fields,
    )


def held(
    message: InboundMessage,
    reason: str,
    proposal: Mapping[str, Any] | None = None,
    **fields: Any,
) -> HeldItem:
    """An item of a message; a ``proposal`` without a time has that of the item."""
    number = message.held_items.count() + 1
    at: datetime | None = fields.pop("at", None)
    if proposal is not None and at is not None:
        proposal = {"at": at.isoformat(), **proposal}
    return HeldItem.objects.create(
        message=message,
        course=message.course,
        number=number,
        place=fields.pop("place", f"OBX[{number}]"),
        reason=reason,
        at=at,
        proposal=proposal,
        held_at=fields.pop("held_at", message.received_at),
        **fields,
    )


def monitor_set(
    system: ExternalSystem, course: Course, minutes_ago: float = 5, **signs: str
) -> list[HeldItem]:
    """One set of a monitor: an item for each sign, each a proposal."""
    at = timezone.now().replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)
    segments = [
        f"OBX|{number}|NM|{SIGNS[key]}||{value}||||||R|||{at:%Y%m%d%H%M%S}+0000"
        for number, (key, value) in enumerate(signs.items(), 1)
    ]
    message = a_message(system, course, segments, held=len(signs), received_at=at)
    return [
        held(message, "unvalidated", {"kind": "vitals", key: value}, at=at, what=f"{key} {value}")
        for key, value in signs.items()
    ]
