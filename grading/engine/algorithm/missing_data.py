"""Missing and stale data: what to chart so that the grade is known."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from grading.engine.algorithm import chart_text, tree
from grading.engine.algorithm.evidence import LOW_WEIGHT
from grading.engine.algorithm.item import Indicator, Input, RuleResult
from grading.engine.algorithm.situation import Situation
from grading.engine.analytes import Analyte
from grading.engine.entries import Entry, Vasopressor, Vitals
from grading.engine.periods import Criterion, Unknown, results_last
from grading.engine.sentences import inside_a_sentence
from grading.engine.systems.lee_2014 import FEVER
from grading.engine.units import format_number
from grading.engine.vasopressors import charted_dose, charted_dose_without_weight, needs_weight
from grading.engine.vocabulary import DRUGS, DoseUnit

_CHART: Final = {
    "oxygen.fio2": "enter the FiO2, or the flow of a cannula",
    "oxygen.fio2_estimated": "enter the FiO2, it is only estimated",
    "hypotension.relative": "judge whether this pressure is low for this patient",
    "hypotension.no_baseline": "enter the baseline pressure",
    "hypotension.no_systolic": "enter a systolic pressure",
    "hypotension.refractory": "judge whether fluids and one low-dose vasopressor are enough",
    "life_threatening": "judge whether the toxicity is immediately life-threatening",
    "vasopressor.dose": "enter the vasopressor dose, and the weight if it needs one",
    "organ_toxicity.ungraded": "enter a CTCAE grade for the ticked signs",
}
_PRESSURES: Final = ("systolic_mmhg", "mean_arterial_pressure_mmhg")
_TEMPERATURE: Final = "temperature_c"
_NAMED_AT_MOST: Final = 2


def bound_to_resolve(situation: Situation) -> RuleResult | None:
    """What to chart so that a higher grade is confirmed or ruled out."""
    open_ones = results_last(u for u in situation.unknown if u.could_reach > situation.grade)
    if not open_ones:
        return None
    more = f", and {len(open_ones) - 1} more" if len(open_ones) > 1 else ""
    # A result without its normal range is usual and waits: it never interrupts.
    severe = any(
        item.could_reach >= tree.SEVERE and not item.code.startswith("lab.") for item in open_ones
    )
    return RuleResult(
        indicator=Indicator.CRITICAL if severe else Indicator.WARNING,
        summary=f"Grade may be {situation.at_most}. {_capital(_to_chart(open_ones[0]))}{more}",
        detail=" ".join(
            f"Could be grade {item.could_reach}: {item.why}; {_to_chart(item)}."
            for item in open_ones
        ),
        inputs=tuple(
            Input(entry_id, f"Could be grade {item.could_reach}", item.why)
            for item in open_ones
            for entry_id in item.evidence
        ),
        unknown=tuple(f"{item.why}." for item in open_ones),
    )


def _to_chart(unknown: Unknown) -> str:
    analyte = unknown.code.removeprefix("lab.")
    if analyte == unknown.code:
        return _CHART[unknown.code]
    return f"enter {inside_a_sentence(Analyte(analyte).label)} with its normal range"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def stale_evidence(situation: Situation) -> RuleResult | None:
    """Old values on which the grade rests; the grade itself stays as it is."""
    deciding = situation.deciding()
    rests_on = {
        key: situation.latest[key]
        for key in sorted(situation.stale)
        for criterion in deciding
        if _rests_on(criterion, key, situation.latest[key])
    }
    if not rests_on:
        return None
    ages = [
        (chart_text.label(key, entry), chart_text.age_text(entry, situation))
        for key, entry in rests_on.items()
    ]
    return RuleResult(
        indicator=Indicator.WARNING,
        summary=_last_charted(rests_on, ages),
        detail="The grade rests on values older than their window. They hold until something "
        "newer is charted. Enter for each: unchanged, changed or stopped.",
        inputs=tuple(chart_text.as_input(key, entry, situation) for key, entry in rests_on.items()),
        unknown=tuple(f"{label}, for {age}." for label, age in ages),
    )


def _rests_on(criterion: Criterion, key: str, entry: Entry) -> bool:
    """Return whether the criterion rests on this thing, not only on one charted with it."""
    if entry.id not in criterion.evidence:
        return False
    if not isinstance(entry, Vitals):
        return True
    if criterion.code == FEVER:
        return key == _TEMPERATURE
    return key == next((name for name in _PRESSURES if getattr(entry, name) is not None), None)


def _last_charted(rests_on: dict[str, Entry], ages: list[tuple[str, str]]) -> str:
    aged = [f"{label} last charted {age} ago" for label, age in ages]
    if len(aged) == 1:
        infusion = isinstance(next(iter(rests_on.values())), Vasopressor)
        return f"{aged[0]}: {'still running?' if infusion else 'still correct?'}"
    more = f", {len(aged) - _NAMED_AT_MOST} more" if len(aged) > _NAMED_AT_MOST else ""
    return f"{'; '.join(aged[:_NAMED_AT_MOST])}{more}: still correct?"


def baseline_pressure_missing(situation: Situation) -> RuleResult | None:
    """The baseline pressure, where none is charted."""
    if situation.baseline_systolic_known:
        return None
    return RuleResult(
        indicator=Indicator.WARNING,
        summary="Baseline blood pressure missing: enter it, low pressure drives the grade",
        detail="The paper holds it imperative to establish a clear baseline blood pressure before "
        "therapy, because hypotension is a major driver of the grade.",
        unknown=("the patient's own systolic pressure before therapy.",),
    )


def weight_missing(situation: Situation) -> RuleResult | None:
    """The weight, where a dose or the conversion of a rate needs it."""
    if situation.weight_kg is not None:
        return None
    waiting = [entry for entry in _infusions(situation) if _waits_for_weight(entry)]
    doses = [name for name, in_play in _DOSES.items() if in_play(situation)]
    needed = [*doses, *(f"{entry.drug.label} in Table 3's unit" for entry in waiting)]
    if not needed:
        return None
    return RuleResult(
        indicator=Indicator.WARNING,
        summary="No weight charted: no dose is worked out and no rate converted without it",
        detail=f"Needed for: {', '.join(needed)}. There is never a default weight.",
        inputs=tuple(
            chart_text.as_input(f"vasopressor.{entry.drug}", entry, situation) for entry in waiting
        ),
        unknown=("the weight.",),
    )


_DOSES: Final = {
    "tocilizumab": tree.tocilizumab_in_play,
    "dexamethasone": tree.dexamethasone_in_play,
    "methylprednisolone": tree.methylprednisolone_in_play,
}


def _infusions(situation: Situation) -> tuple[Vasopressor, ...]:
    """Return the running infusions of drugs that the grade counts."""
    return tuple(entry for entry in chart_text.running(situation) if DRUGS[entry.drug].counted)


def _waits_for_weight(entry: Vasopressor) -> bool:
    unconverted = entry.rate is not None and entry.weight_kg is None
    return unconverted and needs_weight(entry.drug, entry.unit)


def limits_of_small_patient(situation: Situation) -> RuleResult | None:
    """Rates per kg for a small patient, for whom Table 3's absolute doses are large."""
    weight_kg = situation.weight_kg
    infusions = _infusions(situation)
    if weight_kg is None or weight_kg >= LOW_WEIGHT.value or not infusions:
        return None
    rates = [rate for entry in infusions if (rate := _per_kg(entry, situation))]
    return RuleResult(
        indicator=Indicator.WARNING,
        summary=(
            f"Weight {format_number(weight_kg)} kg: "
            "Table 3's limits in mcg/min take no account of it"
        ),
        detail="Table 3 gives absolute doses, sized for adults, for all but dopamine: in a small "
        "patient a dose below its limit may be high. Per weight: "
        f"{'; '.join(rates) or 'no dose in mcg/min is known'}.",
        inputs=(
            situation.weight_input(),
            *(
                chart_text.as_input(f"vasopressor.{item.drug}", item, situation)
                for item in infusions
            ),
        ),
    )


def _per_kg(entry: Vasopressor, situation: Situation) -> str:
    """Return the charted rate of a drug that Table 3 has in mcg/min, in mcg/kg/min."""
    if DRUGS[entry.drug].canonical is not DoseUnit.UG_PER_MIN or entry.unit is None:
        return ""
    weight_kg = entry.weight_kg or situation.weight_kg
    rate = (
        charted_dose_without_weight(entry) if entry.unit.per_kg else charted_dose(entry, weight_kg)
    )
    if rate is None or weight_kg is None:
        return ""
    per_kg = rate if entry.unit.per_kg else rate / Fraction(weight_kg)
    return f"{entry.drug.label} {format_number(per_kg)} {DoseUnit.UG_PER_KG_PER_MIN.label}"
