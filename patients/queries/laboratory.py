"""Read remembered limits of normal and the last reports of a course."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine.analytes import ADULT_LIMITS_FROM_YEARS
from grading.engine.units import exact_decimal
from patients.models import Course, Entry, EntryKind, LaboratoryLimits
from patients.queries.ages import age_in_years

_REPORTS_READ: Final = 100


class PatientGroup(NamedTuple):
    """Patients who share limits of normal: the same sex, all children or all adults."""

    sex: str
    is_child: bool


@dataclass(frozen=True, slots=True)
class ReportedLimits:
    """Limits that were charted with a result, as typed; "" where one was not reported."""

    laboratory: str
    analyte: str
    unit: str
    lower: str
    upper: str

    def differs_from(self, remembered: LaboratoryLimits | None) -> bool:
        """Return whether these have a limit that ``remembered`` lacks."""
        if not self.lower and not self.upper:
            return False
        return remembered is None or not (
            _same(self.lower, remembered.lower) and _same(self.upper, remembered.upper)
        )


def _same(typed: str, remembered: str) -> bool:
    if not typed or not remembered:
        return typed == remembered
    return exact_decimal(typed) == exact_decimal(remembered)


def group_of(course: Course, at: datetime) -> PatientGroup:
    """Return the group of the course's patient at ``at``."""
    return PatientGroup(course.patient.sex, age_in_years(course, at) < ADULT_LIMITS_FROM_YEARS)


def read_latest_limits() -> list[LaboratoryLimits]:
    """Read the latest limits of every laboratory, unit and group, in one query.

    A row is added only when a laboratory's limits change: there are few, however long it runs.
    """
    thing = ("laboratory", "sex", "is_child", "analyte", "unit")
    latest = LaboratoryLimits.objects.order_by(*thing, "-recorded_at", "-pk").distinct(*thing)
    return list(latest.select_related("recorded_by"))


def limits_for_group(
    limits: Iterable[LaboratoryLimits], group: PatientGroup
) -> list[LaboratoryLimits]:
    """Return those that may be proposed for a patient of ``group``."""
    return [one for one in limits if (one.sex, one.is_child) == group]


class Reports(NamedTuple):
    """The laboratory of a course's latest results, and the unit of each analyte."""

    laboratory: str
    units: dict[str, str]


NO_REPORTS: Final = Reports("", {})


def read_last_reports(course: Course) -> Reports:
    """Read the laboratory and units of the latest results of ``course`` ("": none was named)."""
    latest = Entry.objects.filter(course=course, kind=EntryKind.LAB).order_by("-at", "-recorded_at")
    rows = latest.values_list("body__analyte", "body__unit", "act__answers__laboratory")
    units: dict[str, str] = {}
    laboratory = ""
    for analyte, unit, named in rows[:_REPORTS_READ]:
        units.setdefault(analyte, unit)
        laboratory = laboratory or named or ""
    return Reports(laboratory, units)
