"""Preview what a correction of an identity, or a join, would change; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from grading.engine.algorithm import Item
from grading.engine.vocabulary import EARLIEST
from grading.systems import HEADLINE
from patients.display.grade_differences import (
    ComparedHistory,
    ExplainedDifference,
    GradeAndBound,
    GradedInterval,
    deciding_sentences,
    explain,
)
from patients.guidance.advice import advice_for_course, advice_for_status
from patients.models import Course, GradePeriod
from patients.queries.ages import age_at_infusion
from patients.queries.assessed import read_assessed_since
from patients.queries.entries import EntryRow
from patients.queries.grades import GradeInterval, periods_known_at, periods_known_now
from patients.queries.identity import read_clock, read_state_of_courses
from patients.queries.status import read_course_status
from patients.recording.identity import GradedAs, grade_as, policies_decided_again


class GuidanceChange(NamedTuple):
    """An item of guidance before and after; "" where there is none."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CourseEffect:
    """What would change in one course, as it is (``course``) and as it would be (``changed``).

    ``now_before_infusion`` and ``now_after_infusion`` count the entries that an infusion time moves
    to the other side of it.
    """

    course: Course
    changed: Course
    grade_before: GradeAndBound
    grade_after: GradeAndBound
    differences: Sequence[ExplainedDifference]
    guidance: Sequence[GuidanceChange]
    now_before_infusion: int
    now_after_infusion: int

    @property
    def grade_changes(self) -> int:
        """The number of intervals whose grade changes."""
        return sum(one.changes_grade for one in self.differences)

    @property
    def ages(self) -> tuple[int, int]:
        """Age in completed years at the infusion, before and after."""
        return age_at_infusion(self.course), age_at_infusion(self.changed)

    @property
    def is_empty(self) -> bool:
        """Whether neither grades nor guidance change."""
        return not (self.differences or self.guidance)


def effects_of(courses: Sequence[Course], changed: Iterable[Course]) -> list[CourseEffect]:
    """Return what would change in each of ``courses``, which become ``changed``.

    Now is when the act would be recorded: by the clock of the database, and never before the last
    act of the course.
    """
    clock = read_clock()
    last = {course_id: at for course_id, _, _, at in read_state_of_courses(courses)}
    return [
        _effect(one, other, max(clock, last[one.pk] or clock))
        for one, other in zip(courses, changed, strict=True)
    ]


def _effect(course: Course, changed: Course, now: datetime) -> CourseEffect:
    graded = grade_as(changed, now, policies_decided_again(course, changed.infused_at))
    before = _history(course, periods_known_now(course, HEADLINE))
    after = ComparedHistory(
        [
            GradedInterval(
                period.start,
                period.end,
                GradeAndBound(period.grade, period.at_most),
                deciding_sentences(period.findings_json(), period.grade),
            )
            for period in graded.periods
        ],
        read_assessed_since(course.pk, changed.infused_at),
    )
    since = min(course.infused_at, changed.infused_at)
    shown_at = now if course.ended_at is None else course.ended_at
    moved_before, moved_after = _entries_that_change_sides(graded.entries.in_force, course, changed)
    return CourseEffect(
        course,
        changed,
        before.at(shown_at),
        after.at(shown_at),
        explain(before, after, since),
        _guidance_changes(course, changed, graded, now),
        moved_before,
        moved_after,
    )


def differences_since(course: Course, at: datetime) -> list[ExplainedDifference]:
    """Return where the history that the chart has now differs from that known at ``at``."""
    before = _history(course, periods_known_at(course, HEADLINE, at))
    return explain(before, _history(course, periods_known_now(course, HEADLINE)), EARLIEST)


def grade_of(course: Course, at: datetime) -> GradeAndBound:
    """Return the grade of ``course`` at ``at``, as the chart has it now."""
    return _history(course, periods_known_now(course, HEADLINE)).at(at)


def _history(course: Course, periods: Iterable[GradePeriod]) -> ComparedHistory:
    intervals = [
        GradedInterval(
            row.valid.lower,
            row.valid.upper,
            GradeAndBound(row.grade, row.at_most),
            deciding_sentences(row.findings, row.grade),
        )
        for row in periods
    ]
    return ComparedHistory(intervals, read_assessed_since(course.pk, course.infused_at))


def _entries_that_change_sides(
    rows: Sequence[EntryRow], course: Course, changed: Course
) -> tuple[int, int]:
    first, second = course.infused_at, changed.infused_at
    return (
        sum(first <= row.at < second for row in rows),
        sum(second <= row.at < first for row in rows),
    )


def _guidance_changes(
    course: Course, changed: Course, graded: GradedAs, now: datetime
) -> list[GuidanceChange]:
    """Return the items that differ now; a course that has ended has none."""
    if course.ended_at is not None:
        return []
    intervals = [
        GradeInterval(one.start, one.end, one.grade) for one in graded.periods if one.start <= now
    ]
    answers = read_course_status(course, now).answers
    before = {item.code: _item_text(item) for item in advice_for_course(course, now).items}
    for_guidance = graded.entries.for_guidance
    advice = advice_for_status(changed, graded.status, intervals, for_guidance, answers)
    after = {item.code: _item_text(item) for item in advice.items}
    return [
        GuidanceChange(*_shown(before.get(code), after.get(code)))
        for code in [*before, *(code for code in after if code not in before)]
        if before.get(code) != after.get(code)
    ]


def _item_text(item: Item) -> tuple[str, str]:
    return item.summary, item.detail


def _shown(before: tuple[str, str] | None, after: tuple[str, str] | None) -> tuple[str, str]:
    """Return the summaries, with the details where only these differ."""
    if before is not None and after is not None and before[0] == after[0]:
        return f"{before[0]}: {before[1]}", f"{after[0]}: {after[1]}"
    return before[0] if before else "", after[0] if after else ""
