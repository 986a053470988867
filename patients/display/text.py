"""Text of charted facts, ages and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.utils import timezone

from grading.engine import entries, sentences
from grading.engine.analytes import Analyte
from grading.engine.sentences import lab_unit_text
from grading.engine.times import time_of_day
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
from patients.display.scale_text import NAMES, NEUROLOGIC, TEXT_BY_CLASS, purpose_text
from patients.display.site_times import at_site, site_time
from patients.models import Course

_SEPARATOR: Final = " · "
LATE_AFTER: Final = timedelta(minutes=10)
_CLOCKS_AGREE: Final = timedelta(minutes=1)


def entry_text(entry: entries.Entry, weight_kg: Decimal | None = None) -> str:
    """Return ``entry`` in one line; ``weight_kg`` converts a dose that has no weight of its own."""
    if isinstance(entry, entries.Vasopressor):
        return _infusion(entry, weight_kg)
    return _TEXT_BY_CLASS[type(entry)](entry)


def _vitals(entry: entries.Vitals) -> str:
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


def temperature_text(entry: entries.Vitals) -> str:
    """Return the temperature as typed; one in °F with its value in °C."""
    celsius: Number = entry.temperature_c if entry.temperature_c is not None else Decimal(0)
    if entry.temperature_f is None:
        return f"{format_number(celsius, 2)} °C"
    return (
        f"{format_number(entry.temperature_f)} {FAHRENHEIT.unit} ({format_number(celsius, 1)} °C)"
    )


def pressure_text(entry: entries.Vitals) -> str:
    """Return "systolic/diastolic", with "–" for the one not charted."""
    pair = (entry.systolic_mmhg, entry.diastolic_mmhg)
    return "/".join("–" if value is None else format_number(value) for value in pair)


def _oxygen(entry: entries.Oxygen) -> str:
    if entry.device is OxygenDevice.ROOM_AIR:
        return entry.device.label
    parts = [entry.device.label]
    if entry.flow_l_per_min is not None:
        parts.append(f"{format_number(entry.flow_l_per_min)} L/min")
    if entry.fio2_percent is not None:
        parts.append(f"FiO2 {format_number(entry.fio2_percent)} %")
    if len(parts) == 1 and entry.device is OxygenDevice.NASAL_CANNULA:
        parts.append("flow not charted")
    if purpose := purpose_text(entry):
        parts.append(purpose)
    return ", ".join(parts)


def _infusion(entry: entries.Vasopressor, weight_kg: Decimal | None) -> str:
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


def _lab(entry: entries.Lab) -> str:
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


def _baseline(entry: entries.BaselineFacts) -> str:
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


def _risk(entry: entries.Risk) -> str:
    answers = [
        f"{question.label} {'yes' if answer else 'no'}"
        for question in RiskQuestion
        if (answer := getattr(entry, question.value)) is not None
    ]
    return "Risk: " + (", ".join(answers) or "not answered")


def _toxicity(entry: entries.Toxicity) -> str:
    grade = "resolved" if entry.grade == 0 else f"CTCAE grade {entry.grade}"
    return f"{capital(term_label(entry.term))}, {grade}"


def _judgement(entry: entries.Judgement) -> str:
    return f"Judged {entry.about.label}: {'yes' if entry.present else 'no'}"


def _symptom(entry: entries.Symptom) -> str:
    return f"{capital(term_label(entry.term))} {'present' if entry.present else 'absent'}"


def _not_observed(entry: entries.NotObserved) -> str:
    why = entry.note if entry.reason is NotObservedReason.OTHER else entry.reason.label
    return f"{capital(entry.what.label)} not observed: {why}"


def _treatment(entry: entries.Treatment) -> str:
    dose = "" if entry.dose_mg is None else f" {format_number(entry.dose_mg)} mg"
    return f"{entry.agent.label}{dose}"


_TEXT_BY_CLASS: Final[dict[type[entries.Entry], Callable[[Any], str]]] = {
    entries.Vitals: _vitals,
    entries.Oxygen: _oxygen,
    entries.FluidBolus: lambda entry: f"Fluid bolus {format_number(entry.volume_ml)} mL",
    entries.Weight: lambda entry: f"Weight {format_number(entry.weight_kg)} kg",
    entries.Lab: _lab,
    entries.BaselineFacts: _baseline,
    entries.Risk: _risk,
    entries.Toxicity: _toxicity,
    entries.Judgement: _judgement,
    entries.Symptom: _symptom,
    entries.Treatment: _treatment,
    entries.Note: lambda entry: f"Note: {entry.note}",
    entries.NotObserved: _not_observed,
    entries.Retraction: lambda _entry: "Entered in error",
    **TEXT_BY_CLASS,
}


def attribution_text(entry: entries.Entry) -> str:
    """Return the tag of a row with findings not attributed to CRS; empty where all are."""
    words = _NEUROLOGIC_TAGS if isinstance(entry, NEUROLOGIC) else _ATTRIBUTION_TAGS
    tags = [words[entry.attribution]] if entry.attribution in words else []
    if isinstance(entry, entries.Vitals):
        tags += [
            f"{VITAL_SIGN[key].abbreviation} {_ATTRIBUTION_TAGS[attribution]}"
            for key, attribution in entry.attribution_by_field.items()
            if attribution in _ATTRIBUTION_TAGS
        ]
    return _SEPARATOR.join(tags)


_ATTRIBUTION_TAGS: Final = {
    Attribution.OTHER: "other cause, not counted for CRS",
    Attribution.UNCERTAIN: "attribution uncertain, counted",
}


_NEUROLOGIC_TAGS: Final = _ATTRIBUTION_TAGS | {Attribution.OTHER: "other cause, not counted"}


def key_label(key: str) -> str:
    """Return the label of a key of the chart, as "temperature_c", "lab.crp", "symptom.rash"."""
    if key in VITAL_SIGN:
        return VITAL_SIGN[key].label
    if key in NAMES:
        return NAMES[key]
    prefix, _, word = key.partition(".")
    if prefix == "lab":
        return Analyte(word).label
    if prefix == "vasopressor":
        return VasopressorDrug(word).label
    if prefix == "judgement":
        return capital(JudgementAbout(word).label)
    return capital(term_label(word or prefix))


def short_value(key: str, entry: entries.Entry) -> tuple[str, str, str]:
    """Return label, value and unit of the value that ``entry`` has for ``key``."""
    if isinstance(entry, entries.Lab):
        result = f"{entry.comparator or ''}{format_number(entry.value)}"
        return entry.analyte.label, result, lab_unit_text(entry.unit)
    if isinstance(entry, entries.Vitals):
        if key == "systolic_mmhg":
            return "BP", pressure_text(entry), "mmHg"
        if key == "temperature_c":
            value, _, unit = temperature_text(entry).partition(" ")
            return "Temp", value, unit
        return VITAL_SIGN[key].abbreviation, vital_sign_number(key, entry), VITAL_SIGN[key].unit
    return key_label(key), entry_text(entry), ""


def vital_sign_number(key: str, entry: entries.Vitals, places: int = 3) -> str:
    """Return the vital sign ``key`` of a set as a number without unit; "" where it has none."""
    reading = entry.value_of(key)
    return "" if reading is None else format_number(reading, places)


_UNIT: Final = re.compile(
    r"(?<=[\d/]) (?=%|°[CF]|mm?Hg|(?:m|mc|µ|n)?g(?:\b|/)|[mµd]?L(?:\b|/)|kg\b|units\b|×10"
    r"|(?:h|min|d)\b)"
)


@lru_cache(maxsize=4096)
def keep_units(text: str) -> str:
    """Return ``text`` with a no-break space between a number and its unit."""
    return _UNIT.sub("\u00a0", text)


def sentence(text: str) -> str:
    """Return ``text`` with one mark at its end: a full stop where it has none."""
    plain = text.rstrip(". ")
    return plain if plain.endswith(("?", "!", "…")) else f"{plain}."


def capital(text: str) -> str:
    """Return ``text`` with its first letter in upper case, but "aPTT" and "pH" as they are."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]


