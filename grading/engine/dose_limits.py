"""Hard limits of doses: amounts that nobody is given, whatever weight converts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from grading.engine.entries import Entry, FluidBolus, Treatment, Vasopressor, Weight
from grading.engine.evidence import FLUID_BOLUS_ML, TREATMENT_MG
from grading.engine.sentences import inside_a_sentence
from grading.engine.units import format_number
from grading.engine.vasopressors import charted_dose, needs_weight
from grading.engine.vocabulary import DRUGS, Limits, VasopressorDrug


class ImpossibleDose(NamedTuple):
    """``place`` is the field that holds it, ``sentence`` what the limit is."""

    place: str
    sentence: str


def impossible_dose(entry: Entry, weight_kg: Decimal | None = None) -> ImpossibleDose | None:
    """Return what is wrong with a dose beyond its hard limit, None where nothing is.

    ``weight_kg`` is the charted weight at its time; the weight in a pump goes before it.
    """
    if isinstance(entry, Vasopressor):
        return _impossible_rate(entry, entry.weight_kg or weight_kg)
    if isinstance(entry, FluidBolus):
        return _outside("volume_ml", entry.volume_ml, FLUID_BOLUS_ML.limits, "mL", "a fluid bolus")
    if isinstance(entry, Treatment) and entry.dose_mg is not None:
        limits, named = (
            TREATMENT_MG[entry.agent].limits,
            f"one dose of {inside_a_sentence(entry.agent.label)}",
        )
        return _outside("dose_mg", entry.dose_mg, limits, "mg", named)
    return None


def _outside(
    place: str, amount: Decimal, limits: Limits, unit: str, named: str
) -> ImpossibleDose | None:
    if limits.allow(amount):
        return None
    return ImpossibleDose(
        place,
        f"{format_number(amount)} {unit} is not possible for {named} "
        f"({limits.lowest:f} to {limits.highest:f} {unit})",
    )


def _impossible_rate(entry: Vasopressor, weight_kg: Decimal | None) -> ImpossibleDose | None:
    facts = DRUGS[entry.drug]
    dose = charted_dose(entry, weight_kg)
    if facts.limits is None or facts.canonical is None or dose is None:
        return None
    if dose <= Fraction(facts.limits.highest):
        return None
    highest, name = (
        f"{facts.limits.highest:f} {facts.canonical.label}",
        inside_a_sentence(entry.drug.label),
    )
    if weight_kg is None or not needs_weight(entry.drug, entry.unit):
        sentence = f"at most {highest} of {name}: check rate and unit"
    else:
        sentence = (
            f"at {format_number(weight_kg)} kg this is above {highest}, which {name} never "
            "reaches: check rate, unit and weight"
        )
    return ImpossibleDose("rate", sentence)


@dataclass(frozen=True, slots=True)
class ConvertedRate:
    """A charted rate, and the charted weight that converts it to the unit of Table 3."""

    entry: Vasopressor
    weight_kg: Decimal | None

    @property
    def impossible(self) -> ImpossibleDose | None:
        return impossible_dose(self.entry, self.weight_kg)


def converted_rates(
    entries: Iterable[Entry], infused_at: datetime, weight_kg: Decimal | None = None
) -> Iterator[ConvertedRate]:
    """Give every rate among ``entries`` with the weight that converts it, where there is one.

    ``entries`` are in force and in order; ``weight_kg`` is the dosing weight at the start. That is
    the latest weight at or before the rate, else the first one after it, from then on; a rate that
    was followed by another of its drug until then is never converted.
    """
    waiting: dict[VasopressorDrug, Vasopressor] = {}
    for at, group in groupby(entries, key=lambda entry: entry.at):
        now = list(group)
        charted = [entry.weight_kg for entry in now if isinstance(entry, Weight)]
        weight_kg = charted[-1] if charted else weight_kg
        for rate in (entry for entry in now if isinstance(entry, Vasopressor)):
            waiting.pop(rate.drug, None)
            needed = rate.weight_kg is None and needs_weight(rate.drug, rate.unit)
            if needed and weight_kg is None:
                waiting[rate.drug] = rate
            else:
                yield ConvertedRate(rate, weight_kg if needed else None)
        if weight_kg is not None and waiting:
            later = [rate for rate in waiting.values() if rate.at >= infused_at or at < infused_at]
            yield from (ConvertedRate(rate, weight_kg) for rate in later)
            waiting.clear()


def newly_impossible(
    before: Iterable[ConvertedRate], after: Iterable[ConvertedRate]
) -> list[ConvertedRate]:
    """Return the rates beyond their limit in ``after`` that ``before`` converts otherwise."""
    were = {(rate.entry.id, rate.weight_kg) for rate in before}
    return [
        rate
        for rate in after
        if (rate.entry.id, rate.weight_kg) not in were and rate.impossible is not None
    ]
