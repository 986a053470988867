"""Read the stored history of grades, as the chart has it now or had it at an earlier instant."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from crs_app.accounts.models import display_name_of
from grading.course_result import PEAK_WINDOW
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.grading_system import GradingSystem
from patients.models import Course, GradePeriod
from patients.queries.assessed import SQL_ASSESSED_SINCE
from patients.queries.entries import (
    SQL_ENTRIES_AS_JSON,
    SQL_WEIGHTS,
    EntryRow,
    parse_charted,
    parse_entry_rows,
    sql_not_replaced,
)


class EntryAuthor(NamedTuple):
    """Who charted an entry, and for which clinical time."""

    name: str
    at: datetime


class GradeChangeRow(NamedTuple):
    """The stored grade changed from ``before`` to ``grade`` at ``at``.

    ``findings`` are those stored with the new period, ``findings_before`` with the one before it.
    ``charted`` are the entries in force of that instant, as (kind, drug, rate): without one, the
    clock or a change of policy changed the grade. ``assessed_before`` and ``assessed`` say whether
    enough was charted by then to call grade 0 a grade.
    """

    at: datetime
    before: int
    grade: int
    at_most: int
    findings: Mapping[str, Any]
    findings_before: Mapping[str, Any]
    charted: Sequence[Sequence[str | None]]
    same_policy: bool
    assessed_before: bool = True
    assessed: bool = True

    @property
    def by_clock(self) -> bool:
        return not self.charted and self.same_policy

    @property
    def by_policy(self) -> bool:
        return not self.charted and not self.same_policy

    @property
    def stopped(self) -> frozenset[str | None]:
        """The drugs that were stopped at that instant."""
        return frozenset(
            drug for _, drug, rate in self.charted if drug and rate and Decimal(rate) == 0
        )


SQL_CHARTED_AT: Final = (
    "(SELECT coalesce(json_agg(json_build_array("  # noqa: S608 - made of constants
    "charted.kind, charted.body ->> 'drug', charted.body ->> 'rate')), '[]') "
    "FROM patients_entry AS charted WHERE charted.course_id = %(course)s "
    "AND charted.at = {at} AND charted.kind <> 'retraction' "
    f"AND {sql_not_replaced('charted')})"
)
"""Column: ``GradeChangeRow.charted`` of the instant ``at``."""


class GradeInterval(NamedTuple):
    """A stored period without its findings."""

    start: datetime
    end: datetime | None
    grade: int


class GradePeriodRow(NamedTuple):
    """A grade over [``start``, ``end``) of clinical time as plain columns: cheaper than a model.

    ``id`` is None until it is stored; ``end`` None is open.
    """

    id: int | None
    start: datetime
    end: datetime | None
    grade: int
    at_most: int
    findings: Mapping[str, Any]
    ruleset_version: str
    policy_id: int

    def means_the_same_as(self, other: GradePeriodRow) -> bool:
        """Return whether both state the same answer for the same time.

        The version that computed it does not count, nor do the parameters of the sentences: rows
        written by an earlier version have none.
        """
        if (self.start, self.end, self.grade, self.at_most, self.policy_id) != (
            other.start,
            other.end,
            other.grade,
            other.at_most,
            other.policy_id,
        ):
            return False
        return self.findings == other.findings or _without_params(self.findings) == _without_params(
            other.findings
        )


def _without_params(findings: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {
        part: [{key: item[key] for key in item if key != "params"} for item in items]
        for part, items in findings.items()
    }


KNOWN_NOW: Final = Q(known__upper_inf=True)
"""The periods that the chart has now: their time of being known is open."""


def sql_known_now(alias: str = "") -> str:
    """Return ``KNOWN_NOW`` in SQL for the grade period ``alias``, "" where it needs no name."""
    return f"upper_inf({alias}.known)" if alias else "upper_inf(known)"


def sql_start_of_period(within: str, *, course: str = "%(course)s") -> str:
    """Return a subquery: the latest start ``within`` of a period that the chart has now.

    ``within`` compares the start, like ``<= %(now)s``. Of one course and the system of the
    statement; found by the index on starts.
    """
    return (
        "(SELECT lower(earlier.valid) FROM patients_gradeperiod AS earlier "  # noqa: S608 - constants
        f"WHERE earlier.course_id = {course} AND earlier.system = %(system)s "
        f"AND {sql_known_now('earlier')} AND lower(earlier.valid) {within} "
        "ORDER BY lower(earlier.valid) DESC LIMIT 1)"
    )


def periods_known_now(course: Course | uuid.UUID, system: GradingSystem) -> QuerySet[GradePeriod]:
    """Query the periods of ``course`` as the chart has them now, in order."""
    return GradePeriod.objects.filter(KNOWN_NOW, course=course, system=system.key).order_by("valid")


def periods_known_at(
    course: Course | uuid.UUID, system: GradingSystem, instant: datetime
) -> QuerySet[GradePeriod]:
    """Query the periods of ``course`` as the chart had them at ``instant``, in order."""
    return GradePeriod.objects.filter(
        course=course, system=system.key, known__contains=instant
    ).order_by("valid")


def period_rows_known_at(
    course: Course | uuid.UUID, system: GradingSystem, instant: datetime
) -> list[GradePeriodRow]:
    """Read ``periods_known_at`` as rows, which a regrade compares."""
    return [period_row_of(period) for period in periods_known_at(course, system, instant)]


def period_row_of(period: GradePeriod) -> GradePeriodRow:
    return GradePeriodRow(
        period.pk,
        period.valid.lower,
        period.valid.upper,
        period.grade,
        period.at_most,
        period.findings,
        period.ruleset_version,
        period.policy_id,
    )


def findings_without_wording(findings: Mapping[str, Any]) -> str:
    """Return the findings of a period as text without their wording, which a release may change."""
    met = [(item["code"], item["grade"], item["evidence"]) for item in findings["criteria"]]
    unknown = [(item["code"], item["could_reach"]) for item in findings["unknown"]]
    return json.dumps([met, unknown])


# Among how many entries of a kind the value before the latest is searched; of results, CRP alone.
_RECENT: Final = """
SELECT entry.* FROM (VALUES ('vitals', 4), ('oxygen', 3), ('vasopressor', 8), ('lab', 60))
    AS wanted (kind, most), LATERAL (
        SELECT * FROM patients_entry AS newest
        WHERE newest.course_id = %(course)s AND newest.kind = wanted.kind
            AND newest.at BETWEEN '-infinity' AND %(now)s
        ORDER BY newest.at DESC LIMIT wanted.most
    ) AS entry
