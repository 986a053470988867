"""What was sent, in plain words for people: "Heart rate 112 /min"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from grading.engine.analytes import Analyte
from grading.engine.vocabulary import (
    FAHRENHEIT,
    VITAL_SIGN,
    DoseUnit,
    OxygenDevice,
    TreatmentAgent,
    VasopressorDrug,
    term_label,
)

Words = Mapping[str, Any]


def described(words: Words) -> str:
    """Return an entry, or a part of one, as a line of plain words without its time."""
    describe = _DESCRIBE.get(words["kind"])
    return words["kind"].replace("_", " ").capitalize() if describe is None else describe(words)


def _vitals(words: Words) -> str:
    signs = (*VITAL_SIGN.values(), FAHRENHEIT)
    return ", ".join(
        f"{sign.label} {words[sign.key]} {sign.unit}" for sign in signs if sign.key in words
    )


def _oxygen(words: Words) -> str:
    parts = []
    if words.get("device"):
        parts.append(OxygenDevice(words["device"]).label)
    if words.get("flow_l_per_min"):
        parts.append(f"oxygen flow {words['flow_l_per_min']} L/min")
    if words.get("fio2_percent"):
        parts.append(f"FiO2 {words['fio2_percent']} %")
    return ", ".join(parts)


def _vasopressor(words: Words) -> str:
    drug, rate = VasopressorDrug(words["drug"]).label, words.get("rate")
    if rate is None:
        return f"{drug}, rate not known"
    unit = DoseUnit(words["unit"]).label if words.get("unit") else ""
    return f"{drug} {rate} {unit}".rstrip()


def _lab(words: Words) -> str:
    label = Analyte(words["analyte"]).label
    return f"{label} {words.get('comparator') or ''}{words['value']} {words['unit']}"


def _treatment(words: Words) -> str:
    label, dose = TreatmentAgent(words["agent"]).label, words.get("dose_mg")
    return label if dose is None else f"{label} {dose} mg"


def _term(words: Words) -> str:
    return term_label(words["term"])


_DESCRIBE: Final[dict[str, Callable[[Words], str]]] = {
    "vitals": _vitals,
    "oxygen": _oxygen,
    "vasopressor": _vasopressor,
    "lab": _lab,
    "treatment": _treatment,
    "weight": lambda words: f"Weight {words['weight_kg']} kg",
    "fluid_bolus": lambda words: f"Fluid bolus {words['volume_ml']} mL",
    "toxicity": lambda words: f"{term_label(words['term'])}, CTCAE grade {words['grade']}",
    "symptom": _term,
}
