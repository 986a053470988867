"""The policy in words: parameters, values and changes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, NamedTuple

from grading.engine.policy import (
    ANTICYTOKINE_ONLY,
    ANTIPYRETIC_OR_ANTICYTOKINE,
    BASE,
    BITARTRATE,
    DEFAULT_POLICY,
    DEVICE,
    FLOW,
    FORMULA,
    LOW_FLOW_UP_TO_6,
    PARAMETERS,
    SCALE_PARAMETERS,
    Policy,
)
from grading.engine.units import format_number

GROUPS: Final[dict[str, dict[str, str]]] = {
    "Fever and age": {
        "fever_threshold_c": "Fever begins at",
        "adult_age_years": "Adult pressure limits from age",
    },
    "Blood pressure": {
        "sbp_floor_adult_mmhg": "Adult systolic is low below",
        "map_floor_adult_mmhg": "Adult mean pressure is low below",
        "relative_fraction": "Ask about relative hypotension up to this fraction of baseline",
        "relative_drop_mmhg": "Ask about relative hypotension after a fall from the baseline of",
        "at_baseline_margin_mmhg": "A baseline counts as low if below the limit plus",
        "at_baseline_fraction": "Low baseline: ask, do not grade as low, from this fraction of it",
    },
    "Fluids": {
        "fluid_window_minutes": "A bolus counts if given within this time of a low pressure",
        "fluid_hold_minutes": "A bolus for low pressure counts as treatment for",
    },
    "Vasopressors": {
        "high_dose_minutes": "High dose counts as grade 3 after",
        "gap_minutes": "A high-dose period ends after a pause of",
        "refractory_minutes": "Ask about refractory hypotension after",
        "life_threatening_minutes": "Ask about life-threatening hypotension after high dose for",
        "norepinephrine_expressed_as": "Norepinephrine doses are in terms of",
    },
    "Oxygen": {
        "cpap_grade": "CPAP is grade",
        "bipap_grade": "BiPAP is grade",
        "nasal_cannula_rule": "Nasal cannula is read",
        "simple_mask_fio2_percent": "A simple mask gives",
        "partial_rebreather_fio2_percent": "A partial rebreather mask gives",
        "non_rebreather_fio2_percent": "A non-rebreather mask gives",
        "blow_by_fio2_percent": "Blow-by gives",
    },
    "Organ toxicity": {
        "neuro_counts": "Neurologic toxicity counts",
        "worsened_only": "Count only toxicity that is worse than before the infusion",
        "laboratory_grade_1_counts": "Count laboratory results of CTCAE grade 1",
    },
    "ASTCT 2019": {
        "astct_fever_hold_minutes": "ASTCT: after the last fever the criteria still count for",
        "astct_fever_waived_by": "ASTCT: an antipyretic waives the fever, as anticytokine drugs do",
        "astct_vasopressin_alone_grade": "ASTCT: vasopressin alone is grade",
        "astct_high_flow_by": "ASTCT: a high-flow cannula at 6 L/min or less is",
    },
    "ICANS": {
        "icans_seizure_hold_minutes": "ICANS: a seizure that stopped within 5 minutes counts for",
        "icans_capd_1_to_8_grade": "ICANS: CAPD 1 to 8 is grade",
        "icans_capd_below_years": "ICANS: CAPD instead of ICE below age",
        "ice_due_minutes": "ICE or CAPD is due after",
        "ice_due_reduced_minutes": "ICE or CAPD is due, if ICE was below 10 or CAPD above 0, after",
    },
    "Penn": {
        "penn_neuro_counts": "Penn: neurologic toxicity counts",
        "penn_ctcae_4_grade": "Penn: a charted organ toxicity of CTCAE grade 4 is grade",
        "penn_single_bolus_grade": "Penn: low pressure with at most one fluid bolus is grade",
        "penn_multiple_bolus_minutes": "Penn: two boluses count together if given within",
        "penn_iv_therapy_hold_minutes": "Penn: intravenous treatment of CRS counts for",
        "penn_product_hold_minutes": "Penn: plasma, cryoprecipitate or fibrinogen counts for",
    },
    "CARTOX": {
        "cartox_neuro_counts": "CARTOX: neurologic toxicity counts",
        "cartox_child_bipap_grade": "CARTOX: BiPAP of a child is grade",
    },
    "MSKCC": {
        "mskcc_fluids_grade": "MSKCC: low pressure without a vasopressor is grade",
        "mskcc_noninvasive_grade": "MSKCC: CPAP and BiPAP are grade",
    },
    "CTCAE": {
        "ctcae_positive_pressure_grade": "CTCAE: CPAP, BiPAP and a ventilator are grade",
        "ctcae_4_symptomatic_hold_minutes": "CTCAE v4.03: an antipyretic counts as treatment for",
        "ctcae_5_multiple_vasopressors_grade": "CTCAE v5.0: two vasopressors or more are grade",
    },
    "Display": {
        "older_age_years": "Suggest older age from",
        "stale_after_vitals_minutes": "Vital signs are stale after",
        "stale_after_oxygen_minutes": "Oxygen is stale after",
        "stale_after_vasopressor_minutes": "A vasopressor is stale after",
        "stale_after_laboratory_minutes": "A laboratory result is stale after",
        "stale_after_lvef_minutes": "An ejection fraction is stale after",
        "observations_due_grade_0_minutes": "Observations are due at grade 0 or not assessed after",
        "observations_due_grade_1_minutes": "Observations are due at grade 1 after",
        "observations_due_grade_2_minutes": "Observations are due at grade 2 after",
        "observations_due_grade_3_minutes": "Observations are due at grade 3 after",
        "observations_due_grade_4_minutes": "Observations are due at grade 4 after",
    },
}
LABELS: Final = {name: label for group in GROUPS.values() for name, label in group.items()}
_CHOICES: Final = {
    BASE: "base",
    BITARTRATE: "bitartrate, the salt",
    FORMULA: "by its flow",
    LOW_FLOW_UP_TO_6: "low up to 6 L/min",
    ANTIPYRETIC_OR_ANTICYTOKINE: "yes",
    ANTICYTOKINE_ONLY: "no",
    FLOW: "low flow",
    DEVICE: "high flow",
    "True": "yes",
    "False": "no",
}


class ParameterChange(NamedTuple):
    """A parameter that differs between two policies; ``changes_lee``: Lee's grade may read it."""

    label: str
    before: str
    after: str
    changes_lee: bool


