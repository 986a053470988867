"""Read what a flowsheet shows of a course in one statement, however long the course is.

Of the time before the window it reads only what still holds in it: the last entry about each
thing that lasts, the weight that converts a dose, and since when each criterion was met. What was
recorded after ``known_at`` is left out.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from django.db import connection

from grading.engine import entries as grading_entries
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.facts import CourseFacts
from grading.engine.grading_system import GradingSystem
from grading.engine.vocabulary import LATEST, VasopressorDrug
from grading.service import Trace, trace_of
from patients.models import Course
from patients.queries.assessed import sql_assessed_since
from patients.queries.course_then import SQL_CHANGES_OF_COURSE, course_then
from patients.queries.courses import Closing
from patients.queries.entries import (
    SQL_ENTRIES_AS_JSON,
    course_facts,
    parse_entry_rows,
    sql_not_replaced_then,
)
from patients.queries.grades import GradePeriodRow, sql_known_now, sql_start_of_period
from patients.queries.json_columns import parsed
from patients.queries.policies import (
    SQL_POLICIES_DECIDED_THEN,
    PolicyPeriod,
    parse_policy_periods,
    policy_periods_for,
)
from patients.queries.snapshot import parse_periods
from patients.queries.status import weights_among
from patients.queries.timeline import (
    SQL_ENTRIES_AS_TEXTS,
    SQL_WITH_ACTS,
    TimelineEntry,
    parse_timeline_entry,
)

GRADE: Final = "grade"
"""Key of the grade itself among the runs, beside the codes of criteria."""
_TRACED: Final = (
    grading_entries.Oxygen,
    grading_entries.Vasopressor,
    grading_entries.Death,
    grading_entries.BaselineFacts,
)
"""What FiO2, doses and limits depend on, with the weights."""

_LASTING: Final = "coalesce(entry.body ->> 'term', entry.body ->> 'about', entry.body ->> 'sign')"
_SAME_COURSE: Final = "course_id = %(course)s AND system = %(system)s AND {known}"
_HAS_CODE: Final = (
    "findings @> jsonb_build_object('criteria', "
    "jsonb_build_array(jsonb_build_object('code', item ->> 'code')))"
)
# An entry that a correction replaced is left out here and read as part of the chain behind it; a
# retracted one stays. The first and the last period of the window say which runs to follow out of
# it, to their true start and end.
_SQL: Final = """
WITH RECURSIVE shown AS MATERIALIZED (
    SELECT entry.* FROM patients_entry AS entry
    WHERE entry.course_id = %(course)s AND entry.kind <> 'retraction'
        AND entry.at >= %(start)s AND entry.at < %(end)s AND entry.recorded_at <= %(known_at)s
        AND NOT EXISTS (
            SELECT FROM patients_entry AS later
            WHERE later.course_id = entry.course_id AND later.replaces_id = entry.id
                AND later.kind <> 'retraction'
                AND later.recorded_at <= %(known_at)s
        )
), held AS MATERIALIZED (
    (SELECT entry.* FROM patients_entry AS entry
        WHERE entry.course_id = %(course)s AND entry.kind = 'oxygen' AND {before} {order} LIMIT 1)
    UNION ALL
    SELECT dose.* FROM unnest(%(drugs)s::text[]) AS drug, LATERAL (
        SELECT entry.* FROM patients_entry AS entry
        WHERE entry.course_id = %(course)s AND entry.kind = 'vasopressor'
            AND entry.body ->> 'drug' = drug AND {before} {order} LIMIT 1
    ) AS dose
    UNION ALL
    (SELECT DISTINCT ON (entry.kind, {lasting}) entry.* FROM patients_entry AS entry
        WHERE entry.course_id = %(course)s AND entry.kind IN ('toxicity', 'symptom', 'judgement',
            'consciousness', 'neuro_sign', 'admission') AND {before}
        ORDER BY entry.kind, {lasting}, entry.at DESC, entry.recorded_at DESC, entry.place DESC)
    UNION ALL
    SELECT entry.* FROM patients_entry AS entry
        WHERE entry.course_id = %(course)s AND entry.kind = 'death' AND {before}
    UNION ALL
    SELECT entry.* FROM patients_entry AS entry
        WHERE entry.course_id = %(course)s AND entry.kind = 'baseline'
            AND (entry.at < %(start)s OR entry.at >= %(end)s)
            AND entry.recorded_at <= %(known_at)s AND {in_force}
), page AS MATERIALIZED (
    SELECT * FROM shown UNION ALL SELECT * FROM held
), chain AS (
    SELECT old.* FROM page JOIN patients_entry AS old
        ON old.course_id = page.course_id AND old.id = page.replaces_id
    UNION ALL
    SELECT old.* FROM chain JOIN patients_entry AS old
        ON old.course_id = chain.course_id AND old.id = chain.replaces_id
), dosed AS MATERIALIZED (
    SELECT least(min(at), %(start)s) AS since FROM (
        SELECT at, kind FROM page UNION ALL SELECT at, kind FROM chain
    ) AS entry WHERE kind = 'vasopressor'
), period AS MATERIALIZED (
    SELECT * FROM patients_gradeperiod AS period
    WHERE {same_course} AND {overlaps_window}
), first AS MATERIALIZED (
    SELECT * FROM period ORDER BY lower(valid) LIMIT 1
), last AS MATERIALIZED (
    SELECT * FROM period ORDER BY lower(valid) DESC LIMIT 1
), end_of_grading AS MATERIALIZED (
    SELECT upper(valid) AS at FROM patients_gradeperiod AS period
    WHERE {same_course} ORDER BY lower(valid) DESC LIMIT 1
)
SELECT
    (SELECT {texts} FROM page AS entry {with_acts}),
    (SELECT {texts} FROM chain AS entry {with_acts}),
    (SELECT {as_json}
        FROM patients_entry AS entry
        JOIN accounts_user AS author ON author.id = entry.recorded_by_id
        WHERE entry.course_id = %(course)s AND entry.kind = 'weight'
            AND entry.recorded_at <= %(known_at)s AND {in_force} AND entry.at < %(end)s
            AND entry.at >= coalesce((
                SELECT entry.at FROM patients_entry AS entry
                WHERE entry.course_id = %(course)s AND entry.kind = 'weight'
                    AND entry.at <= (SELECT since FROM dosed)
                    AND entry.recorded_at <= %(known_at)s AND {in_force}
                {order} LIMIT 1
            ), '-infinity')),
    ({decided}),
    (SELECT jsonb_agg(
        jsonb_build_array(id, lower(valid), upper(valid), grade, at_most, findings,
            ruleset_version, policy_id) ORDER BY lower(valid)) FROM period),
    (SELECT json_object_agg(code, at) FROM (
        SELECT item ->> 'code' AS code, (
            SELECT upper(valid) FROM patients_gradeperiod AS period
            WHERE {same_course} AND lower(valid) < lower(first.valid) AND NOT {has_code}
            ORDER BY lower(valid) DESC LIMIT 1
        ) AS at FROM first, jsonb_array_elements(first.findings -> 'criteria') AS item
        UNION ALL
        SELECT '{grade}', (
            SELECT upper(valid) FROM patients_gradeperiod AS period
            WHERE {same_course} AND lower(valid) < lower(first.valid) AND grade <> first.grade
            ORDER BY lower(valid) DESC LIMIT 1
        ) FROM first
    ) AS begun),
    (SELECT json_object_agg(code, at) FROM (
        SELECT item ->> 'code' AS code, coalesce((
            SELECT lower(valid) FROM patients_gradeperiod AS period
            WHERE {same_course} AND lower(valid) > lower(last.valid) AND NOT {has_code}
                AND lower(valid) <= %(instant)s
            ORDER BY lower(valid) LIMIT 1
        ), (SELECT at FROM end_of_grading)) AS at
        FROM last, jsonb_array_elements(last.findings -> 'criteria') AS item
        UNION ALL
        SELECT '{grade}', coalesce((
            SELECT lower(valid) FROM patients_gradeperiod AS period
            WHERE {same_course} AND lower(valid) > lower(last.valid) AND grade <> last.grade
                AND lower(valid) <= %(instant)s
            ORDER BY lower(valid) LIMIT 1
        ), (SELECT at FROM end_of_grading)) FROM last
    ) AS ended),
    (SELECT entry.at FROM patients_entry AS entry
        WHERE entry.course_id = %(course)s AND entry.kind <> 'retraction' AND {before}
        {order} LIMIT 1),
    (SELECT entry.body ->> 'weight_kg' FROM patients_entry AS entry
        WHERE entry.course_id = %(course)s AND entry.kind = 'weight' AND entry.at <= %(instant)s
            AND entry.recorded_at <= %(known_at)s AND {in_force} {order} LIMIT 1),
    (SELECT json_build_array(grade, at_most) FROM patients_gradeperiod AS period
        WHERE {same_course} AND valid @> %(graded_at)s::timestamptz),
    {assessed_since},
    ({changes})
