"""English sentences of findings: one function for each code renders a sentence from parameters.

Parameters are plain JSON: amounts and counts are decimal strings (rounded ones begin with "≈"),
durations are whole minutes, and devices, drugs, units, analytes and terms are codes. A sentence
needs nothing else, so that another language can render the same parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from grading.engine.analytes import Analyte
from grading.engine.units import MINUTES_PER_DAY
from grading.engine.vocabulary import DoseUnit, OxygenDevice, VasopressorDrug, term_label

Params = Mapping[str, Any]

_MINUTE: Final = timedelta(minutes=1)
_DRUG: Final = {str(drug): drug.label for drug in VasopressorDrug}
_UNIT: Final = {str(unit): unit.label for unit in DoseUnit}
_PER_KG: Final = {str(unit) for unit in DoseUnit if unit.per_kg}
_DEVICE: Final = {str(device): device.label for device in OxygenDevice}
_ANALYTE: Final = {str(analyte): analyte.label for analyte in Analyte}


def render(code: str, params: Params) -> str:
    """Return the sentence of the finding ``code``; KeyError for a code that no finding has."""
    if code.startswith("lab."):
        return _doubtful_result(params)
    return _SENTENCES[code](params)


def short_name(code: str) -> str:
    """Return the name of a criterion for a narrow column; KeyError for no criterion."""
    return _SHORT_NAMES[code]


def whole_minutes(duration: timedelta) -> str:
    """Return a duration as a parameter: the minutes that have passed in full."""
    return str(duration // _MINUTE)


def duration_text(duration: timedelta) -> str:
    """Return an age or a wait in its two largest units: "41 min", "2 h 19 min", "3 d 4 h"."""
    days, rest = divmod(duration // _MINUTE, MINUTES_PER_DAY)
    if not days:
        return minutes_text(rest)
    hours = rest // 60
    return f"{days} d {hours} h" if hours else f"{days} d"


def inside_a_sentence(label: str) -> str:
    """Return a label without the capital that begins a line.

    Abbreviations and single letters keep theirs: "CPAP", "FiO2", "C-reactive protein".
    """
    word = label.partition(" ")[0]
    is_plain = word == "A" or (word[1:2].islower() and word[1:].islower())
    return label[:1].lower() + label[1:] if is_plain else label


def minutes_text(minutes: int) -> str:
    """Return a number of minutes as hours and minutes, in which the rules of Table 3 count."""
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def rate_text(params: Params) -> str:
    """Return the rate of an infusion as charted."""
    rate, unit = params["rate"], params.get("unit")
    if rate is None:
        return "dose not known"
    if rate == "0":
        return "stopped"
    if unit is None:
        return "running"
    text = f"{rate} {_UNIT[unit]}"
    if "concentration_per_ml" in params:
        substance = "units" if params["drug"] == VasopressorDrug.VASOPRESSIN else "mcg"
        text += f" of {params['concentration_per_ml']} {substance}/mL"
    return text


def infusion_text(params: Params) -> str:
    """Return an infusion with the arithmetic that brought it to Table 3's unit."""
    text = f"{_DRUG[params['drug']]} {rate_text(params)}"
    if "dose" not in params:
        return f"{text}, no weight charted" if params.get("weight_missing") else text
    if "weight_kg" in params:
        text += f" {'×' if params['unit'] in _PER_KG else '÷'} {params['weight_kg']} kg"
    base = " base" if params.get("salt") else ""
    return f"{text} = {params['dose']} {_UNIT[params['dose_unit']]}{base}"


def reading_text(params: Params) -> str:
    """Return the pressures of a reading: "BP 84/50, MAP 61 mmHg"."""
    parts = []
    if "systolic_mmhg" in params:
        systolic, diastolic = params["systolic_mmhg"], params.get("diastolic_mmhg")
        derived = f" (MAP {params['derived_map_mmhg']})" if "derived_map_mmhg" in params else ""
        text = f"SBP {systolic}" if diastolic is None else f"BP {systolic}/{diastolic}{derived}"
        parts.append(text)
    if "mean_arterial_pressure_mmhg" in params:
        parts.append(f"MAP {params['mean_arterial_pressure_mmhg']}")
    return ", ".join(parts) + " mmHg"


