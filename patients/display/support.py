"""Oxygen and running vasopressors in the short words of a list of patients."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine import entries
from grading.engine.units import format_number
from grading.engine.vasopressors import rate_text
from grading.engine.vocabulary import OxygenDevice, VasopressorDrug

_DEVICES: Final = {
    OxygenDevice.NASAL_CANNULA: "Cannula",
    OxygenDevice.SIMPLE_MASK: "Simple mask",
    OxygenDevice.NON_REBREATHER_MASK: "Non-rebreather",
    OxygenDevice.HIGH_FLOW_NASAL_CANNULA: "High flow",
    OxygenDevice.INVASIVE_VENTILATION: "Ventilator",
    OxygenDevice.BLOW_BY: "Blow-by",
    OxygenDevice.PARTIAL_REBREATHER_MASK: "Partial rebreather",
}
_DRUGS: Final = {VasopressorDrug.NOREPINEPHRINE: "Norepi"}
"""Shorter than the labels; a device or drug that is not here has its label."""


class Support(NamedTuple):
    """What a patient receives, as charted last; "" where it was never charted.

    ``vasopressors`` is "stopped" where none of those charted runs. What was charted before the
    infusion of the cells, which counts in no grade, says so.
    """

    oxygen: str
    vasopressors: str


def support_of(charted: Iterable[entries.Entry], infused_at: datetime) -> Support:
    """Return the texts for the latest oxygen and the latest rate of each vasopressor."""

    def dated(entry: entries.Entry, text: str) -> str:
        return text if entry.at >= infused_at else f"{text} (before infusion)"

    oxygen, doses = "", []
    for entry in charted:
        if isinstance(entry, entries.Oxygen):
            oxygen = dated(entry, _oxygen(entry))
        elif isinstance(entry, entries.Vasopressor):
            doses.append(entry)
    running = [
        dated(one, f"{_DRUGS.get(one.drug, one.drug.label)} {rate_text(one)}")
        for one in doses
        if one.runs
    ]
    return Support(oxygen, ", ".join(running) or ("stopped" if doses else ""))


def _oxygen(entry: entries.Oxygen) -> str:
    parts = [_DEVICES.get(entry.device, entry.device.label)]
    if entry.flow_l_per_min is not None:
        parts.append(f"{format_number(entry.flow_l_per_min)} L/min")
    if entry.fio2_percent is not None:
        parts.append(f"{format_number(entry.fio2_percent)} %")
    if len(parts) == 1 and entry.device is OxygenDevice.NASAL_CANNULA:
        parts.append("flow not entered")
    return " ".join(parts)