def duration_text(duration: timedelta) -> str:
    """Return a duration as the engine writes it; "0 min" where a clock runs ahead."""
    return sentences.duration_text(max(duration, timedelta(0)))


def age_text(at: datetime, now: datetime) -> str:
    """Return the time from ``at`` to ``now``: "12 min ago"; ``clock.js`` has the same rule."""
    age = now - at
    return "just now" if age < timedelta(minutes=1) else f"{duration_text(age)} ago"


def until_text(at: datetime, now: datetime) -> str:
    """Return the time from ``now`` until ``at``: "39 min"; "now" where it has passed."""
    if at <= now:
        return "now"
    wait = at - now
    return "under 1 min" if wait < timedelta(minutes=1) else duration_text(wait)


def late_text(at: datetime, recorded_at: datetime) -> str:
    """Return how late an entry was charted; empty up to ten minutes."""
    late = recorded_at - at
    return f"charted {duration_text(late)} later" if late > LATE_AFTER else ""


def date_text(day: date) -> str:
    """Return a date: "9 Mar 2026"."""
    return f"{day.day} {day:%b} {day.year}"


def date_time_text(at: datetime) -> str:
    """Return a date and time at the site: "9 Mar 2026 13:05"."""
    return f"{date_text(site_time(at))} {time_of_day(site_time(at))}"


