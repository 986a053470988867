"""Values charted before, which a form shows next to its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from grading.engine import entries
from grading.engine.units import format_number
from grading.engine.vasopressors import rate_text
from grading.engine.vocabulary import VITAL_SIGN, Attribution
from patients.display.text import (
    age_text,
    entry_text,
    short_value,
    temperature_text,
    vital_sign_number,
    weight_at,
)


class PreviousValue(NamedTuple):
    """Value charted before, shown next to an input and never in it. ``as_of``: time of the page."""

    text: str
    at: datetime
    as_of: datetime


class Infusion(NamedTuple):
    """Running vasopressor, as last charted.

    ``unit``, ``concentration_per_ml`` and ``weight_kg`` are values of form fields, "" for none.
    """

    drug: str
    label: str
    text: str
    at: datetime
    age_text: str
    rate_text: str
    unit: str
    concentration_per_ml: str
    weight_kg: str


def running_infusions(status: Any, weights: Sequence[entries.Weight]) -> list[Infusion]:
    """Return the running vasopressors; ``weights`` convert their doses."""
    return [
        Infusion(
            drug=entry.drug.value,
            label=entry.drug.label,
            text=entry_text(entry, weight_at(weights, entry.at)),
            at=entry.at,
            age_text=age_text(entry.at, status.at),
            rate_text=rate_text(entry),
            unit=entry.unit.value if entry.unit else "",
            concentration_per_ml=_field_value(entry.concentration_per_ml),
            weight_kg=_field_value(entry.weight_kg),
        )
        for _, entry in sorted(status.latest.items())
        if isinstance(entry, entries.Vasopressor) and entry.runs
    ]


def _field_value(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


def previous_values(status: Any, running: Sequence[Infusion]) -> dict[str, PreviousValue]:
    """Return the values charted before, by the name of the form field that shows them.

    ``running`` are the ``running_infusions`` of the same status.
    """
    values = {
        **_previous_vitals(status.latest),
        **_previous_oxygen(status.latest.get("oxygen")),
        **_previous_infusions(running),
        **_previous_results(status.latest),
    }
    if (weight := status.latest.get("weight")) is not None:
        values["weight_kg"] = (f"{format_number(weight.weight_kg)} kg", weight.at)
    if (bolus := status.latest.get("fluid_bolus")) is not None:
        values["volume_ml"] = (f"{format_number(bolus.volume_ml)} mL", bolus.at)
    values |= _previous_symptoms(status.latest)
    return {name: PreviousValue(text, at, status.at) for name, (text, at) in values.items()}


def _previous_vitals(latest: Mapping[str, Any]) -> dict[str, tuple[str, datetime]]:
    values = {
        key: (vital_sign_number(key, entry), entry.at)
        for key in VITAL_SIGN
        if (entry := latest.get(key)) is not None
    }
    if values.pop("temperature_c", None) is not None:
        entry = latest["temperature_c"]
        values["temperature"] = (temperature_text(entry), entry.at)
    return values


def _previous_results(latest: Mapping[str, Any]) -> dict[str, tuple[str, datetime]]:
    values = {}
    for entry in latest.values():
        if isinstance(entry, entries.Lab):
            _, result, unit = short_value("", entry)
            values[entry.analyte.value] = (f"{result} {unit}".rstrip(), entry.at)
    return values


def _previous_symptoms(latest: Mapping[str, Any]) -> dict[str, tuple[str, datetime]]:
    return {
        f"symptom_{entry.term}": (_symptom_text(entry), entry.at)
        for entry in latest.values()
        if isinstance(entry, entries.Symptom)
    }


def _symptom_text(entry: entries.Symptom) -> str:
    """Return the answer, with its attribution where that is not CRS.

    The next one may have the same cause.
    """
    answer = "present" if entry.present else "absent"
    is_crs = entry.attribution is Attribution.CRS
    return answer if is_crs else f"{answer}, {entry.attribution.label}"


def _previous_oxygen(entry: entries.Oxygen | None) -> dict[str, tuple[str, datetime]]:
    if entry is None:
        return {}
    numbers = {
        "flow_l_per_min": entry.flow_l_per_min,
        "fio2_percent": entry.fio2_percent,
    }
    values = {name: (format_number(v), entry.at) for name, v in numbers.items() if v is not None}
    return {"device": (entry.device.label, entry.at), **values}


def _previous_infusions(infusions: Sequence[Infusion]) -> dict[str, tuple[str, datetime]]:
    if not infusions:
        return {}
    newest = max(infusion.at for infusion in infusions)
    return {
        "drug": (", ".join(infusion.label for infusion in infusions), newest),
        "rate": ("; ".join(infusion.text for infusion in infusions), newest),
    }
