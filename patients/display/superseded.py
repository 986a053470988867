"""Entries that were corrected, as the timeline shows them below the entry in force."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from grading.engine.entries import Vasopressor, Weight
from patients.display.author import charted_by
from patients.display.text import entry_text, weight_at
from patients.queries.timeline import TimelineEntry


@dataclass(frozen=True, slots=True)
class Superseded:
    """Entry that was corrected: its text; reason, author and time of the correction."""

    old_text: str
    reason: str
    author: str
    at: datetime


def weight_of_dose(entry: TimelineEntry, weights: Sequence[Weight]) -> Decimal | None:
    """Return the weight that converts the dose of ``entry``; None where it is no infusion."""
    if isinstance(entry.read, Vasopressor):
        return weight_at(weights, entry.row.at)
    return None


def superseded_by(
    entry: TimelineEntry,
    chains: Mapping[uuid.UUID, TimelineEntry],
    weights: Sequence[Weight],
) -> tuple[Superseded, ...]:
    """Follow the chain of corrections behind ``entry``, latest first."""
    corrected, correction = [], entry
    while correction.row.replaces_id is not None:
        old = chains[correction.row.replaces_id]
        corrected.append(
            Superseded(
                old_text=entry_text(old.read, weight_of_dose(old, weights)),
                reason=correction.reason,
                author=charted_by(correction.row),
                at=correction.row.recorded_at,
            )
        )
        correction = old
    return tuple(corrected)
