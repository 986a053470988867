"""A page of the timeline, in one statement: entries, changes of grade, answers and moves."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine.systems.lee_2014 import RULESET
from patients.answers import GUIDANCE, answer_rows, answer_rows_from
from patients.panels import Timeline, TimelineRow
from patients.queries.entries import SQL_ENTRIES_AS_JSON, SQL_WEIGHTS
from patients.queries.entries import rows_from as entries_from
from patients.queries.guidance_answers import SQL_ANSWERS_WITHIN
from patients.queries.status import weights_among
from patients.timeline_rows import AS_TEXTS, GRADE_CHANGE, WITH_ACTS, change_row, rows_from
from patients.transfer import MOVES_WITHIN, TRANSFER, transfer_rows, transfer_rows_from

PAGE_OF_ROWS: Final = 40

# A row of their own have all but retractions and what a correction replaced. One entry more than
# the page holds tells whether there are older ones. What is shown among the entries begins with
# the last of them, ``edge``; doses are reckoned with the weights that held at any of them.
_QUERY: Final = """
WITH RECURSIVE page AS MATERIALIZED (
    SELECT * FROM patients_entry AS entry
    WHERE entry.course_id = %(course)s AND entry.kind <> 'retraction' {which}
        AND NOT EXISTS (
            SELECT FROM patients_entry AS later
            WHERE later.replaces_id = entry.id AND later.kind <> 'retraction'
        )
    ORDER BY entry.at DESC, entry.recorded_at DESC, entry.place DESC LIMIT {limit}
), chain AS (
    SELECT old.* FROM page JOIN patients_entry AS old ON old.id = page.replaces_id
    UNION ALL
    SELECT old.* FROM chain JOIN patients_entry AS old ON old.id = chain.replaces_id
), edge AS MATERIALIZED (
    SELECT (array_agg(at ORDER BY at DESC))[{last}] AS since FROM page HAVING count(*) = {limit}
), dosed AS MATERIALIZED (
    SELECT min(at) AS since FROM (SELECT at, kind FROM page UNION ALL SELECT at, kind FROM chain)
        AS entry WHERE kind = 'vasopressor'
)
SELECT
    (SELECT {texts} FROM page AS entry {with_acts}),
    (SELECT {texts} FROM chain AS entry {with_acts}),
    (SELECT {as_json} FROM patients_entry AS entry
        JOIN accounts_user AS author ON author.id = entry.recorded_by_id
        WHERE entry.course_id = %(course)s AND {weights}
            AND NOT EXISTS (
                SELECT FROM patients_entry AS later WHERE later.replaces_id = entry.id
            )),
    {beside}
"""
_OF_KIND: Final = "AND entry.kind = %(kind)s"
_OLDER: Final = """AND (entry.at, entry.recorded_at, entry.place)
    < (%(at)s::timestamptz, %(recorded_at)s::timestamptz, %(place)s::smallint)"""
# A change is told from the grade that it ended: the period before ``since`` is read, too.
_CHANGES: Final = """
SELECT CAST(json_agg(
    json_build_array(start, before, grade, findings -> 'criteria') ORDER BY start) AS text)
FROM (
    SELECT lower(valid) AS start, grade, findings, lag(grade) OVER (ORDER BY lower(valid)) AS before
    FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND upper_inf(known)
        AND lower(valid) <= %(now)s
        AND lower(valid) >= coalesce((
            SELECT lower(held.valid) FROM patients_gradeperiod AS held
            WHERE held.course_id = %(course)s AND held.system = %(system)s
                AND upper_inf(held.known) AND lower(held.valid) < {since}
            ORDER BY lower(held.valid) DESC LIMIT 1
        ), {since}, '-infinity')
) AS held
WHERE before <> grade AND start >= coalesce({since}, '-infinity')
    AND start < coalesce({until}, 'infinity')