"""


@cache
def _statement(*, is_now: bool) -> str:
    """Return the statement; the periods that the chart has now are found by an index of theirs."""
    known = "known @> %(known_at)s::timestamptz"
    overlaps = "valid && tstzrange(%(start)s, %(until)s)"
    if is_now:
        known = sql_known_now("period")
        within = sql_start_of_period("<= %(start)s")
        overlaps = (
            f"lower(valid) >= coalesce({within}, '-infinity') AND lower(valid) < %(until)s "
            "AND (upper_inf(valid) OR upper(valid) > %(start)s)"
        )
    in_force = sql_not_replaced_then("entry")
    same_course = _SAME_COURSE.format(known=known)
    parts = {
        "before": f"entry.at < %(start)s AND entry.recorded_at <= %(known_at)s AND {in_force}",
        "order": "ORDER BY entry.at DESC, entry.recorded_at DESC, entry.place DESC",
        "lasting": _LASTING,
        "same_course": same_course,
        "overlaps_window": overlaps,
        "has_code": _HAS_CODE,
        "texts": SQL_ENTRIES_AS_TEXTS,
        "with_acts": SQL_WITH_ACTS.replace(
            "AND later.replaces_id = entry.id",
            "AND later.replaces_id = entry.id AND later.recorded_at <= %(known_at)s",
        ),
        "as_json": SQL_ENTRIES_AS_JSON,
        "in_force": in_force,
        "decided": SQL_POLICIES_DECIDED_THEN,
        "grade": GRADE,
        "changes": SQL_CHANGES_OF_COURSE,
        # Grading begins with the infusion, as it was known then.
        "assessed_since": sql_assessed_since(
            course="%(course)s",
            infused_at=f"(SELECT min(lower(valid)) FROM patients_gradeperiod AS period "  # noqa: S608
            f"WHERE {same_course})",
            in_force=f"entry.recorded_at <= %(known_at)s AND {in_force}",
        ),
    }
    return _SQL.format(**parts)


@dataclass(frozen=True, slots=True)
class FlowsheetData:
    """What a flowsheet from ``start`` to ``end`` shows, as it was known at ``instant``.

    ``course`` has identity, ward and bed of then, ``closing`` is how it had been closed.
    ``entries`` are those of the window in order of time, retracted ones among them; ``held`` the
    last of each thing before it, and every baseline. ``chains`` are those that both corrected, by
    id. ``weights`` convert the doses among them; ``periods`` are the grades of the window up to
    ``instant``. ``begun`` and ``ended`` have, for the grade and each criterion that runs over an
    edge of the window, since when and until when; None: since the infusion, and still. From
    ``assessed_since`` on enough is charted to know a grade 0; None: it is not known at all.
    ``grade`` and its bound are those of ``graded_at``: ``instant``, of a closed course its end.
    """

    course: Course
    instant: datetime
    graded_at: datetime
    start: datetime
    end: datetime
    entries: Sequence[TimelineEntry]
    held: Sequence[TimelineEntry]
    chains: Mapping[uuid.UUID, TimelineEntry]
    weights: Sequence[grading_entries.Weight]
    policy_periods: Sequence[PolicyPeriod]
    periods: Sequence[GradePeriodRow]
    begun: Mapping[str, datetime | None]
    ended: Mapping[str, datetime | None]
    last_before: datetime | None
    weight_kg: str | None
    grade: tuple[int, int] | None
    assessed_since: datetime | None
    closing: Closing | None

    @property
    def facts(self) -> CourseFacts:
        return course_facts(self.course, self.policy_periods)

    @property
    def in_force(self) -> list[ChartedEntry]:
        """The entries that count, of the window and before it, in the engine's order."""
        both = [*self.held, *self.entries]
        return [one.read for one in both if one.retraction is None]

    def trace(self, until: datetime) -> Trace:
        """Return FiO2, doses and limits as grading had them, in the window and at its start."""
        traced: list[ChartedEntry] = [e for e in self.in_force if isinstance(e, _TRACED)]
        return trace_of(self.facts, [*traced, *self.weights], until)


