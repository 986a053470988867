"""Plausibility of entries: unusual values that a form asks about, and a file is warned of.

Nothing here refuses. The usual ranges are in ``vocabulary``, ``analytes`` and ``evidence``, with
the hard limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple

from grading.engine.analytes import (
    BASELINE_RESULTS,
    FIBRINOGEN_IN_G_L_BELOW,
    Analyte,
    LabUnit,
    unit_of_result,
)
from grading.engine.entries import (
    BaselineFacts,
    Entry,
    FluidBolus,
    Lab,
    Oxygen,
    Treatment,
    Vasopressor,
    Vitals,
    Weight,
)
from grading.engine.evidence import (
    CANNULA_FIO2_FARTHEST,
    FLUID_BOLUS_ML,
    FLUID_BOLUS_SMALL_ML,
    LABEL_DOSES,
    LABEL_INTERVAL,
    OXYGEN_HIGH,
    ROOM_AIR_FIO2,
    TREATMENT_MG,
    DoseLimits,
    cannula_fio2_percent,
)
from grading.engine.scale_vocabulary import OxygenPurpose
from grading.engine.sentences import duration_text, inside_a_sentence, lab_unit_text
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
    TreatmentAgent,
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
    entry; ``dose_before`` is the last dose of the same drug in its canonical unit; ``given_at``
    are the times of the other doses of the same treatment, of which those from before
    ``infused_at`` are not counted.
    """

    age_years: int
    is_neonate: bool = False
    weight_kg: Decimal | None = None
    weights: tuple[Weight, ...] = ()
    dose_before: Fraction | None = None
    given_at: tuple[datetime, ...] = ()
    infused_at: datetime | None = None


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
    if _is_usual(reading, usual):
        return
    age = f" ({band.label})" if band in sign.usual_of_children and band is not None else ""
    named = f"{sign.label} {format_number(reading, 1)} {sign.unit}"
    yield from _outside_usual(sign.key, named, reading, usual, sign.unit, age)


def _outside_usual(
    place: str, named: str, value: Number, usual: Limits, unit: str, note: str = ""
) -> Iterator[Question]:
    if _is_usual(value, usual):
        return
    if Fraction(value) < Fraction(usual.lowest):
        yield Question(place, f"{named} is unusually low: under {usual.lowest:f} {unit}{note}.")
    else:
        yield Question(place, f"{named} is unusually high: over {usual.highest:f} {unit}{note}.")


def _is_usual(value: Number, usual: Limits) -> bool:
    if isinstance(value, Decimal):
        return usual.allow(value)
    return Fraction(usual.lowest) <= value <= Fraction(usual.highest)


def _oxygen(entry: Oxygen, _circumstances: Circumstances) -> Iterator[Question]:
    flow, usual = entry.flow_l_per_min, USUAL_FLOW_L_PER_MIN.get(entry.device)
    device = inside_a_sentence(entry.device.label)
    if flow is not None and usual is not None:
        named = f"{format_number(flow)} L/min by {device}"
        yield from _outside_usual("flow_l_per_min", named, flow, usual, "L/min")
        if flow == 0:
            yield Question("flow_l_per_min", f"{named} gives no oxygen. Is it room air?")
        else:
            yield from _fio2_of_cannula(entry, flow, named)
    if entry.fio2_percent == ROOM_AIR_FIO2.value and entry.device is not OxygenDevice.ROOM_AIR:
        yield Question("fio2_percent", f"FiO2 21 % by {device} is room air: no oxygen is added.")
    yield from _purpose(entry)


def _fio2_of_cannula(entry: Oxygen, flow: Decimal, named: str) -> Iterator[Question]:
    """Ask about an FiO2 that a nasal cannula cannot give at its flow: one of the two is wrong."""
    percent = entry.fio2_percent
    if entry.device is not OxygenDevice.NASAL_CANNULA or percent is None:
        return
    estimate = cannula_fio2_percent(flow)
    if abs(Fraction(percent) - Fraction(estimate)) > CANNULA_FIO2_FARTHEST.value:
        found = f"FiO2 {format_number(percent)} % does not fit {named}"
        yield Question("fio2_percent", f"{found}: about {round(estimate)} %.")


