"""Rows of the timeline: changes of ASTCT and ICANS, shown only where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from itertools import pairwise

from patients.display.assessment import grade_number
from patients.display.scale_levels import AssessedFrom, Assessments, is_known_at
from patients.display.timeline import SCALE_CHANGE, Evidence, TimelineRow
from patients.queries.scales import CourseScales, ScaleAnswer, ScalePeriod


def scale_change_rows(scales: CourseScales, assessments: Assessments) -> list[TimelineRow]:
    """Build a row for each change of a grade of ``scales``, the latest first.

    ``scales`` are of the whole course. A grade 0 is written as one where ``assessments`` know it.
    """
    rows = [
        row for answer in scales.answers for row in _changes(answer, assessments.of(answer.scale))
    ]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _changes(answer: ScaleAnswer, steps: Sequence[AssessedFrom]) -> Iterator[TimelineRow]:
    for before, after in pairwise(answer.periods):
        if before.grade != after.grade:
            yield _row(answer, before, after, steps)


def _row(
    answer: ScaleAnswer, before: ScalePeriod, after: ScalePeriod, steps: Sequence[AssessedFrom]
) -> TimelineRow:
    scale, at = answer.scale, after.start
    is_known = is_known_at(steps, at)
    was_known = is_known_at(steps, at - timedelta.resolution)
    return TimelineRow(
        key=f"{scale.key.replace('.', '-')}-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}",
        at=at,
        kind=SCALE_CHANGE,
        icon_grade=after.grade,
        grade_before=before.grade,
        shown_grade=grade_number(after.grade, assessed=is_known or after.grade > 0),
        shown_before=grade_number(before.grade, assessed=was_known or before.grade > 0),
        text=_cause(before, after),
        author=scale.short,
        evidence=Evidence(
            at_most=after.at_most,
            criteria=tuple(
                (one.grade, one.explanation, str(one.citation)) for one in after.criteria
            ),
            unknown=tuple((one.could_reach, one.why) for one in after.unknown),
        ),
    )


def _cause(before: ScalePeriod, after: ScalePeriod) -> str:
    """Return what decides the new grade, or what decided the former and holds no longer."""
    if after.grade > before.grade:
        return after.criteria[0].explanation
    held = {one.code for one in after.criteria}
    ended = [one.explanation for one in before.criteria if one.code not in held]
    return f"no longer: {ended[0]}" if ended else "less than before"
