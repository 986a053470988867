"""Write a course, or a cohort course by course, and note how far it is."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import chain
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.exchange.deidentified import NeonateError
from patients.exchange.tables import entry_lines
from patients.exchange.writing import ExportPart, Writing, as_json
from patients.models import CohortExport, Course
from patients.queries.export import (
    Cohort,
    CourseToExport,
    courses_of,
    read_cohort,
    read_to_export,
)

SHOWN: Final = 5
_NOTED_EVERY_S: Final = 0.5


def course_lines(course: Course, known_at: datetime, writing: Writing) -> Iterator[str]:
    """Return the lines of the file of one course; raises NeonateError before the first."""
    read = read_to_export(course, HEADLINE, known_at)
    if writing.is_json:
        return iter([f"{as_json(writing.document_of(read), indent=2)}\n"])
    if writing.part is ExportPart.CHART:
        return entry_lines(writing.course_of(read), is_identified=writing.is_identified)
    return chain([writing.head()], writing.lines_of(read))


def begin(run: uuid.UUID | None, by: User, words: str, cohort: Cohort) -> CohortExport:
    """Store that a cohort is about to be sent; a run that exists already gets another id."""
    pk = run if run and not CohortExport.objects.filter(pk=run).exists() else uuid.uuid4()
    courses = courses_of(cohort, by).count()
    return CohortExport.objects.create(
        pk=pk, by=by, words=words, courses=courses, begun_at=timezone.now()
    )


def cohort_lines(
    run: CohortExport, cohort: Cohort, reader: User, writing: Writing
) -> Iterator[str]:
    """Yield the lines of the file of a cohort, one course in memory at a time."""
    noted_at = time.monotonic()
    try:
        if not writing.is_json:
            yield writing.head()
        with closing(read_cohort(cohort, reader, HEADLINE)) as courses:
            for read in courses:
                run.looked_at += 1
                if read is not None:
                    yield from _lines(run, read, writing)
                if time.monotonic() - noted_at > _NOTED_EVERY_S:
                    _note(run)
                    noted_at = time.monotonic()
        run.is_whole = True
    finally:
        run.ended_at = timezone.now()
        _note(run)


def read_run(run_id: uuid.UUID, by: User) -> CohortExport | None:
    """Read one export of a user; None where there is none yet."""
    return CohortExport.objects.filter(pk=run_id, by=by).first()


def latest_runs(by: User) -> QuerySet[CohortExport]:
    """Query the latest exports of a user."""
    return CohortExport.objects.filter(by=by).order_by("-begun_at")[:SHOWN]


def _lines(run: CohortExport, read: CourseToExport, writing: Writing) -> Iterable[str]:
    try:
        if writing.is_json:
            document = writing.document_of(read)
            lines: Iterable[str] = [f"{as_json(document, separators=(',', ':'))}\n"]
        else:
            lines = writing.lines_of(read)
    except NeonateError:
        run.left_out += 1
        return ()
    run.written += 1
    return lines


def _note(run: CohortExport) -> None:
    CohortExport.objects.filter(pk=run.pk).update(
        looked_at=run.looked_at,
        written=run.written,
        left_out=run.left_out,
        ended_at=run.ended_at,
        is_whole=run.is_whole,
    )