def _purpose(entry: Oxygen) -> Iterator[Question]:
    percent, highest = entry.fio2_percent, OXYGEN_HIGH.value
    if entry.purpose is not OxygenPurpose.AIRWAY_PROTECTION or percent is None:
        return
    if percent > highest:
        over = f"FiO2 {format_number(percent)} % is over {highest:f} %"
        yield Question("purpose", f"{over}: that treats low oxygen, not the airway alone.")


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
    unit = unit_of_result(entry.analyte, entry.unit)
    text = f"{entry.comparator or ''}{format_number(entry.value)}"
    yield from _result(_Result("value", entry.analyte, unit, entry.value, text), circumstances)
    yield from _limit_of_normal(entry, unit, "lower_limit", unit.lower_normal)
    neonate = unit.upper_normal_neonate if circumstances.is_neonate else None
    yield from _limit_of_normal(entry, unit, "upper_limit", neonate or unit.upper_normal)
    lower, upper = entry.lower_limit, entry.upper_limit
    if lower is not None and upper is not None and lower >= upper:
        yield Question(
            "upper_limit",
            f"{entry.analyte.label}: {format_number(upper)} is not above the lower limit, "
            f"{format_number(lower)}.",
        )


class _Result(NamedTuple):
    place: str
    analyte: Analyte
    unit: LabUnit
    value: Decimal
    text: str


def _result(result: _Result, circumstances: Circumstances) -> Iterator[Question]:
    place, analyte, unit, value, text = result
    if unit.usual is None:
        return
    named = f"{analyte.label} {text} {_shown(unit)}".strip()
    in_mg_dl = analyte is Analyte.FIBRINOGEN and unit is Analyte.FIBRINOGEN.units[0]
    if in_mg_dl and value < FIBRINOGEN_IN_G_L_BELOW:
        yield Question(place, f"{named}: was it reported in g/L?")
        return
    usual = unit.usual
    if analyte is Analyte.CREATININE and AgeBand.of(circumstances.age_years) is not None:
        usual = Limits(unit.limits.lowest if unit.limits else usual.lowest, usual.highest)
    yield from _outside_usual(place, named, value, usual, _shown(unit))


def _shown(unit: LabUnit) -> str:
    return lab_unit_text(unit.name)


def _limit_of_normal(
    entry: Lab, unit: LabUnit, place: str, plausible: Limits | None
) -> Iterator[Question]:
    """Ask about a limit that may stand in another unit's report: it decides the grade unseen."""
    limit: Decimal | None = getattr(entry, place)
    if limit is None or plausible is None or plausible.allow(limit):
        return
    shown = f" {_shown(unit)}".rstrip()
    is_upper = place == "upper_limit"
    fitting = (
        other
        for other in entry.analyte.units
        if (normal := other.upper_normal if is_upper else other.lower_normal) is not None
        and normal.allow(limit)
    )
    of_another = next(fitting, None)
    hint = f" Is it the limit in {_shown(of_another)}?" if of_another is not None else ""
    yield Question(
        place,
        f"{entry.analyte.label}: {format_number(limit)}{shown} is unusual as "
        f"{'upper' if is_upper else 'lower'} limit of normal; expected {plausible.lowest:f} to "
        f"{plausible.highest:f}{shown}.{hint}",
    )


def _baseline(entry: BaselineFacts, circumstances: Circumstances) -> Iterator[Question]:
    band = AgeBand.of(circumstances.age_years)
    for sign in VITAL_SIGNS:
        reading = getattr(entry, sign.key, None)
        if reading is not None:
            yield from _outside(sign, reading, band)
    for place, analyte, name in BASELINE_RESULTS:
        value = getattr(entry, place)
        if value is not None:
            unit = unit_of_result(analyte, name)
            result = _Result(place, analyte, unit, value, format_number(value))
            yield from _result(result, circumstances)


