"""Read the doses of a course that another entry is checked against."""

from __future__ import annotations

import uuid
from datetime import datetime

from grading.engine.dose_limits import ConvertedRate, converted_rates, newly_impossible
from grading.engine.entries import Vasopressor, Weight
from grading.engine.vocabulary import TreatmentAgent
from patients.models import Course, Entry, EntryKind
from patients.queries.entries import not_replaced, parse_entries, rates_and_weights


def rates_made_impossible(
    course: Course, *, replaced: uuid.UUID | None, weight: Weight | None
) -> list[ConvertedRate]:
    """Return the charted rates that a change of weight brings beyond their hard limit.

    ``weight`` is the new weight, None where ``replaced`` is only taken away.
    """
    entries = parse_entries(rates_and_weights(course.pk))
    if not any(isinstance(entry, Vasopressor) for entry in entries):
        return []
    after = [entry for entry in entries if replaced is None or entry.id != str(replaced)]
    if weight is not None:
        # The sort is stable: what is charted now is the last of its instant.
        after = sorted([*after, weight], key=lambda entry: entry.at)
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
