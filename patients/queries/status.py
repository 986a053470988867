"""Read where a course is now: grade, bound, open questions, and the weights that doses rest on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from grading.engine import entries as grading_entries
from grading.engine.facts import Baseline
from grading.engine.vasopressors import needs_weight
from grading.service import Standing, regrade
from patients.models import Course, Entry
from patients.queries.entries import (
    EntryRow,
    all_charted,
    charted,
    facts_of,
    infusion_and_weights,
    weights_in_force,
)
from patients.queries.grades import Author, Held, grades_held
from patients.queries.guidance_answers import AnswerRow
from patients.queries.snapshot import resumed


@dataclass(frozen=True, slots=True)
class Reading:
    """A course as it stands at an instant, read from its latest checkpoint and what came after.

    ``for_guidance`` and ``answers`` are what guidance needs beside the standing.
    """

    course: Course
    standing: Standing
    baseline: Baseline
    for_guidance: Sequence[EntryRow]
    answers: Mapping[str, AnswerRow]


def reading_of(course: Course, now: datetime) -> Reading:
    """Where ``course`` stands at ``now``: computed, never cached."""
    read = resumed(course, now)
    entries = all_charted(read.in_force)
    facts = facts_of(course, read.rulings)
    standing = regrade(facts, entries, resume=read.resume, now=now).standing
    if standing is None:
        raise ValueError("a course was regraded without an instant to stand at")
    said = [entry for entry in entries if isinstance(entry, grading_entries.BaselineFacts)]
    baseline = facts.baseline.with_entries(said)
    return Reading(course, standing, baseline, read.for_guidance, read.answers)


def held_beside(
    course_id: uuid.UUID, standing: Standing, new: Iterable[grading_entries.Entry] = ()
) -> Held:
    """Grades, authors and weights that the page tells beside ``standing`` and ``new`` entries."""
    latest = standing.latest.values()
    shown_ids = {entry.id for entry in latest}
    return grades_held(
        course_id,
        standing.at,
        shown_ids.union(*(criterion.evidence for criterion in standing.criteria)),
        weights_since=reckoned_since([*latest, *new]),
    )


def authors_of(entry_ids: Iterable[str]) -> dict[str, Author]:
    """Who charted these entries, and for when."""
    ids = list(entry_ids)
    if not ids:
        return {}
    entries = Entry.objects.filter(pk__in=ids).select_related("recorded_by").defer("body")
    return {str(e.pk): Author(e.recorded_by.display_name, e.at) for e in entries}


def weights_for(
    course_id: uuid.UUID, read: Iterable[grading_entries.Entry]
) -> list[grading_entries.Weight]:
    """The weights of the course that a running dose among the entries needs, else none."""
    since = reckoned_since(read)
    return [] if since is None else weights_of(course_id, since)


def reckoned_since(read: Iterable[grading_entries.Entry]) -> datetime | None:
    """The earliest running dose among the entries that is reckoned with a charted weight."""
    reckoned = [
        e.at
        for e in read
        if isinstance(e, grading_entries.Vasopressor)
        and e.runs
        and e.weight_kg is None
        and needs_weight(e.drug, e.unit)
    ]
    return min(reckoned, default=None)


def weights_of(course_id: uuid.UUID, since: datetime) -> list[grading_entries.Weight]:
    """The weight that held at ``since`` and those after it, as far as in force, in order."""
    return weights_among(weights_in_force(course_id, since))


def weights_among(rows: Iterable[EntryRow]) -> list[grading_entries.Weight]:
    """The weights among ``rows``, as grading reads them."""
    return [entry for entry in all_charted(rows) if isinstance(entry, grading_entries.Weight)]


def infusion_before(
    course_id: uuid.UUID, at: datetime, drug: str, correcting: Entry | None
) -> tuple[grading_entries.Vasopressor | None, list[grading_entries.Weight]]:
    """The entry in force about ``drug`` that one at ``at`` follows, None for the first; weights.

    The weights are those that held from then on. ``correcting`` is the entry whose place the one
    at ``at`` takes.
    """
    apart_from = correcting.pk if correcting is not None else None
    row, weights = infusion_and_weights(course_id, at, drug, apart_from=apart_from)
    read = charted(row) if row is not None else None
    before = read if isinstance(read, grading_entries.Vasopressor) else None
    return before, weights_among(weights)
