"""Build the rows of the timeline: entries and all that happened between them."""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Final

from crs_app.accounts.system_users import is_of_system
from grading.engine import entries as grading_entries
from grading.engine.algorithm import Reply
from patients.display.assessment import grade_number
from patients.display.author import author_text, charted_by, received_from
from patients.display.grade_changes import cause_of
from patients.display.identity import change_texts, fact_label
from patients.display.places import move_text, place_text
from patients.display.sign_off import SignedNow, reason_text, signed_text, span_text
from patients.display.superseded import Superseded, superseded_by, weight_of_dose
from patients.display.text import attribution_text, clock_text, entry_text, late_text
from patients.models import (
    BY_EMERGENCY,
    MOVED_FROM,
    MOVED_TO,
    REASON,
    EntryKind,
    confirmed_of,
)
from patients.queries.course_changes import IdentityRow, MoveRow
from patients.queries.grades import GradeChangeRow
from patients.queries.guidance_answers import AnswerRow
from patients.queries.reviews import SignOff
from patients.queries.timeline import TimelineEntry, TimelinePage

GRADE_CHANGE: Final = "grade_change"
GUIDANCE: Final = "guidance"
TRANSFER: Final = "transfer"
REVIEW: Final = "review"
IDENTITY: Final = "identity"
SCALE_CHANGE: Final = "scale_change"
"""Kinds of timeline rows that are not entries."""
TIMELINE_KINDS: Final = (
    ("", "All"),
    (GRADE_CHANGE, "Grade changes"),
    (SCALE_CHANGE, "Changes of ASTCT and ICANS"),
    (GUIDANCE, "Answers to guidance"),
    (REVIEW, "Sign-offs"),
    (TRANSFER, "Ward and bed"),
    (IDENTITY, "Identity"),
    *((kind.value, kind.label) for kind in EntryKind if kind is not EntryKind.RETRACTION),
)
"""What the timeline can be filtered by, with its label."""
AS_TABLE: Final = "table"
"""What a page says it shows in the place of the timeline where that is the table."""
TABLE_PARAMETERS: Final = ("bin", "order", "end", "span")
"""What an address says of the columns of that table."""
_SHOWN_AS_TEXT: Final = (grading_entries.Note, grading_entries.NotObserved)


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a grade rested on when it changed.

    ``criteria`` are (grade, sentence, citation), ``unknown`` (grade that it could reach, sentence).
    """

    at_most: int
    criteria: tuple[tuple[int, str, str], ...]
    unknown: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """Row for an entry, a change of grade, an answer, a review, a move or a corrected identity.

    ``key`` is its HTML id. ``shown_grade`` and ``shown_before`` are the grades of a change as pages
    write them: "–" for a grade 0 that was not assessed. ``evidence`` is that of a change of grade.
    ``panel`` are the rows of laboratory results that were charted together, which one row stands
    for. ``received_from`` is the system that sent what a person charted. ``signed`` says whether a
    sign-off agrees with the grade that is computed now. ``by_emergency``: recorded under emergency
    access.
    """

    key: str
    at: datetime
    kind: str
    text: str
    icon_grade: int | None = None
    grade_before: int | None = None
    shown_grade: str = ""
    shown_before: str = ""
    author: str = ""
    author_role: str = ""
    recorded_at: datetime | None = None
    late_text: str = ""
    corrected: tuple[Superseded, ...] = ()
    retracted: bool = False
    retract_reason: str = ""
    note: str = ""
    moved_from: str = ""
    received_from: str = ""
    by_emergency: bool = False
    was_moved: bool = False
    attribution: str = "crs"
    attribution_text: str = ""
    attribution_reason: str = ""
    confirmed: tuple[str, ...] = ()
    can_correct: bool = False
    can_retract: bool = False
    entry_id: uuid.UUID | None = None
    evidence: Evidence | None = None
    panel: tuple[TimelineRow, ...] = ()
    signed: SignedNow | None = None

    @property
    def by(self) -> str:
        """The author, with the role at that time where it was kept."""
        return author_text(self.author, self.author_role)

    @property
    def cursor(self) -> str:
        """The place of the row for a page that ends with it; "" where no page can."""
        if self.kind == GRADE_CHANGE:
            return self.at.isoformat()
        lowest = self.panel[0] if self.panel else self
        return str(lowest.entry_id or "")


@dataclass(frozen=True, slots=True)
class Timeline:
    """Page of rows, newest first; ``older`` is the cursor of the next page, empty at the end.

    ``day`` is the last day shown, None for now.
    """

    rows: list[TimelineRow]
    older: str
    kind: str
    day: date | None = None


def build_timeline(
    page: TimelinePage,
    kind: str,
    correctable: Container[str],
    day: date | None = None,
    signed: Mapping[int, SignedNow] | None = None,
) -> Timeline:
    """Build the rows of a page, newest first.

    A change of grade is above the entries of the same time; answers, reviews and moves are among
    them.
    ``correctable`` are the kinds of entries that the user may correct; ``signed`` is how sign-offs
    stand now, by their key.
    """
    entries = build_rows(page.entries, page.chains, page.weights, correctable)
    older = str(entries[-1].entry_id) if page.has_older and entries else ""
    others = [
        *map(answer_row, page.answers),
        *map(move_row, page.moves),
        *(review_row(one, (signed or {}).get(one.pk)) for one in page.sign_offs),
        *map(identity_row, page.identities),
        *in_panels(entries),
    ]
    changes = map(change_row, page.grade_changes)
    rows = in_timeline_order([*changes, *others])
    return Timeline(rows, older, kind, day)


def in_panels(rows: Iterable[TimelineRow]) -> list[TimelineRow]:
    """Put laboratory results that were charted together into one row that opens.

    ``rows`` are those of entries, in order.
    """
    joined: list[TimelineRow] = []
    for (kind, *_), group in groupby(rows, key=lambda row: (row.kind, row.at, row.recorded_at)):
        together = list(group)
        if kind == EntryKind.LAB and len(together) > 1:
            joined.append(_panel_row(together))
        else:
            joined += together
    return joined


def _panel_row(results: Sequence[TimelineRow]) -> TimelineRow:
    """Build the row of ``results``, which stand in it in the order of their form."""
    first, in_order = results[0], results[::-1]
    names = ", ".join(row.text.split(" (")[0] for row in in_order if not row.retracted)
    return TimelineRow(
        key=first.key,
        at=first.at,
        kind=first.kind,
        text=f"{len(results)} results: {names}" if names else f"{len(results)} results",
        author=first.author,
        recorded_at=first.recorded_at,
        late_text=first.late_text,
        by_emergency=first.by_emergency,
        panel=tuple(replace(row, key=f"{row.key}-in-panel") for row in in_order),
    )


def in_timeline_order(rows: Iterable[TimelineRow]) -> list[TimelineRow]:
    """Sort newest first; of one time, changes of grade first, all else in the order of ``rows``."""
    changes_first = sorted(rows, key=lambda row: row.kind != GRADE_CHANGE)
    return sorted(changes_first, key=lambda row: row.at, reverse=True)


def build_rows(
    entries: Iterable[TimelineEntry],
    chains: Mapping[uuid.UUID, TimelineEntry],
    weights: Sequence[grading_entries.Weight],
    correctable: Container[str],
) -> list[TimelineRow]:
    """Build the rows of ``entries``, in their order.

    ``chains`` are the entries that they corrected, by id; ``weights`` convert doses.
    """
    return [
        _entry_row(one, superseded_by(one, chains, weights), weights, correctable)
        for one in entries
    ]


def row_key(kind: str, pk: object) -> str:
    """Return the HTML id of the row of what is stored under ``pk``."""
    return f"{kind}-{pk}"


def change_key(at: datetime) -> str:
    """Return the HTML id of the row of a change of grade."""
    return f"grade-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}"


def _entry_row(
    entry: TimelineEntry,
    corrected: tuple[Superseded, ...],
    weights: Sequence[grading_entries.Weight],
    correctable: Container[str],
) -> TimelineRow:
    row, read, retraction = entry.row, entry.read, entry.retraction
    tags = attribution_text(read)
    can_retract = bool(correctable) and retraction is None
    return TimelineRow(
        key=row_key("entry", row.pk),
        at=row.at,
        kind=row.kind,
        text=entry_text(read, weight_of_dose(entry, weights)),
        author=charted_by(row),
        author_role="" if is_of_system(row.username) else row.kept_role,
        recorded_at=row.recorded_at,
        late_text=late_text(row.at, row.recorded_at),
        corrected=corrected,
        retracted=retraction is not None,
        retract_reason=retraction or "",
        note="" if isinstance(read, _SHOWN_AS_TEXT) else read.note,
        moved_from=entry.answers.get(MOVED_FROM, ""),
        received_from=received_from(entry.answers),
        by_emergency=BY_EMERGENCY in entry.answers,
        was_moved=(retraction or "").startswith(MOVED_TO),
        attribution=read.attribution.value,
        attribution_text=tags,
        attribution_reason=entry.answers.get(REASON, "")
        if tags or row.kind == EntryKind.DEATH
        else "",
        confirmed=tuple(confirmed_of(entry.answers, entry.place)),
        can_correct=can_retract and row.kind in correctable,
        can_retract=can_retract,
        entry_id=row.pk,
    )


def change_row(change: GradeChangeRow) -> TimelineRow:
    """Build the row of a change of grade, with its cause and everything that the grade rests on."""
    at = change.at
    return TimelineRow(
        key=change_key(at),
        at=at,
        kind=GRADE_CHANGE,
        icon_grade=change.grade,
        grade_before=change.before,
        shown_grade=grade_number(change.grade, assessed=change.assessed),
        shown_before=grade_number(change.before, assessed=change.assessed_before),
        text=cause_of(change),
        evidence=_evidence(change),
    )


def _evidence(change: GradeChangeRow) -> Evidence:
    return Evidence(
        at_most=change.at_most,
        criteria=tuple(
            (item["grade"], item["explanation"], item["citation"])
            for item in change.findings["criteria"]
        ),
        unknown=tuple((item["could_reach"], item["why"]) for item in change.findings["unknown"]),
    )


def answer_row(answer: AnswerRow) -> TimelineRow:
    """Build the row of an answer to guidance."""
    return TimelineRow(
        key=row_key("answer", answer.pk),
        at=answer.recorded_at,
        kind=GUIDANCE,
        text=f"{answer_text(answer)} · {answer.summary}",
        author=answer.author,
        recorded_at=answer.recorded_at,
        by_emergency=answer.by_emergency,
    )


_REPLY_TEXTS: Final = {Reply.NOT_APPROPRIATE.value: "Not suitable"}


def answer_text(answer: AnswerRow) -> str:
    """Return the answer as text: "Not now, asks again at 13:18", "Not suitable: other cause"."""
    reply = _REPLY_TEXTS.get(answer.reply) or Reply(answer.reply).label
    if answer.returns_at is not None:
        return f"{reply}, asks again at {clock_text(answer.returns_at, answer.recorded_at)}"
    return f"{reply}: {answer.reason}" if answer.reason else reply


def move_row(move: MoveRow) -> TimelineRow:
    """Build the row of a move, an end or a reopening of a course."""
    return TimelineRow(
        key=row_key("transfer", move.pk),
        at=move.at,
        kind=TRANSFER,
        text=move_text(move.what, place_text(*move.before), place_text(*move.after)),
        author=move.author,
        recorded_at=move.recorded_at,
        late_text=late_text(move.at, move.recorded_at),
        note=move.reason,
        by_emergency=move.by_emergency,
    )


def review_row(sign_off: SignOff, signed: SignedNow | None) -> TimelineRow:
    """Build the row of a sign-off, with the role that its author had.

    ``signed`` is how it stands now; without it the row says what was signed then.
    """
    span = span_text(sign_off.start, sign_off.end)
    text = signed_text(sign_off) if signed is None else signed.text
    return TimelineRow(
        key=row_key("review", sign_off.pk),
        at=sign_off.recorded_at,
        kind=REVIEW,
        text=f"Review: {text} · {span}",
        author=author_text(sign_off.author_name, sign_off.author_role),
        recorded_at=sign_off.recorded_at,
        note=reason_text(sign_off),
        signed=signed,
    )


def identity_row(correction: IdentityRow) -> TimelineRow:
    """Build the row of a correction of the identity."""
    columns = [column for column in correction.after if column != "infused_offset_seconds"]
    texts = change_texts(correction.before, correction.after)
    return TimelineRow(
        key=row_key("identity", correction.pk),
        at=correction.recorded_at,
        kind=IDENTITY,
        text="; ".join(
            f"{fact_label(column)} corrected: {before} → {after}"
            for column, (before, after) in zip(columns, texts, strict=True)
        ),
        author=correction.author,
        recorded_at=correction.recorded_at,
        note=correction.reason,
        by_emergency=correction.by_emergency,
    )
