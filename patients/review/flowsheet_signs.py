"""Rows of vital signs and of oxygen."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from grading.engine import entries as kinds
from grading.engine.evidence import OXYGEN_HIGH
from grading.engine.units import Number, format_number
from grading.engine.vocabulary import VITAL_SIGNS, AgeBand, OxygenDevice, VitalSign
from patients.display.scale_text import is_for_hypoxia
from patients.display.worst import WORST_OF_SIGN, Worst, support_of
from patients.queries.ages import age_at_infusion
from patients.queries.timeline import TimelineEntry
from patients.review.flowsheet_cells import NOT_KNOWN, Source, Value
from patients.review.flowsheet_rows import HIGH, LOW, WITHIN, Row, RowMaker, Series

_AT_LEAST_40: Final = "oxygen.at_least_40"


def sets(maker: RowMaker) -> list[int]:
    """Return how many sets of vital signs each column has."""
    at = [one.row.at for one in maker.data.entries if maker.is_in_force(one, kinds.Vitals)]
    return [bisect_left(at, c.end) - bisect_left(at, c.start) for c in maker.columns]


def vital_signs(maker: RowMaker) -> list[Row]:
    series = []
    for sign in VITAL_SIGNS:
        one = Series(sign.key, sign.short, WORST_OF_SIGN[sign.key], sign.unit, counts_shown=False)
        for entry in maker.all:
            if isinstance(entry.read, kinds.Vitals):
                one.values += _sign(maker, sign, entry, entry.read)
        series.append(one)
    return maker.rows(series, keep_empty=True)


def _sign(
    maker: RowMaker, sign: VitalSign, entry: TimelineEntry, read: kinds.Vitals
) -> list[Value]:
    number = read.value_of(sign.key)
    if number is None:
        return []
    source = maker.source(entry, counts=read.counted(sign.key))
    side = _side_of_sign(maker, sign, number, read.at)
    return [Value(read.at, number, sign_text(sign, number), side, sources=source)]


def _side_of_sign(maker: RowMaker, sign: VitalSign, number: Number, at: datetime) -> int:
    """Return on which side of its limits a vital sign lies.

    The floors of pressure and the threshold of fever are those in force at ``at``; all else,
    and all before the infusion, is held against the usual range of the age.
    """
    usual, exact = sign.usual_in(AgeBand.of(age_at_infusion(maker.data.course))), Fraction(number)
    lowest, highest = Fraction(usual.lowest), Fraction(usual.highest)
    limits = _in_force(maker.trace.limits, at)
    if limits is not None:
        if sign.key == "systolic_mmhg":
            lowest = Fraction(limits.systolic_floor_mmhg)
        elif sign.key == "mean_arterial_pressure_mmhg" and limits.map_floor_mmhg is not None:
            lowest = Fraction(limits.map_floor_mmhg)
        elif sign.key == "temperature_c" and exact >= Fraction(limits.fever_c):
            return HIGH
    if exact < lowest:
        return LOW
    return HIGH if exact > highest else WITHIN


def oxygen(maker: RowMaker) -> list[Row]:
    device = Series("device", "Device", Worst.HIGHEST, merges=True, lasts=True)
    flow = Series("flow_l_per_min", "Flow", Worst.HIGHEST, "L/min", lasts=True)
    fio2 = Series("fio2_percent", "FiO2", Worst.HIGHEST, "%", lasts=True)
    traced = {step.entry_id for step in maker.trace.oxygen}
    for one in maker.all:
        read = one.read
        if not isinstance(read, kinds.Oxygen):
            continue
        source, support = maker.source(one), Decimal(support_of(read.device))
        label = f"{read.device.label}{'' if is_for_hypoxia(read) else ', airway'}"
        device.values.append(Value(read.at, support, label, runs=True, sources=source))
        litres = read.flow_l_per_min
        flow.values.append(
            Value(read.at, litres, "" if litres is None else format_number(litres),
                  runs=litres is not None, sources=source)
        )  # fmt: skip
        if read.id not in traced:
            fio2.values.append(_fio2(maker, read, read.at, read.fio2_percent, source))
    for step in maker.trace.oxygen:
        read = maker.by_id[step.entry_id].read
        if isinstance(read, kinds.Oxygen):
            percent = read.fio2_percent if step.fio2_percent is None else step.fio2_percent
            source = maker.source(maker.by_id[step.entry_id])
            fio2.values.append(
                _fio2(maker, read, step.at, percent, source, estimated=step.estimated)
            )
    return maker.rows([device, flow, fio2], keep_empty=True)


def _fio2(
    maker: RowMaker,
    read: kinds.Oxygen,
    at: datetime,
    percent: Decimal | None,
    source: tuple[Source, ...],
    *,
    estimated: bool = False,
) -> Value:
    if percent is None:
        is_cannula = read.device is OxygenDevice.NASAL_CANNULA
        is_air = read.device is OxygenDevice.ROOM_AIR or (is_cannula and read.flow_l_per_min == 0)
        return Value(at, None, "" if is_air else NOT_KNOWN, runs=not is_air, sources=source)
    is_high = percent >= OXYGEN_HIGH.value
    if estimated:
        # A rule of the policy may call a cannula low whatever its estimate.
        is_high = is_high and _AT_LEAST_40 in _codes_at(maker, at)
    text = ("~" if estimated else "") + format_number(percent)
    return Value(
        at,
        percent,
        text,
        HIGH if is_high else WITHIN,
        runs=True,
        is_estimated=estimated,
        sources=source,
    )


def _codes_at(maker: RowMaker, at: datetime) -> set[str]:
    moment = max(at, maker.data.start)
    for period in maker.data.periods:
        if period.start <= moment and (period.end is None or moment < period.end):
            return {item["code"] for item in period.findings["criteria"]}
    return set()


def sign_text(sign: VitalSign, number: Number) -> str:
    """Return a vital sign as a cell has it; a temperature always with a decimal."""
    if sign.key != "temperature_c":
        return format_number(number)
    text = format_number(number, 2 if isinstance(number, Decimal) else 1)
    return text if "." in text else f"{text}.0"


def _in_force(steps: Sequence[Any], at: datetime) -> Any:
    """Return the last of ``steps`` up to ``at``; None before the first."""
    place = bisect_right(steps, at, key=lambda step: step.at)
    return steps[place - 1] if place else None
