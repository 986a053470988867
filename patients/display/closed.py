"""The notice of a course that is closed, or of a death: its page changes by no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grading.engine.sentences import inside_a_sentence
from patients.display.signature import signature_of
from patients.display.text import day_and_time_text
from patients.queries.courses import Closing


@dataclass(frozen=True, slots=True)
class ClosedNotice:
    """Why a course is no longer charted; ``by_death``: it is open, but the patient has died."""

    text: str
    by_death: bool = False

    @property
    def signature(self) -> str:
        return signature_of(self.text)


def closed_notice(
    closing: Closing | None, died_at: datetime | None, now: datetime
) -> ClosedNotice | None:
    """Build the notice of a closing, else of a death; None where there is neither."""
    if closing is not None:
        when = day_and_time_text(closing.at, now)
        parts = [f"Course closed {when}", inside_a_sentence(closing.reason.rstrip(". "))]
        if closing.author:
            parts.append(f"by {closing.author}")
        return ClosedNotice(", ".join(part for part in parts if part))
    if died_at is not None:
        return ClosedNotice(f"Died {day_and_time_text(died_at, now)}", by_death=True)
    return None
