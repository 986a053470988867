"""Read where a course is now: grade, bound, open questions, and the weights that doses rest on."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from grading.engine import entries as grading_entries
from grading.engine.checkpoint import ResumePoint
from grading.engine.facts import Baseline, CourseFacts
from grading.engine.vasopressors import needs_weight
from grading.service import CurrentStatus, regrade
from grading.systems import HEADLINE
from patients.models import Course, Entry, EntryKind
from patients.models.charted_times import ONE_TICK
from patients.queries.entries import (
    EntryRow,
    course_facts,
    infusion_and_weights,
    parse_entries,
    parse_entry,
    split_by_use,
    weights_in_force,
)
from patients.queries.grades import EntryAuthor, GradeHistory, read_grade_history
from patients.queries.guidance_answers import AnswerRow
from patients.queries.known_at import CourseKnownAt
from patients.queries.snapshot import read_for_page


@dataclass(frozen=True, slots=True)
class CourseStatus:
    """The status of a course at an instant, read from its latest checkpoint and later entries.

    ``current`` is the status that the engine computes. Guidance needs ``for_guidance``, the entries
    that it rests on, and ``answers``, the latest to each of its items. ``recorded`` is text that
    changes with every act and transfer. ``clock`` is the database's, None as of an earlier time.
    ``graded_from`` is what the status was computed from.
    """

    course: Course
    current: CurrentStatus
    baseline: Baseline
    for_guidance: Sequence[EntryRow]
    answers: Mapping[str, AnswerRow]
    recorded: str
    clock: datetime | None = None
    graded_from: GradedFrom | None = None


class GradedFrom(NamedTuple):
    """What the engine was given: the course's facts, and its entries from ``resume`` on."""

    facts: CourseFacts
    entries: Sequence[grading_entries.Entry]
    resume: ResumePoint | None


def read_course_status(course: Course, now: datetime) -> CourseStatus:
    """Compute the status of ``course`` at ``now``; never cached."""
    snapshot = read_for_page(course, now, HEADLINE)
    entries = parse_entries(snapshot.in_force)
    facts = course_facts(course, snapshot.policy_periods)
    current = regrade(facts, entries, resume=snapshot.resume, now=now, system=HEADLINE).status
    if current is None:
        raise ValueError("a course was regraded without an instant")
    baselines = [entry for entry in entries if isinstance(entry, grading_entries.BaselineFacts)]
    baseline = facts.baseline.with_entries(baselines)
    return CourseStatus(
        course,
        current,
        baseline,
        snapshot.for_guidance,
        snapshot.answers,
        snapshot.recorded,
        snapshot.clock,
        GradedFrom(facts, entries, snapshot.resume),
    )


def status_with(
    course: Course, now: datetime, extra: Sequence[grading_entries.Entry]
) -> CurrentStatus:
    """Compute what the status at ``now`` would be if ``extra`` were charted too; nothing is stored.

    Read from the last checkpoint before the first of them.
    """
    first = min((entry.at - ONE_TICK for entry in extra), default=now)
    snapshot = read_for_page(course, min(first, now), HEADLINE)
    facts = course_facts(course, snapshot.policy_periods)
    entries = [*parse_entries(snapshot.in_force), *extra]
    status = regrade(facts, entries, resume=snapshot.resume, now=now, system=HEADLINE).status
    if status is None:
        raise ValueError("a course was regraded without an instant")
    return status


def status_known_at(known: CourseKnownAt, at: datetime) -> CourseStatus:
    """Compute the status of a course at ``at`` from what was known of it at another instant."""
    resume = None if known.near is None else known.near.resume
    after = None if resume is None else resume.at
    in_force, for_guidance = split_by_use(known.course, known.rows, after=after)
    needed = [row for row in in_force if row.at <= at or row.kind == EntryKind.BASELINE]
    entries = parse_entries(needed)
    current = regrade(known.facts, entries, resume=resume, now=at, system=HEADLINE).status
    if current is None:
        raise ValueError("a course was regraded without an instant")
    baselines = [entry for entry in entries if isinstance(entry, grading_entries.BaselineFacts)]
    return CourseStatus(
        known.course,
        current,
        known.facts.baseline.with_entries(baselines),
        [row for row in for_guidance if row.at <= at],
        known.answers_by(at),
        recorded=known.known_at.isoformat(),
        graded_from=GradedFrom(known.facts, entries, resume),
    )


def read_history_for(
    course_id: uuid.UUID,
    status: CurrentStatus,
    new: Iterable[grading_entries.Entry] = (),
    *,
    act: uuid.UUID | None = None,
    shows_grade_0: bool = False,
) -> GradeHistory:
    """Read grades, authors and weights that a page shows with ``status`` and ``new`` entries.

    ``act`` is the act that recorded ``new``. ``shows_grade_0``: an earlier grade 0 is shown too.
    """
    latest = status.latest.values()
    shown_ids = {entry.id for entry in latest}
    return read_grade_history(
        course_id,
        status.at,
        HEADLINE,
        shown_ids.union(*(criterion.evidence for criterion in status.criteria)),
        weights_since=earliest_weight_dose([*latest, *new]),
        apart_from_act=act,
        wants_assessed=shows_grade_0 or status.grade == 0,
    )


def read_authors(entry_ids: Iterable[str]) -> dict[str, EntryAuthor]:
    """Read who charted these entries and their clinical times, by the id of the entry."""
    ids = list(entry_ids)
    if not ids:
        return {}
    entries = Entry.objects.filter(pk__in=ids).select_related("recorded_by").defer("body")
    return {str(e.pk): EntryAuthor(e.recorded_by.display_name, e.at) for e in entries}


def read_weights_for(
    course_id: uuid.UUID, read: Iterable[grading_entries.Entry]
) -> list[grading_entries.Weight]:
    """Read the weights that a running dose among the entries is converted with, else none."""
    since = earliest_weight_dose(read)
    return [] if since is None else read_weights(course_id, since)


def earliest_weight_dose(read: Iterable[grading_entries.Entry]) -> datetime | None:
    """Return when the earliest running dose that is converted with a charted weight began."""
    doses = [
        e.at
        for e in read
        if isinstance(e, grading_entries.Vasopressor)
        and e.runs
        and e.weight_kg is None
        and needs_weight(e.drug, e.unit)
    ]
    return min(doses, default=None)


def read_weights(course_id: uuid.UUID, since: datetime) -> list[grading_entries.Weight]:
    """Read the weight in force at ``since`` and every later one, in order."""
    return weights_among(weights_in_force(course_id, since))


def weights_among(rows: Iterable[EntryRow]) -> list[grading_entries.Weight]:
    """Return the weights among ``rows`` as grading entries."""
    return [entry for entry in parse_entries(rows) if isinstance(entry, grading_entries.Weight)]


def read_infusion_before(
    course_id: uuid.UUID, at: datetime, drug: str, correcting: Entry | None
) -> tuple[grading_entries.Vasopressor | None, list[grading_entries.Weight]]:
    """Read the last entry in force about ``drug`` up to ``at`` and the weights from its time on.

    The entry is None for the first of a drug. ``correcting`` is passed over: the entry at ``at``
    replaces it.
    """
    apart_from = correcting.pk if correcting is not None else None
    row, weights = infusion_and_weights(course_id, at, drug, apart_from=apart_from)
    parsed = parse_entry(row) if row is not None else None
    before = parsed if isinstance(parsed, grading_entries.Vasopressor) else None
    return before, weights_among(weights)
