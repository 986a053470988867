"""Read the rows of the ward board, and the stamp by which an unchanged board is known."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils import timezone

from crs_app.accounts.models import User, display_name_of
from crs_app.accounts.permissions import wards_to_read
from crs_app.search_words import Place, found_by
from grading.engine.grading_system import GradingSystem
from patients.models import Course
from patients.queries.access import SQL_OPENED_PATIENTS
from patients.queries.assessed import sql_assessed_since
from patients.queries.grades import sql_known_now
from patients.queries.identity import former_mrns
from patients.queries.reviews import SIGNED_AGAIN_AFTER


class OpenCourse(NamedTuple):
    """An open course as the board names it, and ``stamp``, which says what else is known of it.

    Entries, corrections, answers and policies change the stamp, and so do sign-offs and an entry
    charted ahead of its time when that has come. The clock alone does not.
    """

    course_id: uuid.UUID
    ward: str
    bed: str
    product: str
    infused_at: datetime
    age_years: Decimal | None
    name: str
    mrn: str
    birth_date: date | None
    sex: str
    stamp: tuple[object, ...]


class ClosedCourse(NamedTuple):
    """A course that has ended: grades at its end, and who closed it and why, "" where unknown.

    A grade 0 that was not ``assessed`` is not shown.
    """

    course_id: uuid.UUID
    name: str
    mrn: str
    ward: str
    bed: str
    product: str
    infused_at: datetime
    ended_at: datetime
    grade: int | None
    at_most: int | None
    highest: int | None
    assessed: bool
    reason: str
    closed_by: str


SQL_CLOSED_COURSES: Final = (
    """
SELECT course.id, patient.name, patient.mrn, course.ward, course.bed, course.product,
    course.infused_at, course.ended_at, at_end.grade, at_end.at_most, highest.grade,
    {assessed} IS NOT NULL, coalesce(closing.reason, ''), author.username, author.first_name,
    author.last_name
FROM patients_course AS course
JOIN patients_patient AS patient ON patient.id = course.patient_id
LEFT JOIN LATERAL (
    SELECT grade, at_most FROM patients_gradeperiod
    WHERE course_id = course.id AND system = %(system)s AND {known_now}
        AND lower(valid) <= course.ended_at
    ORDER BY lower(valid) DESC LIMIT 1
) AS at_end ON true
LEFT JOIN LATERAL (
    SELECT max(grade) AS grade FROM patients_gradeperiod
    WHERE course_id = course.id AND system = %(system)s AND {known_now}
        AND lower(valid) <= course.ended_at
) AS highest ON true
LEFT JOIN LATERAL (
    SELECT reason, recorded_by_id FROM patients_transfer
    WHERE course_id = course.id AND what = 'ended' ORDER BY recorded_at DESC LIMIT 1
) AS closing ON true
LEFT JOIN accounts_user AS author ON author.id = closing.recorded_by_id
WHERE course.ended_at IS NOT NULL AND (%(ward)s = '' OR course.ward = %(ward)s)
    AND (%(found)s::uuid[] IS NULL OR course.id = ANY(%(found)s::uuid[]))
    AND (%(wards)s::bigint[] IS NULL OR course.on_ward_id = ANY(%(wards)s::bigint[])
        OR course.patient_id IN ({opened}))
ORDER BY course.ended_at DESC, course.id LIMIT %(limit)s OFFSET %(offset)s
""".replace("{assessed}", sql_assessed_since(course="course.id", infused_at="course.infused_at"))
    .replace("{known_now}", sql_known_now())
    .replace("{opened}", SQL_OPENED_PATIENTS)
)


SQL_OPEN_COURSES: Final = """
SELECT course.id, course.ward, course.bed, course.product, course.infused_at, course.age_years,
    patient.name, patient.mrn, patient.birth_date, patient.sex, course.identity_version,
    last.recorded_at, (SELECT max(id) FROM patients_gradereview WHERE course_id = course.id),
    (SELECT max(at) FROM patients_entry WHERE at > recorded_at AND at <= %(now)s)
FROM patients_course AS course
JOIN patients_patient AS patient ON patient.id = course.patient_id
LEFT JOIN LATERAL (
    SELECT recorded_at FROM patients_chartingact
    WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1
) AS last ON true
WHERE course.ended_at IS NULL
    AND (%(on_wards)s::bigint[] IS NULL OR course.on_ward_id = ANY(%(on_wards)s::bigint[]))
    AND (%(wards)s::bigint[] IS NULL OR course.on_ward_id = ANY(%(wards)s::bigint[])
        OR course.patient_id IN ({opened}))
