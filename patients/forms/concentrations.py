"""Concentrations of syringes, as they are proposed for the next rate in mL/h."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from grading.engine.units import format_number
from grading.engine.vocabulary import DRUGS, DoseUnit, VasopressorDrug
from patients.display.text import clock_text
from patients.models import Course, Entry, EntryKind
from patients.queries.entries import concentrations_in_course, concentrations_on_ward

BY_SYRINGE: Final = tuple(drug for drug in DRUGS if DoseUnit.ML_PER_H in DRUGS[drug].units)
"""Drugs that may be charted in mL/h."""


@dataclass(frozen=True, slots=True)
class SyringeConcentration:
    """Last concentration of a drug per mL, as typed ("" where none is known), and its source."""

    drug: VasopressorDrug
    concentration_per_ml: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        substance = "units" if self.drug is VasopressorDrug.VASOPRESSIN else "mcg"
        return f"{format_number(Decimal(self.concentration_per_ml))} {substance}/mL"


def read_concentrations(course: Course, now: datetime) -> list[SyringeConcentration]:
    """Return for each drug the last concentration of this course, else of this ward."""
    known: dict[str, SyringeConcentration] = {}
    for drug, concentration, at in concentrations_in_course(course.pk):
        _remember(known, drug, concentration, f"charted {clock_text(at, now)}")
    for drug, concentration, _ in concentrations_on_ward(course.ward):
        _remember(known, drug, concentration, "last used on this ward")
    return [known.get(drug.value, SyringeConcentration(drug)) for drug in BY_SYRINGE]


def _remember(
    known: dict[str, SyringeConcentration], drug: str, concentration: Any, source: str
) -> None:
    if concentration is not None and drug in DRUGS:
        syringe = SyringeConcentration(VasopressorDrug(drug), str(concentration), source)
        known.setdefault(drug, syringe)


def concentrations_charted(entries: Iterable[Entry], now: datetime) -> list[SyringeConcentration]:
    """Return the concentrations of ``entries``, which were charted just now."""
    return [
        SyringeConcentration(
            VasopressorDrug(entry.body["drug"]),
            str(entry.body["concentration_per_ml"]),
            f"charted {clock_text(entry.at, now)}",
        )
        for entry in entries
        if entry.kind == EntryKind.VASOPRESSOR and entry.body.get("concentration_per_ml")
    ]
