"""Plausibility of entries: unusual values that a form asks about and nothing refuses.

The usual ranges are in ``vocabulary``, with the hard limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from grading.engine.analytes import FIBRINOGEN_IN_G_L_BELOW, Analyte, lab_unit
from grading.engine.entries import Entry, Lab, Oxygen, Vasopressor, Vitals, Weight
from grading.engine.evidence import ROOM_AIR_FIO2
from grading.engine.units import Number, format_number
from grading.engine.vasopressors import charted_dose
from grading.engine.vocabulary import (
    DOSE_JUMP,
    DRUGS,
    USUAL_FLOW_L_PER_MIN,
    USUAL_WEIGHT_KG,
    VITAL_SIGNS,
    WEIGHT_CHANGE,
    WEIGHT_CHANGE_WITHIN,
    AgeBand,
    Limits,
    OxygenDevice,
    VitalSign,
)


class Question(NamedTuple):
    """``place`` is the field that it is about, ``sentence`` what is unusual there."""

    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What an entry is compared with.

    ``weight_kg`` converts doses at the entry's time; ``weights`` are others charted near the
    entry; ``dose_before`` is the last dose of the same drug in its canonical unit.
    """

    age_years: int
    weight_kg: Decimal | None = None
    weights: tuple[Weight, ...] = ()
    dose_before: Fraction | None = None


def questions(entry: Entry, circumstances: Circumstances) -> list[Question]:
    """What to ask about ``entry`` before it is charted, in the order of its fields."""
    asks = _ASKS.get(type(entry))
    return [] if asks is None else list(asks(entry, circumstances))


def _vitals(entry: Vitals, circumstances: Circumstances) -> Iterator[Question]:
    band = AgeBand.of(circumstances.age_years)
    for sign in VITAL_SIGNS:
        reading = entry.value_of(sign.key)
        if reading is not None:
            yield from _outside(sign, reading, band)


def _outside(sign: VitalSign, reading: Number, band: AgeBand | None) -> Iterator[Question]:
    usual = sign.usual_in(band)
    age = f" ({band.label})" if band in sign.usual_of_children and band is not None else ""
    named = f"{sign.label} {format_number(reading, 1)} {sign.unit}"
    yield from _outside_usual(sign.key, named, reading, usual, sign.unit, age)


def _outside_usual(
    place: str, named: str, value: Number, usual: Limits, unit: str, note: str = ""
) -> Iterator[Question]:
    exact = Fraction(value)
    if exact < Fraction(usual.lowest):
        yield Question(place, f"{named} is unusually low: under {usual.lowest:f} {unit}{note}.")
    elif exact > Fraction(usual.highest):
        yield Question(place, f"{named} is unusually high: over {usual.highest:f} {unit}{note}.")


def _oxygen(entry: Oxygen, _circumstances: Circumstances) -> Iterator[Question]:
    flow, usual = entry.flow_l_per_min, USUAL_FLOW_L_PER_MIN.get(entry.device)
    if flow is not None and usual is not None:
        named = f"{format_number(flow)} L/min by {_in_a_sentence(entry.device)}"
        yield from _outside_usual("flow_l_per_min", named, flow, usual, "L/min")
    if entry.fio2_percent == ROOM_AIR_FIO2.value and entry.device is not OxygenDevice.ROOM_AIR:
        yield Question(
            "fio2_percent",
            f"FiO2 21 % by {_in_a_sentence(entry.device)} is room air: no oxygen is added.",
        )


def _in_a_sentence(device: OxygenDevice) -> str:
    label = device.label
    return label if label.isupper() or label[1:2].isupper() else label[:1].lower() + label[1:]


