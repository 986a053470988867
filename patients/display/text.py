"""Text of charted facts, ages and times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from grading.engine import entries as charted
from grading.engine.analytes import Analyte
from grading.engine.units import Number, format_number
from grading.engine.vasopressors import charted_dose, needs_weight, rate_text
from grading.engine.vocabulary import (
    DRUGS,
    FAHRENHEIT,
    VITAL_SIGN,
    VITAL_SIGNS,
    Attribution,
    JudgementAbout,
    NotObservedReason,
    OxygenDevice,
    RiskQuestion,
    VasopressorDrug,
    term_label,
)

_SEPARATOR: Final = " · "
LATE_AFTER: Final = timedelta(minutes=10)


def entry_text(entry: charted.Entry, weight_kg: Decimal | None = None) -> str:
    """Return ``entry`` in one line; ``weight_kg`` converts a dose that has no weight of its own."""
    if isinstance(entry, charted.Vasopressor):
        return _infusion(entry, weight_kg)
    return _WORDED[type(entry)](entry)


def _vitals(entry: charted.Vitals) -> str:
    values = {
        sign.key: value for sign in VITAL_SIGNS if (value := entry.value_of(sign.key)) is not None
    }
    parts = []
    if "temperature_c" in values:
        parts.append(f"Temp {temperature_text(entry)}")
    if "systolic_mmhg" in values and "diastolic_mmhg" in values:
        parts.append(f"BP {pressure_text(entry)}")
        values.pop("systolic_mmhg")
        values.pop("diastolic_mmhg")
    for sign in VITAL_SIGNS:
        if sign.key in values and sign.key != "temperature_c":
            unit = " %" if sign.unit == "%" else ""
            parts.append(f"{sign.abbreviation} {format_number(values[sign.key])}{unit}")
    return _SEPARATOR.join(parts)


def temperature_text(entry: charted.Vitals) -> str:
    """Return the temperature as typed; one in °F with its value in °C."""
    celsius: Number = entry.temperature_c if entry.temperature_c is not None else Decimal(0)
    if entry.temperature_f is None:
        return f"{format_number(celsius, 2)} °C"
    return (
        f"{format_number(entry.temperature_f)} {FAHRENHEIT.unit} ({format_number(celsius, 1)} °C)"
    )


def pressure_text(entry: charted.Vitals) -> str:
    """Return "systolic/diastolic", with "–" for the one not charted."""
    pair = (entry.systolic_mmhg, entry.diastolic_mmhg)
    return "/".join("–" if value is None else format_number(value) for value in pair)


def _oxygen(entry: charted.Oxygen) -> str:
    if entry.device is OxygenDevice.ROOM_AIR:
        return entry.device.label
    parts = [entry.device.label]
    if entry.flow_l_per_min is not None:
        parts.append(f"{format_number(entry.flow_l_per_min)} L/min")
    if entry.fio2_percent is not None:
        parts.append(f"FiO2 {format_number(entry.fio2_percent)} %")
    if len(parts) == 1 and entry.device is OxygenDevice.NASAL_CANNULA:
        parts.append("flow not charted")
    return ", ".join(parts)


def _infusion(entry: charted.Vasopressor, weight_kg: Decimal | None) -> str:
    """Return the rate as charted, with its conversion to the unit of Lee 2014, Table 3."""
    text = f"{entry.drug.label} {rate_text(entry)}"
    canonical, weight = DRUGS[entry.drug].canonical, entry.weight_kg or weight_kg
    if not entry.rate or entry.unit is None or canonical is None or entry.unit is canonical:
        return text
    dose = charted_dose(entry, weight)
    if dose is None:
        return f"{text}, no weight charted"
    if weight is not None and needs_weight(entry.drug, entry.unit):
        text += f" {'×' if entry.unit.per_kg else '÷'} {format_number(weight)} kg"
    return f"{text} = {format_number(dose)} {canonical.label}"


def lab_unit_text(unit: str) -> str:
    """Return the unit of a result as it is printed; empty for a ratio."""
    return _LAB_UNIT_TEXTS.get(unit, unit)


_LAB_UNIT_TEXTS: Final = {
    "umol/L": "µmol/L", "ug/L": "µg/L", "10^9/L": "×10⁹/L", "ratio": "",
}  # fmt: skip


def _lab(entry: charted.Lab) -> str:
    result = (
        f"{entry.comparator or ''}{format_number(entry.value)} {lab_unit_text(entry.unit)}".rstrip()
    )
    text = f"{entry.analyte.label} {result}"
    limits = []
    if entry.lower_limit is not None:
        limits.append(f"lower limit {format_number(entry.lower_limit)}")
    if entry.upper_limit is not None:
        limits.append(f"upper limit {format_number(entry.upper_limit)}")
    return f"{text} ({', '.join(limits)})" if limits else text


def _baseline(entry: charted.BaselineFacts) -> str:
    parts = []
    if entry.systolic_mmhg is not None or entry.diastolic_mmhg is not None:
        pair = (entry.systolic_mmhg, entry.diastolic_mmhg)
        parts.append("BP " + "/".join("–" if v is None else format_number(v) for v in pair))
    for value, label, unit in (
        (entry.mean_arterial_pressure_mmhg, "MAP", ""),
        (entry.creatinine_mg_dl, "creatinine", " mg/dL"),
        (entry.lvef_percent, "LVEF", " %"),
        (entry.fibrinogen_mg_dl, "fibrinogen", " mg/dL"),
    ):
        if value is not None:
            parts.append(f"{label} {format_number(value)}{unit}")
    return "Baseline " + (_SEPARATOR.join(parts) or "not established")


def _risk(entry: charted.Risk) -> str:
    answers = [
        f"{question.label} {'yes' if answer else 'no'}"
        for question in RiskQuestion
        if (answer := getattr(entry, question.value)) is not None
    ]
    return "Risk: " + (", ".join(answers) or "not answered")


def _toxicity(entry: charted.Toxicity) -> str:
    grade = "resolved" if entry.grade == 0 else f"CTCAE grade {entry.grade}"
    return f"{capital(term_label(entry.term))}, {grade}"


def _judgement(entry: charted.Judgement) -> str:
    return f"Judged {entry.about.label}: {'yes' if entry.present else 'no'}"


def _symptom(entry: charted.Symptom) -> str:
    return f"{capital(term_label(entry.term))} {'present' if entry.present else 'absent'}"


def _not_observed(entry: charted.NotObserved) -> str:
    why = entry.note if entry.reason is NotObservedReason.OTHER else entry.reason.label
    return f"{capital(entry.what.label)} not observed: {why}"


def _treatment(entry: charted.Treatment) -> str:
    dose = "" if entry.dose_mg is None else f" {format_number(entry.dose_mg)} mg"
    return f"{entry.agent.label}{dose}"


_WORDED: Final[dict[type[charted.Entry], Callable[[Any], str]]] = {
    charted.Vitals: _vitals,
    charted.Oxygen: _oxygen,
    charted.FluidBolus: lambda entry: f"Fluid bolus {format_number(entry.volume_ml)} mL",
    charted.Weight: lambda entry: f"Weight {format_number(entry.weight_kg)} kg",
    charted.Lab: _lab,
    charted.BaselineFacts: _baseline,
    charted.Risk: _risk,
    charted.Toxicity: _toxicity,
    charted.Judgement: _judgement,
    charted.Symptom: _symptom,
    charted.Treatment: _treatment,
    charted.Note: lambda entry: f"Note: {entry.note}",
    charted.NotObserved: _not_observed,
    charted.Death: lambda _entry: "Death",
    charted.Retraction: lambda _entry: "Entered in error",
}


def attribution_text(entry: charted.Entry) -> str:
    """Return the tag of a row with findings not attributed to CRS; empty where all are."""
    marks = [_MARKS[entry.attribution]] if entry.attribution in _MARKS else []
    if isinstance(entry, charted.Vitals):
        marks += [
            f"{VITAL_SIGN[key].abbreviation} {_MARKS[attribution]}"
            for key, attribution in entry.attribution_by_field.items()
            if attribution in _MARKS
        ]
    return _SEPARATOR.join(marks)


_MARKS: Final = {
    Attribution.OTHER: "another cause, not counted",
    Attribution.UNCERTAIN: "attribution uncertain, counted",
}


def thing_label(key: str) -> str:
    """Return the label of a key of the chart, as "temperature_c", "lab.crp", "symptom.rash"."""
    if key in VITAL_SIGN:
        return VITAL_SIGN[key].label
    prefix, _, word = key.partition(".")
    if prefix == "lab":
        return Analyte(word).label
    if prefix == "vasopressor":
        return VasopressorDrug(word).label
    if prefix == "judgement":
        return capital(JudgementAbout(word).label)
    return capital(term_label(word or prefix))


def capital(text: str) -> str:
    """Return ``text`` with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def duration_text(duration: timedelta) -> str:
    """Return a duration in its two largest units: "41 min", "2 h 19 min", "3 d 4 h"."""
    minutes = max(0, int(duration.total_seconds()) // 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def age_text(at: datetime, now: datetime) -> str:
    """Return the time from ``at`` to ``now``: "12 min ago"."""
    age = now - at
    return "just now" if age < timedelta(minutes=1) else f"{duration_text(age)} ago"


def late_text(at: datetime, recorded_at: datetime) -> str:
    """Return how late an entry was charted; empty up to ten minutes."""
    late = recorded_at - at
    return f"charted {duration_text(late)} later" if late > LATE_AFTER else ""


def clock_text(at: datetime, now: datetime) -> str:
    """Return the time of day at the site, with the date where it is not that of ``now``."""
    there = at.astimezone(timezone.get_default_timezone())
    clock = f"{there.hour:02}:{there.minute:02}"
    return clock if there.date() == day_of(now) else f"{there.day} {there:%b} {clock}"


def day_of(at: datetime) -> date:
    """Return the date at the site at a time."""
    return at.astimezone(timezone.get_default_timezone()).date()


def day_text(infused_at: datetime, at: datetime) -> int:
    """Return the calendar days at the site since the infusion; its own day is day 0."""
    return (timezone.localtime(at).date() - timezone.localtime(infused_at).date()).days


def weight_at(weights: Sequence[charted.Weight], at: datetime) -> Decimal | None:
    """Return the latest of ``weights`` (in order) at or before ``at``, else the first after it."""
    earlier = [weight for weight in weights if weight.at <= at]
    if earlier:
        return earlier[-1].weight_kg
    return weights[0].weight_kg if weights else None
