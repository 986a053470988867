"""Write a course of the chart as a FHIR Bundle, as it was known at an instant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from grading.engine.algorithm import Reply
from grading.systems import HEADLINE
from patients.exchange.exported import exported
from patients.exchange.formats.charted import (
    Act,
    AnsweredItem,
    Author,
    ChartRecord,
    SourceMessage,
    StoredPeriod,
)
from patients.exchange.formats.fhir_write import bundle_of
from patients.models import Course
from patients.queries.acts import ActRow, PeriodRow, read_acts, read_periods
from patients.queries.export import CourseToExport, read_to_export
from patients.queries.guidance_answers import read_answers_then


def fhir_bundle(
    course: Course, known_at: datetime, *, current: bool = False, mrn_system: str = ""
) -> str:
    """Return the text of the Bundle of ``course`` as it was known at ``known_at``.

    ``current`` leaves replaced and retracted entries out. ``mrn_system`` is the identifier system
    of the record number, by default the site's. The same course and time give the same text.
    """
    read = read_to_export(course, HEADLINE, known_at)
    return bundle_of(
        exported(read).document,
        mrn_system=mrn_system or settings.MRN_SYSTEM,
        now=known_at,
        known_at=known_at,
        current=current,
        record=_record(read, known_at),
    )


def _record(read: CourseToExport, known_at: datetime) -> ChartRecord:
    course = read.course
    return ChartRecord(
        course_id=str(course.pk),
        patient_id=str(course.patient.pk),
        ward=course.ward,
        bed=course.bed,
        ended_at=course.ended_at,
        acts=[_act(row) for row in read_acts(course, known_at)],
        answers=list(_answers(course, known_at)),
        periods=list(_periods(read_periods(course, HEADLINE, known_at), known_at)),
    )


def _act(row: ActRow) -> Act:
    author = Author(*row.author, is_interface=row.is_interface)
    if not row.system:
        return Act(row.recorded_at, row.entries, author, row.reason)
    # Charted from the inbox: the system sent it, and a person looked at it.
    device = Author(row.system_username, row.system, "", is_interface=True)
    return Act(
        row.recorded_at,
        row.entries,
        device if not row.is_interface else author,
        row.reason,
        message=SourceMessage(row.system, row.control_id),
        verifier=None if row.is_interface else author,
    )


def _answers(course: Course, known_at: datetime) -> Iterator[AnsweredItem]:
    """Yield the answers to guidance in order of time, each with its author of then."""
    for one in reversed(read_answers_then(course.pk, known_at)):
        words = ": ".join(filter(None, (Reply(one.reply).label, one.reason)))
        yield AnsweredItem(
            one.code, one.recorded_at, words, Author("", one.author, one.author_role)
        )


def _periods(rows: list[PeriodRow], now: datetime) -> Iterator[StoredPeriod]:
    """Yield the periods that had begun by ``now``; the last of them ends there."""
    for row in rows:
        start, end = row.period.valid.lower, row.period.valid.upper
        if start > now:
            return
        yield StoredPeriod(
            start=start,
            end=now if end is None or end > now else end,
            grade=row.period.grade,
            at_most=row.period.at_most,
            criteria=row.period.findings["criteria"],
            unknown=row.period.findings["unknown"],
            ruleset=f"{row.period.system}/{row.period.ruleset_version}",
            policy_digest=row.policy_digest,
            known_from=row.known_from,
        )
