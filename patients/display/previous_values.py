"""The values charted before, shown next to the inputs of a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from grading.engine import entries as charted
from grading.engine.units import format_number
from grading.engine.vasopressors import rate_text
from grading.engine.vocabulary import VITAL_SIGN, Attribution
from patients.display.grade_card import short_value, vital_sign_number
from patients.display.text import age_text, entry_text, temperature_text, weight_at


@dataclass(frozen=True, slots=True)
class PreviousValue:
    """The value charted before, shown beside an input and never in it; as the page is ``as_of``."""

    text: str
    at: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Infusion:
    """A vasopressor that runs, as last charted.

    ``unit``, ``concentration_per_ml`` and ``weight_kg`` are as a form takes them, "" where none.
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


def running_infusions(status: Any, weights: Sequence[charted.Weight]) -> list[Infusion]:
    """The vasopressors that run, as last charted."""
    return [
        Infusion(
            drug=entry.drug.value,
            label=entry.drug.label,
            text=entry_text(entry, weight_at(weights, entry.at)),
            at=entry.at,
            age_text=age_text(entry.at, status.at),
            rate_text=rate_text(entry),
            unit=entry.unit.value if entry.unit else "",
            concentration_per_ml=_typed(entry.concentration_per_ml),
            weight_kg=_typed(entry.weight_kg),
        )
        for _, entry in sorted(status.latest.items())
        if isinstance(entry, charted.Vasopressor) and entry.runs
    ]


def _typed(number: Decimal | None) -> str:
    return "" if number is None else f"{number:f}"


def previous_values(status: Any, weights: Sequence[charted.Weight]) -> dict[str, PreviousValue]:
    """What was charted before, by the name of the form field that it stands beside."""
    said = {
        **_previous_vitals(status.latest),
        **_previous_oxygen(status.latest.get("oxygen")),
        **_previous_infusions(running_infusions(status, weights)),
        **_previous_results(status.latest),
    }
    if (weight := status.latest.get("weight")) is not None:
        said["weight_kg"] = (f"{format_number(weight.weight_kg)} kg", weight.at)
    if (bolus := status.latest.get("fluid_bolus")) is not None:
        said["volume_ml"] = (f"{format_number(bolus.volume_ml)} mL", bolus.at)
    said |= _previous_symptoms(status.latest)
    return {name: PreviousValue(text, at, status.at) for name, (text, at) in said.items()}


def _previous_vitals(latest: Mapping[str, Any]) -> dict[str, tuple[str, datetime]]:
    said = {
        key: (vital_sign_number(key, entry), entry.at)
        for key in VITAL_SIGN
        if (entry := latest.get(key)) is not None
    }
    if said.pop("temperature_c", None) is not None:
        entry = latest["temperature_c"]
        said["temperature"] = (temperature_text(entry), entry.at)
    return said


def _previous_results(latest: Mapping[str, Any]) -> dict[str, tuple[str, datetime]]:
    said = {}
    for entry in latest.values():
        if isinstance(entry, charted.Lab):
            _, result, unit = short_value("", entry)
            said[entry.analyte.value] = (f"{result} {unit}".rstrip(), entry.at)
    return said


def _previous_symptoms(latest: Mapping[str, Any]) -> dict[str, tuple[str, datetime]]:
    return {
        f"symptom_{entry.term}": (_symptom_text(entry), entry.at)
        for entry in latest.values()
        if isinstance(entry, charted.Symptom)
    }


def _symptom_text(entry: charted.Symptom) -> str:
    """With what it was ascribed to, where that is not CRS: the next one may be due to the same."""
    said = "present" if entry.present else "absent"
    return said if entry.attribution is Attribution.CRS else f"{said}, {entry.attribution.label}"


def _previous_oxygen(entry: charted.Oxygen | None) -> dict[str, tuple[str, datetime]]:
    if entry is None:
        return {}
    numbers = {
        "flow_l_per_min": entry.flow_l_per_min,
        "fio2_percent": entry.fio2_percent,
    }
    said = {name: (format_number(v), entry.at) for name, v in numbers.items() if v is not None}
    return {"device": (entry.device.label, entry.at), **said}


def _previous_infusions(infusions: Sequence[Infusion]) -> dict[str, tuple[str, datetime]]:
    if not infusions:
        return {}
    newest = max(infusion.at for infusion in infusions)
    return {
        "drug": (", ".join(infusion.label for infusion in infusions), newest),
        "rate": ("; ".join(infusion.text for infusion in infusions), newest),
    }
