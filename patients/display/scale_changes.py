"""Rows of the timeline: changes of ASTCT and ICANS, shown only where they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

from grading.engine.entries import Capd, Entry, Ice
from patients.display.assessment import first_assessed_at, grade_number
from patients.display.timeline import SCALE_CHANGE, Evidence, TimelineRow
from patients.queries.scales import ICANS, CourseScales, ScaleAnswer, ScalePeriod


def scale_change_rows(
    scales: CourseScales, entries: Iterable[Entry], infused_at: datetime, tool: str
) -> list[TimelineRow]:
    """Build a row for each change of a grade of ``scales``, the latest first.

    ``scales`` are of the whole course; ``tool`` is how ICANS is assessed in this patient. A grade 0
    is written as one from when on it was assessed.
    """
    every = list(entries)
    crs_since = first_assessed_at(every, infused_at)
    rounds = [e.at for e in every if isinstance(e, Ice | Capd) and e.kind == tool and e.performed]
    icans_since = min((at for at in rounds if at >= infused_at), default=None)
    rows = [
        row
        for answer in scales.answers
        for row in _changes(answer, icans_since if answer.scale.key == ICANS else crs_since)
    ]
    return sorted(rows, key=lambda row: row.at, reverse=True)


def _changes(answer: ScaleAnswer, assessed_since: datetime | None) -> Iterator[TimelineRow]:
    for before, after in pairwise(answer.periods):
        if before.grade != after.grade:
            yield _row(answer, before, after, assessed_since)


def _row(
    answer: ScaleAnswer, before: ScalePeriod, after: ScalePeriod, assessed_since: datetime | None
) -> TimelineRow:
    scale, at = answer.scale, after.start
    was_known = assessed_since is not None and assessed_since < at
    is_known = assessed_since is not None and assessed_since <= at
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
