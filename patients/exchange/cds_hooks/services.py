"""The services that other systems can call, as discovery lists them (CDS Hooks 2.0)."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, NamedTuple


class Hook(Enum):
    """A moment in the other system's workflow at which it asks."""

    PATIENT_VIEW = "patient-view"
    ORDER_SELECT = "order-select"
    ORDER_SIGN = "order-sign"
    ENCOUNTER_START = "encounter-start"

    @property
    def has_orders(self) -> bool:
        return self in (Hook.ORDER_SELECT, Hook.ORDER_SIGN)


class Service(NamedTuple):
    """One service: its id in the address, the hook that it answers, and what it is for."""

    id: str
    hook: Hook
    title: str
    description: str


SERVICES: Final = (
    Service(
        "crs-grade",
        Hook.PATIENT_VIEW,
        "CRS grade (Lee 2014)",
        "Grade now, what it could be and why, for patients with an open course.",
    ),
    Service(
        "crs-order-select",
        Hook.ORDER_SELECT,
        "CRS immunosuppression",
        "Tocilizumab and corticosteroids against the grade.",
    ),
    Service(
        "crs-order-sign",
        Hook.ORDER_SIGN,
        "CRS immunosuppression",
        "Tocilizumab and corticosteroids against the grade, with the dose, before signing.",
    ),
    Service(
        "crs-encounter-start",
        Hook.ENCOUNTER_START,
        "Baseline before therapy",
        "No baseline blood pressure or no weight in the open course.",
    ),
)
_PREFETCH: Final = {"patient": "Patient/{{context.patientId}}"}


def service_of(service_id: str) -> Service | None:
    """Return the service with this id, None where there is none."""
    return next((service for service in SERVICES if service.id == service_id), None)


def discovery() -> dict[str, Any]:
    """Return the list of services as JSON has it."""
    return {
        "services": [
            {
                "id": service.id,
                "hook": service.hook.value,
                "title": service.title,
                "description": service.description,
                "prefetch": _PREFETCH,
            }
            for service in SERVICES
        ]
    }
