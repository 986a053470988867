"""Read what is exported: which courses, and each whole, as it was known at an instant.

Corrected and retracted entries are read too, so that a file answers what was known earlier.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from crs_app.accounts.models import Role, User, display_name_of
from grading.engine.grading_system import GradingSystem
from patients.models import Course, IdentityCorrection
from patients.queries.access import in_reach_of
from patients.queries.course_then import SQL_CHANGES_OF_COURSE, course_then
from patients.queries.identity import read_clock
from patients.queries.near import SQL_KNOWN_THEN
from patients.queries.policies import (
    SQL_POLICIES_DECIDED_THEN,
    PolicyPeriod,
    parse_policy_periods,
    policy_periods_for,
)

_COURSES_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Cohort:
    """Which courses are exported: those infused from ``since`` to ``until``, days at the site.

    ``wards`` are those where the patients are now; empty is all. ``only_closed`` leaves out what
    was open at ``known_at``.
    """

    since: date
    until: date
    known_at: datetime
    wards: tuple[int, ...] = ()
    only_closed: bool = False

    def has(self, read: CourseToExport) -> bool:
        """Return whether a course belongs to it by what was known of its infusion and end then."""
        infused_on = timezone.localdate(read.course.infused_at)
        is_left_out = self.only_closed and read.course.ended_at is None
        return self.since <= infused_on <= self.until and not is_left_out


class ExportEntry(NamedTuple):
    """An entry as it was charted; ``body`` has the keys of the course file."""

    id: str
    kind: str
    at: datetime
    recorded_at: datetime
    replaces: str | None
    body: Mapping[str, Any]
    author: str
    role: str


class GradeSpan(NamedTuple):
    """A grade and its bound over [``start``, ``end``) of clinical time; ``end`` None is open."""

    start: datetime
    end: datetime | None
    grade: int
    at_most: int
    ruleset_version: str


@dataclass(frozen=True, slots=True)
class CourseToExport:
    """A course as it was known: identity and place of then, every entry, policies and grades."""

    course: Course
    known_at: datetime
    entries: Sequence[ExportEntry]
    policy_periods: Sequence[PolicyPeriod]
    grades: Sequence[GradeSpan]


def read_latest_known() -> datetime:
    """Read the time up to which anything can have been recorded.

    That is the database's clock; the application's where it is ahead, as for an import.
    """
    return max(read_clock(), timezone.now())


def courses_of(cohort: Cohort, reader: User) -> QuerySet[Course]:
    """Query the courses that may belong to ``cohort`` and that ``reader`` may open.

    One whose identity was corrected since may have had another infusion then: it is read, and
    ``Cohort.has`` decides. The order is that of random ids, which tells nothing of the patients.
    """
    corrected_since = IdentityCorrection.objects.filter(
        course=OuterRef("pk"), recorded_at__gt=cohort.known_at
    )
    first = timezone.make_aware(datetime.combine(cohort.since, time.min))
    after = timezone.make_aware(datetime.combine(cohort.until + timedelta(days=1), time.min))
    courses = Course.objects.filter(
        in_reach_of(reader),
        Q(infused_at__gte=first, infused_at__lt=after) | Exists(corrected_since),
        admitted_at__lte=cohort.known_at,
    )
    if cohort.wards:
        courses = courses.filter(on_ward__in=cohort.wards)
    return courses.select_related("patient", "policy").order_by("pk")


def read_cohort(
    cohort: Cohort, reader: User, system: GradingSystem
) -> Generator[CourseToExport | None]:
    """Read one course after another, by a cursor of the server; None for one left by ``has``."""
    for course in courses_of(cohort, reader).iterator(chunk_size=_COURSES_AT_ONCE):
        read = read_to_export(course, system, cohort.known_at)
        yield read if cohort.has(read) else None


_SQL_COURSE: Final = (
    """
SELECT (
    SELECT CAST(json_agg(json_build_array(entry.id, entry.kind, entry.at, entry.recorded_at,
        entry.replaces_id, entry.body, author.username, author.first_name, author.last_name,
        act.author_name, act.author_role)
        ORDER BY entry.at, entry.recorded_at, entry.place) AS text)
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
        JOIN patients_chartingact AS act
            ON act.course_id = entry.course_id AND act.id = entry.act_id
    WHERE entry.course_id = %(course)s AND entry.recorded_at <= %(known_at)s
), (
    {decided}
), (
    SELECT CAST(json_agg(json_build_array(lower(period.valid), upper(period.valid), period.grade,
        period.at_most, period.ruleset_version) ORDER BY lower(period.valid)) AS text)
    FROM patients_gradeperiod AS period {known_then}
), (
    {changes}
)
""".replace("{changes}", SQL_CHANGES_OF_COURSE)
    .replace("{decided}", SQL_POLICIES_DECIDED_THEN)
    .replace("{known_then}", SQL_KNOWN_THEN)
)


def read_to_export(course: Course, system: GradingSystem, known_at: datetime) -> CourseToExport:
    """Read ``course`` as it was known at ``known_at``, in one statement."""
    params: dict[str, Any] = {
        "course": course.pk,
        "patient": course.patient_id,
        "system": system.key,
        "known_at": known_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL_COURSE, params)
        entries, decided, grades, changes = cursor.fetchone()
    return CourseToExport(
        course=course_then(course, changes, known_at).course,
        known_at=known_at,
        entries=[_entry(*row) for row in json.loads(entries or "[]", parse_float=Decimal)],
        policy_periods=policy_periods_for(course, parse_policy_periods(decided)),
        grades=[_span(*row) for row in json.loads(grades or "[]")],
    )


def _entry(*row: Any) -> ExportEntry:
    pk, kind, at, recorded_at, replaces, body, *names, kept_name, kept_role = row
    return ExportEntry(
        pk,
        kind,
        datetime.fromisoformat(at),
        datetime.fromisoformat(recorded_at),
        replaces,
        body,
        kept_name or display_name_of(*names),
        Role(kept_role).label if kept_role else "",
    )


def _span(start: str, end: str | None, grade: int, at_most: int, version: str) -> GradeSpan:
    ends = None if end is None else datetime.fromisoformat(end)
    return GradeSpan(datetime.fromisoformat(start), ends, grade, at_most, version)


_SQL_COURSES_OF_PRODUCT: Final = """
SELECT product, count(*) FROM (
    SELECT coalesce((
        SELECT correction.before ->> 'product' FROM patients_identitycorrection AS correction
        WHERE correction.course_id = course.id AND correction.recorded_at > %(known_at)s
            AND jsonb_exists(correction.after, 'product')
        ORDER BY correction.id LIMIT 1
    ), course.product) AS product
    FROM patients_course AS course
    WHERE EXISTS (SELECT FROM patients_chartingact AS act
        WHERE act.course_id = course.id AND act.received_at <= %(known_at)s)
) AS one GROUP BY product HAVING count(*) >= %(at_least)s
"""
"""Products as they were known; a course counts from when it was received, imported or not, so
that a later import of an old course changes no earlier export."""


def read_common_products(known_at: datetime, at_least: int) -> frozenset[str]:
    """Read the products that at least so many courses had, as was known at ``known_at``."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL_COURSES_OF_PRODUCT, {"known_at": known_at, "at_least": at_least})
        return frozenset(product for product, _ in cursor.fetchall())
