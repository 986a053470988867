"""Policy parameters: the decisions a site may change, each defined once with its basis.

Table 2's grades, Table 3's doses and the 40 % are the paper's and are not here.
"""

# ruff: noqa: RUF009  (each default is a field that carries its parameter, in one line)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from grading.engine.parameters import Parameter, choice, count, number
from grading.engine.units import NotANumberError, exact_decimal

BASE: Final = "base"
BITARTRATE: Final = "bitartrate"
FORMULA: Final = "formula"
LOW_FLOW_UP_TO_6: Final = "low_flow_up_to_6"
ANTIPYRETIC_OR_ANTICYTOKINE: Final = "antipyretic_or_anticytokine"
ANTICYTOKINE_ONLY: Final = "anticytokine_only"
FLOW: Final = "flow"
DEVICE: Final = "device"


def _due(default: int) -> Any:
    """Declare after how long observations are due."""
    return count(default, "min", 1440, "decision", lowest=5, display_only=True)


@dataclass(frozen=True, slots=True)
class Policy:
    """One set of decisions; the values that graded a course are part of every answer."""

    fever_threshold_c: Decimal = number(
        "38.0", "°C", "36", "41", "ASTCT 2019; CTCAE v4.03, fever; the paper gives no number"
    )
    adult_age_years: int = count(18, "years", 120, "decision")
    sbp_floor_adult_mmhg: Decimal = number(
        "90", "mmHg", "40", "140", "CARTOX (Neelapu 2018); the paper gives no number"
    )
    map_floor_adult_mmhg: Decimal = number(
        "65", "mmHg", "30", "110", "Surviving Sepsis; the paper gives no number"
    )
    relative_fraction: Decimal = number("0.70", "of baseline", "0", "1", "sepsis definitions")
    relative_drop_mmhg: Decimal = number(
        "40", "mmHg", "0", "200", "Surviving Sepsis 2012; SIRS definitions"
    )
    at_baseline_fraction: Decimal = number("0.90", "of baseline", "0", "1", "decision")
    at_baseline_margin_mmhg: Decimal = number("5", "mmHg", "0", "60", "decision")
    fluid_window_minutes: int = count(60, "min", 1440, "decision")
    fluid_hold_minutes: int = count(240, "min", 10080, "decision; Table 2, responsive to fluids")
    high_dose_minutes: int = count(180, "min", 1440, "Lee 2014, Table 3 heading")
    gap_minutes: int = count(15, "min", 240, "decision")
    refractory_minutes: int = count(60, "min", 1440, "decision")
    life_threatening_minutes: int = count(60, "min", 1440, "decision")
    cpap_grade: int = choice(3, (3, 4), "Table 2 is silent; ASTCT 2019 grades 4")
    bipap_grade: int = choice(4, (3, 4), "Table 2 is silent; Penn and Mahadeo 2019 grade 3")
    nasal_cannula_rule: str = choice(FORMULA, (FORMULA, LOW_FLOW_UP_TO_6), "decision")
    simple_mask_fio2_percent: Decimal = number("40", "% FiO2", "21", "100", "teaching tables")
    partial_rebreather_fio2_percent: Decimal = number(
        "60", "% FiO2", "21", "100", "teaching tables"
    )
    non_rebreather_fio2_percent: Decimal = number("80", "% FiO2", "21", "100", "teaching tables")
    blow_by_fio2_percent: Decimal = number("30", "% FiO2", "21", "100", "teaching tables")
    norepinephrine_expressed_as: str = choice(
        BASE, (BASE, BITARTRATE), "US labels dose norepinephrine as base"
    )
    neuro_counts: bool = choice(True, (True, False), "Lee 2014, text on neurologic toxicity")
    worsened_only: bool = choice(True, (True, False), "decision")
    laboratory_grade_1_counts: bool = choice(False, (True, False), "decision; Table 2 is silent")
    astct_fever_hold_minutes: int = count(1440, "min", 43200, "decision; 0 is the letter of ASTCT")
    astct_fever_waived_by: str = choice(
        ANTIPYRETIC_OR_ANTICYTOKINE,
        (ANTIPYRETIC_OR_ANTICYTOKINE, ANTICYTOKINE_ONLY),
        "ASTCT 2019, fever footnote",
    )
    astct_vasopressin_alone_grade: int = choice(3, (2, 3), "ASTCT 2019 is silent")
    astct_high_flow_by: str = choice(FLOW, (FLOW, DEVICE), "ASTCT 2019, 6 L/min footnote")
    icans_seizure_hold_minutes: int = count(1440, "min", 43200, "decision")
    icans_capd_1_to_8_grade: int = choice(1, (0, 1), "CTCAE v6.0 against ASTCT for children")
    icans_capd_below_years: int = count(12, "years", 120, "ASTCT 2019, children")
    penn_neuro_counts: bool = choice(False, (True, False), "not verified")
    penn_ctcae_4_grade: int = choice(4, (3, 4), "Penn 2018 gives an open list")
    penn_single_bolus_grade: int = choice(2, (1, 2), "Penn 2018 is silent")
    penn_multiple_bolus_minutes: int = count(1440, "min", 10080, "decision")
    penn_iv_therapy_hold_minutes: int = count(1440, "min", 43200, "decision")
    penn_product_hold_minutes: int = count(1440, "min", 43200, "decision")
    cartox_neuro_counts: bool = choice(False, (True, False), "not verified")
    cartox_child_bipap_grade: int = choice(3, (3, 4), "Mahadeo 2019")
    mskcc_fluids_grade: int = choice(1, (1, 2), "MSKCC is silent")
    mskcc_noninvasive_grade: int = choice(3, (3, 4), "MSKCC is silent")
    ctcae_positive_pressure_grade: int = choice(4, (3, 4), "CTCAE is silent")
    ctcae_4_symptomatic_hold_minutes: int = count(1440, "min", 43200, "decision")
    ctcae_5_multiple_vasopressors_grade: int = choice(4, (3, 4), "CTCAE v5.0 is silent")
    ice_due_minutes: int = count(720, "min", 10080, "decision", lowest=5, display_only=True)
    ice_due_reduced_minutes: int = count(480, "min", 10080, "decision", lowest=5, display_only=True)
    older_age_years: int = count(
        65, "years", 120, "the paper gives no age; a hint only", display_only=True
    )
    stale_after_vitals_minutes: int = count(240, "min", 43200, "decision", display_only=True)
    stale_after_oxygen_minutes: int = count(240, "min", 43200, "decision", display_only=True)
    stale_after_vasopressor_minutes: int = count(120, "min", 43200, "decision", display_only=True)
    stale_after_laboratory_minutes: int = count(1440, "min", 43200, "decision", display_only=True)
    stale_after_lvef_minutes: int = count(10080, "min", 43200, "decision", display_only=True)
    observations_due_grade_0_minutes: int = _due(240)
    observations_due_grade_1_minutes: int = _due(180)
    observations_due_grade_2_minutes: int = _due(120)
    observations_due_grade_3_minutes: int = _due(60)
    observations_due_grade_4_minutes: int = _due(60)

    def observations_due_after(self, grade: int) -> timedelta | None:
        """Return how long after a set of observations the next is due at ``grade``; None: never.

        A course that is not assessed counts as grade 0.
        """
        minutes = {
            0: self.observations_due_grade_0_minutes,
            1: self.observations_due_grade_1_minutes,
            2: self.observations_due_grade_2_minutes,
            3: self.observations_due_grade_3_minutes,
            4: self.observations_due_grade_4_minutes,
        }
        return timedelta(minutes=minutes[grade]) if grade in minutes else None

    def values(self) -> dict[str, Any]:
        """Return every parameter by name, numbers as exact strings, to be stored with an answer.

        Those of scales other than Lee's are left out where they have their default.
        """
        return {
            name: value
            for name, value in self.all_values().items()
            if name not in SCALE_PARAMETERS or value != getattr(DEFAULT_POLICY, name)
        }

    def all_values(self) -> dict[str, Any]:
        """Return every parameter by name, those of other scales included."""
        return {
            name: str(value) if isinstance(value, Decimal) else value
            for name in PARAMETERS
            for value in (getattr(self, name),)
        }


