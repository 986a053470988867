"""Read one page of the timeline in one statement: entries and all that happened between them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection

from grading.engine import entries as grading_entries
from grading.engine.grading_system import GradingSystem
from patients.models import Entry, EntryKind
from patients.queries.assessed import SQL_ASSESSED_SINCE
from patients.queries.course_changes import (
    SQL_IDENTITIES_WITHIN,
    SQL_MOVES_WITHIN,
    IdentityRow,
    MoveRow,
    parse_identities,
    parse_moves,
)
from patients.queries.entries import (
    SQL_ENTRIES_AS_JSON,
    SQL_NAMES_THEN,
    SQL_WEIGHTS,
    EntryRow,
    entry_row_of,
    parse_entry,
    parse_entry_row,
    parse_entry_rows,
    sql_not_replaced,
)
from patients.queries.grades import (
    SQL_CHARTED_AT,
    GradeChangeRow,
    sql_known_now,
    sql_start_of_period,
)
from patients.queries.guidance_answers import SQL_ANSWERS_WITHIN, AnswerRow, parse_answers
from patients.queries.reviews import (
    SQL_SIGN_OFFS_WITHIN,
    Run,
    SignOff,
    parse_reviewed,
    parse_sign_offs,
    sql_reviewed,
)
from patients.queries.status import weights_among

PAGE_OF_ROWS: Final = 40
_PARSED_AT_ONCE: Final = 2048


class TimelineEntry(NamedTuple):
    """An entry with what was recorded with it.

    ``answers`` are those of its act, among whose entries it has ``place``; ``retraction`` is why
    it was retracted, None where it was not.
    """

    row: EntryRow
    read: grading_entries.Entry
    place: int
    answers: Mapping[str, Any]
    retraction: str | None

    @property
    def reason(self) -> str:
        """Why it replaces the entry that it corrects."""
        return str(self.answers.get("reason", ""))


class TimelinePage(NamedTuple):
    """The rows of one page, newest first; ``chains`` are the entries that ``entries`` corrected.

    ``weights`` are those in force that a dose on the page was converted with. ``reviewed`` are the
    runs and all sign-offs of a course that has any. ``has_older`` says whether another page
    follows.
    """

    entries: list[TimelineEntry]
    chains: dict[uuid.UUID, TimelineEntry]
    weights: list[grading_entries.Weight]
    grade_changes: list[GradeChangeRow]
    answers: list[AnswerRow]
    moves: list[MoveRow]
    sign_offs: list[SignOff]
    reviewed: tuple[list[Run], list[SignOff]]
    identities: list[IdentityRow]
    has_older: bool


SQL_ENTRIES_AS_TEXTS: Final = """array_agg(CAST(
    json_build_array(entry.id, entry.kind, entry.at, entry.recorded_at, entry.replaces_id,
        entry.body::text, {names}, entry.place, act.answers, later.id IS NOT NULL,
        coalesce(nullif(later_act.answers ->> 'reason', ''), later.body ->> 'note', ''))
    AS text) ORDER BY entry.at DESC, entry.recorded_at DESC, entry.place DESC)""".replace(
    "{names}", SQL_NAMES_THEN
)
"""Column: an array with one JSON text for each entry, with all that its row prints."""
SQL_WITH_ACTS: Final = """JOIN accounts_user AS author ON author.id = entry.recorded_by_id
JOIN patients_chartingact AS act ON act.course_id = entry.course_id AND act.id = entry.act_id
LEFT JOIN patients_entry AS later
    ON later.course_id = entry.course_id AND later.replaces_id = entry.id
LEFT JOIN patients_chartingact AS later_act
    ON later_act.course_id = later.course_id AND later_act.id = later.act_id"""
"""Joins that ``SQL_ENTRIES_AS_TEXTS`` needs; ``later`` is the entry that replaces ``entry``."""

SQL_CORRECTION_CHAINS: Final = f"""
WITH RECURSIVE chain AS (
    SELECT * FROM patients_entry WHERE id = ANY(%s::uuid[])
    UNION ALL
    SELECT old.* FROM chain JOIN patients_entry AS old
        ON old.course_id = chain.course_id AND old.id = chain.replaces_id
)
SELECT {SQL_ENTRIES_AS_TEXTS} FROM chain AS entry {SQL_WITH_ACTS}
"""  # noqa: S608 - made of constants

SQL_HAS_A_ROW: Final = """entry.course_id = %(course)s AND entry.kind <> 'retraction'
    AND NOT EXISTS (
        SELECT FROM patients_entry AS later
        WHERE later.replaces_id = entry.id AND later.kind <> 'retraction'
    )"""
"""Condition of ``entry``: it has a row, as all but retractions and corrected entries have."""
# One entry more than a page has is read, to know whether older ones follow. ``edge`` is the time of
# the last entry of the page: all else is read from it on. Doses are converted with the weights in
# force from the earliest dose on.
SQL_TIMELINE_PAGE: Final = """
WITH RECURSIVE page AS MATERIALIZED (
    SELECT * FROM patients_entry AS entry
    WHERE {has_a_row} {which}
    ORDER BY entry.at DESC, entry.recorded_at DESC, entry.place DESC LIMIT {limit}
), chain AS (
    SELECT old.* FROM page JOIN patients_entry AS old ON old.id = page.replaces_id
    UNION ALL
    SELECT old.* FROM chain JOIN patients_entry AS old
        ON old.course_id = chain.course_id AND old.id = chain.replaces_id
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
            AND {in_force}),
    {apart_from_entries}, {follows}
