"""What the review page says: the grade at the cursor and why, and the rows of the table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from grading.engine.sentences import short_name
from grading.engine.status import CurrentStatus
from grading.engine.vocabulary import Attribution
from patients.display.assessment import missing_for_grade_0, missing_text, was_assessed
from patients.display.author import author_text
from patients.display.grade_changes import cause_of
from patients.display.text import duration_text, entry_text, late_text
from patients.queries.entries import EntryRow, parse_entry
from patients.queries.grades import GradeChangeRow, GradePeriodRow
from patients.queries.known_at import CourseKnownAt
from patients.queries.reviews import Run
from patients.queries.status import CourseStatus
from patients.review.series import Series

TABLE_ROWS: Final = 400
"""Instants on one page of the table."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """An entry that a criterion stands on, as it was known; ``age`` is counted from the cursor.

    ``text`` is "" where the words of the criterion say it already.
    """

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
class RunAt:
    """The time over which the grade stayed the same; ``ends`` None is open.

    ``before`` is the grade before it, None at the infusion. ``cause`` is why it began, in words;
    ``by_clock``: neither an entry nor a policy began it.
    """

    begins: datetime
    ends: datetime | None
    before: int | None
    by_clock: bool
    cause: str


@dataclass(frozen=True, slots=True)
class AtCursor:
    """The grade at an instant and all it stands on; ``grade`` None is not graded.

    ``ended``: a death of another cause ended grading, at ``ended_at``.

    ``missing`` is what must be charted before a grade 0 is known, in words; it is then not shown.
    """

    at: datetime
    grade: int | None
    at_most: int | None
    run: RunAt | None
    criteria: Sequence[CriterionAt]
    unknown: Sequence[UnknownAt]
    ended: bool
    ended_at: datetime | None = None
    missing: str = ""

    @property
    def shown_grade(self) -> int | None:
        """The grade as pages write it: None where there is none, or 0 was not assessed."""
        return None if self.missing else self.grade

    @property
    def could_be(self) -> int | None:
        """The higher grade that is possible; None where nothing unknown could raise it."""
        if self.grade is None or self.at_most is None or self.at_most <= self.grade:
            return None
        return self.at_most


def at_cursor(known: CourseKnownAt, status: CourseStatus) -> AtCursor:
    """Return the grade at the instant of ``status`` with its reasons.

    They are those that the chart had. Where a later version of the rules would say something else
    of the same entries, the reasons are in the words that were stored.
    """
    current = status.current
    rows = {str(row.pk): row for row in known.rows}
    period = next((one for one in known.periods if _holds_at(one, current.at)), None)
    grade, at_most = current.grade, current.at_most
    criteria = [
        (item.code, item.grade, item.explanation, str(item.citation), item.uncertain, item.evidence)
        for item in current.criteria
    ]
    unknown = [UnknownAt(item.could_reach, item.why) for item in current.unknown]
    if period is not None and _says_otherwise(period, current):
        grade, at_most = period.grade, period.at_most
        criteria = [
            (one["code"], one["grade"], one["explanation"], one["citation"], False, ())
            for one in period.findings["criteria"]
        ]
        unknown = [UnknownAt(one["could_reach"], one["why"]) for one in period.findings["unknown"]]
    missing = missing_for_grade_0(current) if grade == 0 else ()
    return AtCursor(
        at=current.at,
        grade=grade,
        at_most=at_most,
        run=run_at(known.periods, known.rows, current.at),
        criteria=[
            CriterionAt(
                code=code,
                name=short_name(code),
                grade=of_rule,
                text=text,
                citation=citation,
                uncertain=uncertain,
                evidence=[_evidence(rows[one], status, text) for one in evidence if one in rows],
            )
            for code, of_rule, text, citation, uncertain, evidence in criteria
        ],
        unknown=unknown,
        ended=current.ended,
        ended_at=known.periods[-1].end if current.ended and known.periods else None,
        missing=missing_text(missing) if missing else "",
    )


def _holds_at(period: GradePeriodRow, at: datetime) -> bool:
    return period.start <= at and (period.end is None or at < period.end)


def _says_otherwise(period: GradePeriodRow, current: CurrentStatus) -> bool:
    """Return whether the stored period has another grade, bound or criteria than ``current``."""
    stored = {one["code"] for one in period.findings["criteria"]}
    computed = {item.code for item in current.criteria}
    return (period.grade, period.at_most, stored) != (current.grade, current.at_most, computed)


def _evidence(row: EntryRow, status: CourseStatus, explanation: str) -> EvidenceLine:
    entry, now = parse_entry(row), status.current.at
    is_old = any(
        status.current.latest.get(key) is not None and status.current.latest[key].id == entry.id
        for key in status.current.stale
    )
    text = entry_text(entry, status.current.weight_kg)
    if text.replace(",", "") in explanation.replace(",", ""):
        text = ""
    if entry.attribution is Attribution.UNCERTAIN:
        text = f"{text}, attribution uncertain" if text else "attribution uncertain"
    return EvidenceLine(
        text=text,
        at=row.at,
        author=author_text(row.author, row.kept_role),
        age=duration_text(now - row.at),
        is_old=is_old,
        late=late_text(row.at, row.recorded_at) if row.replaces_id is None else "",
        is_correction=row.replaces_id is not None,
    )


def run_at(
    periods: Sequence[GradePeriodRow], rows: Sequence[EntryRow], at: datetime
) -> RunAt | None:
    """Return the run of one grade that holds at ``at``; None where none does."""
    before: GradePeriodRow | None = None
    for _, group in groupby(periods, key=lambda period: period.grade):
        run = list(group)
        begins, ends = run[0].start, run[-1].end
        if begins <= at and (ends is None or at < ends):
            if before is None:
                return RunAt(begins, ends, None, by_clock=False, cause="")
            change = _change_between(before, run[0], rows)
            return RunAt(begins, ends, before.grade, change.by_clock, cause_of(change))
        before = run[-1]
    return None


def _change_between(
    before: GradePeriodRow, after: GradePeriodRow, rows: Sequence[EntryRow]
) -> GradeChangeRow:
    bodies = [(row.kind, json.loads(row.body)) for row in rows if row.at == after.start]
    return GradeChangeRow(
        at=after.start,
        before=before.grade,
        grade=after.grade,
        at_most=after.at_most,
        findings=after.findings,
        findings_before=before.findings,
        charted=[(kind, body.get("drug"), body.get("rate")) for kind, body in bodies],
        same_policy=before.policy_id == after.policy_id,
    )


def runs_of(periods: Sequence[GradePeriodRow]) -> list[Run]:
    """Return the runs of one grade that ``periods`` make, in order."""
    groups = [list(group) for _, group in groupby(periods, key=lambda period: period.grade)]
    return [Run(group[0].start, group[-1].end, group[0].grade) for group in groups]


@dataclass(frozen=True, slots=True)
class TableRow:
    """The values that hold from an instant on; ``cells`` are texts by the key of a series.

    ``charted`` are the keys that have a point at this very instant. ``is_assessed`` tells a grade 0
    that is known.
    """

    at: datetime
    grade: int | None
    at_most: int | None
    criteria: str
    cells: Mapping[str, str]
    charted: frozenset[str]
    treatments: Sequence[str]
    is_assessed: bool = True

    @property
    def shown_grade(self) -> int | None:
        """The grade as pages write it: None where there is none, or 0 was not assessed."""
        return self.grade if self.is_assessed else None


def table_rows(
    periods: Sequence[GradePeriodRow],
    series: Sequence[Series],
    treatments: Sequence[Any],
    assessed_since: datetime | None = None,
) -> Iterator[TableRow]:
    """Yield a row for each instant at which the grade, a value or a treatment changes, in order."""
    points: dict[datetime, dict[str, str]] = {}
    if assessed_since is not None:
        points[assessed_since] = {}
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
            is_assessed=period is None or was_assessed(period.grade, at, assessed_since),
        )


def window_of(
    name: str, infused_at: datetime, first: datetime, until: datetime
) -> tuple[datetime, datetime]:
    """Return the window of a range that ends at ``until``: 24 h, 72 h, or from the infusion on."""
    if name == "all":
        return min(infused_at, first), max(until, infused_at + timedelta(hours=1))
    return until - timedelta(hours=24 if name == "24h" else 72), until