def _fluid_bolus(entry: FluidBolus, circumstances: Circumstances) -> Iterator[Question]:
    named, smallest = f"Fluid bolus {format_number(entry.volume_ml)} mL", FLUID_BOLUS_SMALL_ML
    if AgeBand.of(circumstances.age_years) is None and entry.volume_ml < smallest:
        yield Question("volume_ml", f"{named} is unusually low: under {smallest:f} mL.")
    usual = FLUID_BOLUS_ML
    yield from _above("volume_ml", named, entry.volume_ml, usual, "mL", circumstances.weight_kg)


def _treatment(entry: Treatment, circumstances: Circumstances) -> Iterator[Question]:
    usual, label = TREATMENT_MG[entry.agent], entry.agent.label
    if entry.dose_mg is not None:
        named = f"{label} {format_number(entry.dose_mg)} mg"
        yield from _above("dose_mg", named, entry.dose_mg, usual, "mg", circumstances.weight_kg)
    elif usual.is_expected:
        yield Question(
            "dose_mg", f"{label} without a dose: enter the dose, or confirm that it is not known."
        )
    if entry.agent is TreatmentAgent.TOCILIZUMAB:
        yield from _repeated(entry, circumstances)


def _repeated(entry: Treatment, circumstances: Circumstances) -> Iterator[Question]:
    """Ask about a dose of tocilizumab that the label does not give so soon, or so often."""
    given_at, infused_at = circumstances.given_at, circumstances.infused_at
    between = timedelta(hours=int(LABEL_INTERVAL.value))
    apart = min((abs(at - entry.at) for at in given_at), default=between)
    if apart < between:
        yield Question(
            "agent",
            f"Another dose of tocilizumab is charted {duration_text(apart)} from this one; the US "
            f"label keeps doses {LABEL_INTERVAL.value} h apart.",
        )
    if infused_at is not None and entry.at < infused_at:
        return
    doses = 1 + sum(1 for at in given_at if infused_at is None or at >= infused_at)
    if doses > LABEL_DOSES.value:
        yield Question(
            "agent",
            f"{doses} doses of tocilizumab with this one; the US label allows {LABEL_DOSES.value}.",
        )


def _above(
    place: str, named: str, amount: Decimal, usual: DoseLimits, unit: str, weight_kg: Decimal | None
) -> Iterator[Question]:
    highest, per_kg = usual.usual_highest, usual.usual_highest_per_kg
    if highest is not None and amount > highest:
        yield Question(place, f"{named} is unusually high: over {highest:f} {unit}.")
    elif per_kg and weight_kg and Fraction(amount) > Fraction(per_kg) * Fraction(weight_kg):
        at = f"at {format_number(weight_kg)} kg"
        yield Question(place, f"{named} is unusually high {at}: over {per_kg:f} {unit}/kg.")


def pressure_contradiction(
    systolic: Decimal | None, diastolic: Decimal | None, mean: Decimal | None = None
) -> Question | None:
    """Return how the pressures of one reading contradict each other, None where they do not.

    A form refuses it, a file is warned of it. The place is that of the vital sign.
    """
    if systolic is not None and diastolic is not None and diastolic >= systolic:
        return Question(
            "diastolic_mmhg",
            f"{diastolic} is not below the systolic pressure, {systolic}.",
        )
    too_high = mean is not None and systolic is not None and mean > systolic
    too_low = mean is not None and diastolic is not None and mean < diastolic
    if too_high or too_low:
        return Question(
            "mean_arterial_pressure_mmhg",
            f"{mean} does not lie between diastolic and systolic pressure.",
        )
    return None


_ASKS: Final[dict[type[Entry], Callable[[Any, Circumstances], Iterable[Question]]]] = {
    Vitals: _vitals,
    Oxygen: _oxygen,
    Vasopressor: _vasopressor,
    Weight: _weight,
    Lab: _lab,
    BaselineFacts: _baseline,
    FluidBolus: _fluid_bolus,
    Treatment: _treatment,
}