"""
_FOLLOWS: Final = """EXISTS (
    SELECT FROM patients_entry AS entry
    WHERE {has_a_row} {of_kind}
        AND (entry.at, entry.recorded_at, entry.place) < (%(until_at)s::timestamptz,
            %(until_recorded_at)s::timestamptz, %(until_place)s::smallint)
)"""
_OF_KIND: Final = "AND entry.kind = %(kind)s"
SQL_OLDER: Final = """AND (entry.at, entry.recorded_at, entry.place)
    < (%(at)s::timestamptz, %(recorded_at)s::timestamptz, %(place)s::smallint)"""
_UNTIL: Final = """AND (entry.at, entry.recorded_at, entry.place)
    >= (%(until_at)s::timestamptz, %(until_recorded_at)s::timestamptz, %(until_place)s::smallint)"""
# The period before ``since`` is read too: a change is found by comparing with the grade before.
SQL_GRADE_CHANGES: Final = (
    """
SELECT CAST(json_agg(
    json_build_array(start, before, grade, at_most, findings, findings_before, {charted},
        policy_id = policy_before, before > 0 OR coalesce(assessed.since < start, false),
        grade > 0 OR coalesce(assessed.since <= start, false)) ORDER BY start) AS text)
FROM (SELECT * FROM (
    SELECT lower(valid) AS start, grade, at_most, findings, policy_id,
        lag(grade) OVER in_time AS before, lag(findings) OVER in_time AS findings_before,
        lag(policy_id) OVER in_time AS policy_before
    FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND {known_now}
        AND lower(valid) <= %(now)s
        AND lower(valid) >= coalesce({start_before}, {since}, '-infinity')
    WINDOW in_time AS (ORDER BY lower(valid))
) AS period
WHERE before <> grade AND start >= coalesce({since}, '-infinity')
    AND start < coalesce({until}, 'infinity')
ORDER BY start DESC LIMIT {rows}
) AS change, (SELECT {assessed_since} AS since) AS assessed
""".replace("{known_now}", sql_known_now())
    .replace("{start_before}", sql_start_of_period("< {since}"))
    .replace("{charted}", SQL_CHARTED_AT.format(at="start"))
    .replace("{assessed_since}", SQL_ASSESSED_SINCE)
)
_ALWAYS: Final = "NULL::timestamptz"
_ALL: Final = "ALL"
_SINCE: Final = "(SELECT since FROM edge)"


class TimelinePosition(NamedTuple):
    """The place of an entry in the order of the timeline."""

    at: datetime
    recorded_at: datetime
    place: int


def read_timeline_page(
    course_id: uuid.UUID,
    now: datetime,
    system: GradingSystem,
    *,
    after: TimelinePosition | None = None,
    until: TimelinePosition | None = None,
    kind: str = "",
    rows: int = PAGE_OF_ROWS,
) -> TimelinePage:
    """Read the newest ``rows`` entries older than ``after``, and what happened between them.

    ``until`` is the position of the last entry to read: older ones follow it. ``kind`` reads
    entries of one kind alone; "" reads all kinds.
    """
    params: dict[str, Any] = {"course": course_id, "kind": kind, "system": system.key, "now": now}
    if after is not None:
        params |= after._asdict()
    if until is not None:
        params |= {f"until_{name}": value for name, value in until._asdict().items()}
    statement = _statement(
        rows, of_kind=bool(kind), is_older=after is not None, has_end=until is not None
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        row = cursor.fetchone()
    page, chains, weights, changes, answers, moves, sign_offs, reviewed, identities, follows = row
    page = page or []
    return TimelinePage(
        entries=[parse_timeline_entry(text) for text in page[:rows]],
        chains=_by_id(chains or ()),
        weights=weights_among(parse_entry_rows(weights)),
        grade_changes=_parse_grade_changes(changes),
        answers=parse_answers(answers),
        moves=parse_moves(moves),
        sign_offs=parse_sign_offs(sign_offs),
        reviewed=parse_reviewed(reviewed),
        identities=parse_identities(identities),
        has_older=follows or len(page) > rows,
    )


@cache
def _statement(rows: int, *, of_kind: bool, is_older: bool, has_end: bool) -> str:
    since = f"greatest(%(until_at)s::timestamptz, {_SINCE})" if has_end else _SINCE
    until = "%(at)s::timestamptz" if is_older else _ALWAYS
    apart_from_entries = "NULL, NULL, NULL, NULL, NULL, NULL" if of_kind else ", ".join(
        f"({part.format(since=since, until=until, rows=_ALL)})"
        for part in (
            SQL_GRADE_CHANGES, SQL_ANSWERS_WITHIN, SQL_MOVES_WITHIN, SQL_SIGN_OFFS_WITHIN,
            sql_reviewed(), SQL_IDENTITIES_WITHIN,
        )
    )  # fmt: skip
    return SQL_TIMELINE_PAGE.format(
        has_a_row=SQL_HAS_A_ROW,
        which=" ".join([_OF_KIND] * of_kind + [SQL_OLDER] * is_older + [_UNTIL] * has_end),
        limit=rows + 1,
        last=rows,
        texts=SQL_ENTRIES_AS_TEXTS,
        with_acts=SQL_WITH_ACTS,
        as_json=SQL_ENTRIES_AS_JSON,
        in_force=sql_not_replaced("entry"),
        weights=SQL_WEIGHTS.replace("%(since)s", "(SELECT since FROM dosed)"),
        apart_from_entries=apart_from_entries,
        follows=_FOLLOWS.format(has_a_row=SQL_HAS_A_ROW, of_kind=_OF_KIND * of_kind)
        if has_end
        else "false",
    )


def position_of(course_id: uuid.UUID, entry_id: uuid.UUID) -> TimelinePosition | None:
    """Read the position of an entry in the timeline; None where the course has no such entry."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, recorded_at, place FROM patients_entry WHERE course_id = %s AND id = %s",
            [course_id, entry_id],
        )
        found = cursor.fetchone()
    return None if found is None else TimelinePosition(*found)


