"""Read remembered limits of normal and the last reports of a course."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.fields.json import KeyTextTransform

from grading.engine.analytes import ADULT_LIMITS_FROM_YEARS
from grading.engine.units import exact_decimal
from patients.models import Course, Entry, EntryKind, LaboratoryLimits
from patients.queries.ages import age_in_years
from patients.queries.entries import not_replaced

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

    Limits whose result was corrected or retracted are passed over: those before them come back. A
    row is added only when a laboratory's limits change: there are few, however long it runs.
    """
    thing = ("laboratory", "sex", "is_child", "analyte", "unit")
    latest = (
        LaboratoryLimits.objects.filter(~Exists(_replaced_results()))
        .order_by(*thing, "-recorded_at", "-pk")
        .distinct(*thing)
    )
    return list(latest.select_related("recorded_by"))


def _replaced_results() -> QuerySet[Entry]:
    """Return the results that brought the limits of the outer query, and are not in force."""
    return Entry.objects.annotate(analyte=KeyTextTransform("analyte", "body")).filter(
        act=OuterRef("act"),
        kind=EntryKind.LAB,
        analyte=OuterRef("analyte"),
        replaced_by__isnull=False,
    )


def read_reports_after(limits: LaboratoryLimits) -> Iterator[tuple[Entry, ReportedLimits]]:
    """Read the later results in force with limits of the same laboratory, analyte and unit.

    The latest comes first; each has its course and patient.
    """
    results = Entry.objects.filter(
        not_replaced(),
        kind=EntryKind.LAB,
        recorded_at__gt=limits.recorded_at,
        act__answers__laboratory=limits.laboratory,
        body__analyte=limits.analyte,
        body__unit=limits.unit,
    ).select_related("act", "course__patient")
    for result in results.order_by("-recorded_at"):
        yield result, reported_limits_of(result)


def reported_limits_of(result: Entry) -> ReportedLimits:
    """Return the limits that a result was charted with; its act is loaded."""
    return ReportedLimits(
        laboratory=result.act.answers.get("laboratory", ""),
        analyte=result.body["analyte"],
        unit=result.body["unit"],
        lower=result.body.get("lower_limit", ""),
        upper=result.body.get("upper_limit", ""),
    )


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
    results = Entry.objects.filter(not_replaced(), course=course, kind=EntryKind.LAB)
    latest = results.order_by("-at", "-recorded_at")
    rows = latest.values_list("body__analyte", "body__unit", "act__answers__laboratory")
    units: dict[str, str] = {}
    laboratory = ""
    for analyte, unit, named in rows[:_REPORTS_READ]:
        units.setdefault(analyte, unit)
        laboratory = laboratory or named or ""
    return Reports(laboratory, units)
