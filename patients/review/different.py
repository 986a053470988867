"""What is different today from what was known at a moment: who changed it, when and why."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple

from grading.engine import entries as kinds
from patients.display.banner import Banner, banner_at
from patients.display.identity import fact_text
from patients.display.places import place_text
from patients.display.sign_off import span_text
from patients.display.text import (
    date_text,
    date_time_text,
    entry_text,
    late_text,
    moment_text,
    weight_at,
)
from patients.models import Entry, EntryKind
from patients.queries.changes import corrections_recorded_between
from patients.queries.course_changes import read_identity_corrections, read_moves
from patients.queries.entries import EntryRow, entry_row_of, parse_entry
from patients.queries.known_at import CourseKnownAt
from patients.queries.status import weights_among
from patients.queries.timeline import reason_of
from patients.review.changes import differences_between
from patients.review.page import runs_of

LISTED: Final = 60
"""How many differences are listed one by one."""
_NONE: Final = "–"


class Difference(NamedTuple):
    """One thing that is different: ``what`` and ``when`` it was, then, today, and the reason."""

    what: str
    when: str
    then: str
    today: str
    note: str


@dataclass(frozen=True, slots=True)
class Differences:
    """The first differences, in order; ``more`` counts the others."""

    listed: Sequence[Difference]
    more: int

    @property
    def count(self) -> int:
        return len(self.listed) + self.more


def differences(then: CourseKnownAt, today: CourseKnownAt) -> Differences:
    """Return what is different in ``today`` from ``then``, up to the time ``then`` was known at."""
    found = iter([*_facts(then, today), *_entries(then, today), *_grades(then, today)])
    listed = list(islice(found, LISTED))
    return Differences(listed, sum(1 for _ in found))


def _facts(then: CourseKnownAt, today: CourseKnownAt) -> list[Difference]:
    """Return what of the patient bar is different: identity, product, infusion, ward and bed."""
    before, after = _shown(then), _shown(today)
    changed = [label for label in before if before[label] != after[label]]
    if not changed:
        return []
    notes = _notes(then, today.known_at)
    return [
        Difference(label, "", before[label], after[label], notes.get(label, ""))
        for label in changed
    ]


_BED: Final = "Bed"
_CLOSED: Final = "Course"
_LABELS: Final = {
    "name": "Name",
    "mrn": "MRN",
    "birth_date": "Birth date",
    "age_years": "Age",
    "sex": "Sex",
    "developmental_delay": "Developmental delay",
    "product": "Product",
    "infused_at": "Infusion",
}
"""What a correction of a column is about, as the list names it."""


def _shown(known: CourseKnownAt) -> dict[str, str]:
    course = known.course
    banner: Banner = banner_at(course, known.known_at)
    return {
        "Name": banner.name,
        "MRN": banner.mrn,
        "Birth date": _NONE if banner.birth_date is None else date_text(banner.birth_date),
        "Age": _NONE if course.age_years is None else f"{int(course.age_years)} y",
        "Sex": course.patient.get_sex_display(),
        "Developmental delay": fact_text("developmental_delay", course.patient.developmental_delay),
        "Product": banner.product,
        "Infusion": date_time_text(banner.infused_at),
        _BED: place_text(course.ward, course.bed),
        _CLOSED: "open" if known.closing is None else f"closed {moment_text(known.closing.at)}",
    }


def _notes(then: CourseKnownAt, until: datetime) -> dict[str, str]:
    """Return who changed each fact since, when and why: the last change of each."""
    notes: dict[str, str] = {}
    for correction in reversed(read_identity_corrections(then.course.pk)):
        if then.known_at < correction.recorded_at <= until:
            for column in correction.after:
                if column in _LABELS:
                    notes[_LABELS[column]] = (
                        f"Corrected {moment_text(correction.recorded_at)} by {correction.author}: "
                        f"“{correction.reason}”"
                    )
    for move in reversed(read_moves(then.course.pk)):
        if then.known_at < move.recorded_at <= until:
            why = f": “{move.reason}”" if move.reason else ""
            note = f"{moment_text(move.at)}, charted by {move.author}{why}"
            notes[_BED if move.what == "moved" else _CLOSED] = note
    return notes


def _entries(then: CourseKnownAt, today: CourseKnownAt) -> Iterator[Difference]:
    """Yield the entries that count no longer or otherwise, and those charted later for then."""
    kept = {row.pk for row in today.rows}
    gone = [row for row in then.rows if row.pk not in kept]
    known_then = {row.pk for row in then.rows}
    late = [
        row for row in today.rows
        if row.pk not in known_then and row.at <= then.known_at and row.replaces_id is None
    ]  # fmt: skip
    successors = {
        entry.replaces_id: entry
        for entry in corrections_recorded_between(then.course, then.known_at, today.known_at)
    }
    weights_then, weights = weights_among(then.rows), weights_among(today.rows)
    for row in gone:
        last = _last_of(row.pk, successors)
        if last is not None:
            yield _replaced(row, last, weights_then, weights)
    for row in late:
        how_late = late_text(row.at, row.recorded_at)
        note = f"Charted {moment_text(row.recorded_at)} by {row.author}"
        if how_late:
            note += f", {how_late.removeprefix('charted ')}"
        yield Difference(_label(row), moment_text(row.at), _NONE, _text(row, weights), note)


def _last_of(pk: uuid.UUID, successors: Mapping[uuid.UUID | None, Entry]) -> Entry | None:
    """Return what stands in the place of the entry ``pk`` today, over every correction."""
    last = successors.get(pk)
    while last is not None and last.pk in successors:
        last = successors[last.pk]
    return last


def _replaced(
    row: EntryRow,
    last: Entry,
    weights_then: Sequence[kinds.Weight],
    weights: Sequence[kinds.Weight],
) -> Difference:
    is_error = last.kind == EntryKind.RETRACTION
    author = last.act.author_name or last.recorded_by.display_name
    verb = "Marked as entered in error" if is_error else "Corrected"
    reason = reason_of(last)
    note = f"{verb} {moment_text(last.recorded_at)} by {author}"
    return Difference(
        _label(row),
        moment_text(row.at),
        _text(row, weights_then),
        "in error, not counted" if is_error else _text(entry_row_of(last), weights),
        f"{note}: “{reason}”" if reason else note,
    )


def _label(row: EntryRow) -> str:
    read = parse_entry(row)
    if isinstance(read, kinds.Vasopressor):
        return str(read.drug.label)
    return str(EntryKind(row.kind).label)


def _text(row: EntryRow, weights: Sequence[kinds.Weight]) -> str:
    read = parse_entry(row)
    weight = weight_at(weights, row.at) if isinstance(read, kinds.Vasopressor) else None
    return entry_text(read, weight)


def _grades(then: CourseKnownAt, today: CourseKnownAt) -> list[Difference]:
    return [
        Difference(
            "Grade",
            span_text(one.start, one.end),
            _NONE if one.before is None else str(one.before),
            _NONE if one.after is None else str(one.after),
            "",
        )
        for one in differences_between(runs_of(then.periods), runs_of(today.periods), then.known_at)
    ]
