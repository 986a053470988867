"""Place the timeline rows that a save adds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from grading.engine.entries import Vasopressor
from patients.bedside.timeline import row_below
from patients.display.assessment import was_assessed
from patients.display.timeline import TimelineRow, answer_row, change_row, in_timeline_order
from patients.models import EntryKind
from patients.queries.entries import parse_entry
from patients.queries.grades import GradeChangeRow, GradeHistory
from patients.queries.guidance_answers import AnswerRow
from patients.queries.timeline import TimelinePosition
from patients.recording.record import RecordingResult
from patients.recording.regrade import AFTER_EVERYTHING

_TOP: Final = "afterbegin:#timeline-rows"
_ABOVE: Final = "beforebegin:#{row}, #timeline:not(:has(#{row})) > #row-not-loaded"
"""Above a row; where another user charted it and the page has not loaded it, at the element that
makes the page ask for the timeline (live.js).
"""


@dataclass(frozen=True, slots=True)
class NewRows:
    """New timeline rows of one place, in their order; ``placement`` is the hx-swap-oob value."""

    rows: list[TimelineRow]
    placement: str


def new_rows_of(
    result: RecordingResult,
    history: GradeHistory,
    entry_rows: list[TimelineRow],
    answer: AnswerRow | None,
    until: str,
) -> list[NewRows] | None:
    """Return the rows that the act adds, by place, the lowest first.

    ``entry_rows`` are those of its entries, ``answer`` the answer to guidance recorded with it.
    ``until`` is the lowest row that the page shows: what belongs below it comes with the older
    rows. None where other rows change too or a place is not known: the timeline is then sent whole.
    """
    if not _only_adds_rows(result):
        return None
    changes = map(change_row, grade_changes_of(result, history))
    answers = [] if answer is None else [answer_row(answer)]
    rows = in_timeline_order([*changes, *answers, *entry_rows])
    if not rows or _is_on_top(rows[-1], result, history):
        return [NewRows(rows, _TOP)]
    by_instant = [list(group) for _, group in groupby(rows, key=lambda row: row.at)]
    placed = [_placed(group, result, history, until) for group in reversed(by_instant)]
    return None if None in placed else [group for group in placed if group and group.rows]


def grade_changes_of(result: RecordingResult, history: GradeHistory) -> list[GradeChangeRow]:
    """Return the changes of grade that the act adds, as the timeline would read them."""
    since = history.assessed_since
    return [
        GradeChangeRow(
            change.at,
            change.before,
            change.after,
            change.at_most,
            change.findings,
            change.findings_before,
            _charted_at(change.at, result),
            change.same_policy,
            assessed_before=change.before > 0 or (since is not None and since < change.at),
            assessed=was_assessed(change.after, change.at, since),
        )
        for change in result.grade_changes
    ]


def _charted_at(at: datetime, result: RecordingResult) -> list[tuple[str | None, ...]]:
    """Return the entries in force of that instant as ``GradeChangeRow.charted`` has them."""
    read = [parse_entry(row) for row in result.in_force if row.at == at]
    return [
        (entry.kind, entry.drug.value, None if entry.rate is None else str(entry.rate))
        if isinstance(entry, Vasopressor)
        else (entry.kind, None, None)
        for entry in read
    ]


def _placed(
    rows: list[TimelineRow], result: RecordingResult, history: GradeHistory, until: str
) -> NewRows | None:
    """Return new rows of one time with their place, those below ``until`` left out.

    None where no row is below them.
    """
    lowest = rows[-1]
    if _is_on_top(lowest, result, history):
        return NewRows(rows, _TOP)
    position = TimelinePosition(lowest.at, AFTER_EVERYTHING, 0)
    if lowest.entry_id is not None:
        position = TimelinePosition(lowest.at, result.act.recorded_at, 0)
    below = row_below(result.course.pk, result.now, position, until)
    if below is None:
        return None
    return NewRows(rows if below.is_shown else [], _ABOVE.format(row=below.key))


def _only_adds_rows(result: RecordingResult) -> bool:
    """Whether all other rows of the timeline stay as they are.

    A weight that is charted late changes the converted doses after it.
    """
    if result.is_replay or not result.keeps_changes:
        return False
    if any(entry.replaces_id is not None for entry in result.entries):
        return False
    has_weight = any(entry.kind == EntryKind.WEIGHT for entry in result.entries)
    return not has_weight or is_newest(result)


def _is_on_top(lowest: TimelineRow, result: RecordingResult, history: GradeHistory) -> bool:
    """Whether ``lowest`` of the new rows is above every earlier row.

    Of one time, a new entry is above older entries and below all other rows.
    """
    entry_at, other_at = history.latest_entry_at, history.latest_other_at
    change_at = result.latest_change_before
    return (
        (entry_at is None or entry_at <= lowest.at)
        and (other_at is None or other_at < lowest.at)
        and (change_at is None or change_at < lowest.at)
    )


def is_newest(result: RecordingResult) -> bool:
    """Whether no entry of the chart is later than the first of the act."""
    new = {entry.pk for entry in result.entries}
    first = min((entry.at for entry in result.entries), default=result.now)
    return all(entry.at <= first for entry in result.in_force if entry.pk not in new)
