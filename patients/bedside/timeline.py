"""Read a page of the timeline, or single entries, and build their rows."""

from __future__ import annotations

import uuid
from collections.abc import Container, Sequence
from datetime import datetime

from grading.engine.entries import Weight
from grading.systems import HEADLINE
from patients.display.timeline import (
    GRADE_CHANGE,
    GUIDANCE,
    REVIEW,
    TRANSFER,
    Timeline,
    TimelineRow,
    answer_row,
    build_rows,
    build_timeline,
    change_row,
    move_row,
    review_row,
)
from patients.forms.registry import CORRECTION_FORMS
from patients.models import Entry
from patients.queries.guidance_answers import read_all_answers
from patients.queries.reviews import read_all_sign_offs
from patients.queries.status import read_weights_for
from patients.queries.timeline import (
    TimelinePosition,
    position_of,
    read_correction_chains,
    read_grade_changes,
    read_moves,
    read_timeline_page,
    timeline_entry,
)


def timeline_of(
    course_id: uuid.UUID,
    now: datetime,
    *,
    before: uuid.UUID | None = None,
    kind: str = "",
    can_correct: bool = False,
) -> Timeline:
    """Read a page of the timeline, newest first: all kinds or one, older than entry ``before``."""
    if kind == GRADE_CHANGE:
        changes = [
            change_row(one.at, one.before, one.grade, {"criteria": one.criteria})
            for one in read_grade_changes(course_id, now, HEADLINE)
        ]
        return Timeline(changes[::-1], "", kind)
    if kind == GUIDANCE:
        return Timeline([answer_row(answer) for answer in read_all_answers(course_id)], "", kind)
    if kind == TRANSFER:
        return Timeline([move_row(move) for move in read_moves(course_id)], "", kind)
    if kind == REVIEW:
        return Timeline([review_row(one) for one in read_all_sign_offs(course_id)], "", kind)
    after = None if before is None else position_of(course_id, before)
    page = read_timeline_page(course_id, now, HEADLINE, after=after, kind=kind)
    return build_timeline(page, kind, _correctable(can_correct))


def row_below(course_id: uuid.UUID, now: datetime, position: TimelinePosition) -> str | None:
    """Return the HTML id of the row directly below ``position``; None where nothing is older."""
    page = read_timeline_page(course_id, now, HEADLINE, after=position, rows=1)
    return next((row.key for row in build_timeline(page, "", frozenset()).rows), None)


def rows_of(
    course_id: uuid.UUID,
    entries: Sequence[Entry],
    *,
    can_correct: bool = False,
    is_new: bool = False,
    weights: Sequence[Weight] | None = None,
) -> list[TimelineRow]:
    """Build the rows of ``entries``, in their order, each with what it corrected.

    ``is_new``: they were recorded just now, so that nothing can have replaced them. ``weights`` are
    those in force; with None, the ones that are needed are read.
    """
    shown = [timeline_entry(entry, is_new=is_new) for entry in entries]
    chains = read_correction_chains(shown)
    if weights is None:
        weights = read_weights_for(course_id, [each.read for each in (*shown, *chains.values())])
    return build_rows(shown, chains, weights, _correctable(can_correct))


def _correctable(can_correct: bool) -> Container[str]:
    return frozenset(CORRECTION_FORMS) if can_correct else frozenset()
