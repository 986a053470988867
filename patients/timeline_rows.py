"""The rows of a timeline: each entry in one line, with what it corrected and who charted it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine import entries as grading_entries
from patients.models import REASON, Entry, EntryKind, confirmed_of
from patients.panels import Superseded, TimelineRow
from patients.queries.entries import EntryRow, charted, row_at_hand, row_from
from patients.queries.status import weights_for
from patients.wording import attribution_text, describe, late_text, weight_at

GRADE_CHANGE: Final = "grade_change"
CORRECTABLE: Final = frozenset(
    {
        EntryKind.VITALS,
        EntryKind.OXYGEN,
        EntryKind.VASOPRESSOR,
        EntryKind.FLUID_BOLUS,
        EntryKind.WEIGHT,
        EntryKind.LAB,
        EntryKind.TOXICITY,
        EntryKind.SYMPTOM,
        EntryKind.TREATMENT,
        EntryKind.BASELINE,
        EntryKind.RISK,
        EntryKind.JUDGEMENT,
        EntryKind.NOTE,
        EntryKind.NOT_OBSERVED,
        EntryKind.DEATH,
    }
)
"""The kinds that have a form; any other is retracted and charted anew."""
_SAID_BY_ITS_TEXT: Final = (grading_entries.Note, grading_entries.NotObserved)
_KEPT: Final = 2048

AS_TEXTS: Final = """array_agg(CAST(
    json_build_array(entry.id, entry.kind, entry.at, entry.recorded_at, entry.replaces_id,
        entry.body::text, author.username, author.first_name, author.last_name,
        entry.place, act.answers, later.id IS NOT NULL,
        coalesce(nullif(later_act.answers ->> 'reason', ''), later.body ->> 'note', ''))
    AS text) ORDER BY entry.at DESC, entry.recorded_at DESC, entry.place DESC)"""
"""Each entry of a statement as one text: all that its row prints."""
WITH_ACTS: Final = """JOIN accounts_user AS author ON author.id = entry.recorded_by_id
JOIN patients_chartingact AS act ON act.id = entry.act_id
LEFT JOIN patients_entry AS later ON later.replaces_id = entry.id
LEFT JOIN patients_chartingact AS later_act ON later_act.id = later.act_id"""
"""What ``AS_TEXTS`` reads beside ``entry``; ``later`` is what took its place."""


class Shown(NamedTuple):
    """An entry with what was said beside it.

    ``answers`` are those of its act, among whose entries it has ``place``; ``retraction`` is why
    it was taken back, None where it was not.
    """

    row: EntryRow
    read: grading_entries.Entry
    place: int
    answers: Mapping[str, Any]
    retraction: str | None

    @property
    def reason(self) -> str:
        """Why it took the place of what it corrects."""
        return str(self.answers.get("reason", ""))


@lru_cache(maxsize=_KEPT)
def shown_from(said: str) -> Shown:
    """The entry of one text of ``AS_TEXTS``. An entry never changes: its text is read once."""
    *columns, place, answers, is_replaced, why = json.loads(said)
    row = row_from(*columns)
    return Shown(row, charted(row), place, answers, why if is_replaced else None)


def _shown(entry: Entry, *, fresh: bool) -> Shown:
    """An entry at hand; a ``fresh`` one cannot have been replaced yet."""
    row, later = row_at_hand(entry), None if fresh else getattr(entry, "replaced_by", None)
    retraction = None if later is None else reason_of(later)
    return Shown(row, charted(row), entry.place, entry.act.answers, retraction)


def rows_of(
    course_id: uuid.UUID,
    entries: Sequence[Entry],
    *,
    can_correct: bool = False,
    fresh: bool = False,
    weights: Sequence[grading_entries.Weight] | None = None,
) -> list[TimelineRow]:
    """The rows of ``entries``, in their order, each with what it corrected.

    ``fresh`` entries were recorded just now: nothing can have replaced them yet. ``weights`` are
    those in force, None reads what is needed of them.
    """
    shown = [_shown(entry, fresh=fresh) for entry in entries]
    chains = _chains(shown)
    if weights is None:
        weights = weights_for(course_id, [each.read for each in (*shown, *chains.values())])
    return [
        _row(each, corrected_by(each, chains, weights), _weight(each, weights), can_correct)
        for each in shown
    ]


def rows_from(
    page: Iterable[str],
    chains: Iterable[str] | None,
    weights: Sequence[grading_entries.Weight],
    *,
    can_correct: bool,
) -> list[TimelineRow]:
    """The rows of a page of ``AS_TEXTS``; ``chains`` is every entry that one of it corrected."""
    old = {one.row.pk: one for one in map(shown_from, chains or ())}
    rows = []
    for said in page:
        shown = shown_from(said)
        corrected = corrected_by(shown, old, weights) if old else ()
        rows.append(_row_from(said, corrected, _weight(shown, weights), can_correct))
    return rows


@lru_cache(maxsize=_KEPT)
def _row_from(
    said: str, corrected: tuple[Superseded, ...], weight_kg: Decimal | None, can_correct: bool
) -> TimelineRow:
    return _row(shown_from(said), corrected, weight_kg, can_correct)


def _row(
    shown: Shown,
    corrected: tuple[Superseded, ...],
    weight_kg: Decimal | None,
    can_correct: bool,
) -> TimelineRow:
    row, read, retraction = shown.row, shown.read, shown.retraction
    marks = attribution_text(read)
    can_retract = can_correct and retraction is None
    return TimelineRow(
        key=f"entry-{row.pk}",
        at=row.at,
        kind=row.kind,
        text=describe(read, weight_kg),
        author=row.author,
        recorded_at=row.recorded_at,
        late_text=late_text(row.at, row.recorded_at),
        corrected=corrected,
        retracted=retraction is not None,
        retract_reason=retraction or "",
        note="" if isinstance(read, _SAID_BY_ITS_TEXT) else read.note,
        attribution=read.attribution.value,
        attribution_text=marks,
        attribution_reason=shown.answers.get(REASON, "")
        if marks or row.kind == EntryKind.DEATH
        else "",
        confirmed=tuple(confirmed_of(shown.answers, shown.place)),
        can_correct=can_retract and row.kind in CORRECTABLE,
        can_retract=can_retract,
        entry_id=row.pk,
    )


def _weight(shown: Shown, weights: Sequence[grading_entries.Weight]) -> Decimal | None:
    """The weight that a dose is reckoned with."""
    if isinstance(shown.read, grading_entries.Vasopressor):
        return weight_at(weights, shown.row.at)
    return None


def corrected_by(
    shown: Shown, chains: Mapping[uuid.UUID, Shown], weights: Sequence[grading_entries.Weight]
) -> tuple[Superseded, ...]:
    """What an entry corrected, and what that one had corrected before."""
    corrected, correction = [], shown
    while correction.row.replaces_id is not None:
        old = chains[correction.row.replaces_id]
        corrected.append(
            Superseded(
                old_text=describe(old.read, _weight(old, weights)),
                reason=correction.reason,
                author=correction.row.author,
                at=correction.row.recorded_at,
            )
        )
        correction = old
    return tuple(corrected)


_CHAINS: Final = f"""
WITH RECURSIVE chain AS (
    SELECT * FROM patients_entry WHERE id = ANY(%s::uuid[])
    UNION ALL
    SELECT old.* FROM chain JOIN patients_entry AS old ON old.id = chain.replaces_id
)
SELECT {AS_TEXTS} FROM chain AS entry {WITH_ACTS}
"""  # noqa: S608 - made of constants


def _chains(entries: Iterable[Shown]) -> dict[uuid.UUID, Shown]:
    """Every entry that one of ``entries`` corrects, and what that one corrected before."""
    wanted = [one.row.replaces_id for one in entries if one.row.replaces_id is not None]
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_CHAINS, [wanted])
        return {one.row.pk: one for one in map(shown_from, cursor.fetchone()[0])}


def reason_of(successor: Entry) -> str:
    """Why an entry was corrected or retracted."""
    reason = successor.act.answers.get("reason", "")
    if not reason and successor.kind == EntryKind.RETRACTION:
        reason = successor.body.get("note", "")
    return str(reason)


def change_row(at: datetime, before: int, grade: int, findings: Mapping[str, Any]) -> TimelineRow:
    """The row of a change of grade, with the criterion that decides the new one."""
    deciding = [c["explanation"] for c in findings["criteria"] if c["grade"] == grade]
    text = deciding[0] if deciding else "no criterion is met"
    return TimelineRow(
        key=f"grade-{at.isoformat()}",
        at=at,
        kind=GRADE_CHANGE,
        icon_grade=grade,
        grade_before=before,
        text=text,
    )
