"""Read what was changed of a course beside its entries: ward and bed, and the identity."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from crs_app.accounts.models import display_name_of


class MoveRow(NamedTuple):
    """A move, an end or a reopening of a course; a place is a pair of ward and bed."""

    pk: str
    what: str
    before: tuple[str, str]
    after: tuple[str, str]
    reason: str
    at: datetime
    recorded_at: datetime
    author: str
    by_emergency: bool = False


class IdentityRow(NamedTuple):
    """A correction of an identity; ``before`` and ``after`` have the columns that it changed."""

    pk: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    reason: str
    recorded_at: datetime
    author: str
    by_emergency: bool = False


SQL_MOVES_WITHIN: Final = """
SELECT CAST(json_agg(
    json_build_array(move.id, move.what, json_build_array(move.from_ward, move.from_bed),
        json_build_array(move.to_ward, move.to_bed), move.reason, move.at, move.recorded_at,
        move.by_emergency, author.username, author.first_name, author.last_name)
    ORDER BY move.at DESC, move.recorded_at DESC
) AS text)
FROM patients_transfer AS move JOIN accounts_user AS author ON author.id = move.recorded_by_id
WHERE move.course_id = %(course)s
    AND move.at >= coalesce({since}, '-infinity') AND move.at < coalesce({until}, 'infinity')
"""
"""One JSON text: the moves of a course in [since, until), newest first."""
SQL_ALL_MOVES: Final = SQL_MOVES_WITHIN.format(since="NULL::timestamptz", until="NULL::timestamptz")

SQL_IDENTITIES_WITHIN: Final = """
SELECT CAST(json_agg(
    json_build_array(correction.id, correction.before, correction.after, correction.reason,
        correction.recorded_at, correction.by_emergency, author.username, author.first_name,
        author.last_name)
    ORDER BY correction.recorded_at DESC, correction.id DESC
) AS text)
FROM patients_course AS course
    JOIN patients_identitycorrection AS correction ON correction.patient_id = course.patient_id
    JOIN accounts_user AS author ON author.id = correction.recorded_by_id
WHERE course.id = %(course)s
    AND (correction.course_id IS NULL OR correction.course_id = course.id)
    AND correction.recorded_at >= coalesce({since}, '-infinity')
    AND correction.recorded_at < coalesce({until}, 'infinity')
"""
"""One JSON text: the corrections of the identity of a course in [since, until), newest first."""
SQL_ALL_IDENTITIES: Final = SQL_IDENTITIES_WITHIN.format(
    since="NULL::timestamptz", until="NULL::timestamptz"
)


def read_moves(course_id: uuid.UUID) -> list[MoveRow]:
    """Read every move of a course, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_ALL_MOVES, {"course": course_id})
        return parse_moves(cursor.fetchone()[0])


def read_identity_corrections(course_id: uuid.UUID) -> list[IdentityRow]:
    """Read every correction of the identity of a course, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(SQL_ALL_IDENTITIES, {"course": course_id})
        return parse_identities(cursor.fetchone()[0])


def parse_moves(text: str | None) -> list[MoveRow]:
    """Return the moves of ``SQL_MOVES_WITHIN``."""
    return [
        MoveRow(
            pk,
            what,
            (before[0], before[1]),
            (after[0], after[1]),
            reason,
            datetime.fromisoformat(at),
            datetime.fromisoformat(recorded_at),
            display_name_of(*author),
            by_emergency,
        )
        for pk, what, before, after, reason, at, recorded_at, by_emergency, *author in json.loads(
            text or "[]"
        )
    ]


def parse_identities(text: str | None) -> list[IdentityRow]:
    """Return the corrections of ``SQL_IDENTITIES_WITHIN``."""
    return [
        IdentityRow(
            pk,
            before,
            after,
            reason,
            datetime.fromisoformat(at),
            display_name_of(*author),
            by_emergency,
        )
        for pk, before, after, reason, at, by_emergency, *author in json.loads(text or "[]")
    ]
