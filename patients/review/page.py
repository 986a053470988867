"""What the review page says: the grade at the cursor and why, and the rows of the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from grading.engine.sentences import short_name
from grading.engine.vocabulary import Attribution
from patients.display.text import duration_text, entry_text, late_text
from patients.queries.entries import EntryRow, parse_entry
from patients.queries.grades import GradePeriodRow
from patients.queries.known_at import CourseKnownAt
from patients.queries.status import CourseStatus
from patients.review.series import Series

TABLE_ROWS: Final = 400
"""Instants on one page of the table."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """An entry that a criterion stands on, as it was known; ``age`` is counted from the cursor."""

    text: str
    at: datetime
    author: str
    age: str
    is_old: bool
    late: str
    is_correction: bool


@dataclass(frozen=True, slots=True)
class CriterionAt:
    """A criterion met at the cursor; ``uncertain``: its attribution is not certain."""

    code: str
    name: str
    grade: int
    text: str
    citation: str
    uncertain: bool
    evidence: Sequence[EvidenceLine]


@dataclass(frozen=True, slots=True)
class UnknownAt:
    """Something not known at the cursor that could make the grade higher."""

    could_reach: int
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """The time over which the grade stayed the same; ``ends`` None is open.

    ``before`` is the grade before it, None at the infusion. ``by_clock``: no entry was made at the
    instant at which it began.
    """

    begins: datetime
    ends: datetime | None
    before: int | None
    by_clock: bool


@dataclass(frozen=True, slots=True)
class AtCursor:
    """The grade at an instant and all it stands on; ``grade`` None is not graded."""

    at: datetime
    grade: int | None
    at_most: int | None
    run: Run | None
    criteria: Sequence[CriterionAt]
    unknown: Sequence[UnknownAt]
    ended: bool

    @property
    def could_be(self) -> int | None:
        """The higher grade that is possible; None where nothing unknown could raise it."""
        if self.grade is None or self.at_most is None or self.at_most <= self.grade:
            return None
        return self.at_most


def at_cursor(known: CourseKnownAt, status: CourseStatus) -> AtCursor:
    """Return the grade at the instant of ``status`` with its reasons."""
    current = status.current
    rows = {str(row.pk): row for row in known.rows}
    return AtCursor(
        at=current.at,
        grade=current.grade,
        at_most=current.at_most,
        run=run_at(known.periods, known.rows, current.at),
        criteria=[
            CriterionAt(
                code=item.code,
                name=short_name(item.code),
                grade=item.grade,
                text=item.explanation,
                citation=str(item.citation),
                uncertain=item.uncertain,
                evidence=[
                    _evidence(rows[entry_id], status)
                    for entry_id in item.evidence
                    if entry_id in rows
                ],
            )
            for item in current.criteria
        ],
        unknown=[UnknownAt(item.could_reach, item.why) for item in current.unknown],
        ended=current.ended,
    )


def _evidence(row: EntryRow, status: CourseStatus) -> EvidenceLine:
    entry, now = parse_entry(row), status.current.at
    is_old = any(
        status.current.latest.get(key) is not None and status.current.latest[key].id == entry.id
        for key in status.current.stale
    )
    text = entry_text(entry, status.current.weight_kg)
    if entry.attribution is Attribution.UNCERTAIN:
        text += ", attribution uncertain"
    return EvidenceLine(
        text=text,
        at=row.at,
        author=row.author,
        age=duration_text(now - row.at),
        is_old=is_old,
        late=late_text(row.at, row.recorded_at) if row.replaces_id is None else "",
        is_correction=row.replaces_id is not None,
    )


def run_at(periods: Sequence[GradePeriodRow], rows: Sequence[EntryRow], at: datetime) -> Run | None:
    """Return the run of one grade that holds at ``at``; None where none does."""
    before: int | None = None
    for run in runs_of(periods):
        if run.begins <= at and (run.ends is None or at < run.ends):
            charted = any(row.at == run.begins for row in rows)
            return Run(run.begins, run.ends, before, by_clock=before is not None and not charted)
        before = run.grade
    return None


@dataclass(frozen=True, slots=True)
class GradeRun:
    """A run of one grade; ``ends`` None is open."""

    begins: datetime
    ends: datetime | None
    grade: int


def runs_of(periods: Sequence[GradePeriodRow]) -> Iterator[GradeRun]:
    """Yield the runs of one grade, in order."""
    for grade, group in groupby(periods, key=lambda period: period.grade):
        run = list(group)
        yield GradeRun(run[0].start, run[-1].end, grade)


@dataclass(frozen=True, slots=True)
class TableRow:
    """The values that hold from an instant on; ``cells`` are texts by the key of a series.

    ``charted`` are the keys that have a point at this very instant.
    """

    at: datetime
    grade: int | None
    at_most: int | None
    criteria: str
    cells: Mapping[str, str]
    charted: frozenset[str]
    treatments: Sequence[str]


def table_rows(
    periods: Sequence[GradePeriodRow], series: Sequence[Series], treatments: Sequence[Any]
) -> Iterator[TableRow]:
    """Yield a row for each instant at which the grade, a value or a treatment changes, in order."""
    points: dict[datetime, dict[str, str]] = {}
    for one in series:
        for point in one.points:
            marks = f" ({', '.join(point.marks)})" if point.marks else ""
            points.setdefault(point.at, {})[one.key] = f"{point.text}{marks}"
    given_at: dict[datetime, list[str]] = {}
    for item in treatments:
        given_at.setdefault(item.at, []).append(item.text)
    by_start = {period.start: period for period in periods}
    held: dict[str, str] = {}
    steps = {one.key for one in series if one.step}
    period: GradePeriodRow | None = None
    for at in sorted(points.keys() | by_start.keys() | given_at.keys()):
        period = by_start.get(at, period)
        if period is not None and period.end is not None and period.end <= at:
            period = None
        here = points.get(at, {})
        held |= {key: text for key, text in here.items() if key in steps}
        yield TableRow(
            at=at,
            grade=None if period is None else period.grade,
            at_most=None if period is None else period.at_most,
            criteria=""
            if period is None
            else ", ".join(short_name(item["code"]) for item in period.findings["criteria"]),
            cells={**held, **here},
            charted=frozenset(here),
            treatments=given_at.get(at, ()),
        )


def window_of(
    name: str, infused_at: datetime, first: datetime, until: datetime
) -> tuple[datetime, datetime]:
    """Return the window of a range that ends at ``until``: 24 h, 72 h, or from the infusion on."""
    if name == "all":
        return min(infused_at, first), max(until, infused_at + timedelta(hours=1))
    return until - timedelta(hours=24 if name == "24h" else 72), until
