"""What changed in a course since a reader last marked it as seen, or signed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final, NamedTuple

from grading.engine.entries import Vasopressor, Weight
from grading.engine.vocabulary import TreatmentAgent
from grading.systems import HEADLINE
from patients.display.sign_off import span_text, time_text
from patients.display.text import entry_text, late_text, weight_at
from patients.models import ActSource, Course, EntryKind
from patients.queries.changes import ChangedBy, read_changed_by, read_changes
from patients.queries.entries import EntryRow, parse_entry
from patients.queries.reviews import Run
from patients.queries.status import read_weights_for

SHOWN: Final = 4
"""How many changed grades of the past are listed one by one."""
_TEXTS: Final = 3


class ChangedGrade(NamedTuple):
    """The chart says ``after`` now for [start, end), where it said ``before``; None: no grade."""

    start: datetime
    end: datetime
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class PastChange:
    """A difference as a page shows it, with what brought it: "FiO2 50 % was charted …"."""

    span: str
    before: int | None
    after: int | None
    cause: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since ``seen_until``; before the first time that is None, and nothing changed.

    ``past`` are the first differences in what was seen, ``more`` counts the others. ``new`` lists
    what came since: "2 grade changes", "tocilizumab", "82 entries".
    """

    seen_until: datetime | None
    seen_text: str
    past: Sequence[PastChange]
    more: int
    new: Sequence[str]


def changes_since(
    course: Course,
    seen_until: datetime | None,
    now: datetime,
    weights: Sequence[Weight] | None = None,
) -> Changes:
    """Return what changed in ``course`` since ``seen_until``; three statements at most.

    ``weights`` are those in force where they were read already: one statement less.
    """
    if seen_until is None:
        return Changes(None, "", (), 0, ())
    row = read_changes(course, HEADLINE, seen_until, now)
    differences = differences_between(row.then, row.today, seen_until)
    changed_since = [later for later in _changes_of(row.today) if later > seen_until]
    new = [
        _counted(len(changed_since), "grade change"),
        *(TreatmentAgent(agent).label for agent in row.agents),
        _counted(row.new_entries, "entry", "entries"),
    ]
    return Changes(
        seen_until,
        time_text(seen_until),
        _past_changes(course, differences[:SHOWN], seen_until, weights),
        max(0, len(differences) - SHOWN),
        [text for text in new if text],
    )


def differences_between(
    then: Sequence[Run], today: Sequence[Run], until: datetime
) -> list[ChangedGrade]:
    """Return where ``today`` says another grade than ``then`` before ``until``, in order."""
    cuts = {until}
    for run in (*then, *today):
        cuts |= {min(run.start, until), until if run.end is None else min(run.end, until)}
    found: list[ChangedGrade] = []
    for start, end in pairwise(sorted(cuts)):
        before, after = _grade_at(then, start), _grade_at(today, start)
        if before == after:
            continue
        last = found[-1] if found else None
        if last is not None and (last.end, *last[2:]) == (start, before, after):
            found[-1] = last._replace(end=end)
        else:
            found.append(ChangedGrade(start, end, before, after))
    return found


def _grade_at(runs: Iterable[Run], at: datetime) -> int | None:
    for run in runs:
        if run.start <= at and (run.end is None or at < run.end):
            return run.grade
    return None


def _changes_of(runs: Sequence[Run]) -> list[datetime]:
    """Return the instants at which the grade changed; the beginning of grading is none."""
    return [run.start for run in runs[1:]]


def _counted(number: int, word: str, plural: str = "") -> str:
    if not number:
        return ""
    return f"{number} {word}" if number == 1 else f"{number} {plural or word + 's'}"


def _past_changes(
    course: Course,
    differences: Sequence[ChangedGrade],
    seen_until: datetime,
    weights: Sequence[Weight] | None,
) -> list[PastChange]:
    if not differences:
        return []
    points = [(one.start, one.after) for one in differences]
    changed_by = read_changed_by(course.pk, HEADLINE, seen_until, points)
    if weights is None:
        read = [parse_entry(row) for one in changed_by for row in (*one.entries, *one.replaced)]
        weights = read_weights_for(course.pk, read)
    return [
        PastChange(span_text(one.start, one.end), one.before, one.after, _cause(by, weights))
        for one, by in zip(differences, changed_by, strict=True)
    ]


def _cause(by: ChangedBy, weights: Sequence[Weight]) -> str:
    """Return what changed the grade, in words; "" where no act did, as after an import."""
    if by.source == ActSource.POLICY:
        return f"The policy was changed by {by.author}."
    if by.source == ActSource.IDENTITY:
        return f"The identity was corrected by {by.author}."
    if by.source == ActSource.RULESET:
        return "A new version of the grading rules."
    replaced = {row.pk: row for row in by.replaced}
    texts = [_entry_cause(row, replaced, weights) for row in by.entries[:_TEXTS]]
    if len(by.entries) > _TEXTS:
        texts.append(f"{len(by.entries) - _TEXTS} more")
    return f"{'; '.join(texts)}, by {by.author}." if texts else ""


def _entry_cause(
    row: EntryRow, replaced: Mapping[uuid.UUID, EntryRow], weights: Sequence[Weight]
) -> str:
    if row.replaces_id is not None:
        old = _text(replaced[row.replaces_id], weights)
        if row.kind == EntryKind.RETRACTION:
            return f"{old} was entered in error"
        return f"{old} was corrected to {_text(row, weights)}"
    late = late_text(row.at, row.recorded_at)
    return f"{_text(row, weights)} was {late or 'charted'}"


def _text(row: EntryRow, weights: Sequence[Weight]) -> str:
    read = parse_entry(row)
    weight = weight_at(weights, row.at) if isinstance(read, Vasopressor) else None
    return entry_text(read, weight)