def read_grade_changes(
    course_id: uuid.UUID,
    now: datetime,
    system: GradingSystem,
    *,
    before: datetime | None = None,
    since: datetime | None = None,
    rows: int | None = None,
) -> list[GradeChangeRow]:
    """Read the changes of grade up to ``now``, in order, as the chart has them now.

    Those before ``before`` and from ``since`` on, where these are given; of them the last ``rows``.
    """
    statement = SQL_GRADE_CHANGES.format(
        since="%(since)s::timestamptz", until="%(until)s::timestamptz", rows="%(rows)s::bigint"
    )
    params: dict[str, Any] = {
        "course": course_id,
        "system": system.key,
        "now": now,
        "until": before,
        "since": since,
        "rows": rows,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return _parse_grade_changes(cursor.fetchone()[0])


def read_correction_chains(entries: Iterable[TimelineEntry]) -> dict[uuid.UUID, TimelineEntry]:
    """Read every entry that ``entries`` corrected, directly or by way of another, by id."""
    wanted = [one.row.replaces_id for one in entries if one.row.replaces_id is not None]
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(SQL_CORRECTION_CHAINS, [wanted])
        return _by_id(cursor.fetchone()[0])


@lru_cache(maxsize=_PARSED_AT_ONCE)
def parse_timeline_entry(text: str) -> TimelineEntry:
    """Return the entry of one text of ``SQL_ENTRIES_AS_TEXTS``.

    Cached by the whole text: a recorded entry never changes, so the same text has one meaning.
    """
    *columns, place, answers, is_replaced, why = json.loads(text)
    row = parse_entry_row(*columns)
    return TimelineEntry(row, parse_entry(row), place, answers, why if is_replaced else None)


def timeline_entry(entry: Entry, *, is_new: bool) -> TimelineEntry:
    """Return the timeline entry of a model; one that ``is_new`` cannot have been replaced yet."""
    row, successor = entry_row_of(entry), None if is_new else getattr(entry, "replaced_by", None)
    retraction = None if successor is None else reason_of(successor)
    return TimelineEntry(row, parse_entry(row), entry.place, entry.act.answers, retraction)


def new_timeline_entries(
    rows: Iterable[EntryRow], answers: Mapping[str, Any]
) -> list[TimelineEntry]:
    """Return the timeline entries of an act that was recorded just now and has ``answers``."""
    return [
        TimelineEntry(row, parse_entry(row), place, answers, None) for place, row in enumerate(rows)
    ]


def reason_of(successor: Entry) -> str:
    """Return why ``successor`` corrected or retracted the entry that it replaces."""
    reason = successor.act.answers.get("reason", "")
    if not reason and successor.kind == EntryKind.RETRACTION:
        reason = successor.body.get("note", "")
    return str(reason)


def _by_id(texts: Iterable[str]) -> dict[uuid.UUID, TimelineEntry]:
    return {one.row.pk: one for one in map(parse_timeline_entry, texts)}


def _parse_grade_changes(text: str | None) -> list[GradeChangeRow]:
    return [
        GradeChangeRow(datetime.fromisoformat(at), *rest) for at, *rest in json.loads(text or "[]")
    ]
