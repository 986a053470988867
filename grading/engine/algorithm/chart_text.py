"""Text for charted things: the label of a key, and the value and age of its entry."""

from __future__ import annotations

from datetime import timedelta

from grading.engine.algorithm.item import Input
from grading.engine.algorithm.situation import Situation
from grading.engine.entries import (
    Entry,
    FluidBolus,
    Lab,
    Oxygen,
    Symptom,
    Toxicity,
    Vasopressor,
    Vitals,
)
from grading.engine.organ_toxicity import lab_text
from grading.engine.sentences import duration_text
from grading.engine.units import format_number
from grading.engine.vasopressors import rate_text
from grading.engine.vocabulary import VITAL_SIGN, OxygenDevice, term_label


def label(key: str, entry: Entry) -> str:
    """Label of what is charted: "Systolic pressure", "Norepinephrine", "Confusion"."""
    if key in VITAL_SIGN:
        return VITAL_SIGN[key].label
    if isinstance(entry, Vasopressor):
        return entry.drug.label
    if isinstance(entry, Lab):
        return entry.analyte.label
    words = term_label(key.partition(".")[2] or key)
    return words[:1].upper() + words[1:]


def value(key: str, entry: Entry) -> str:
    """Value of ``entry`` for ``key``, with its unit."""
    if isinstance(entry, Vitals):
        reading = entry.value_of(key)
        return "" if reading is None else f"{format_number(reading)} {VITAL_SIGN[key].unit}"
    if isinstance(entry, Vasopressor):
        return rate_text(entry)
    if isinstance(entry, Lab):
        return lab_text(entry)
    if isinstance(entry, Toxicity):
        return f"CTCAE {entry.grade}"
    if isinstance(entry, Oxygen):
        return entry.device.label
    return f"{format_number(entry.volume_ml)} mL" if isinstance(entry, FluidBolus) else "present"


def is_finding(entry: Entry, situation: Situation) -> bool:
    """Return whether ``entry`` is a present finding: not stopped, resolved, gone or long past."""
    if isinstance(entry, FluidBolus):
        hold = timedelta(minutes=situation.facts.policy.fluid_hold_minutes)
        return situation.now - entry.at < hold
    if isinstance(entry, Oxygen):
        return entry.device is not OxygenDevice.ROOM_AIR
    if isinstance(entry, Vasopressor):
        return entry.runs
    if isinstance(entry, Toxicity):
        return entry.grade > 0
    if isinstance(entry, Symptom):
        return entry.present
    return isinstance(entry, Vitals | Lab)


def age_text(entry: Entry, situation: Situation) -> str:
    """Return how long before the instant of the situation the entry's clinical time is."""
    return duration_text(situation.now - entry.at)


def as_input(key: str, entry: Entry, situation: Situation) -> Input:
    """Return the entry as an input of an item: its label, value and clinical time."""
    text = f"{value(key, entry)}, {situation.clock(entry.at)}"
    return Input(entry.id, label(key, entry), text)


def running(situation: Situation) -> tuple[Vasopressor, ...]:
    """Return the infusions that run and count, inotropes among them."""
    return tuple(
        entry
        for _, entry in sorted(situation.latest.items())
        if isinstance(entry, Vasopressor) and entry.runs and entry.counts
    )
