"""Record what somebody states for the summary: the only writer of its table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from crs_app.accounts.permissions import check
from crs_app.accounts.rights import Act
from crs_app.metrics.counts import note_stored
from patients.display.text import clock_text
from patients.models import Course, StatedAbout, StatedAnswer, SummaryStatement
from patients.recording.inputs import ConflictError, Submission
from patients.recording.lock import lock_course


class StatedMeanwhileError(ConflictError):
    """Conflict: somebody else has stated it after the page was shown: ``statement``."""

    def __init__(self, by: SummaryStatement, now: datetime) -> None:
        super().__init__(
            f"{by.author_name} stated this at {clock_text(by.recorded_at, now)}. "
            "Look at that answer before you correct it."
        )
        self.statement = by


class StatementReusedError(ConflictError):
    """This form was sent before with other contents or by another user."""

    def __init__(self) -> None:
        super().__init__("This form was already sent with other contents. Reload the page.")


@dataclass(frozen=True, slots=True)
class NewStatement:
    """A statement that is not recorded yet; see ``SummaryStatement``.

    ``seen`` is the optimistic-lock token: the key of the statement that the page showed, 0 where it
    showed none.
    """

    about: StatedAbout
    answer: StatedAnswer
    seen: int
    on_day: date | None = None
    temperature_c: Decimal | None = None
    source: str = ""
    at: datetime | None = None
    words: str = ""
    confirmed: str = ""


@transaction.atomic
def state_fact(course: Course, new: NewStatement, submission: Submission) -> SummaryStatement:
    """Record a statement under the lock of the course; no grade depends on it.

    It replaces the latest one about the same question, which stays visible. The same ``form_id``
    again is a replay: it returns what was recorded. Raises StatedMeanwhileError and
    StatementReusedError.
    """
    by = submission.by
    check(by, Act.STATE_FACT, course)
    lock_course(course)
    every = SummaryStatement.objects.filter(course=course)
    before = every.filter(form_id=submission.form_id).first()
    if before is not None:
        return _replayed(before, new, submission)
    now = timezone.now()
    latest = every.filter(about=new.about).order_by("-pk").first()
    if latest is not None and latest.pk != new.seen:
        raise StatedMeanwhileError(latest, now)
    note_stored(again=False)
    return SummaryStatement.objects.create(
        course=course,
        form_id=submission.form_id,
        about=new.about,
        answer=new.answer,
        on_day=new.on_day,
        temperature_c=new.temperature_c,
        source=new.source,
        at=new.at,
        words=new.words,
        confirmed=new.confirmed,
        replaces=latest,
        recorded_at=now,
        recorded_by=by,
        author_name=by.display_name,
        author_role=by.role,
        by_emergency=submission.by_emergency,
    )


def _replayed(
    before: SummaryStatement, new: NewStatement, submission: Submission
) -> SummaryStatement:
    recorded = (before.about, before.answer, before.on_day, before.temperature_c, before.source,
                before.at, before.words, before.recorded_by_id)  # fmt: skip
    sent = (new.about, new.answer, new.on_day, new.temperature_c, new.source, new.at, new.words,
            submission.by.pk)  # fmt: skip
    if recorded != sent:
        raise StatementReusedError
    note_stored(again=True)
    return before
