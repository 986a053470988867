"""Rows of fluids, weight, results, findings, treatments and notes."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from grading.engine import entries as kinds
from grading.engine.analytes import Analyte
from grading.engine.evidence import CTCAE_LABORATORY
from grading.engine.laboratory import ctcae_grades, in_common_unit
from grading.engine.scale_vocabulary import BloodProductName
from grading.engine.sentences import lab_unit_text
from grading.engine.units import format_number
from grading.engine.vocabulary import TreatmentAgent, term_label
from patients.display.text import capital
from patients.display.worst import Worst, worst_of_analyte
from patients.models import EntryKind
from patients.queries.timeline import TimelineEntry
from patients.review.flowsheet_cells import NOT_KNOWN, Value
from patients.review.flowsheet_rows import HIGH, LOW, WITHIN, Row, RowMaker, Series

_COUNTED_KINDS: Final = (
    EntryKind.NOTE,
    EntryKind.NOT_OBSERVED,
    EntryKind.RISK,
    EntryKind.BASELINE,
    EntryKind.DEATH,
)


def fluids_and_weight(maker: RowMaker) -> list[Row]:
    bolus = Series("fluid_bolus", "Fluid bolus", Worst.TOTAL, "mL")
    weight = Series("weight", "Weight", Worst.HIGHEST, "kg", merges=True, lasts=True)
    in_window = {one.read.id for one in maker.all}
    for one in maker.all:
        read, source = one.read, maker.source(one)
        if isinstance(read, kinds.FluidBolus):
            volume = read.volume_ml
            bolus.values.append(Value(read.at, volume, format_number(volume), sources=source))
        elif isinstance(read, kinds.Weight):
            text = format_number(read.weight_kg)
            weight.values.append(Value(read.at, read.weight_kg, text, runs=True, sources=source))
    weight.values += [
        Value(held.at, held.weight_kg, format_number(held.weight_kg), runs=True)
        for held in maker.data.weights
        if held.id not in in_window and held.at < maker.data.start
    ]
    return maker.rows([bolus, weight], keep_empty=True)


def results(maker: RowMaker) -> list[Row]:
    series = []
    for analyte in Analyte:
        charted = [one for one in maker.all if _is_result(one, analyte)]
        units = {one.read.unit for one in charted if isinstance(one.read, kinds.Lab)}
        unit = lab_unit_text(next(iter(units))) if len(units) == 1 else ""
        row = Series(f"lab.{analyte}", analyte.label, worst_of_analyte(analyte), unit)
        for one in charted:
            if isinstance(one.read, kinds.Lab):
                row.values.append(_result(maker, one, one.read, in_cell=len(units) > 1))
        series.append(row)
    return maker.rows(series)


def _result(maker: RowMaker, one: TimelineEntry, read: kinds.Lab, *, in_cell: bool) -> Value:
    sign = read.comparator or ""
    text = f"{sign}{format_number(read.value)}"
    is_graded_by_ctcae = read.analyte in CTCAE_LABORATORY
    if is_graded_by_ctcae and ctcae_grades(read, _baseline_of(maker, read.analyte)) is None:
        text += NOT_KNOWN
    if in_cell:
        text += f" {lab_unit_text(read.unit)}"
    number = in_common_unit(read.analyte, read.value, read.unit)
    return Value(read.at, number, text, _side_of_result(read), sources=maker.source(one))


def _baseline_of(maker: RowMaker, analyte: Analyte) -> Decimal | None:
    charted = [e for e in maker.data.in_force if isinstance(e, kinds.BaselineFacts)]
    return maker.data.facts.baseline.with_entries(charted).of(analyte)


def findings(maker: RowMaker) -> list[Row]:
    """Return toxicities, symptoms and judgements: each lasts until it is charted otherwise."""
    by_key: dict[str, Series] = {}
    for one in maker.all:
        found = _lasting(one.read)
        if found is None:
            continue
        key, label, level, text, runs = found
        row = by_key.setdefault(key, Series(key, label, Worst.HIGHEST, merges=True, lasts=True))
        row.values.append(
            Value(one.row.at, Decimal(level), text, runs=runs, sources=maker.source(one))
        )
    return maker.rows(by_key[key] for key in sorted(by_key, key=_in_order_of_kinds))


def treatments(maker: RowMaker) -> list[Row]:
    series = {
        agent: Series(f"treatment.{agent}", agent.label, Worst.TOTAL, "mg")
        for agent in TreatmentAgent
    }
    products = {
        product: Series(f"blood_product.{product}", product.label, Worst.TOTAL)
        for product in BloodProductName
    }
    for one in maker.all:
        if isinstance(one.read, kinds.Treatment):
            dose = one.read.dose_mg
            text = "given" if dose is None else format_number(dose)
            series[one.read.agent].values.append(
                Value(one.row.at, dose, text, sources=maker.source(one))
            )
        elif isinstance(one.read, kinds.BloodProduct):
            products[one.read.product].values.append(
                Value(one.row.at, None, "given", sources=maker.source(one))
            )
    return maker.rows([*series.values(), *products.values()])


def notes(maker: RowMaker) -> list[Row]:
    """Return what has no value of its own: how many there are, to open."""
    series = {
        kind.value: Series(kind.value, str(kind.label), Worst.TOTAL, counts_shown=False)
        for kind in _COUNTED_KINDS
    }
    for one in maker.data.entries:
        if one.row.kind in series:
            series[one.row.kind].values.append(
                Value(one.row.at, Decimal(1), "1", sources=maker.source(one))
            )
    return maker.rows(series.values())


def _is_result(one: TimelineEntry, analyte: Analyte) -> bool:
    return isinstance(one.read, kinds.Lab) and one.read.analyte is analyte


def _side_of_result(read: kinds.Lab) -> int:
    """Return on which side of its report's limits of normal a result lies."""
    upper, lower = read.upper_limit, read.lower_limit
    is_above = upper is not None and (
        read.value > upper or (read.comparator == ">" and read.value >= upper)
    )
    if is_above and read.comparator != "<":
        return HIGH
    is_below = lower is not None and (
        read.value < lower or (read.comparator == "<" and read.value <= lower)
    )
    return LOW if is_below and read.comparator != ">" else WITHIN


_Lasting = tuple[str, str, int, str, bool]


def _lasting(read: kinds.Entry) -> _Lasting | None:
    """Return key, label, level, text of a finding, and whether it lasts; None for another kind."""
    if isinstance(read, kinds.Toxicity):
        text = f"grade {read.grade}" if read.grade else "resolved"
        label = capital(term_label(read.term))
        return f"toxicity.{read.term}", label, read.grade, text, read.grade > 0
    if isinstance(read, kinds.Symptom):
        text = "present" if read.present else "absent"
        label = capital(term_label(read.term))
        return f"symptom.{read.term}", label, int(read.present), text, read.present
    if isinstance(read, kinds.Judgement):
        text = "yes" if read.present else "no"
        label = capital(read.about.label)
        return f"judgement.{read.about}", label, int(read.present), text, read.present
    return None


def _in_order_of_kinds(key: str) -> tuple[int, str]:
    kind = key.partition(".")[0]
    return ("toxicity", "symptom", "judgement").index(kind), key
