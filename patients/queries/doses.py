"""Read the doses of a course that another entry is checked against."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime

from grading.engine.dose_limits import ConvertedRate, converted_rates, newly_impossible
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.entries import Vasopressor
from grading.engine.vocabulary import TreatmentAgent
from patients.models import Course, Entry, EntryKind
from patients.queries.entries import not_replaced, parse_entries, rates_and_weights


def rates_made_impossible(
    course: Course, *, replaced: Collection[uuid.UUID], new: Iterable[ChartedEntry]
) -> list[ConvertedRate]:
    """Return the rates that ``new`` weights and rates bring beyond their hard limit.

    ``replaced`` are the ids of entries that are corrected or retracted.
    """
    entries = parse_entries(rates_and_weights(course.pk))
    gone = {str(pk) for pk in replaced}
    kept = [entry for entry in entries if entry.id not in gone]
    # The sort is stable: what is charted now is the last of its instant.
    after = sorted([*kept, *new], key=lambda entry: entry.at)
    if not any(isinstance(entry, Vasopressor) for entry in after):
        return []
    return newly_impossible(
        converted_rates(entries, course.infused_at), converted_rates(after, course.infused_at)
    )


def times_given(
    course: Course, agent: TreatmentAgent, *, apart_from: uuid.UUID | None
) -> tuple[datetime, ...]:
    """Read the times of the doses of ``agent`` in force, but for the entry ``apart_from``."""
    doses = Entry.objects.filter(
        not_replaced(), course=course, kind=EntryKind.TREATMENT, body__agent=agent.value
    )
    others = doses if apart_from is None else doses.exclude(pk=apart_from)
    return tuple(others.order_by("at").values_list("at", flat=True))
