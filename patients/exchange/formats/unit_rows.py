"""The closed table of units: for each thing, the exact strings read and what they are here.

The first row of a thing and a unit of the course file is the one that is written, in UCUM. No other
string is read, and none is parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from grading.engine.analytes import Analyte
from grading.engine.vocabulary import TreatmentAgent
from patients.exchange.formats.analyte_codes import DDU, FEU
from patients.exchange.formats.code_rows import Amount

ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A string that names a unit of ``thing``, and the factor to ``unit`` of the course file.

    ``thing`` is a word of the code tables: a vital sign, an analyte, a drug, an agent, or one of
    the names below. ``is_text_only``: with UCUM's code system it means something else, or nothing.
    ``needs_local_code``: read only under a code that itself leaves the unit open. ``note`` is
    what the course file's unit leaves out.
    """

    thing: str
    text: str
    unit: str
    factor: Decimal = ONE
    is_text_only: bool = False
    amount: Amount | None = None
    needs_local_code: bool = False
    note: str = ""


STRENGTH: Final = "strength"
"""What is in a volume of an infusion, in micrograms."""
STRENGTH_IN_UNITS: Final = "strength_in_units"
"""The same of vasopressin, in units."""
VOLUME: Final = "volume"
"""The volume that a strength is of, in mL."""
BOLUS_VOLUME: Final = "volume_ml"
FRACTION: Final = "fraction"
"""The unit of an FiO2 that is a part of 1."""

PERCENT: Final = "%"
_MICRO: Final = ("umol/L", "\u00b5mol/L", "\u03bcmol/L")
"""UCUM's u, the micro sign and the Greek letter."""


def _same(thing: str, unit: str, *texts: str) -> Iterator[UnitRow]:
    return (UnitRow(thing, text, unit) for text in texts)


def _text(thing: str, unit: str, *texts: str) -> Iterator[UnitRow]:
    return (UnitRow(thing, text, unit, is_text_only=True) for text in texts)


def _times(thing: str, unit: str, factor: str, *texts: str) -> Iterator[UnitRow]:
    return (UnitRow(thing, text, unit, Decimal(factor)) for text in texts)


def _of(amount: Amount, thing: str, unit: str, *texts: str) -> Iterator[UnitRow]:
    return (UnitRow(thing, text, unit, amount=amount) for text in texts)


def _signs() -> Iterator[UnitRow]:
    yield from _same("temperature_c", "°C", "Cel", "MDC_DIM_DEGC")
    yield from _text("temperature_c", "°C", "°C", "degC")
    yield from _same("temperature_c", "°F", "[degF]")
    yield from _text("temperature_c", "°F", "°F")
    yield from _same(
        "heart_rate", "/min", "/min", "{beats}/min", "{Beats}/min", "bpm",
        "264864^MDC_DIM_BEAT_PER_MIN",
    )  # fmt: skip
    yield from _same("respiratory_rate", "/min", "/min", "{breaths}/min", "MDC_DIM_RESP_PER_MIN")
    for pressure in ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg"):
        yield from _same(pressure, "mmHg", "mm[Hg]", "mmHg", "266016^MDC_DIM_MMHG")
    yield from _same("spo2_percent", PERCENT, "%", "MDC_DIM_PERCENT")
    yield from _same("weight_kg", "kg", "kg")
    yield from _times("weight_kg", "kg", "0.001", "g")
    yield from _times("weight_kg", "kg", "0.45359237", "[lb_av]")
    yield from _same("flow_l_per_min", "L/min", "L/min", "l/min", "{liters}/min")
    yield from _same("fio2_percent", PERCENT, "%")
    yield from _same("fio2_percent", FRACTION, "1", "{fraction}")