def _vasopressor(entry: Vasopressor, circumstances: Circumstances) -> Iterator[Question]:
    facts = DRUGS[entry.drug]
    dose = charted_dose(entry, entry.weight_kg or circumstances.weight_kg)
    if entry.weight_kg is not None and circumstances.weight_kg is not None:
        yield from _pump_weight(entry.weight_kg, circumstances.weight_kg)
    if not dose or facts.canonical is None:
        return
    named = f"{entry.drug.label} {format_number(dose)} {facts.canonical.label}"
    highest, per_kg = facts.usual_highest, facts.usual_highest_per_kg
    weight_kg = circumstances.weight_kg
    if highest is not None and dose > Fraction(highest):
        yield Question(
            "rate", f"{named} is unusually high: over {highest:f} {facts.canonical.label}."
        )
    elif per_kg and weight_kg and dose / Fraction(weight_kg) > Fraction(per_kg):
        yield Question("rate", f"{named} is unusually high: over {per_kg:f} mcg/kg/min.")
    yield from _jump(named, dose, circumstances.dose_before, facts.canonical.label)


def _pump_weight(pump: Decimal, charted: Decimal) -> Iterator[Question]:
    if _differ(pump, charted):
        yield Question(
            "weight_kg",
            f"{format_number(pump)} kg in the pump is {_percent(pump, charted)} "
            "from the charted weight, "
            f"{format_number(charted)} kg.",
        )


def _jump(named: str, dose: Fraction, before: Fraction | None, unit: str) -> Iterator[Question]:
    if not before:
        return
    if dose >= DOSE_JUMP * before:
        how = f"{format_number(dose / before, 1)} times the dose before"
    elif before >= DOSE_JUMP * dose:
        how = "a fifth of the dose before or less"
    else:
        return
    yield Question("rate", f"{named} is {how}; that was {format_number(before)} {unit}.")


def _weight(entry: Weight, circumstances: Circumstances) -> Iterator[Question]:
    named = f"Weight {format_number(entry.weight_kg)} kg"
    yield from _outside_usual("weight_kg", named, entry.weight_kg, USUAL_WEIGHT_KG, "kg")
    near = [w for w in circumstances.weights if abs(w.at - entry.at) <= WEIGHT_CHANGE_WITHIN]
    if not near:
        return
    nearest = min(near, key=lambda weight: abs(weight.at - entry.at))
    if _differ(entry.weight_kg, nearest.weight_kg):
        yield Question(
            "weight_kg",
            f"{named} is {_percent(entry.weight_kg, nearest.weight_kg)} from "
            f"{format_number(nearest.weight_kg)} kg, charted within a week of it.",
        )


def _differ(weight_kg: Decimal, other_kg: Decimal) -> bool:
    return abs(Fraction(weight_kg) - Fraction(other_kg)) > Fraction(WEIGHT_CHANGE) * Fraction(
        other_kg
    )


def _percent(weight_kg: Decimal, other_kg: Decimal) -> str:
    change = (Fraction(weight_kg) - Fraction(other_kg)) / Fraction(other_kg) * 100
    return f"{format_number(abs(change), 0)} % {'up' if change > 0 else 'down'}"


def _lab(entry: Lab, circumstances: Circumstances) -> Iterator[Question]:
    unit = lab_unit(entry.analyte, entry.unit)
    if unit is None or unit.usual is None:
        return
    shown_unit = "" if unit.name == "ratio" else unit.name.replace("umol", "µmol")
    named = (
        f"{entry.analyte.label} {entry.comparator or ''}{format_number(entry.value)} {shown_unit}"
    )
    in_mg_dl = entry.analyte is Analyte.FIBRINOGEN and unit is Analyte.FIBRINOGEN.units[0]
    if in_mg_dl and entry.value < FIBRINOGEN_IN_G_L_BELOW:
        yield Question("value", f"{named.strip()}: was it reported in g/L?")
        return
    usual = unit.usual
    if entry.analyte is Analyte.CREATININE and AgeBand.of(circumstances.age_years) is not None:
        usual = Limits(unit.limits.lowest if unit.limits else usual.lowest, usual.highest)
    yield from _outside_usual("value", named.strip(), entry.value, usual, shown_unit)


_ASKS: Final[dict[type[Entry], Callable[[Any, Circumstances], Iterable[Question]]]] = {
    Vitals: _vitals,
    Oxygen: _oxygen,
    Vasopressor: _vasopressor,
    Weight: _weight,
    Lab: _lab,
}
