"""Record an answer to guidance, with the treatment that it charts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from grading.engine.algorithm import Item, Reply
from grading.systems import HEADLINE
from patients.display.timeline import answer_text
from patients.guidance.advice import Advice, advice_for_course
from patients.models import Course, EntryKind, GuidanceAnswer
from patients.queries.guidance_answers import AnswerRow, answer_row_of
from patients.recording.inputs import ConflictError, NewEntry, Submission
from patients.recording.record import RecordingResult, append_act, lock_course


class NoLongerAdvisedError(ConflictError):
    """The chart has changed since the page was shown: the item is not advised now."""

    def __init__(self) -> None:
        super().__init__("This is not advised any more: look at the chart.")


class AnsweredMeanwhileError(ConflictError):
    """Someone else has answered the item since the page was shown."""

    def __init__(self, answer: AnswerRow) -> None:
        super().__init__(f"{answer.author} has answered this meanwhile: {answer_text(answer)}.")


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """An answer as it was given. ``seen`` is the answer that its page showed, None for none.

    ``treatment`` is what *done* charts; ``returns_after`` goes with *not now*.
    """

    code: str
    reply: Reply
    seen: uuid.UUID | None = None
    reason: str = ""
    returns_after: timedelta | None = None
    treatment: NewEntry | None = None


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """The answer as it was kept, and what its act put on the chart."""

    recorded: RecordingResult
    answer: AnswerRow


@transaction.atomic
def record_answer(course: Course, given: NewAnswer, sending: Submission) -> RecordedAnswer:
    """Keep an answer with the treatment that it charts, and regrade.

    Sent again under the same ``form_id``, answers as before and records nothing. Raises
    NoLongerAdvisedError, AnsweredMeanwhileError, and FormReusedError as ``recording.record`` does.
    """
    lock_course(course.pk)
    drafts: Sequence[NewEntry] = () if given.treatment is None else (given.treatment,)
    if course.acts.filter(form_id=sending.form_id).exists():
        recorded = append_act(course, drafts, sending)
        return RecordedAnswer(recorded, _recorded_before(recorded))
    advised = advice_for_course(course, timezone.now())
    item = _item_to_answer(advised, given)
    recorded = append_act(course, drafts, sending)
    return RecordedAnswer(recorded, _store(recorded, advised, item, given))


def _item_to_answer(advised: Advice, given: NewAnswer) -> Item:
    item = next((item for item in advised.items if item.code == given.code), None)
    if item is None or given.reply not in item.answers:
        raise NoLongerAdvisedError
    latest = advised.answers.get(given.code)
    if latest is not None and latest.pk != given.seen:
        raise AnsweredMeanwhileError(latest)
    return item


def _recorded_before(recorded: RecordingResult) -> AnswerRow:
    return answer_row_of(GuidanceAnswer.objects.select_related("recorded_by").get(act=recorded.act))


def _store(recorded: RecordingResult, advised: Advice, item: Item, given: NewAnswer) -> AnswerRow:
    act, status = recorded.act, advised.status
    charted = next((e for e in recorded.entries if e.kind == EntryKind.TREATMENT), None)
    returns_at = None if given.returns_after is None else act.recorded_at + given.returns_after
    stored = GuidanceAnswer.objects.create(
        course=recorded.course,
        act=act,
        code=item.code,
        summary=item.summary,
        grade=status.grade or 0,
        at_most=status.at_most or 0,
        ruleset_version=HEADLINE.version,
        reply=given.reply.value,
        reason=given.reason,
        returns_at=returns_at,
        treatment=charted,
        recorded_at=act.recorded_at,
        recorded_by=act.recorded_by,
    )
    return answer_row_of(stored)
