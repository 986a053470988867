"""The inputs of recording, and the errors that it raises."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.metrics.counts import note_refusal
from grading.engine.dose_limits import ConvertedRate
from grading.engine.entries import Entry as GradingEntry
from grading.engine.times import time_of_day
from grading.engine.vasopressors import rate_text
from patients.models import ActSource, ChartingAct, Entry
from patients.queries.laboratory import ReportedLimits


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry to be recorded, with ``body`` in the keys of the course file.

    ``replaces`` is the id of the entry that it corrects or retracts. ``id`` is set by what brings
    entries from elsewhere; None lets the recorder make it of the form, by ``id_in_form``.
    ``parsed`` is the grading entry of ``body`` where a form has parsed it already; None lets the
    recorder parse it.
    ``by_clock``: no time was typed, and ``at`` is by the clock of the application. The recorder
    stores a time of just now by the clock of the act.
    """

    kind: str
    at: datetime
    body: Mapping[str, Any]
    replaces: uuid.UUID | None = None
    id: uuid.UUID | None = None
    parsed: GradingEntry | None = field(default=None, compare=False)
    by_clock: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """One sent form: its author and its idempotency key ``form_id``.

    ``request_digest`` tells a replay from other contents under the same key. ``answers`` are stored
    with the act: reasons, and questions that were confirmed. ``recorded_at`` is set by an import
    alone. ``limits`` are limits of normal reported with results; they are remembered for the next
    patient. ``by_emergency``: the author has opened the patient by emergency access. ``message_id``
    is the message of another system of which the act charts something.
    """

    by: User
    form_id: uuid.UUID
    request_digest: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    source: ActSource = ActSource.BEDSIDE
    recorded_at: datetime | None = None
    limits: Sequence[ReportedLimits] = ()
    by_emergency: bool = False
    message_id: uuid.UUID | None = None


def id_in_form(form_id: uuid.UUID, course_id: uuid.UUID, place: int) -> uuid.UUID:
    """Return the id of the entry at ``place`` of a form.

    It follows from the form alone. A form that is sent again to a restored server makes the entry
    that a correction of it names.
    """
    return uuid.uuid5(form_id, f"{course_id}:{place}")


class ConflictError(Exception):
    """Nothing is stored: someone else was first, or the form was used before.

    ``sentence`` is the message for the user, ``reason`` the word by which it is counted.
    """

    reason = "conflict"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        note_refusal(self.reason)


class CourseClosedError(ConflictError):
    """The course was closed before the form was sent."""

    reason = "closed"

    def __init__(self) -> None:
        super().__init__("This course is closed. Reopen it to chart on it.")


class ReplacedAlreadyError(ConflictError):
    """The entry to correct or retract has a successor already: ``successor``, by someone else."""

    reason = "replaced"

    def __init__(self, successor: Entry) -> None:
        super().__init__("Someone else has corrected or retracted this entry.")
        self.successor = successor


class FormReusedError(ConflictError):
    """This form was saved before, with other contents or by another user.

    ``act`` is what was recorded then; ``by`` is the user who sent the form now. ``fact`` is the
    sentence without what to do about it.
    """

    reason = "form_reused"

    def __init__(self, act: ChartingAct, by: User) -> None:
        other = act.recorded_by
        self.fact = (
            "You already saved this form with other contents."
            if other.pk == by.pk
            else f"{other.display_name} already saved this form."
        )
        super().__init__(f"{self.fact} Open the form again.")
        self.act = act


class ImpossibleRateError(ConflictError):
    """A weight and a rate that were sent in the same moment bring the rate beyond its hard limit.

    ``sentence`` names the rate.
    """

    reason = "rate_impossible"

    def __init__(self, rate: ConvertedRate) -> None:
        why = "" if rate.impossible is None else rate.impossible.sentence
        super().__init__(
            f"{rate.entry.drug.label} {rate_text(rate.entry)}: {why}. Someone else "
            "entered a weight or a rate just now."
        )


class AheadOfClockError(ConflictError):
    """A typed time is ahead of the clock of the database, which differs from the application's."""

    reason = "ahead_of_clock"

    def __init__(self, clock: datetime) -> None:
        shows = time_of_day(timezone.localtime(clock))
        super().__init__(
            f"This time is ahead of the database's clock ({shows}). "
            "Enter an earlier time or leave it empty, and call the help desk: the clocks differ."
        )
