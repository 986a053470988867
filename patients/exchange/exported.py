"""What an export says of one course: its course file, its grades, and who and where.

Plain values: the file of a course, the row of a cohort and both of them de-identified are made of
these alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from grading.course_file import FORMAT, FORMAT_2
from grading.format_2 import needs_format_2
from grading.systems import HEADLINE
from patients.queries.exchange import ROW_KEYS
from patients.queries.export import CourseToExport, ExportEntry, GradeSpan

Document = dict[str, Any]


class Author(NamedTuple):
    """Who charted an entry, by name and role of then."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class ExportedCourse:
    """One course in plain values.

    ``document`` is its course file, with times in UTC but the infusion's. ``ended_at`` is when it
    had been closed; ``graded_until`` the time up to which its grades are counted. ``ward``, ``bed``
    and ``authors``, by the id of the entry, are empty where the course is de-identified.
    """

    id: str
    patient_id: str
    document: Document
    grades: Sequence[GradeSpan]
    graded_until: datetime
    ended_at: datetime | None
    ward: str
    bed: str
    authors: Mapping[str, Author]
    system: str = HEADLINE.key


def exported(read: CourseToExport) -> ExportedCourse:
    """Return what an export says of a course."""
    course = read.course
    return ExportedCourse(
        id=str(course.pk),
        patient_id=str(course.patient.pk),
        document=_document(read),
        grades=read.grades,
        graded_until=_graded_until(read),
        ended_at=course.ended_at,
        ward=course.ward,
        bed=course.bed,
        authors={entry.id: Author(entry.author, entry.role) for entry in read.entries},
    )


def in_utc(instant: datetime) -> str:
    """Return an instant as the files write it."""
    return instant.astimezone(UTC).isoformat()


def plain_number(number: Decimal) -> str:
    """Return a number as exact text, without an exponent or needless zeros."""
    return f"{number.normalize():f}"


def _document(read: CourseToExport) -> Document:
    course, patient = read.course, read.course.patient
    # Nothing is graded before the infusion: of the policies that began by then the last one holds.
    begun = [one for one in read.policy_periods if one.valid_from <= course.infused_at]
    later = read.policy_periods[len(begun) :]
    facts: Document = {"mrn": patient.mrn, "name": patient.name}
    if patient.birth_date is not None:
        facts["birth_date"] = patient.birth_date.isoformat()
    elif course.age_years is not None:
        facts["age_years"] = plain_number(course.age_years)
    facts["sex"] = patient.sex
    if patient.developmental_delay is not None:
        facts["developmental_delay"] = patient.developmental_delay
    document: Document = {
        "format": FORMAT,
        "patient": facts,
        "therapy": {"product": course.product, "infused_at": course.infused_there.isoformat()},
        "policy": begun[-1].policy.values(),
    }
    if later:
        document["later_policies"] = [
            {"from": in_utc(one.valid_from), "policy": one.policy.values()} for one in later
        ]
    document["entries"] = [_entry(entry) for entry in read.entries]
    if needs_format_2(document):
        document["format"] = FORMAT_2
    return document


def _entry(entry: ExportEntry) -> Document:
    words: Document = {
        "id": entry.id,
        "kind": entry.kind,
        "at": in_utc(entry.at),
        "recorded_at": in_utc(entry.recorded_at),
    }
    if entry.replaces is not None:
        words["replaces"] = entry.replaces
    return words | {key: value for key, value in entry.body.items() if key not in ROW_KEYS}


def _graded_until(read: CourseToExport) -> datetime:
    """Return the end of the course; of an open one the last that was charted or that changed.

    The time known at is never the end: in a de-identified file it would tell the offset.
    """
    end = read.known_at if read.course.ended_at is None else read.course.ended_at
    if read.grades and read.grades[-1].end is not None:
        end = min(end, read.grades[-1].end)
    if read.course.ended_at is not None:
        return end
    moments = [one for entry in read.entries for one in (entry.at, entry.recorded_at)]
    moments += [span.start for span in read.grades]
    return max((one for one in moments if one <= end), default=read.course.infused_at)