PARAMETERS: Final[dict[str, Parameter]] = {
    item.name: item.metadata["parameter"] for item in fields(Policy)
}
DEFAULT_POLICY: Final = Policy()
SCALE_PARAMETERS: Final = frozenset(
    name
    for name in PARAMETERS
    if name.startswith(("astct_", "icans_", "penn_", "cartox_", "mskcc_", "ctcae_", "ice_due_"))
)
"""The parameters that Lee's grade never reads."""


class PolicyError(ValueError):
    """Overrides that no policy can have; ``faults`` maps each name to what was expected."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {what}" for name, what in faults.items()))
        self.faults = dict(faults)


def policy_from(overrides: Mapping[str, Any]) -> Policy:
    """Return the default policy with ``overrides`` by name; PolicyError names every bad one."""
    values: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, raw in overrides.items():
        parameter = PARAMETERS.get(name)
        if parameter is None:
            faults[name] = "no such policy parameter"
            continue
        try:
            values[name] = _value(name, parameter, raw)
        except ValueError as fault:
            faults[name] = str(fault)
    if faults:
        raise PolicyError(faults)
    return replace(DEFAULT_POLICY, **values)


def _value(name: str, parameter: Parameter, raw: Any) -> Any:
    if parameter.choices:
        return _chosen(parameter.choices, raw)
    range_text = f"from {parameter.lowest} to {parameter.highest} {parameter.unit}"
    if isinstance(raw, bool) or not isinstance(raw, int | str | Decimal):
        raise ValueError(f"expected a number {range_text}")
    try:
        typed = exact_decimal(str(raw))
    except NotANumberError:
        raise ValueError(f"expected a number {range_text}") from None
    if not parameter.lowest <= typed <= parameter.highest:
        raise ValueError(f"expected a number {range_text}")
    if isinstance(getattr(DEFAULT_POLICY, name), Decimal):
        return typed
    if typed != int(typed):
        raise ValueError(f"expected a whole number {range_text}")
    return int(typed)


def _chosen(options: tuple[Any, ...], raw: Any) -> Any:
    """Return the option that ``raw`` is, or writes; true and 1 are different options."""
    for option in options:
        is_truth = isinstance(option, bool)
        if is_truth == isinstance(raw, bool) and str(raw) == str(option):
            return option
    raise ValueError("expected " + " or ".join(_word(option) for option in options))


def _word(option: Any) -> str:
    return str(option).lower() if isinstance(option, bool) else str(option)
