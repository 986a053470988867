"""Text of what scales other than Lee's ask: consciousness, seizures, place of care, products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from grading.engine import entries
from grading.engine.scale_vocabulary import (
    ICE_HIGHEST,
    ICE_PARTS,
    BloodProductName,
    DeathCause,
    NeuroSignName,
    NotPerformedReason,
    OxygenPurpose,
)
from grading.engine.sentences import inside_a_sentence
from grading.engine.units import format_number

NEUROLOGIC: Final = (
    entries.Ice,
    entries.Capd,
    entries.Consciousness,
    entries.Seizure,
    entries.NeuroSign,
)
"""What ICANS alone asks: no scale of CRS reads it."""
NAMES: Final = {
    "ice": "ICE",
    "capd": "CAPD",
    "admission": "Place of care",
    **{f"neuro_sign.{sign}": sign.label for sign in NeuroSignName},
    **{f"blood_product.{product}": product.label for product in BloodProductName},
}
"""Names of keys of the chart that are no words of English in snake case."""


def _not_done(name: str, reason: NotPerformedReason | None) -> str:
    return f"{name} not done: {'no reason given' if reason is None else reason.label}"


def ice_score_text(entry: entries.Ice) -> str:
    """Return the points of a round: "9 of 10", of a part of the questions "6 of 8 asked"."""
    if not entry.performed:
        return "not done"
    asked = ICE_HIGHEST - (entry.highest - entry.lowest)
    return f"{entry.lowest} of {asked}{'' if asked == ICE_HIGHEST else ' asked'}"


def _ice(entry: entries.Ice) -> str:
    if not entry.performed:
        return _not_done("ICE", entry.reason)
    text, parts = f"ICE {ice_score_text(entry)}", entry.parts
    if not parts:
        return text
    points = ", ".join(f"{part} {points} of {ICE_PARTS[part]}" for part, points in parts.items())
    missing = ", ".join(part for part in ICE_PARTS if part not in parts)
    return f"{text} ({points}{f'; not asked: {missing}' if missing else ''})"


def capd_text(entry: entries.Capd) -> str:
    """Return the sum, or why there is none."""
    return f"CAPD {entry.score}" if entry.performed else _not_done("CAPD", entry.reason)


def consciousness_text(entry: entries.Consciousness) -> str:
    """Return the level in words, without the capital of its label."""
    return inside_a_sentence(entry.level.label)


def seizure_text(entry: entries.Seizure) -> str:
    """Return type, duration and end of a seizure."""
    parts = [inside_a_sentence(entry.seizure_type.label)]
    if entry.duration_minutes is not None:
        parts.append(f"{format_number(entry.duration_minutes)} min")
    if entry.resolved is not None:
        parts.append("stopped" if entry.resolved else "not stopped")
    if entry.repetitive_without_recovery:
        parts.append("several, not awake between")
    return ", ".join(parts)


def _neuro_sign(entry: entries.NeuroSign) -> str:
    return f"{entry.sign.label}, {'present' if entry.present else 'absent'}"


_BECAUSE: Final = {
    True: ", because of CRS",
    False: ", not because of CRS",
    None: ", not stated whether because of CRS",
}


def admission_text(entry: entries.Admission) -> str:
    """Return the place of care, and whether it is because of CRS."""
    return f"{entry.setting.label}{_BECAUSE[entry.because_of_crs]}"


def purpose_text(entry: entries.Oxygen) -> str:
    """Return what oxygen is for, where that is not low oxygen; "" else."""
    return "" if is_for_hypoxia(entry) else f"{entry.purpose.label}, not for low oxygen"


def is_for_hypoxia(entry: entries.Oxygen) -> bool:
    """Return whether oxygen is given for low oxygen, as it nearly always is."""
    return entry.purpose is OxygenPurpose.HYPOXIA


def _death(entry: entries.Death) -> str:
    if entry.due_to is None:
        return "Death"
    if not entry.due_to:
        return "Death, due to none of " + ", ".join(cause.label for cause in DeathCause)
    return "Death, due to " + " and ".join(cause.label for cause in entry.due_to)


TEXT_BY_CLASS: Final[dict[type[entries.Entry], Callable[[Any], str]]] = {
    entries.Ice: _ice,
    entries.Capd: capd_text,
    entries.Consciousness: lambda entry: f"Consciousness: {consciousness_text(entry)}",
    entries.Seizure: lambda entry: f"Seizure: {seizure_text(entry)}",
    entries.NeuroSign: _neuro_sign,
    entries.Admission: lambda entry: f"Place of care: {admission_text(entry)}",
    entries.BloodProduct: lambda entry: f"{entry.product.label} given",
    entries.Death: _death,
}
"""Each kind as one line of the chart."""