def result_text(params: Params) -> str:
    """Return a laboratory result as reported: value, unit, limits of normal, and a baseline."""
    comparator = f"{params['comparator']} " if "comparator" in params else ""
    limits = [
        f"{name} {params[key]}"
        for name, key in (
            ("lower limit", "lower_limit"),
            ("upper limit", "upper_limit"),
            ("baseline", "baseline"),
        )
        if key in params
    ]
    unit = f" {lab_unit_text(params['unit'])}".rstrip()
    text = f"{_ANALYTE[params['analyte']]} {comparator}{params['value']}{unit}"
    return f"{text} ({', '.join(limits)})" if limits else text


def lab_unit_text(unit: str) -> str:
    """Return the unit of a result as it is printed; empty for a ratio."""
    return _LAB_UNIT_TEXTS.get(unit, unit)


_LAB_UNIT_TEXTS: Final = {
    "umol/L": "µmol/L", "ug/L": "µg/L", "10^9/L": "×10⁹/L", "ratio": "",
}  # fmt: skip


def _infusions(params: Params) -> str:
    return "; ".join([infusion_text(infusion) for infusion in params["infusions"]])


def _duration(params: Params, key: str) -> str:
    return minutes_text(int(params[key]))


def _terms(params: Params) -> str:
    return ", ".join([term_label(term) for term in params["terms"]])


def _fever(params: Params) -> str:
    reading = f"{params['temperature_c']} °C"
    if "temperature_f" in params:
        reading = f"{params['temperature_f']} °F = {reading}"
    return f"Temperature {reading}; fever is {params['threshold_c']} °C or more"


def _constitutional(params: Params) -> str:
    return f"Constitutional symptoms: {_terms(params)}"


def _device(params: Params) -> str:
    return _DEVICE[params["device"]]


def _fio2(params: Params) -> str:
    flow = f" {params['flow_l_per_min']} L/min" if "flow_l_per_min" in params else ""
    if "fio2_percent" not in params:
        by_flow = params["device"] == OxygenDevice.NASAL_CANNULA
        missing = "flow or FiO2" if by_flow else "FiO2"
        return f"{_device(params)}{flow}, {missing} not charted"
    estimate = "estimated " if params["estimated"] else ""
    return f"{_device(params)}{flow}, {estimate}FiO2 {params['fio2_percent']} %"


def _fio2_estimated(params: Params) -> str:
    return f"{_fio2(params)}, too close to {params['limit_percent']} % to decide: enter the FiO2"


def _low_pressure(params: Params) -> str:
    reading = reading_text(params["reading"])
    if params["judged"]:
        return f"{reading}, judged low for this patient"
    text = f"{reading}; low is SBP below {params['systolic_floor_mmhg']}"
    if "map_floor_mmhg" in params:
        text += f" or MAP below {params['map_floor_mmhg']}"
    return text


def _fluid_bolus(params: Params) -> str:
    hold = _duration(params, "hold_minutes")
    return f"Fluid bolus {params['volume_ml']} mL for low pressure, counted for {hold}"


def _refractory(params: Params) -> str:
    running = _infusions(params)
    if params["judged"]:
        return f"Judged: fluids and one low-dose vasopressor do not reverse it ({running})"
    return (
        f"{reading_text(params['reading'])} on {running}: are fluids and one "
        "low-dose vasopressor not sufficient? Not judged"
    )


def _single_low_dose(params: Params) -> str:
    since = _duration(params, "running_minutes")
    return f"One vasopressor: {_infusions(params)}, running {since}"


def _high_dose(params: Params) -> str:
    credited = _duration(params, "credited_minutes")
    if not params["high"]:
        gap = _duration(params, "gap_minutes")
        return f"High dose by Table 3 had run for {credited}; holds until {gap} below it"
    text = f"High dose by Table 3 for {credited}: {_infusions(params)}"
    if "norepinephrine_equivalent_ug_per_min" in params:
        equivalent = params["norepinephrine_equivalent_ug_per_min"]
        text += f" (norepinephrine equivalent {equivalent} mcg/min)"
    return text


def _multiple(params: Params) -> str:
    return f"{len(params['infusions'])} vasopressors: {_infusions(params)}"


def _dose(params: Params) -> str:
    return f"{_infusions(params)}: Table 3 cannot be applied"