def choice_text(option: Any) -> str:
    return _CHOICES.get(str(option), str(option))


def value_text(name: str, value: Any) -> str:
    """Return a value with its unit: "38.5 °C"."""
    parameter = PARAMETERS[name]
    if parameter.choices:
        return choice_text(value)
    number = format_number(value, 2) if isinstance(value, Decimal) else str(value)
    return f"{number} {parameter.unit}"


def default_text(name: str) -> str:
    return value_text(name, getattr(DEFAULT_POLICY, name))


def allowed_text(name: str) -> str:
    """Return the range or the choices of a parameter."""
    parameter = PARAMETERS[name]
    if parameter.choices:
        return " or ".join(choice_text(option) for option in parameter.choices)
    return f"{parameter.lowest:f} to {parameter.highest:f}"


def changes_lee(name: str) -> bool:
    """Return whether a parameter can change a grade of Lee 2014, the grade that is stored."""
    return name not in SCALE_PARAMETERS and not PARAMETERS[name].display_only


def changes_between(before: Policy, after: Policy) -> list[ParameterChange]:
    """Return the parameters that differ, in the order of the page."""
    return [
        ParameterChange(label, value_text(name, was), value_text(name, now), changes_lee(name))
        for name, label in LABELS.items()
        for was, now in ((getattr(before, name), getattr(after, name)),)
        if was != now
    ]


def summary_of(policy: Policy) -> str:
    """Return the policy's name in a list: how it differs from the default."""
    changes = changes_between(DEFAULT_POLICY, policy)
    if not changes:
        return "Default values"
    return "; ".join(f"{change.label} {change.after}" for change in changes)
