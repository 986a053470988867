"""Rows of vasopressors: rates as charted, doses, the norepinephrine equivalent and its limit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from grading.engine import entries as kinds
from grading.engine.units import Number, format_number
from grading.engine.vasopressors import charted_dose
from grading.engine.vocabulary import DRUGS, VasopressorDrug
from patients.display.text import weight_at
from patients.display.worst import Worst
from patients.queries.timeline import TimelineEntry
from patients.review.flowsheet_cells import NOT_KNOWN, Value
from patients.review.flowsheet_rows import HIGH, WITHIN, Row, RowMaker, Series


def drugs(maker: RowMaker) -> list[Row]:
    series: list[Series] = []
    for drug in VasopressorDrug:
        charted = [one for one in maker.all if _is_of(one, drug)]
        if charted:
            series.append(_as_charted(maker, drug, charted))
            series += _in_canonical_unit(maker, drug)
    return maker.rows([*series, *_equivalent(maker)])


def _as_charted(maker: RowMaker, drug: VasopressorDrug, charted: Sequence[TimelineEntry]) -> Series:
    """Return the row of rates as charted; of several the highest dose, if all doses are known."""
    infusions = [one.read for one in charted if isinstance(one.read, kinds.Vasopressor)]
    units = {read.unit for read in infusions if read.unit is not None}
    unit = next(iter(units)).label if len(units) == 1 else ""
    row = Series(drug.value, drug.label, Worst.HIGHEST, unit, lasts=True)
    numbers: list[Number | None] = [
        _dose(maker, read) if read.rate else read.rate for read in infusions
    ]
    if any(n is None and read.rate is not None for n, read in zip(numbers, infusions, strict=True)):
        numbers = [read.rate for read in infusions]
    for one, read, number in zip(charted, infusions, numbers, strict=True):
        text = NOT_KNOWN
        if read.rate is not None:
            own_unit = f" {read.unit.label}" if read.unit and not unit and read.rate else ""
            text = (format_number(read.rate) if read.rate else "off") + own_unit
        row.values.append(Value(read.at, number, text, runs=read.runs, sources=maker.source(one)))
    return row


def _dose(maker: RowMaker, read: kinds.Vasopressor) -> Fraction | None:
    return charted_dose(read, read.weight_kg or weight_at(maker.data.weights, read.at))


def _in_canonical_unit(maker: RowMaker, drug: VasopressorDrug) -> list[Series]:
    """Return the row of doses in the unit of Table 3, where they were charted otherwise."""
    canonical = DRUGS[drug].canonical
    row = Series(f"{drug.value}.dose", drug.label, Worst.HIGHEST, lasts=True)
    if canonical is None or drug not in maker.trace.doses:
        return []
    row.unit, differs = canonical.label, False
    for step in maker.trace.doses[drug]:
        read = maker.by_id[step.entry_id].read
        if not isinstance(read, kinds.Vasopressor):
            continue
        differs |= read.rate != 0 and (read.unit is not canonical or step.dose != read.rate)
        text = NOT_KNOWN if step.dose is None else format_number(step.dose, 2)
        row.values.append(
            Value(step.at, step.dose, text if step.runs else "", runs=step.runs,
                  sources=maker.source(maker.by_id[step.entry_id]))
        )  # fmt: skip
    return [row] if differs else []


def _equivalent(maker: RowMaker) -> list[Series]:
    row = Series("equivalent", "Equivalent", Worst.HIGHEST, "mcg/min", lasts=True)
    limit = Series(
        "equivalent_limit", "Table 3 limit", Worst.LOWEST, "mcg/min", merges=True, lasts=True
    )
    at_instant: dict[datetime, list[TimelineEntry]] = defaultdict(list)
    for one in maker.all:
        if maker.is_in_force(one, kinds.Vasopressor):
            at_instant[one.row.at].append(one)
    for step in maker.trace.equivalent:
        sources = tuple(s for one in at_instant[step.at] for s in maker.source(one))
        runs = step.limit is not None
        is_high = step.limit is not None and step.equivalent >= step.limit
        text = format_number(step.equivalent, 2) + ("" if step.is_complete else NOT_KNOWN)
        row.values.append(
            Value(step.at, step.equivalent, text if runs else "", HIGH if is_high else WITHIN,
                  runs, sources=sources)
        )  # fmt: skip
        number = step.limit
        limit.values.append(
            Value(step.at, number, "" if number is None else format_number(number, 1),
                  runs=number is not None, sources=sources)
        )  # fmt: skip
    return [row, limit]


def _is_of(one: TimelineEntry, drug: VasopressorDrug) -> bool:
    return isinstance(one.read, kinds.Vasopressor) and one.read.drug is drug