def read_flowsheet(
    course: Course,
    system: GradingSystem,
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    known_at: datetime | None = None,
) -> FlowsheetData:
    """Read the window [``start``, ``end``) as known at ``known_at``; None: all that is known."""
    instant = graded_at = now if known_at is None else known_at
    if known_at is None and course.ended_at is not None:
        graded_at = min(now, course.ended_at)
    params: dict[str, Any] = {
        "course": course.pk,
        "patient": course.patient_id,
        "system": system.key,
        "start": start,
        "end": end,
        "until": max(start, min(end, instant)),
        "known_at": LATEST if known_at is None else known_at,
        "instant": instant,
        "graded_at": graded_at,
        "drugs": [drug.value for drug in VasopressorDrug],
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(is_now=known_at is None), params)
        page, chains, weights, decided, periods, begun, ended, *rest = cursor.fetchone()
    last_before, weight_kg, grade, assessed_since, changes = rest
    then = course_then(course, changes, LATEST if known_at is None else known_at)
    entries = [parse_timeline_entry(text) for text in reversed(page or [])]
    return FlowsheetData(
        course=then.course,
        instant=instant,
        graded_at=graded_at,
        start=start,
        end=end,
        entries=[one for one in entries if start <= one.row.at < end],
        held=[one for one in entries if not start <= one.row.at < end],
        chains={one.row.pk: one for one in map(parse_timeline_entry, chains or ())},
        weights=weights_among(parse_entry_rows(weights)),
        policy_periods=policy_periods_for(course, parse_policy_periods(decided)),
        periods=parse_periods(periods),
        begun=_times(begun),
        ended=_times(ended),
        last_before=last_before,
        weight_kg=weight_kg,
        grade=None if grade is None else tuple(parsed(grade)),
        assessed_since=assessed_since,
        closing=then.closing,
    )


def _times(found: Any) -> dict[str, datetime | None]:
    return {
        code: None if at is None else datetime.fromisoformat(at).astimezone(UTC)
        for code, at in parsed(found or "{}").items()
    }
