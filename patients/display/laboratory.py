"""Values of the rows of the laboratory form."""

from __future__ import annotations

from dataclasses import dataclass

from grading.engine.analytes import Analyte
from patients.display.site_times import site_time
from patients.models import LaboratoryLimits


@dataclass(frozen=True, slots=True)
class LabInput:
    """One input of a row."""

    name: str
    value: str
    errors: list[str]


@dataclass(frozen=True, slots=True)
class LabRow:
    """One analyte: its result, its limits of normal, and ``units`` to choose from, as (name, text).

    ``remembered`` is the source of the limits in the row ("Nurse Ann, 3 Mar"), "" for none.
    """

    analyte: Analyte
    result: LabInput
    unit: LabInput
    units: list[tuple[str, str]]
    lower: LabInput
    upper: LabInput
    remembered: str

    @property
    def name(self) -> str:
        return self.result.name

    @property
    def inputs(self) -> tuple[LabInput, ...]:
        return (self.result, self.unit, self.lower, self.upper)

    @property
    def is_typed(self) -> bool:
        """Whether the limits were typed, so that remembered ones do not replace them."""
        return bool(self.lower.value or self.upper.value) and not self.remembered

    @property
    def is_wrong(self) -> bool:
        return any(each.errors for each in self.inputs)


def limits_source_text(limits: LaboratoryLimits) -> str:
    """Return who recorded ``limits`` and when; for a child, for which age."""
    since = site_time(limits.recorded_at)
    at_age = f", for {limits.age_years} y" if limits.is_child else ""
    return f"{limits.recorded_by.display_name}, {since.day} {since:%b}{at_age}"