WHERE {in_force} AND (entry.kind <> 'lab' OR entry.body ->> 'analyte' = 'crp')
"""


# Guidance reads the grades since the first treatment and since the oldest answer.
SQL_READ_GRADE_HISTORY: Final = (
    """
WITH period AS NOT MATERIALIZED (
    SELECT grade, at_most, valid, lower(valid) AS start, findings, policy_id
    FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND {known_now}
        AND lower(valid) <= %(now)s
), oldest AS MATERIALIZED (
    SELECT (SELECT min(at) FROM patients_entry
            WHERE course_id = %(course)s AND kind = 'treatment') AS treatment,
        (SELECT min(recorded_at) FROM patients_guidanceanswer
            WHERE course_id = %(course)s) AS answer
), wholly AS MATERIALIZED (
    SELECT start FROM period
    WHERE start <= (SELECT least(%(back)s, treatment, answer) FROM oldest)
    ORDER BY start DESC LIMIT 1
), by_grade AS MATERIALIZED (
    SELECT first.valid, first.grade, first.start, last.start AS last_start
    FROM generate_series(0, 5) AS possible, LATERAL (
        SELECT valid, grade, start FROM period WHERE grade = possible ORDER BY start LIMIT 1
    ) AS first, LATERAL (
        SELECT start FROM period WHERE grade = possible ORDER BY start DESC LIMIT 1
    ) AS last
), other AS MATERIALIZED (
    SELECT last_start AS start FROM by_grade ORDER BY last_start DESC OFFSET 1 LIMIT 1
), rise AS MATERIALIZED (
    SELECT highest.start, highest.grade
    FROM (SELECT start, grade FROM by_grade ORDER BY grade DESC LIMIT 1) AS highest
    WHERE highest.start > %(back)s
        AND highest.start > (SELECT min(start) FROM by_grade)
)
SELECT (
    SELECT CAST(json_agg(
        json_build_array(lower(valid), upper(valid), grade) ORDER BY valid) AS text)
    FROM (
        SELECT valid, grade FROM period
            WHERE start >= coalesce((SELECT start FROM wholly), '-infinity')
        UNION SELECT valid, grade FROM by_grade
        UNION (SELECT valid, grade FROM period
            WHERE start >= (SELECT start FROM other) ORDER BY start LIMIT 2)
    ) AS shown
), oldest.answer IS NOT NULL, (
    SELECT CAST(json_agg(json_build_array(entry.id, entry.at,
        author.username, author.first_name, author.last_name)) AS text)
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
    WHERE entry.course_id = %(course)s AND entry.id = ANY(%(entries)s::uuid[])
), (
    SELECT {as_json}
    FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
    WHERE entry.course_id = %(course)s AND {weights}
        AND {in_force}
), (
    SELECT at FROM patients_entry
    WHERE course_id = %(course)s AND act_id IS DISTINCT FROM %(apart_from)s::uuid
    ORDER BY at DESC LIMIT 1
), (
    SELECT CAST(json_agg(json_build_array(entry.id, entry.kind, entry.at, entry.recorded_at,
        entry.replaces_id, entry.body::text)) AS text)
    FROM ({recent}) AS entry
), greatest((
    SELECT max(recorded_at) FROM patients_guidanceanswer
    WHERE course_id = %(course)s AND act_id IS DISTINCT FROM %(apart_from)s::uuid
), (SELECT max(at) FROM patients_transfer WHERE course_id = %(course)s
), (SELECT max(recorded_at) FROM patients_gradereview WHERE course_id = %(course)s)), (
    SELECT CAST(json_build_array(rise.start, earlier.grade, rise.grade,
        period.at_most, period.findings, earlier.findings, {charted},
        earlier.policy_id = period.policy_id) AS text)
    FROM rise JOIN period ON period.start = rise.start, LATERAL (
        SELECT grade, findings, policy_id FROM period
        WHERE start < rise.start ORDER BY start DESC LIMIT 1
    ) AS earlier
), CASE WHEN %(wants_assessed)s OR (
    EXISTS (SELECT FROM rise)
    AND (SELECT grade FROM by_grade ORDER BY grade DESC OFFSET 1 LIMIT 1) = 0
) THEN {assessed_since} END
FROM oldest
""".replace("{as_json}", SQL_ENTRIES_AS_JSON)
    .replace("{weights}", SQL_WEIGHTS)
    .replace("{recent}", _RECENT)
    .replace("{in_force}", sql_not_replaced("entry"))
    .replace("{known_now}", sql_known_now())
    .replace("{charted}", SQL_CHARTED_AT.format(at="rise.start"))
    .replace("{assessed_since}", SQL_ASSESSED_SINCE)
)


class GradeHistory(NamedTuple):
    """The grades of a course over time, and what the same statement reads.

    ``authors`` are those of ``entry_ids``, by id; ``weights`` is the one in force at
    ``weights_since`` and every later one. ``may_have_answers`` is false where guidance was never
    answered on the course. ``latest_entry_at`` and ``latest_other_at`` are the times of the latest
    entry and of the latest answer, review or move, without those of ``apart_from_act``.
    ``recent`` are the latest entries in force with a value of the strip, a few of each kind.
    ``rise`` is how the highest grade was reached, where that is within ``PEAK_WINDOW``.
    ``assessed_since`` is read where a grade 0 is shown: None where none is, and where the course
    was never assessed.
    """

    grades: list[GradeInterval]
    authors: dict[str, EntryAuthor]
    weights: list[EntryRow]
    may_have_answers: bool
    latest_entry_at: datetime | None
    latest_other_at: datetime | None
    recent: list[ChartedEntry]
    rise: GradeChangeRow | None = None
    assessed_since: datetime | None = None


def read_grade_history(
    course_id: uuid.UUID,
    now: datetime,
    system: GradingSystem,
    entry_ids: Iterable[str] = (),
    *,
    weights_since: datetime | None = None,
    apart_from_act: uuid.UUID | None = None,
    wants_assessed: bool = False,
) -> GradeHistory:
    """Read the grades that the chart has now, in order, and who charted ``entry_ids``.

    Complete over ``PEAK_WINDOW``, since the first treatment and since the oldest answer to
    guidance; before that, the first period of each grade, the start of the grade in force at
    ``now`` and the period before it. ``wants_assessed``: a grade 0 is shown.
    """
    params: dict[str, Any] = {
        "course": course_id,
        "system": system.key,
        "now": now,
        "back": now - PEAK_WINDOW,
        "entries": f"{{{','.join(entry_ids)}}}",  # an array as PostgreSQL writes it
        "since": weights_since,
        "apart_from": apart_from_act,
        "wants_assessed": wants_assessed,
    }
    with connection.cursor() as cursor:
        cursor.execute(SQL_READ_GRADE_HISTORY, params)
        grades, has_answers, authors, weights, entry_at, recent, other_at, rise, assessed_since = (
            cursor.fetchone()
        )
    return GradeHistory(
        [
            GradeInterval(
                datetime.fromisoformat(start),
                None if end is None else datetime.fromisoformat(end),
                grade,
            )
            for start, end, grade in json.loads(grades or "[]")
        ],
        {
            pk: EntryAuthor(display_name_of(*names), datetime.fromisoformat(at))
            for pk, at, *names in json.loads(authors or "[]")
        },
        parse_entry_rows(weights),
        has_answers,
        entry_at,
        other_at,
        parse_charted(recent),
        None if rise is None else _rise_of(rise, assessed_since),
        assessed_since,
    )


def _rise_of(text: str, assessed_since: datetime | None) -> GradeChangeRow:
    start, before, *rest = json.loads(text)
    at = datetime.fromisoformat(start)
    rise = GradeChangeRow(at, before, *rest)
    was_assessed = assessed_since is not None and assessed_since < at
    return rise._replace(assessed_before=before != 0 or was_assessed)
