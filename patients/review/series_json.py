"""The plotted values as JSON: times in seconds, values as the nearest float."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from grading.engine.units import Number
from patients.queries.grades import GradePeriodRow
from patients.review.lanes import Span
from patients.review.series import Device, ReviewSeries, Series, TreatmentPoint
from patients.review.today import DifferentToday


def as_json(review: ReviewSeries) -> dict[str, Any]:
    """Return all that is plotted, as plain values."""
    return {
        "periods": list(_levels(review.periods)),
        "lanes": [
            {
                "code": lane.code,
                "name": lane.name,
                "grade": lane.grade,
                "spans": [_span(span) for span in lane.spans],
            }
            for lane in review.lanes
        ],
        "series": [_series(one) for one in review.series],
        "devices": [_device(one) for one in review.devices],
        "counting": [_span(span) for span in review.counting],
        "given": [_treatment_point(one) for one in review.treatments],
        "first_tocilizumab_at": seconds(review.first_tocilizumab_at),
        "assessed_since": seconds(review.assessed_since),
        "died_at": seconds(review.died_at),
    }


def today_json(differences: Mapping[str, Sequence[DifferentToday]]) -> dict[str, Any]:
    """Return by the key of a lane where today's values are others: from, to and the value."""
    return {
        key: [[*_span((one.start, one.end)), one.text] for one in found]
        for key, found in differences.items()
    }


def _levels(periods: Sequence[GradePeriodRow]) -> Iterator[Mapping[str, Any]]:
    """Yield the times in which grade and bound stay the same."""
    for (grade, at_most), group in groupby(periods, key=lambda one: (one.grade, one.at_most)):
        together = list(group)
        begins, ends = _span((together[0].start, together[-1].end))
        yield {"from": begins, "to": ends, "grade": grade, "at_most": at_most}


def _series(series: Series) -> Mapping[str, Any]:
    points = series.points
    return {
        "key": series.key,
        "label": series.label,
        "unit": series.unit,
        "step": series.step,
        "log": series.is_log,
        "rows": series.rows,
        "at": [point.at.timestamp() for point in points],
        "value": [_float(point.value) for point in points],
        "text": [point.text for point in points],
        "marks": {place: point.marks for place, point in enumerate(points) if point.marks},
        "suffix": {place: point.suffix for place, point in enumerate(points) if point.suffix},
        "begins": [place for place, point in enumerate(points) if point.begins],
        "limits": [[seconds(at), _float(limit)] for at, limit in series.limits],
        "baseline": _float(series.baseline),
        "could_be": [[*_span((one.start, one.end)), one.reach] for one in series.could_be],
    }


def _treatment_point(one: TreatmentPoint) -> Mapping[str, Any]:
    return {"at": seconds(one.at), "kind": one.kind, "text": one.text}


def _device(one: Device) -> Mapping[str, Any]:
    return {"at": seconds(one.at), "label": one.label, "detail": one.detail}


def _span(span: Span) -> list[float | None]:
    begins, ends = span
    return [seconds(begins), seconds(ends)]


def _float(value: Number | None) -> float | None:
    return None if value is None else float(value)


def seconds(at: datetime | None) -> float | None:
    """Return an instant as the plots have it: seconds since 1970."""
    return None if at is None else at.timestamp()
