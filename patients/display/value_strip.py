"""The strip of latest values on the grade card: vital signs, CRP, oxygen and running drugs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from grading.engine import entries
from grading.engine.analytes import Analyte
from grading.engine.laboratory import in_common_unit
from grading.engine.units import Number, format_number
from grading.engine.vasopressors import rate_text
from grading.engine.vocabulary import VITAL_SIGN, AgeBand
from patients.display.text import age_text, pressure_text, short_value

_CRP: Final = f"lab.{Analyte.CRP}"
_SYSTOLIC: Final = "systolic_mmhg"
_MEAN: Final = "mean_arterial_pressure_mmhg"
_IN_ORDER: Final = (
    "temperature_c",
    "heart_rate",
    "respiratory_rate",
    "spo2_percent",
    _CRP,
)
_LABELS: Final = {"heart_rate": "Heart", "respiratory_rate": "Resp"}
_LOW_PRESSURE: Final = "hypotension.low_pressure"
_FEVER: Final = "symptom.fever"
_TRENDS: Final = {"↑": "rising", "↓": "falling", "=": "no change"}


class StripValue(NamedTuple):
    """One of the latest values.

    ``age`` is written where the value is old, "" otherwise. ``trend`` compares it with the value
    before: "↑", "↓", "=" or "" where there is none.
    ``abnormal`` is "low", "high" or "".
    """

    key: str
    label: str
    value: str
    unit: str
    at: datetime
    age: str
    trend: str = ""
    abnormal: str = ""

    @property
    def stale(self) -> bool:
        """Whether the value is so old that it is marked."""
        return self.age != ""

    @property
    def trend_words(self) -> str:
        """The trend for a screen reader."""
        return _TRENDS.get(self.trend, "")

    @property
    def is_long(self) -> bool:
        """Whether the value needs the width of two."""
        return self.key.partition(".")[0] in ("oxygen", "vasopressor")


class PressureReading(NamedTuple):
    """A set with a systolic or a mean pressure; ``key`` is the systolic where it has one."""

    key: str
    entry: entries.Vitals


def pressure_reading(latest: Mapping[str, entries.Entry]) -> PressureReading | None:
    """Return the newest reading of the blood pressure; it replaces the one before it whole."""
    readings = [
        PressureReading(key, entry)
        for key in (_SYSTOLIC, _MEAN)
        if isinstance(entry := latest.get(key), entries.Vitals)
    ]
    return max(readings, key=lambda one: (one.entry.at, one.entry.recorded_at), default=None)


def strip_of(
    status: Any, before: Mapping[str, entries.Entry], age_years: int | None
) -> list[StripValue]:
    """Return the strip: vital signs and CRP first, then oxygen and each running drug.

    ``before`` are the entries in force before the latest, by the same keys; ``age_years`` chooses
    the usual ranges, None those of an adult.
    """
    band = None if age_years is None else AgeBand.of(age_years)
    reading = pressure_reading(status.latest)
    values = [
        _value(key, entry, status, before, band)
        for key in (*((reading.key,) if reading else ()), *_IN_ORDER)
        if (entry := status.latest.get(key)) is not None
    ]
    return [*values, *_oxygen(status, before), *_drugs(status, before)]


def _value(
    key: str,
    entry: entries.Entry,
    status: Any,
    before: Mapping[str, entries.Entry],
    band: AgeBand | None,
) -> StripValue:
    label, text, unit = short_value(key, entry)
    if key == _SYSTOLIC and isinstance(entry, entries.Vitals):
        text, unit = pressure_text(entry), ""
        mean = entry.mean_arterial_pressure_mmhg
        text += "" if mean is None else f" ({format_number(mean)})"
    elif unit == "/min" or key == _MEAN:
        unit = ""
    return StripValue(
        key=key,
        label=_LABELS.get(key, label),
        value=text,
        unit=unit,
        at=entry.at,
        age=_age(key, entry, status),
        trend=_trend(_compared(key, entry), _compared(key, before.get(key))),
        abnormal=_abnormal(key, entry, status, band),
    )


def _age(key: str, entry: entries.Entry, status: Any) -> str:
    return age_text(entry.at, status.at) if key in status.stale else ""


def _number(key: str, entry: entries.Entry | None) -> Number | None:
    if isinstance(entry, entries.Vitals):
        return entry.value_of(key)
    return entry.value if isinstance(entry, entries.Lab) else None


def _compared(key: str, entry: entries.Entry | None) -> Number | None:
    """Return what the arrow compares: a result in its common unit, None where it is a bound."""
    if not isinstance(entry, entries.Lab):
        return _number(key, entry)
    if entry.comparator is not None:
        return None
    return in_common_unit(entry.analyte, entry.value, entry.unit)


def _trend(value: Number | None, earlier: Number | None) -> str:
    if value is None or earlier is None:
        return ""
    return "↑" if value > earlier else "↓" if value < earlier else "="


def _abnormal(key: str, entry: entries.Entry, status: Any, band: AgeBand | None) -> str:
    """Return "low" or "high": by the criteria of the grade, else outside the usual range."""
    by_grade = {c.code for c in status.criteria if entry.id in c.evidence}
    if key in (_SYSTOLIC, _MEAN) and _LOW_PRESSURE in by_grade:
        return "low"
    if key == "temperature_c" and _FEVER in by_grade:
        return "high"
    number = _number(key, entry)
    if number is None:
        return ""
    if isinstance(entry, entries.Lab):
        return "high" if entry.upper_limit is not None and number > entry.upper_limit else ""
    sign = VITAL_SIGN[key]
    usual = sign.usual_in(band)
    return "low" if number < usual.lowest else "high" if number > usual.highest else ""


def _oxygen(status: Any, before: Mapping[str, entries.Entry]) -> Iterable[StripValue]:
    entry = status.latest.get("oxygen")
    if not isinstance(entry, entries.Oxygen):
        return
    settings = []
    if entry.flow_l_per_min is not None:
        settings.append(f"{format_number(entry.flow_l_per_min)} L/min")
    if entry.fio2_percent is not None:
        settings.append(f"{format_number(entry.fio2_percent)} %")
    earlier = before.get("oxygen")
    yield StripValue(
        key="oxygen",
        label="Oxygen",
        value=entry.device.label,
        unit=", ".join(settings),
        at=entry.at,
        age=_age("oxygen", entry, status),
        trend=_oxygen_trend(entry, earlier) if isinstance(earlier, entries.Oxygen) else "",
    )


def _oxygen_trend(entry: entries.Oxygen, earlier: entries.Oxygen) -> str:
    """Compare the FiO2, else the flow of one device; "" where neither can be compared."""
    if entry.fio2_percent is not None and earlier.fio2_percent is not None:
        trend = _trend(entry.fio2_percent, earlier.fio2_percent)
    elif entry.device is not earlier.device:
        return ""
    else:
        pair = (entry.flow_l_per_min, earlier.flow_l_per_min)
        trend = "=" if pair == (None, None) else _trend(*pair)
    return "" if trend == "=" and entry.device is not earlier.device else trend


def _drugs(status: Any, before: Mapping[str, entries.Entry]) -> Iterable[StripValue]:
    running = [
        (key, entry)
        for key, entry in sorted(status.latest.items())
        if isinstance(entry, entries.Vasopressor) and entry.runs
    ]
    for key, entry in running:
        rate, _, unit = rate_text(entry).partition(" ")
        is_number = rate[:1].isdigit()
        yield StripValue(
            key=key,
            label=entry.drug.label,
            value=rate if is_number else rate_text(entry),
            unit=unit if is_number else "",
            at=entry.at,
            age=_age(key, entry, status),
            trend=_rate_trend(entry, before.get(key)),
        )


def _rate_trend(entry: entries.Vasopressor, earlier: entries.Entry | None) -> str:
    if not isinstance(earlier, entries.Vasopressor) or entry.rate is None or earlier.rate is None:
        return ""
    same = (entry.unit, entry.concentration_per_ml) == (earlier.unit, earlier.concentration_per_ml)
    return _trend(entry.rate, earlier.rate) if same or earlier.rate == Decimal(0) else ""


def keys_of(entry: entries.Entry) -> Sequence[str]:
    """Return the keys of the strip that ``entry`` has a value for."""
    if isinstance(entry, entries.Vitals):
        return [key for key in VITAL_SIGN if entry.value_of(key) is not None]
    if isinstance(entry, entries.Oxygen):
        return ["oxygen"]
    if isinstance(entry, entries.Vasopressor):
        return [f"vasopressor.{entry.drug}"]
    return [f"lab.{entry.analyte}"] if isinstance(entry, entries.Lab) else []


def values_before(
    latest: Mapping[str, entries.Entry], recent: Iterable[entries.Entry]
) -> dict[str, entries.Entry]:
    """Return, by key, the newest of ``recent`` that is earlier than the ``latest`` entry.

    A value of another cause is one all the same: the arrow is about the patient, not the grade.
    """
    before: dict[str, entries.Entry] = {}
    for entry in recent:
        for key in keys_of(entry):
            newest = latest.get(key)
            is_earlier = newest is not None and entry.at < newest.at
            if is_earlier and (key not in before or before[key].at < entry.at):
                before[key] = entry
    return before
