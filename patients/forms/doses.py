"""What doses are checked against: the weight at their time, and the doses charted before."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.entries import Treatment, Weight
from grading.engine.plausibility import Circumstances
from grading.engine.vasopressors import rate_text
from grading.engine.vocabulary import TreatmentAgent
from patients.display.text import clock_text, weight_at
from patients.models import Course, Entry
from patients.queries.doses import rates_made_impossible, times_given
from patients.queries.status import read_weights


def with_weight(circumstances: Circumstances, course: Course, at: datetime) -> Circumstances:
    """Return ``circumstances`` with the weight that was charted at or before ``at``."""
    weights = [weight for weight in read_weights(course.pk, at) if weight.at <= at]
    return replace(circumstances, weight_kg=weight_at(weights, at))


def of_a_treatment(
    circumstances: Circumstances, course: Course, entry: ChartedEntry, correcting: Entry | None
) -> Circumstances:
    """Return ``circumstances`` with the weight, and the other doses of tocilizumab."""
    if not isinstance(entry, Treatment):
        return circumstances
    circumstances = with_weight(circumstances, course, entry.at)
    if entry.agent is not TreatmentAgent.TOCILIZUMAB:
        return circumstances
    corrected = correcting.pk if correcting is not None else None
    given_at = times_given(course, entry.agent, apart_from=corrected)
    return replace(circumstances, given_at=given_at)


def refusals_of_a_weight(
    course: Course, now: datetime, *, replaced: uuid.UUID | None, weight: Weight | None
) -> Iterator[SafeString]:
    """Give a sentence, with a link, for each charted rate that a weight makes impossible.

    ``weight`` is None for a retraction: then another weight takes its place.
    """
    gone = [] if replaced is None else [replaced]
    new = [] if weight is None else [weight]
    for rate in rates_made_impossible(course, replaced=gone, new=new):
        if rate.impossible is not None:
            yield format_html(
                '{} {}, charted {}: {}. <a href="{}">Correct this rate</a> first.',
                rate.entry.drug.label,
                rate_text(rate.entry),
                clock_text(rate.entry.at, now),
                rate.impossible.sentence,
                reverse("patients:correct", args=[course.pk, rate.entry.id]),
            )
