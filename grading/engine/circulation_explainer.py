"""Evidence and parameters of what is found in a circulation.

Each function raises ValueError where the chart has nothing that it could explain.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from grading.engine.circulation import Circulation
from grading.engine.entries import Vitals
from grading.engine.periods import Explained
from grading.engine.pressure import Reading, reading_is_uncertain, reading_params
from grading.engine.sentences import whole_minutes
from grading.engine.units import format_number
from grading.engine.vocabulary import Attribution, JudgementAbout


def _reading(circulation: Circulation) -> Vitals:
    if circulation.reading is None:
        raise ValueError("no pressure is charted")
    return circulation.reading


def _reading_params(circulation: Circulation) -> dict[str, str]:
    """Return the pressures of the reading, with a derived mean that alone is too low."""
    reading = _reading(circulation)
    tripled_map = circulation.limits.low_map_alone(reading)
    params = reading_params(reading)
    return params if tripled_map is None else {**params, "derived_map_mmhg": _a_third(tripled_map)}


def _a_third(tripled_map: Decimal) -> str:
    return format_number(Fraction(tripled_map) / 3)


def explain_low_pressure(circulation: Circulation, at: datetime) -> Explained:
    """The reading, with the floors that it is below or the judgement that it is low."""
    reading, limits = _reading(circulation), circulation.limits
    judgement = circulation.judged.get(JudgementAbout.RELATIVE_HYPOTENSION)
    uncertain = reading_is_uncertain(reading)
    params = {"reading": _reading_params(circulation)}
    if circulation.reading_class is Reading.IN_QUESTION and judgement is not None:
        return Explained((reading.id, judgement.id), {**params, "judged": True}, uncertain)
    floors = _floors(limits.systolic_floor_mmhg, limits.tripled_map_floor_mmhg)
    return Explained((reading.id,), {**params, "judged": False, **floors}, uncertain)


@lru_cache
def _floors(systolic_mmhg: Decimal, tripled_map_mmhg: Decimal | None) -> dict[str, str]:
    floors = {"systolic_floor_mmhg": format_number(systolic_mmhg)}
    if tripled_map_mmhg is not None:
        floors["map_floor_mmhg"] = format_number(tripled_map_mmhg / 3)
    return floors


def explain_fluid_bolus(circulation: Circulation, at: datetime) -> Explained:
    """The latest bolus for a low pressure, and the reading that it was given for."""
    bolus = circulation.bolus
    if bolus is None:
        raise ValueError("no fluid bolus for low pressure is charted")
    params = {
        "volume_ml": format_number(bolus.volume_ml),
        "hold_minutes": str(circulation.policy.fluid_hold_minutes),
    }
    uncertain = bolus.attribution is Attribution.UNCERTAIN
    return Explained((bolus.id, circulation.bolus_for), params, uncertain)


def explain_refractory(circulation: Circulation, at: datetime) -> Explained:
    """A judgement, or the question where none was made."""
    judgement = circulation.judged.get(JudgementAbout.REFRACTORY_HYPOTENSION)
    evidence, params, uncertain = circulation.infusions.explain()
    if judgement is not None:
        return Explained((judgement.id, *evidence), {**params, "judged": True}, uncertain)
    reading = _reading(circulation)
    question = {**params, "judged": False, "reading": _reading_params(circulation)}
    return Explained((*evidence, reading.id), question)


def explain_single_low_dose(circulation: Circulation, at: datetime) -> Explained:
    """The vasopressors that run, and for how many minutes."""
    evidence, params, uncertain = circulation.infusions.explain()
    since = min(circulation.infusions.running_since.values())
    params = {**params, "running_minutes": whole_minutes(at - since)}
    return Explained(evidence, params, uncertain)


def explain_high_dose(circulation: Circulation, at: datetime) -> Explained:
    """The minutes credited to high doses, with what runs now or the pause that is allowed."""
    run, infusions = circulation.run, circulation.infusions
    _, running, uncertain = infusions.explain()
    params: dict[str, Any] = {
        "high": run.high,
        "credited_minutes": whole_minutes(run.credited(at)),
    }
    if not run.high:
        params["gap_minutes"] = str(circulation.policy.gap_minutes)
    else:
        params |= running
        if len(infusions.doses) > 1:
            params["norepinephrine_equivalent_ug_per_min"] = infusions.equivalent_dose()
    return Explained(run.evidence, params, uncertain)


def explain_running(circulation: Circulation, at: datetime) -> Explained:
    """The vasopressors that run, with their doses."""
    return circulation.infusions.explain()


def explain_life_threatening(circulation: Circulation, at: datetime) -> Explained:
    """A judgement, or the question where none was made."""
    judgement = circulation.judged.get(JudgementAbout.LIFE_THREATENING)
    if judgement is not None:
        return Explained((judgement.id,), {"judged": True})
    evidence = (*circulation.infusions.evidence(), _reading(circulation).id)
    credited = whole_minutes(circulation.run.credited(at))
    return Explained(evidence, {"judged": False, "credited_minutes": credited})


def explain_relative(circulation: Circulation, at: datetime) -> Explained:
    """The reading in question, and the pressures of the baseline."""
    reading, limits = _reading(circulation), circulation.limits
    baseline = {}
    if limits.baseline_systolic_mmhg is not None:
        baseline["systolic_mmhg"] = format_number(limits.baseline_systolic_mmhg)
    # A mean pressure is in question only where the baseline has a low one.
    if limits.at_baseline_tripled_map_mmhg is not None and limits.baseline_tripled_map_mmhg:
        tripled_map = limits.baseline_tripled_map_mmhg
        baseline["mean_arterial_pressure_mmhg"] = _a_third(tripled_map)
    return Explained((reading.id,), {"reading": _reading_params(circulation), "baseline": baseline})


def explain_by_reading_alone(circulation: Circulation, at: datetime) -> Explained:
    """The reading, for a question that rests on nothing else."""
    return Explained((_reading(circulation).id,), {})
