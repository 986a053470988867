"""How a course is written into an export: which part, CSV or JSON, identified or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import TextChoices
from django.utils import timezone

from grading.systems import HEADLINE
from patients.exchange.deidentified import (
    FEWEST_OF_PRODUCT,
    ExportKey,
    Mask,
    deidentified,
    mask_of,
)
from patients.exchange.exported import Document, ExportedCourse, exported
from patients.exchange.stated_rows import stated_document, stated_head, stated_lines
from patients.exchange.summary_rows import summary_document, summary_head, summary_lines
from patients.exchange.tables import cohort_head, cohort_line
from patients.queries.export import CourseToExport, read_common_products
from patients.queries.stated import StatedOfCourse, read_stated
from patients.summary.read import read_summaries
from patients.summary.summary import Summary


class ExportPart(TextChoices):
    """What of a course is written; each is a file of its own."""

    CHART = "chart", "Chart and grades"
    SUMMARY = "summary", "Episode summary, item by item"
    STATED = "stated", "Sign-offs, answers to advice, statements"


@dataclass(frozen=True, slots=True)
class Writing:
    """How courses are written: ``key`` None is identified.

    ``form`` is the form and revision that a reader fills in from the summaries.
    """

    key: ExportKey | None
    is_json: bool
    part: ExportPart = ExportPart.CHART
    form: str = ""
    common_products: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, key: ExportKey | None, known_at: datetime, part: ExportPart, form: str, *,
        is_json: bool,
    ) -> Writing:  # fmt: skip
        """Return how courses are written, with the products that are common enough to be shown."""
        common: frozenset[str] = frozenset()
        if key is not None and part is ExportPart.CHART:
            common = read_common_products(known_at, FEWEST_OF_PRODUCT)
        return cls(key, is_json, part, form, common)

    @property
    def is_identified(self) -> bool:
        return self.key is None

    def course_of(self, read: CourseToExport) -> ExportedCourse:
        """Return the chart that is written of a course; raises NeonateError."""
        course = exported(read)
        return course if self.key is None else deidentified(course, self.key, self.common_products)

    def head(self) -> str:
        """Return the first line of a CSV file."""
        if self.part is ExportPart.SUMMARY:
            return summary_head(is_identified=self.is_identified)
        if self.part is ExportPart.STATED:
            return stated_head(is_identified=self.is_identified)
        return cohort_head(is_identified=self.is_identified)

    def lines_of(self, read: CourseToExport) -> Iterator[str]:
        """Return the lines of one course in a CSV file; raises NeonateError before the first."""
        if self.part is ExportPart.CHART:
            return iter([cohort_line(self.course_of(read), is_identified=self.is_identified)])
        course = exported(read)
        mask = mask_of(course, self.key)
        if self.part is ExportPart.STATED:
            return stated_lines(course, _stated_of(read), mask)
        return summary_lines(course, _summaries_of(read, course, mask), mask, self.form)

    def document_of(self, read: CourseToExport) -> Document:
        """Return one course as JSON has it; raises NeonateError."""
        if self.part is ExportPart.CHART:
            return self.course_of(read).document
        course = exported(read)
        mask = mask_of(course, self.key)
        if self.part is ExportPart.STATED:
            return stated_document(course, _stated_of(read), mask)
        return summary_document(course, _summaries_of(read, course, mask), mask, self.form)


def as_json(document: Document, **layout: Any) -> str:
    return json.dumps(document, ensure_ascii=False, default=str, **layout)


def _stated_of(read: CourseToExport) -> StatedOfCourse:
    return read_stated(read.course.pk, HEADLINE, read.known_at)


def _summaries_of(read: CourseToExport, course: ExportedCourse, mask: Mask) -> list[Summary]:
    """Read the summaries up to where the grades of an export are counted.

    De-identified, calendar days are those of UTC: midnight at the site would tell the season.
    """
    zone = timezone.get_default_timezone() if mask.is_identified else UTC
    return read_summaries(read.course, read.known_at, course.graded_until, zone)
