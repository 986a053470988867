"""A course of which ASTCT and ICANS say something else than Lee, as a course file."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from crs_app.accounts.models import User
from patients.exchange.course_file import import_course
from patients.models import Course

INFUSED_AT = datetime(2026, 3, 1, 6, tzinfo=UTC)


def after(hours: float) -> str:
    """An instant so many hours after the infusion, as text."""
    return (INFUSED_AT + timedelta(hours=hours)).isoformat()


def entry(kind: str, hours: float, **body: Any) -> dict[str, Any]:
    """An entry; ``late_h`` is how long after its time it was charted."""
    late = body.pop("late_h", 0)
    return {"kind": kind, "at": after(hours), "recorded_at": after(hours + late), **body}


ENTRIES = (
    entry("vitals", 2, temperature_c="37.0", systolic_mmhg="118", diastolic_mmhg="70"),
    entry("oxygen", 2, device="room_air"),
    entry("ice", 4, score=10),
    entry("vitals", 10, temperature_c="38.6", systolic_mmhg="112", diastolic_mmhg="68"),
    entry("vitals", 20, temperature_c="38.9", systolic_mmhg="84", diastolic_mmhg="45"),
    entry("vasopressor", 21, drug="norepinephrine", rate="5", unit="ug/min"),
    entry("ice", 22, performed=False, reason="language"),
    entry("ice", 30, score=8),
    entry("vitals", 40, temperature_c="37.2", systolic_mmhg="110", diastolic_mmhg="66"),
    entry("vasopressor", 41, drug="norepinephrine", rate="0", unit="ug/min"),
    entry("ice", 42, score=10),
)
"""Lee 0, 1, 2, ...; ASTCT 3 under one vasopressor at 21 h; ICANS not done at 22 h, 1 at 30 h."""


def imported(by: User, *entries: dict[str, Any], **patient: Any) -> Course:
    document = {
        "format": "crs-course/2",
        "patient": {"mrn": "S1", "name": "Scale, Sam", "age_years": 50, "sex": "female", **patient},
        "therapy": {"product": "CAR-T", "infused_at": INFUSED_AT.isoformat()},
        "weight_kg": 80,
        "entries": list(entries),
    }
    return import_course(json.dumps(document), [by])
