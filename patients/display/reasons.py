"""The reasons of a grade as clauses that begin with their number: "FiO2 45 % ≥ 40 %"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from grading.engine.evidence import OXYGEN_HIGH
from grading.engine.sentences import (
    Params,
    inside_a_sentence,
    minutes_text,
    rate_text,
    reading_text,
)
from grading.engine.units import format_number
from grading.engine.vocabulary import DoseUnit, OxygenDevice, VasopressorDrug
from patients.display.text import capital

_LIMIT_PERCENT: Final = format_number(OXYGEN_HIGH.value)


class Clause(NamedTuple):
    """``lead`` is the finding with its number, ``rest`` what follows it in the clause."""

    lead: str
    rest: str = ""


def clause_of(code: str, params: Params, sentence: str) -> Clause:
    """Return the clause of a finding; of one without a shape of its own, that of ``sentence``."""
    shape = _SHAPES.get(code)
    return _clause_of_sentence(sentence) if shape is None or not params else shape(params)


def _clause_of_sentence(sentence: str) -> Clause:
    """Split ``sentence`` after its first part."""
    ends = [place for mark in (": ", "; ") if (place := sentence.find(mark)) > 0]
    end = min(ends, default=len(sentence))
    return Clause(capital(sentence[:end]), sentence[end:])


def _fever(params: Params) -> Clause:
    reading = f"{params['temperature_c']} °C"
    if "temperature_f" in params:
        reading = f"{params['temperature_f']} °F = {reading}"
    return Clause(f"Temperature {reading}", f" ≥ {params['threshold_c']} °C")


def _oxygen(sign: str) -> Callable[[Params], Clause]:
    """Return the shape of an oxygen requirement; ``sign`` compares its FiO2 with the limit."""

    def shape(params: Params) -> Clause:
        device = OxygenDevice(params["device"]).label
        if "flow_l_per_min" in params:
            device += f" {params['flow_l_per_min']} L/min"
        if "fio2_percent" not in params:
            return Clause(device)
        fio2 = f"FiO2 {params['fio2_percent']} %"
        lead = f"Estimated {fio2}" if params["estimated"] else fio2
        return Clause(lead, f" {sign} {_LIMIT_PERCENT} %, {inside_a_sentence(device)}")

    return shape


def _low_pressure(params: Params) -> Clause:
    reading = reading_text(params["reading"])
    if params["judged"]:
        return Clause(reading, ", judged low for this patient")
    low = f", low is systolic < {params['systolic_floor_mmhg']}"
    if "map_floor_mmhg" in params:
        low += f" or MAP < {params['map_floor_mmhg']}"
    return Clause(reading, low)


def _dose_text(infusion: Params) -> str:
    """Return an infusion in the unit of Table 3, else as charted."""
    drug = VasopressorDrug(infusion["drug"]).label
    if infusion.get("dose") is None:
        return f"{drug} {rate_text(infusion)}"
    return f"{drug} {infusion['dose']} {DoseUnit(infusion['dose_unit']).label}"


def _duration(params: Params, key: str) -> str:
    return minutes_text(int(params[key]))


def _one_vasopressor(params: Params) -> Clause:
    doses = ", ".join(_dose_text(infusion) for infusion in params["infusions"])
    return Clause(doses, f" for {_duration(params, 'running_minutes')}")


def _high_dose(params: Params) -> Clause:
    lasted = _duration(params, "credited_minutes")
    if not params["high"]:
        gap = _duration(params, "gap_minutes")
        return Clause(
            "High-dose vasopressor", f" had run for {lasted}; counts until {gap} below the limit"
        )
    equivalent = params.get("norepinephrine_equivalent_ug_per_min")
    if equivalent is not None:
        lead = f"Norepinephrine equivalent {equivalent} mcg/min"
    else:
        lead = ", ".join(_dose_text(infusion) for infusion in params["infusions"])
    return Clause(lead, f", high dose by Table 3 for {lasted}")


def _several(params: Params) -> Clause:
    doses = ", ".join(_dose_text(infusion) for infusion in params["infusions"])
    return Clause(f"{len(params['infusions'])} vasopressors", f": {doses}")


def _fluid_bolus(params: Params) -> Clause:
    held = _duration(params, "hold_minutes")
    return Clause(f"Fluid bolus {params['volume_ml']} mL", f" for low pressure, counts for {held}")


_SHAPES: Final[Mapping[str, Callable[[Any], Clause]]] = {
    "symptom.fever": _fever,
    "oxygen.below_40": _oxygen("<"),
    "oxygen.at_least_40": _oxygen("≥"),
    "hypotension.low_pressure": _low_pressure,
    "hypotension.fluid_bolus": _fluid_bolus,
    "vasopressor.single_low_dose": _one_vasopressor,
    "vasopressor.high_dose": _high_dose,
    "vasopressor.multiple": _several,
}