def _life_threatening(params: Params) -> str:
    if params["judged"]:
        return "Judged immediately life-threatening"
    return (
        "Low pressure on several vasopressors, high dose for "
        f"{_duration(params, 'credited_minutes')}: immediately life-threatening? Not judged"
    )


def _relative(params: Params) -> str:
    reading = reading_text(params["reading"])
    known = f" {reading_text(params['baseline'])}" if "baseline" in params else ""
    return f"{reading}: low for this patient against baseline{known}? Not judged"


def _no_baseline(params: Params) -> str:
    return "No baseline systolic pressure: a relative fall cannot be seen"


def _no_systolic(params: Params) -> str:
    return "A child's pressure is judged by the systolic, which this reading lacks"


def _ungraded(params: Params) -> str:
    return f"Ticked, not graded: {_terms(params)}"


def _organ_toxicity(params: Params) -> str:
    return "; ".join([_toxicity(finding) for finding in params["findings"]])


def _toxicity(params: Params) -> str:
    by_result = "result" in params
    what = result_text(params["result"]) if by_result else term_label(params["term"])
    return f"{what}: CTCAE {params['ctcae']}"


def _doubtful_result(params: Params) -> str:
    result = result_text(params["result"])
    if "at_least_ctcae" not in params:
        return f"{result}: cannot be graded. Enter the laboratory's normal range"
    if params["at_least_ctcae"] == "0":
        return f"{result}: may be normal, or of a CTCAE grade"
    return f"{result}: at least CTCAE {params['at_least_ctcae']}, may be higher"


def _death(params: Params) -> str:
    uncertain = params["attribution"] == "uncertain"
    return "Death, attribution to CRS uncertain" if uncertain else "Death from CRS"


_SENTENCES: Final[Mapping[str, Callable[[Params], str]]] = {
    "symptom.fever": _fever,
    "symptom.constitutional": _constitutional,
    "oxygen.below_40": _fio2,
    "oxygen.at_least_40": _fio2,
    "oxygen.fio2": _fio2,
    "oxygen.fio2_estimated": _fio2_estimated,
    "oxygen.cpap": _device,
    "oxygen.bipap": _device,
    "ventilator": _device,
    "hypotension.low_pressure": _low_pressure,
    "hypotension.fluid_bolus": _fluid_bolus,
    "hypotension.refractory": _refractory,
    "hypotension.relative": _relative,
    "hypotension.no_baseline": _no_baseline,
    "hypotension.no_systolic": _no_systolic,
    "vasopressor.single_low_dose": _single_low_dose,
    "vasopressor.high_dose": _high_dose,
    "vasopressor.multiple": _multiple,
    "vasopressor.dose": _dose,
    "life_threatening": _life_threatening,
    "organ_toxicity.grade_1": _organ_toxicity,
    "organ_toxicity.grade_2": _organ_toxicity,
    "organ_toxicity.grade_3": _organ_toxicity,
    "organ_toxicity.grade_4": _organ_toxicity,
    "organ_toxicity.grade_4_transaminitis": _organ_toxicity,
    "organ_toxicity.ungraded": _ungraded,
    "death": _death,
}

_SHORT_NAMES: Final[Mapping[str, str]] = {
    "symptom.fever": "Fever",
    "symptom.constitutional": "Symptoms",
    "oxygen.below_40": "Oxygen < 40 %",
    "oxygen.at_least_40": "Oxygen ≥ 40 %",
    "oxygen.cpap": "CPAP",
    "oxygen.bipap": "BiPAP",
    "ventilator": "Ventilator",
    "hypotension.low_pressure": "Low pressure",
    "hypotension.fluid_bolus": "Fluid bolus",
    "hypotension.refractory": "Refractory BP",
    "vasopressor.single_low_dose": "One vasopressor",
    "vasopressor.high_dose": "High dose 3 h",
    "vasopressor.multiple": "≥ 2 vasopressors",
    "life_threatening": "Life-threatening",
    "organ_toxicity.grade_1": "Organ toxicity 1",
    "organ_toxicity.grade_2": "Organ toxicity 2",
    "organ_toxicity.grade_3": "Organ toxicity 3",
    "organ_toxicity.grade_4": "Organ toxicity 4",
    "organ_toxicity.grade_4_transaminitis": "ALT or AST 4",
    "death": "Death",
}
