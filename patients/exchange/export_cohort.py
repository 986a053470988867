"""Write a cohort course by course, and note how far it is."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from crs_app.accounts.models import User
from grading.systems import HEADLINE
from patients.exchange.deidentified import (
    FEWEST_OF_PRODUCT,
    ExportKey,
    NeonateError,
    deidentified,
)
from patients.exchange.exported import Document, ExportedCourse, exported
from patients.exchange.tables import cohort_head, cohort_line, entry_lines
from patients.models import CohortExport, Course
from patients.queries.export import (
    Cohort,
    CourseToExport,
    courses_of,
    read_cohort,
    read_common_products,
    read_to_export,
)

SHOWN: Final = 5
_NOTED_EVERY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Writing:
    """How courses are written: ``key`` None is identified."""

    key: ExportKey | None
    is_json: bool
    common_products: frozenset[str] = frozenset()

    @classmethod
    def of(cls, key: ExportKey | None, known_at: datetime, *, is_json: bool) -> Writing:
        """Return how courses are written, with the products that are common enough to be shown."""
        if key is None:
            return cls(None, is_json)
        return cls(key, is_json, read_common_products(known_at, FEWEST_OF_PRODUCT))

    def course_of(self, read: CourseToExport) -> ExportedCourse:
        """Return what is written of a course; raises NeonateError."""
        course = exported(read)
        return course if self.key is None else deidentified(course, self.key, self.common_products)

    @property
    def is_identified(self) -> bool:
        return self.key is None


def course_lines(course: Course, known_at: datetime, writing: Writing) -> Iterator[str]:
    """Return the lines of the file of one course; raises NeonateError before the first."""
    shown = writing.course_of(read_to_export(course, HEADLINE, known_at))
    if writing.is_json:
        return iter([f"{_json(shown.document, indent=2)}\n"])
    return entry_lines(shown, is_identified=writing.is_identified)


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
            yield cohort_head(is_identified=writing.is_identified)
        with closing(read_cohort(cohort, reader, HEADLINE)) as courses:
            for read in courses:
                run.looked_at += 1
                line = "" if read is None else _line(run, read, writing)
                if line:
                    yield line
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


def _line(run: CohortExport, read: CourseToExport, writing: Writing) -> str:
    try:
        course = writing.course_of(read)
    except NeonateError:
        run.left_out += 1
        return ""
    run.written += 1
    if writing.is_json:
        return f"{_json(course.document, separators=(',', ':'))}\n"
    return cohort_line(course, is_identified=writing.is_identified)


def _note(run: CohortExport) -> None:
    CohortExport.objects.filter(pk=run.pk).update(
        looked_at=run.looked_at,
        written=run.written,
        left_out=run.left_out,
        ended_at=run.ended_at,
        is_whole=run.is_whole,
    )


def _json(document: Document, **layout: Any) -> str:
    return json.dumps(document, ensure_ascii=False, default=str, **layout)
