"""Short names of criteria, for a row, a lane or a column."""

from __future__ import annotations

from typing import Final

_SHORT: Final = {
    "symptom.fever": "Fever",
    "symptom.constitutional": "Constitutional",
    "organ_toxicity.grade_1": "Organ toxicity 1",
    "oxygen.below_40": "Oxygen < 40 %",
    "hypotension.low_pressure": "Low pressure",
    "hypotension.fluid_bolus": "Fluid bolus",
    "vasopressor.single_low_dose": "One vasopressor",
    "organ_toxicity.grade_2": "Organ toxicity 2",
    "oxygen.at_least_40": "Oxygen ≥ 40 %",
    "oxygen.cpap": "CPAP",
    "oxygen.bipap": "BiPAP",
    "vasopressor.high_dose": "High dose",
    "vasopressor.multiple": "Several vasopressors",
    "hypotension.refractory": "Refractory pressure",
    "organ_toxicity.grade_3": "Organ toxicity 3",
    "organ_toxicity.grade_4_transaminitis": "Transaminases 4",
    "ventilator": "Ventilator",
    "organ_toxicity.grade_4": "Organ toxicity 4",
    "life_threatening": "Life-threatening",
    "death": "Death",
}


def criterion_label(code: str) -> str:
    """Return the short name of a criterion: "High dose"."""
    return _SHORT[code]
