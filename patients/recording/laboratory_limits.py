"""Remember the limits of normal that came with results, for the next patient of the same group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from patients.models import ChartingAct, Course, Entry, EntryKind, LaboratoryLimits
from patients.queries.ages import age_in_years
from patients.queries.laboratory import (
    ReportedLimits,
    group_of,
    limits_for_group,
    read_latest_limits,
    read_reports_after,
)


def remember_limits(course: Course, act: ChartingAct, reported: Sequence[ReportedLimits]) -> None:
    """Store those limits that differ from what is remembered for this patient's group."""
    group = group_of(course, act.recorded_at)
    remembered = {
        (one.laboratory, one.analyte, one.unit): one
        for one in limits_for_group(read_latest_limits(), group)
    }
    LaboratoryLimits.objects.bulk_create(
        _row(course, act, one)
        for one in reported
        if one.differs_from(remembered.get((one.laboratory, one.analyte, one.unit)))
    )


def forget_limits(replaced: Iterable[Entry]) -> None:
    """Remember what later results report, in place of limits whose result was just replaced.

    Limits leave with their result by themselves. But a later result with the same limits brought no
    row of its own: it gets one now.
    """
    for entry in replaced:
        if entry.kind != EntryKind.LAB:
            continue
        brought = LaboratoryLimits.objects.filter(
            act=entry.act_id, analyte=entry.body.get("analyte")
        ).first()
        if brought is not None:
            _remember_later_report(brought)


def _remember_later_report(brought: LaboratoryLimits) -> None:
    key = (brought.laboratory, brought.analyte, brought.unit)
    group = (brought.sex, brought.is_child)
    for result, reported in read_reports_after(brought):
        if group_of(result.course, result.recorded_at) != group:
            continue
        remembered = {
            (one.laboratory, one.analyte, one.unit): one
            for one in read_latest_limits()
            if (one.sex, one.is_child) == group
        }.get(key)
        is_later = remembered is None or remembered.recorded_at < result.recorded_at
        if is_later and reported.differs_from(remembered):
            _row(result.course, result.act, reported).save(force_insert=True)
        if reported.lower or reported.upper:
            return


def _row(course: Course, act: ChartingAct, one: ReportedLimits) -> LaboratoryLimits:
    group = group_of(course, act.recorded_at)
    return LaboratoryLimits(
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
