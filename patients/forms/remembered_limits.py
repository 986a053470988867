"""Limits of normal that are remembered by laboratory, as they are proposed for one patient."""

from __future__ import annotations

import json
from collections.abc import Sequence

from grading.engine.analytes import Analyte
from patients.display.laboratory import limits_source_text
from patients.models import LaboratoryLimits
from patients.queries.laboratory import PatientGroup, Reports, limits_for_group

LimitsByUnit = dict[tuple[Analyte, str], LaboratoryLimits]


class RememberedLimits:
    """The ``limits`` of every laboratory for a patient of ``group``, and the course's ``reports``.

    ``laboratories`` are the names that this site knows; ``latest_laboratory`` is the one that the
    course, else the site, used last, "" where there is none.
    """

    def __init__(
        self, limits: Sequence[LaboratoryLimits], reports: Reports, group: PatientGroup
    ) -> None:
        self._reports = reports
        self._proposed = sorted(
            limits_for_group(limits, group), key=lambda one: one.recorded_at, reverse=True
        )
        named = {one.laboratory for one in limits} | set(filter(None, [reports.laboratory]))
        self.laboratories = sorted(named, key=str.casefold)
        latest = max(limits, key=lambda one: one.recorded_at, default=None)
        self.latest_laboratory = reports.laboratory or (latest.laboratory if latest else "")

    def at(self, laboratory: str) -> LimitsByUnit:
        """Return the limits of one laboratory, the latest first."""
        return {
            (Analyte(one.analyte), one.unit): one
            for one in self._proposed
            if one.laboratory == laboratory
        }

    def first_unit(self, analyte: Analyte, limits: LimitsByUnit) -> str:
        """Return the unit of ``analyte`` that the laboratory of ``limits`` used last.

        Where it used none, it is the one that the course used last; "" where there is none.
        """
        units = analyte.units
        if len(units) == 1:
            return units[0].name
        here = [unit for (of_analyte, unit) in limits if of_analyte == analyte]
        before = self._reports.units.get(analyte.value, "")
        return before if before in here or not here else here[0]

    def as_json(self) -> str:
        """Return lower limit, upper limit and source by laboratory, analyte and unit, as JSON."""
        found: dict[str, dict[str, dict[str, list[str]]]] = {name: {} for name in self.laboratories}
        for one in self._proposed:
            by_unit = found[one.laboratory].setdefault(one.analyte, {})
            by_unit[one.unit] = [one.lower, one.upper, limits_source_text(one)]
        return json.dumps(found)