"""
_ALWAYS: Final = "NULL::timestamptz"
_SINCE: Final = "(SELECT since FROM edge)"


class _Cursor(NamedTuple):
    """The entry that a page begins after, by its place in the order of the timeline."""

    at: datetime
    recorded_at: datetime
    place: int


def timeline_of(
    course_id: uuid.UUID,
    now: datetime,
    *,
    before: uuid.UUID | None = None,
    kind: str = "",
    can_correct: bool = False,
) -> Timeline:
    """A page of the timeline, newest first, from the entry ``before`` on; all kinds, or one.

    A change of grade stands above the entries of its instant, an answer to guidance between them.
    """
    if kind == GRADE_CHANGE:
        return Timeline([*reversed(_grade_changes(course_id, now))], "", kind)
    if kind == GUIDANCE:
        return Timeline(answer_rows(course_id), "", kind)
    if kind == TRANSFER:
        return Timeline(transfer_rows(course_id), "", kind)
    after = None if before is None else _cursor(course_id, before)
    said: dict[str, Any] = {"course": course_id, "kind": kind, "system": RULESET, "now": now}
    if after is not None:
        said |= after._asdict()
    with connection.cursor() as cursor:
        cursor.execute(_query(of_kind=bool(kind), is_older=after is not None), said)
        page, chains, weights, changes, answers, moves = cursor.fetchone()
    page = page or []
    more, shown = len(page) > PAGE_OF_ROWS, page[:PAGE_OF_ROWS]
    reckoned_with = weights_among(entries_from(weights))
    rows = rows_from(shown, chains, reckoned_with, can_correct=can_correct)
    older = str(rows[-1].entry_id) if more else ""
    others = [*answer_rows_from(answers), *transfer_rows_from(moves)]
    return Timeline(_merged([*others, *rows], _change_rows(changes)), older, kind)


@cache
def _query(*, of_kind: bool, is_older: bool) -> str:
    until = "%(at)s::timestamptz" if is_older else _ALWAYS
    beside = "NULL, NULL, NULL" if of_kind else ", ".join(
        f"({part.format(since=_SINCE, until=until)})"
        for part in (_CHANGES, SQL_ANSWERS_WITHIN, MOVES_WITHIN)
    )  # fmt: skip
    return _QUERY.format(
        which=" ".join([_OF_KIND] * of_kind + [_OLDER] * is_older),
        limit=PAGE_OF_ROWS + 1,
        last=PAGE_OF_ROWS,
        texts=AS_TEXTS,
        with_acts=WITH_ACTS,
        as_json=SQL_ENTRIES_AS_JSON,
        weights=SQL_WEIGHTS.replace("%(since)s", "(SELECT since FROM dosed)"),
        beside=beside,
    )


def _cursor(course_id: uuid.UUID, entry_id: uuid.UUID) -> _Cursor | None:
    """Where the entry stands; None where the course has no such entry."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, recorded_at, place FROM patients_entry WHERE course_id = %s AND id = %s",
            [course_id, entry_id],
        )
        found = cursor.fetchone()
    return None if found is None else _Cursor(*found)


def _merged(rows: Sequence[TimelineRow], changes: Sequence[TimelineRow]) -> list[TimelineRow]:
    by_time = sorted([*changes, *rows], key=lambda row: row.kind != GRADE_CHANGE)
    return sorted(by_time, key=lambda row: row.at, reverse=True)


def _grade_changes(course_id: uuid.UUID, now: datetime) -> list[TimelineRow]:
    """Every change of grade up to now, in order, as the chart has them now."""
    said: dict[str, Any] = {"course": course_id, "system": RULESET, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES.format(since=_ALWAYS, until=_ALWAYS), said)
        return _change_rows(cursor.fetchone()[0])


def _change_rows(said: str | None) -> list[TimelineRow]:
    return [
        change_row(datetime.fromisoformat(at), before, grade, {"criteria": criteria})
        for at, before, grade, criteria in json.loads(said or "[]")
    ]
