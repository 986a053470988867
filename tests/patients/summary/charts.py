"""Charts of a summary from course documents, without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from grading.course_file import read_course
from grading.engine.entries import BaselineFacts, in_force
from grading.service import regrade, trace_of
from patients.display.assessment import first_assessed_at
from patients.queries.grades import GradePeriodRow
from patients.summary.facts import SummaryChart


def chart_of(document: Mapping[str, Any] | bytes, until: datetime) -> SummaryChart:
    """What the summary reads of a course file, known up to ``until``."""
    course = read_course(document)
    entries = [
        one for one in in_force(course.entries) if one.at <= until or isinstance(one, BaselineFacts)
    ]
    entries.sort(key=lambda one: (one.at, one.recorded_at))
    periods = [
        GradePeriodRow(
            None, one.start, one.end, one.grade, one.at_most, one.findings_json(), one.version, 0
        )
        for one in regrade(course.facts, entries).periods
    ]
    return SummaryChart(
        infused_at=course.facts.infused_at.astimezone(UTC),
        entries=entries,
        periods=periods,
        trace=trace_of(course.facts, entries, until),
        until=until,
        assessed_since=first_assessed_at(entries, course.facts.infused_at),
        zone=UTC,
    )
