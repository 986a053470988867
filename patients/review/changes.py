"""What changed in a course since a reader last marked it as seen, or signed."""

from __future__ import annotations

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
from patients.models import ActSource, ChartingAct, Course, Entry, EntryKind
from patients.queries.changes import (
    acts_recorded_at,
    entries_recorded_at,
    read_changed_at,
    read_changes,
)
from patients.queries.entries import entry_row_of, parse_entry
from patients.queries.reviews import Run
from patients.queries.status import read_weights_for

SHOWN: Final = 4
"""How many changed stretches of the past are listed one by one."""
_TEXTS: Final = 3


class GradeDifference(NamedTuple):
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


def changes_since(course: Course, seen_until: datetime | None, now: datetime) -> Changes:
    """Return what changed in ``course`` since ``seen_until``; a bounded number of statements."""
    if seen_until is None:
        return Changes(None, "", (), 0, ())
    row = read_changes(course, HEADLINE, seen_until, now)
    differences = differences_between(row.then, row.today, seen_until)
    risen_since = [later for later in _changes_of(row.today) if later > seen_until]
    new = [
        _counted(len(risen_since), "grade change"),
        *(TreatmentAgent(agent).label for agent in row.agents),
        _counted(row.new_entries, "entry", "entries"),
    ]
    return Changes(
        seen_until,
        time_text(seen_until),
        _past_changes(course, differences[:SHOWN], seen_until),
        max(0, len(differences) - SHOWN),
        [text for text in new if text],
    )


def differences_between(
    then: Sequence[Run], today: Sequence[Run], until: datetime
) -> list[GradeDifference]:
    """Return where ``today`` says another grade than ``then`` before ``until``, in order."""
    cuts = {until}
    for run in (*then, *today):
        cuts |= {min(run.start, until), until if run.end is None else min(run.end, until)}
    found: list[GradeDifference] = []
    for start, end in pairwise(sorted(cuts)):
        before, after = _grade_at(then, start), _grade_at(today, start)
        if before == after:
            continue
        last = found[-1] if found else None
        if last is not None and (last.end, *last[2:]) == (start, before, after):
            found[-1] = last._replace(end=end)
        else:
            found.append(GradeDifference(start, end, before, after))
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
    course: Course, differences: Sequence[GradeDifference], seen_until: datetime
) -> list[PastChange]:
    if not differences:
        return []
    points = [(one.start, one.after) for one in differences]
    changed_at = read_changed_at(course.pk, HEADLINE, seen_until, points)
    causes = _causes(course, [at for at in changed_at if at is not None])
    return [
        PastChange(
            span_text(one.start, one.end),
            one.before,
            one.after,
            "" if at is None else causes.get(at, ""),
        )
        for one, at in zip(differences, changed_at, strict=True)
    ]


def _causes(course: Course, instants: Sequence[datetime]) -> Mapping[datetime, str]:
    """Return what was recorded at each of ``instants``, in words."""
    entries: dict[datetime, list[Entry]] = {}
    for entry in entries_recorded_at(course, instants):
        entries.setdefault(entry.recorded_at, []).append(entry)
    shown = [entry for of_act in entries.values() for entry in of_act]
    replaced = [entry.replaces for entry in shown if entry.replaces is not None]
    parsed = [parse_entry(entry_row_of(entry)) for entry in (*shown, *replaced)]
    weights = read_weights_for(course.pk, parsed)
    return {
        act.recorded_at: _cause(act, entries.get(act.recorded_at, ()), weights)
        for act in acts_recorded_at(course, instants)
    }


def _cause(act: ChartingAct, entries: Sequence[Entry], weights: Sequence[Weight]) -> str:
    author = act.recorded_by.display_name
    if act.source == ActSource.POLICY:
        return f"The policy was changed by {author}."
    if act.source == ActSource.RULESET:
        return "A new version of the grading rules."
    texts = [_entry_cause(entry, weights) for entry in entries[:_TEXTS]]
    if len(entries) > _TEXTS:
        texts.append(f"{len(entries) - _TEXTS} more")
    return f"{'; '.join(texts)}, by {author}."


def _entry_cause(entry: Entry, weights: Sequence[Weight]) -> str:
    if entry.replaces is not None:
        old = _text(entry.replaces, weights)
        if entry.kind == EntryKind.RETRACTION:
            return f"{old} was entered in error"
        return f"{old} was corrected to {_text(entry, weights)}"
    late = late_text(entry.at, entry.recorded_at)
    return f"{_text(entry, weights)} was {late or 'charted'}"


def _text(entry: Entry, weights: Sequence[Weight]) -> str:
    read = parse_entry(entry_row_of(entry))
    weight = weight_at(weights, entry.at) if isinstance(read, Vasopressor) else None
    return entry_text(read, weight)
