"""Remember the limits of normal that came with results, for the next patient of the same group."""

from __future__ import annotations

from collections.abc import Sequence

from patients.models import ChartingAct, Course, LaboratoryLimits
from patients.queries.ages import age_in_years
from patients.queries.laboratory import (
    ReportedLimits,
    group_of,
    limits_for_group,
    read_latest_limits,
)


def remember_limits(course: Course, act: ChartingAct, reported: Sequence[ReportedLimits]) -> None:
    """Store those limits that differ from what is remembered for this patient's group."""
    group = group_of(course, act.recorded_at)
    remembered = {
        (one.laboratory, one.analyte, one.unit): one
        for one in limits_for_group(read_latest_limits(), group)
    }
    LaboratoryLimits.objects.bulk_create(
        LaboratoryLimits(
            act=act,
            laboratory=one.laboratory,
            analyte=one.analyte,
            unit=one.unit,
            sex=group.sex,
            is_child=group.is_child,
            age_years=age_in_years(course, act.recorded_at),
            lower=one.lower,
            upper=one.upper,
            recorded_at=act.recorded_at,
            recorded_by_id=act.recorded_by_id,
        )
        for one in reported
        if one.differs_from(remembered.get((one.laboratory, one.analyte, one.unit)))
    )