def _results() -> Iterator[UnitRow]:
    for enzyme in (Analyte.ALT, Analyte.AST, Analyte.ALP, Analyte.GGT, Analyte.LDH):
        yield from _same(enzyme, "U/L", "U/L", "[IU]/L", "IU/L", "[iU]/L")
    for analyte in (Analyte.BILIRUBIN, Analyte.CREATININE):
        yield from _of(Amount.MASS, analyte, "mg/dL", "mg/dL")
        yield from _of(Amount.MOLAR, analyte, "umol/L", *_MICRO)
    yield from _same(Analyte.FIBRINOGEN, "mg/dL", "mg/dL")
    yield from _same(Analyte.FIBRINOGEN, "g/L", "g/L")
    yield from _same(Analyte.APTT, "s", "s", "sec")
    yield from _same(Analyte.INR, "ratio", "{INR}", "1", "{ratio}", "")
    # Written without FEU or DDU: the chart does not know which.
    yield UnitRow(Analyte.D_DIMER, "ng/mL", "ng/mL", needs_local_code=True)
    yield UnitRow(Analyte.D_DIMER, "ng/mL{FEU}", "ng/mL", note=FEU)
    yield UnitRow(Analyte.D_DIMER, "ng/mL{DDU}", "ng/mL", note=DDU)
    for count in (Analyte.PLATELETS, Analyte.ANC):
        yield from _same(count, "10^9/L", "10*9/L", "10*3/uL")
        yield from _times(count, "10^9/L", "0.001", "/uL")
        yield from _text(count, "10^9/L", "K/uL")
    yield from _same(Analyte.CRP, "mg/L", "mg/L")
    yield from _same(Analyte.CRP, "mg/dL", "mg/dL")
    yield from _same(Analyte.FERRITIN, "ng/mL", "ng/mL")
    yield from _same(Analyte.FERRITIN, "ug/L", "ug/L")
    yield from _same(Analyte.IL6, "pg/mL", "pg/mL")
    yield from _same(Analyte.IL6, "ng/L", "ng/L")
    yield from _same(Analyte.TROPONIN, "ng/mL", "ng/mL")
    yield from _same(Analyte.TROPONIN, "ng/L", "ng/L")
    yield from _same(Analyte.LVEF, PERCENT, "%")
    yield from _same(Analyte.LACTATE, "mmol/L", "mmol/L")
    yield from _of(Amount.MASS, Analyte.TRIGLYCERIDES, "mg/dL", "mg/dL")
    yield from _of(Amount.MOLAR, Analyte.TRIGLYCERIDES, "mmol/L", "mmol/L")
    yield from _same(Analyte.HEMOGLOBIN, "g/dL", "g/dL")
    yield from _same(Analyte.HEMOGLOBIN, "g/L", "g/L")


_UG_PER_MIN: Final = ("ug/min", "mcg/min")
_UG_PER_KG_PER_MIN: Final = ("ug/kg/min", "ug/(kg.min)", "ug.kg-1.min-1", "mcg/kg/min")
_ML_PER_H: Final = ("mL/h", "ml/h", "mL/hr")
_UNITS: Final = ("[USP'U]", "[IU]", "[iU]", "{units}", "units", "U")


def _rates() -> Iterator[UnitRow]:
    for drug in ("norepinephrine", "epinephrine", "phenylephrine", "dopamine"):
        yield from _same(drug, "ug/min", *_UG_PER_MIN)
        yield from _same(drug, "ug/kg/min", *_UG_PER_KG_PER_MIN)
        yield from _same(drug, "ml/h", *_ML_PER_H)
    for drug in ("norepinephrine", "epinephrine", "phenylephrine"):
        yield from _same(drug, "mg/h", "mg/h", "mg/hr")
    yield from _same("vasopressin", "units/min", *(f"{unit}/min" for unit in _UNITS))
    yield from _same(
        "vasopressin", "units/h", *(f"{unit}/{hour}" for unit in _UNITS for hour in ("h", "hr"))
    )
    yield from _same("vasopressin", "ml/h", *_ML_PER_H)
    yield from _same("angiotensin_ii", "ng/kg/min", "ng/kg/min")
    for drug in ("dobutamine", "milrinone"):
        yield from _same(drug, "ug/kg/min", *_UG_PER_KG_PER_MIN)


def _amounts() -> Iterator[UnitRow]:
    yield from _same(STRENGTH, "ug", "ug", "mcg")
    yield from _times(STRENGTH, "ug", "0.001", "ng")
    yield from _times(STRENGTH, "ug", "1000", "mg")
    yield from _times(STRENGTH, "ug", "1000000", "g")
    yield from _same(STRENGTH_IN_UNITS, "units", *_UNITS)
    for volume in (VOLUME, BOLUS_VOLUME):
        yield from _same(volume, "mL", "mL", "ml")
    yield from _times(VOLUME, "mL", "1000", "L")
    for agent in TreatmentAgent:
        yield from _same(agent, "mg", "mg")
        yield from _times(agent, "mg", "1000", "g")


def _all() -> Iterable[UnitRow]:
    yield from _signs()
    yield from _results()
    yield from _rates()
    yield from _amounts()


UNITS: Final[tuple[UnitRow, ...]] = tuple(_all())

TIMES_OF_A_RATE: Final = frozenset({"min", "h", "hr"})
"""Units of the denominator of a rate that is written as a ratio."""