def moment_text(at: datetime) -> str:
    """Return a day and time at the site without the year: "27 Nov 14:00"."""
    return at_site(at).dated


def range_text(start: datetime, end: datetime) -> str:
    """Return a range of times: "27 Nov 10:00 – 28 Nov 10:00", "28 Nov 03:00 – 04:00"."""
    there, until = at_site(start), at_site(end)
    return f"{there.dated} – {until.clock if there.day == until.day else until.dated}"


def clock_text(at: datetime, now: datetime) -> str:
    """Return the time of day at the site, with the date where it is not that of ``now``."""
    return clock_text_on(day_of(now), at)


def clock_text_on(day: date, at: datetime) -> str:
    """Return the time of day at the site, with the date where it is not ``day``."""
    shown = at_site(at)
    return shown.clock if shown.day == day else shown.dated


def clock_behind_text(last_recorded_at: datetime) -> str:
    """Return a warning where the clock is behind the last entry, "" where it is not."""
    now = timezone.now()
    if last_recorded_at - now <= _CLOCKS_AGREE:
        return ""
    last = clock_text(last_recorded_at, now)
    return (
        f"The server's clock ({clock_text(now, now)}) is behind the last entry ({last}). The grade "
        f"is shown as of {last}. Check the time of each entry and call the help desk."
    )


def clock_ahead_text(database_clock: datetime) -> str:
    """Return a warning where this clock is ahead of the one that dates each save, else ""."""
    now = timezone.now()
    if now - database_clock <= _CLOCKS_AGREE:
        return ""
    return (
        f"The clock of this page ({clock_text(now, now)}) is ahead of the clock that dates each "
        f"save ({clock_text(database_clock, now)}). Check the time of each entry and call the "
        "help desk."
    )


def wrong_clock_text(course: Course) -> str:
    """Return a warning for a page of ``course``, as ``read_course`` read it; "" for good clocks."""
    last, clock = course.last_recorded_at, course.database_clock
    behind = "" if last is None else clock_behind_text(last)
    return behind or ("" if clock is None else clock_ahead_text(clock))


def day_and_time_text(at: datetime, now: datetime) -> str:
    """Return date and time at the site: "28 Nov 18:51"; with the year where it is another one."""
    there = site_time(at)
    year = "" if there.year == day_of(now).year else f" {there.year}"
    return f"{there.day} {there:%b}{year} {time_of_day(there)}"


def day_of(at: datetime) -> date:
    """Return the date at the site at a time."""
    return at_site(at).day


def day_text(infused_at: datetime, at: datetime) -> int:
    """Return the calendar days at the site since the infusion; its own day is day 0."""
    return (day_of(at) - day_of(infused_at)).days


def weight_at(weights: Sequence[entries.Weight], at: datetime) -> Decimal | None:
    """Return the latest of ``weights`` (in order) at or before ``at``, else the first after it."""
    earlier = [weight for weight in weights if weight.at <= at]
    if earlier:
        return earlier[-1].weight_kg
    return weights[0].weight_kg if weights else None
