"""What a vasopressor form proposes from earlier charting: the concentration in the syringe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from grading.engine.units import shown
from grading.engine.vocabulary import DRUGS, DoseUnit, VasopressorDrug
from patients.display.text import clock_text
from patients.models import Course, Entry, EntryKind
from patients.queries.entries import concentrations_of, concentrations_on_ward

BY_SYRINGE: Final = tuple(drug for drug in DRUGS if DoseUnit.ML_PER_H in DRUGS[drug].units)
"""The drugs that may be charted in mL/h."""


@dataclass(frozen=True, slots=True)
class Syringe:
    """A drug's last concentration per mL, as typed ("" where none is known), and whence it is."""

    drug: VasopressorDrug
    concentration_per_ml: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        substance = "units" if self.drug is VasopressorDrug.VASOPRESSIN else "mcg"
        return f"{shown(Decimal(self.concentration_per_ml))} {substance}/mL"


def syringes_of(course: Course, now: datetime) -> list[Syringe]:
    """For each drug what was charted last in this course, else on this ward."""
    known: dict[str, Syringe] = {}
    for drug, concentration, at in concentrations_of(course.pk):
        _take(known, drug, concentration, f"charted {clock_text(at, now)}")
    for drug, concentration, _ in concentrations_on_ward(course.ward):
        _take(known, drug, concentration, "last used on this ward")
    return [known.get(drug.value, Syringe(drug)) for drug in BY_SYRINGE]


def _take(known: dict[str, Syringe], drug: str, concentration: Any, source: str) -> None:
    if concentration is not None and drug in DRUGS:
        syringe = Syringe(VasopressorDrug(drug), str(concentration), source)
        known.setdefault(drug, syringe)


def syringes_in(entries: Iterable[Entry], now: datetime) -> list[Syringe]:
    """Those that were charted just now: what is proposed from here on."""
    return [
        Syringe(
            VasopressorDrug(entry.body["drug"]),
            str(entry.body["concentration_per_ml"]),
            f"charted {clock_text(entry.at, now)}",
        )
        for entry in entries
        if entry.kind == EntryKind.VASOPRESSOR and entry.body.get("concentration_per_ml")
    ]
