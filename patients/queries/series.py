"""Read the values over time of a course, as they were known at an instant."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from grading.engine.trace import Trace
from grading.service import trace_of
from grading.systems import HEADLINE
from patients.models import Course
from patients.queries.flowsheet import FlowsheetData
from patients.queries.known_at import CourseKnownAt, read_known_at


class CourseValues(NamedTuple):
    """A course as known at an instant, and the values that grading had of it up to ``until``."""

    known: CourseKnownAt
    trace: Trace
    until: datetime


def read_course_values(course: Course, known_at: datetime, until: datetime) -> CourseValues:
    """Read the values of ``course`` up to ``until`` as known at ``known_at``; one statement."""
    return values_of(read_known_at(course, HEADLINE, known_at), until)


def values_of(known: CourseKnownAt, until: datetime) -> CourseValues:
    """Return the values of a course that was read already, up to ``until``."""
    return CourseValues(known, trace_of(known.facts, known.entries, until), until)


def values_of_window(data: FlowsheetData, until: datetime) -> CourseValues:
    """Return the values of the window of ``data`` up to ``until``, and those that last into it.

    Answers to guidance are left out: nothing of them is plotted.
    """
    in_force = [one.row for one in (*data.held, *data.entries) if one.retraction is None]
    known = CourseKnownAt(
        course=data.course,
        known_at=data.instant,
        rows=in_force,
        policy_periods=data.policy_periods,
        answers=(),
        periods=data.periods,
        closing=data.closing,
    )
    trace = trace_of(data.facts, [*data.in_force, *data.weights], until)
    return CourseValues(known, trace, until)
