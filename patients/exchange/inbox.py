"""Decide about held items: chart what is proposed, chart it by a form, or set it aside.

Each function is one act. It locks the course, so that two people never decide about one item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.metrics.counts import note_stored
from patients.models import (
    FROM_KIND,
    FROM_SYSTEM,
    ChartingAct,
    Course,
    Decided,
    HeldDecision,
    HeldItem,
)
from patients.queries.held import items_to_decide
from patients.recording.inputs import ConflictError, NewEntry, Submission
from patients.recording.lock import course_queue, lock_course
from patients.recording.record import RecordingResult, append_act, check_open


class DecidedBeforeError(ConflictError):
    """Somebody decided about one of the items before; ``decision`` is the first of these."""

    def __init__(self, decision: HeldDecision) -> None:
        done = {
            Decided.CHARTED: "already saved this",
            Decided.DISMISSED: "already set this aside",
            Decided.MAPPED: "said what this code means: it is proposed again",
            Decided.CLOSED: "sent this again, or withdrew it",
        }[Decided(decision.what)]
        super().__init__(f"{decision.author_name} {done}.")
        self.decision = decision


class GoneError(ConflictError):
    """An item that was pressed on is not one of this patient."""

    def __init__(self) -> None:
        super().__init__("This is not waiting for this patient any more. Reload the page.")


def chart_items(
    course: Course,
    items: Sequence[HeldItem],
    new_entries: Sequence[NewEntry],
    submission: Submission,
) -> RecordingResult:
    """Chart ``new_entries`` for ``items``: one act, by the person who looked at them.

    The same form again is a replay. Raises DecidedBeforeError, and what ``record_entries`` raises.
    """
    with course_queue(course.pk), transaction.atomic(durable=True):
        ended_at = lock_course(course)
        check_open(course, ended_at, submission)
        held = _read_again(course, items)
        is_replay = course.acts.filter(form_id=submission.form_id).exists()
        if not is_replay:
            _check_undecided(held)
        result = append_act(course, new_entries, _with_source(submission, held))
        if not is_replay:
            _decide(held, Decided.CHARTED, submission.by, act=result.act)
        return result


def dismiss_items(course: Course, items: Sequence[HeldItem], why: str, by: User) -> None:
    """Set ``items`` of ``course`` aside with a reason; nothing is charted.

    Items that the same person set aside before stay so. Raises DecidedBeforeError.
    """
    with course_queue(course.pk), transaction.atomic(durable=True):
        lock_course(course)
        held = _read_again(course, items)
        left = [one for one in held if not _is_set_aside_by(one, by)]
        _check_undecided(left)
        _decide(left, Decided.DISMISSED, by, why=why)
        note_stored(again=not left)


def _read_again(course: Course, items: Sequence[HeldItem]) -> list[HeldItem]:
    held = items_to_decide(course, [item.pk for item in items])
    if not held or len(held) != len({item.pk for item in items}):
        raise GoneError
    return held


def _check_undecided(held: Sequence[HeldItem]) -> None:
    for item in held:
        if hasattr(item, "decision"):
            raise DecidedBeforeError(item.decision)


def _is_set_aside_by(item: HeldItem, by: User) -> bool:
    decision = getattr(item, "decision", None)
    return decision is not None and decision.what == Decided.DISMISSED and decision.by_id == by.pk


def _with_source(submission: Submission, held: Sequence[HeldItem]) -> Submission:
    system = held[0].message.system
    source: Mapping[str, Any] = {FROM_SYSTEM: system.name, FROM_KIND: system.kind}
    return replace(
        submission,
        answers={**submission.answers, **source},
        message_id=held[0].message_id,
    )


def _decide(
    held: Sequence[HeldItem],
    what: Decided,
    by: User,
    *,
    why: str = "",
    act: ChartingAct | None = None,
) -> None:
    now = timezone.now()
    HeldDecision.objects.bulk_create(
        HeldDecision(
            item=item,
            what=what,
            by=by,
            author_name=by.display_name,
            author_role=by.role,
            at=now,
            why=why,
            act=act,
        )
        for item in held
    )
