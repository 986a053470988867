"""Record an answer to guidance, with the treatment that it charts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from grading.engine.algorithm import Item, Reply
from grading.systems import HEADLINE
from patients.display.timeline import answer_text
from patients.guidance.advice import Advice, advice_for_course
from patients.models import Course, EntryKind, GuidanceAnswer
from patients.queries.courses import now_for
from patients.queries.guidance_answers import AnswerRow, answer_row_of
from patients.recording.inputs import ConflictError, NewEntry, Submission
from patients.recording.lock import lock_course
from patients.recording.record import RecordingResult, append_act, check_open


class NoLongerAdvisedError(ConflictError):
    """Conflict: the item is not advised any more; the chart changed after the page was shown.

    ``charts``: the answer would have charted a treatment.
    """

    def __init__(self, *, charts: bool = False) -> None:
        treated = " Enter what the patient received under Treatment." if charts else ""
        super().__init__(f"This is not advised any more: look at the chart.{treated}")


class AnsweredMeanwhileError(ConflictError):
    """Conflict: someone else answered the item after the page was shown."""

    def __init__(self, answer: AnswerRow) -> None:
        super().__init__(f"{answer.author} has answered this already: {answer_text(answer)}.")


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """Answer to an item that is not recorded yet.

    ``seen`` is the optimistic-lock token: the id of the answer that the page showed, None where it
    showed none. ``shown_grade`` is the grade that the page showed, None where it did not say it.
    ``treatment`` is the entry that *done* charts; *not now* has ``returns_after``.
    """

    code: str
    reply: Reply
    seen: uuid.UUID | None = None
    shown_grade: int | None = None
    reason: str = ""
    returns_after: timedelta | None = None
    treatment: NewEntry | None = None


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """Recorded answer, and the result of the act that it was recorded with."""

    result: RecordingResult
    answer: AnswerRow


@transaction.atomic
def record_answer(course: Course, answer: NewAnswer, submission: Submission) -> RecordedAnswer:
    """Record an answer to guidance with the treatment that it charts, and regrade the course.

    A replay under the same ``form_id`` (the idempotency key) returns the recorded answer and
    records nothing. Raises NoLongerAdvisedError, AnsweredMeanwhileError, and FormReusedError as
    ``recording.record`` does.
    """
    check_open(course, lock_course(course), submission)
    new_entries: Sequence[NewEntry] = () if answer.treatment is None else (answer.treatment,)
    if course.acts.filter(form_id=submission.form_id).exists():
        result = append_act(course, new_entries, submission)
        return RecordedAnswer(result, _answer_of_act(result))
    advice = advice_for_course(course, now_for(course))
    item = _check_can_answer(advice, answer)
    result = append_act(course, new_entries, submission)
    return RecordedAnswer(result, _store(result, advice, item, answer))


def _check_can_answer(advice: Advice, answer: NewAnswer) -> Item:
    """Return the item that ``answer`` is for, checked under the course's lock."""
    item = next((item for item in advice.items if item.code == answer.code), None)
    if item is None or answer.reply not in item.answers:
        raise NoLongerAdvisedError(charts=answer.treatment is not None)
    latest = advice.answers.get(answer.code)
    if latest is not None and latest.pk != answer.seen:
        raise AnsweredMeanwhileError(latest)
    return item


def _answer_of_act(result: RecordingResult) -> AnswerRow:
    """Read the answer that a replayed form recorded the first time."""
    return answer_row_of(GuidanceAnswer.objects.select_related("recorded_by").get(act=result.act))


def _store(result: RecordingResult, advice: Advice, item: Item, answer: NewAnswer) -> AnswerRow:
    act, status = result.act, advice.status
    grade = status.grade or 0
    if answer.shown_grade is not None:
        # A rise that the page did not show yet asks again, as one after the answer does.
        grade = min(grade, answer.shown_grade)
    charted = next((e for e in result.entries if e.kind == EntryKind.TREATMENT), None)
    returns_at = None if answer.returns_after is None else act.recorded_at + answer.returns_after
    stored = GuidanceAnswer.objects.create(
        course=result.course,
        act=act,
        code=item.code,
        summary=item.summary,
        grade=grade,
        at_most=status.at_most or 0,
        ruleset_version=HEADLINE.version,
        reply=answer.reply.value,
        reason=answer.reason,
        returns_at=returns_at,
        treatment=charted,
        recorded_at=act.recorded_at,
        recorded_by=act.recorded_by,
    )
    return answer_row_of(stored)