""".replace("{opened}", SQL_OPENED_PATIENTS)


def read_open_courses(
    now: datetime, reader: User | None = None, *, on_wards: Iterable[int] | None = None
) -> list[OpenCourse]:
    """Read the open courses in reach of ``reader``; None may open all.

    ``on_wards`` limits them to wards by their ids.
    """
    params = {
        "now": now,
        "on_wards": None if on_wards is None else sorted(on_wards),
        "reader": None if reader is None else reader.pk,
        "wards": _as_list(wards_to_read(reader)) if reader else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_OPEN_COURSES, params)
        return [OpenCourse._make((*row[:10], row[10:])) for row in cursor.fetchall()]


def read_closed_courses(
    system: GradingSystem,
    *,
    ward: str,
    words: list[str],
    limit: int,
    offset: int,
    reader: User | None = None,
) -> list[ClosedCourse]:
    """Read the courses that have ended, on ``ward`` where it is not "", the latest end first.

    ``words`` is a search by ``found_by``; [] finds all. ``reader`` None may open all.
    """
    found = _closed_that_match(words) if words else None
    params = {
        "system": system.key,
        "ward": ward,
        "found": found,
        "limit": limit,
        "offset": offset,
        "now": timezone.now(),
        "reader": None if reader is None else reader.pk,
        "wards": _as_list(wards_to_read(reader)) if reader else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_CLOSED_COURSES, params)
        rows = cursor.fetchall()
    return [
        ClosedCourse._make((*facts, display_name_of(*author) if author[0] else ""))
        for *facts, author in ((*row[:-3], row[-3:]) for row in rows)
    ]


def _as_list(wards: frozenset[int] | None) -> list[int] | None:
    return None if wards is None else sorted(wards)


def _closed_that_match(words: list[str]) -> list[uuid.UUID]:
    identities = Course.objects.exclude(ended_at=None).values_list(
        "pk", "patient__name", "patient__mrn", "ward", "bed"
    )
    former = former_mrns()
    places = {
        pk: Place(name, (mrn, *former.get(mrn, ())), ward, bed)
        for pk, name, mrn, ward, bed in identities
    }
    return found_by(words, places, places.__getitem__)


# Each entry, correction and change of policy belongs to an act of its course, so the latest act
# shows a change. A period or entry that begins by the clock alone is later than all that began
# before, so the latest start over all courses shows it. A sign-off changes it when it is made, and
# again when its run waits for another one.
_SQL_BOARD_STATE: Final = """
SELECT md5(concat_ws('|', board.courses,
    (SELECT max(lower(valid)) FROM patients_gradeperiod
        WHERE {known_now} AND lower(valid) <= board.now),
    (SELECT max(at) FROM patients_entry WHERE at > recorded_at AND at <= board.now),
    (SELECT max(id) FROM patients_gradereview),
    (SELECT id FROM patients_gradereview
        WHERE recorded_at <= board.now - %(again)s ORDER BY id DESC LIMIT 1),
    %(wards)s::bigint[],
    (SELECT string_agg(id::text, ',' ORDER BY id) FROM patients_emergencyaccess
        WHERE recorded_by_id = %(reader)s AND until > board.now)
)), board.last_recorded_at, clock_timestamp()
FROM (
    SELECT string_agg(concat_ws('|', id, ward, bed, ended_at, last.recorded_at), E'\\n' ORDER BY id)
            AS courses,
        max(last.recorded_at) AS last_recorded_at,
        greatest(%(now)s, max(last.recorded_at)) AS now
    FROM patients_course AS course LEFT JOIN LATERAL (
        SELECT recorded_at FROM patients_chartingact
        WHERE course_id = course.id ORDER BY recorded_at DESC LIMIT 1
    ) AS last ON true
    WHERE course.ended_at {ended}
        AND (%(wards)s::bigint[] IS NULL OR course.on_ward_id = ANY(%(wards)s::bigint[])
            OR course.patient_id IN ({opened}))
) AS board
""".replace("{known_now}", sql_known_now()).replace("{opened}", SQL_OPENED_PATIENTS)
_SQL_STATE_OF_OPEN: Final = _SQL_BOARD_STATE.replace("{ended}", "IS NULL")
_SQL_STATE_OF_ENDED: Final = _SQL_BOARD_STATE.replace("{ended}", "IS NOT NULL")


class BoardState(NamedTuple):
    """The stamp of a board, when its courses were charted last, and the database's clock."""

    stamp: str
    last_recorded_at: datetime | None
    clock: datetime


def read_board_state(
    now: datetime, reader: User | None = None, *, ended: bool = False
) -> BoardState:
    """Read the state of the board of open courses at ``now``, or of that of ended ones."""
    params: dict[str, Any] = {"now": now, "again": SIGNED_AGAIN_AFTER}
    params["reader"] = None if reader is None else reader.pk
    params["wards"] = None if reader is None else _as_list(wards_to_read(reader))
    with connection.cursor() as cursor:
        cursor.execute(_SQL_STATE_OF_ENDED if ended else _SQL_STATE_OF_OPEN, params)
        digest, last_recorded_at, clock = cursor.fetchone()
    return BoardState(f"{timezone.localdate(now)}-{digest}", last_recorded_at, clock)
