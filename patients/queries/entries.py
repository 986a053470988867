"""Read entries in force and turn their rows into the values that grading takes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.expressions import Combinable

from crs_app.accounts.models import display_name_of
from grading.course_file import read_entry
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.facts import CourseFacts, PolicyFrom
from patients.models import SAYS_CONCENTRATION, Course, Entry, EntryKind
from patients.queries.policies import PolicyPeriod, read_policy_periods


def course_facts(
    course: Course, policy_periods: Sequence[PolicyPeriod] | None = None
) -> CourseFacts:
    """Return the facts by which grading starts; ``course`` has its patient and policy loaded.

    Weight and baseline are not among them: they are entries like any other. ``policy_periods`` are
    those that grade the course, in order; None reads them.
    """
    first, *later = read_policy_periods(course) if policy_periods is None else policy_periods
    return CourseFacts(
        infused_at=course.infused_there,
        birth_date=course.patient.birth_date,
        age_years=course.age_years,
        developmental_delay=course.patient.developmental_delay,
        policy=first.policy,
        policies=tuple(PolicyFrom(period.valid_from, period.policy) for period in later),
    )


_SYRINGE: Final = ("body__drug", "body__concentration_per_ml", "at")
_SYRINGES_READ: Final = 100


class EntryRow(NamedTuple):
    """An entry and its author as plain columns: cheaper than a model.

    ``body`` is JSON text. ``parsed`` is the grading entry where it is known already: a form has
    parsed the entries that it recorded. ``kept_name`` and ``kept_role`` are those that the act
    kept of its author; "" where it kept none, or where they were not read.
    """

    pk: uuid.UUID
    kind: str
    at: datetime
    recorded_at: datetime
    replaces_id: uuid.UUID | None
    body: str
    username: str
    first_name: str
    last_name: str
    parsed: ChartedEntry | None = None
    kept_name: str = ""
    kept_role: str = ""

    @property
    def author(self) -> str:
        return self.kept_name or display_name_of(self.username, self.first_name, self.last_name)


def parse_entry(entry: Entry | EntryRow) -> ChartedEntry:
    """Return the grading entry of a row, by the reader that course files and forms use too."""
    if isinstance(entry, EntryRow) and entry.parsed is not None:
        return entry.parsed
    at, recorded_at = entry.at.isoformat(), entry.recorded_at.isoformat()
    body = entry.body if isinstance(entry, EntryRow) else json.dumps(entry.body)
    return _parse(entry.pk, entry.kind, at, recorded_at, entry.replaces_id, body)


@lru_cache(maxsize=4096)
def _parse(
    pk: uuid.UUID | str,
    kind: str,
    at: str,
    recorded_at: str,
    replaces_id: uuid.UUID | str | None,
    body: str,
) -> ChartedEntry:
    """Parse an entry.

    Cached by every column that it is parsed from: a recorded entry never changes.
    """
    words = json.loads(body)
    words["id"] = str(pk)
    words["kind"] = kind
    words["at"] = at
    words["recorded_at"] = recorded_at
    if replaces_id is not None:
        words["replaces"] = str(replaces_id)
    return read_entry(words)


def parse_entries(entries: Iterable[Entry | EntryRow]) -> list[ChartedEntry]:
    return [parse_entry(entry) for entry in entries]


def parse_charted(text: str | None) -> list[ChartedEntry]:
    """Return the grading entries of a JSON text with an array of columns for each, or None.

    The columns are id, kind, clinical time, recording time, id of the replaced entry, and body as
    text: cheaper than a row where nothing but the entry is wanted.
    """
    return [_parse(*columns) for columns in json.loads(text or "[]")]


def sql_replaced(entry_id: str, course_id: str) -> str:
    """Return the SQL condition that a correction or retraction replaces the entry ``entry_id``.

    The course of the entry leads to the one partition that has its successor.
    """
    return (
        "EXISTS (SELECT FROM patients_entry AS later "
        f"WHERE later.course_id = {course_id} AND later.replaces_id = {entry_id})"
    )


def sql_not_replaced(alias: str) -> str:
    """Return the SQL condition that the entry ``alias`` is in force: nothing replaces it."""
    return f"NOT {sql_replaced(f'{alias}.id', f'{alias}.course_id')}"


def sql_not_replaced_then(alias: str, known_at: str = "%(known_at)s") -> str:
    """Return the SQL condition that nothing recorded by ``known_at`` replaces ``alias``."""
    return (
        "NOT EXISTS (SELECT FROM patients_entry AS later "
        f"WHERE later.course_id = {alias}.course_id AND later.replaces_id = {alias}.id"
        f" AND later.recorded_at <= {known_at})"
    )


def not_replaced() -> Combinable:
    """Return ``sql_not_replaced`` for a query of the model ``Entry``."""
    return ~Exists(Entry.objects.filter(course=OuterRef("course"), replaces=OuterRef("pk")))


_SQL_ENTRIES_IN_FORCE: Final = """{before}
SELECT entry.id, entry.kind, entry.at, entry.recorded_at, entry.replaces_id, entry.body,
    author.username, author.first_name, author.last_name
FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
WHERE entry.course_id = %(course)s AND entry.kind <> 'retraction' AND ({which})
    AND {in_force}
ORDER BY entry.at, entry.recorded_at, entry.place
""".replace("{in_force}", sql_not_replaced("entry"))
_AFTER: Final = "entry.at > %(after)s OR entry.kind = 'baseline'"
SQL_WEIGHTS: Final = """entry.kind = 'weight' AND entry.at >= coalesce((
    SELECT weight.at FROM patients_entry AS weight
    WHERE weight.course_id = %(course)s AND weight.kind = 'weight'
        AND weight.at <= %(since)s::timestamptz AND {weight_in_force}
    ORDER BY weight.at DESC LIMIT 1
), %(since)s) AND entry.at <= 'infinity'""".replace("{weight_in_force}", sql_not_replaced("weight"))
"""Condition: the weight valid at ``since`` and every later one; none where ``since`` is NULL.

The upper bound, which every time keeps, lets PostgreSQL keep one plan: it takes a range without
one for a third of the course and would plan each execution.
"""
_BEFORE: Final = """WITH infusion AS MATERIALIZED (
    SELECT dose.id, dose.at FROM patients_entry AS dose
    WHERE dose.course_id = %(course)s AND dose.kind = 'vasopressor' AND dose.at <= %(at)s
        AND dose.body ->> 'drug' = %(drug)s AND dose.id IS DISTINCT FROM %(apart_from)s::uuid
        AND {dose_in_force}
    ORDER BY dose.at DESC, dose.recorded_at DESC, dose.place DESC LIMIT 1
)""".replace("{dose_in_force}", sql_not_replaced("dose"))
_SINCE_THE_INFUSION: Final = SQL_WEIGHTS.replace(
    "%(since)s", "coalesce((SELECT infusion.at FROM infusion), %(at)s)"
)
_INFUSION: Final = """entry.id = (SELECT id FROM infusion)
    OR {weights}""".replace("{weights}", _SINCE_THE_INFUSION)
_KINDS_OF_COURSE: Final = frozenset({EntryKind.TREATMENT, EntryKind.RISK, EntryKind.BASELINE})
"""Kinds that guidance reads over the whole course."""
_KINDS_BEFORE_INFUSION: Final = frozenset({EntryKind.LAB, EntryKind.TOXICITY, EntryKind.SYMPTOM})
"""Kinds that guidance reads over the time before the infusion."""


SQL_ENTRIES_AS_JSON: Final = """CAST(json_agg(
    json_build_array(entry.id, entry.kind, entry.at, entry.recorded_at, entry.replaces_id,
        entry.body::text, author.username, author.first_name, author.last_name)
    ORDER BY entry.at, entry.recorded_at, entry.place
) AS text)"""
"""Column: entries with their authors as one JSON text, in the engine's order."""
SQL_NAMES: Final = "author.username, author.first_name, author.last_name"
SQL_NAMES_THEN: Final = f"{SQL_NAMES}, act.author_name, act.author_role"
"""Columns: the author's present name; and that and the role which the act ``act`` kept."""
SQL_ENTRIES_WITH_ROLES_AS_JSON: Final = SQL_ENTRIES_AS_JSON.replace(SQL_NAMES, SQL_NAMES_THEN)
"""The same, each with the name and the role of its author at the time of its act ``act``."""


def _listed(kinds: Iterable[EntryKind]) -> str:
    return ", ".join(f"'{kind.value}'" for kind in sorted(kinds))


# Written so that one plan serves every course and time: each part of the union uses an index of
# its own, the kinds are literals, and each range of times is bounded on both sides, because
# PostgreSQL takes a range bounded on one side for a third of the course.
SQL_ENTRIES_FROM_CHECKPOINT: Final = (
    """
SELECT {as_json}
FROM (
    SELECT * FROM patients_entry
    WHERE course_id = %(course)s
        AND at > coalesce(resume.at, '-infinity') AND at <= 'infinity'::timestamptz
    UNION ALL
    SELECT * FROM patients_entry
    WHERE course_id = %(course)s AND kind IN ({kinds_of_course}) AND at <= resume.at
    UNION ALL
    SELECT * FROM patients_entry
    WHERE course_id = %(course)s AND kind IN ({kinds_before_infusion})
        AND at >= '-infinity' AND at < least(%(infused_at)s::timestamptz, resume.at)
) AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
WHERE entry.kind <> 'retraction' AND {in_force}
""".replace("{as_json}", SQL_ENTRIES_AS_JSON)
    .replace("{in_force}", sql_not_replaced("entry"))
    .replace("{kinds_of_course}", _listed(_KINDS_OF_COURSE))
    .replace("{kinds_before_infusion}", _listed(_KINDS_BEFORE_INFUSION))
)
"""One JSON text: the entries in force after ``resume.at``, and earlier ones for guidance."""


def parse_entry_rows(text: str | None) -> list[EntryRow]:
    """Return the rows of ``SQL_ENTRIES_AS_JSON``; None, an aggregate of no rows, has none."""
    return [parse_entry_row(*columns) for columns in json.loads(text or "[]")]


def parse_graded_rows(text: str | None) -> list[EntryRow]:
    """Return the rows of ``SQL_ENTRIES_FROM_CHECKPOINT``, each with its grading entry.

    Parsed by the texts of the columns, as in ``parse_charted``: an entry is parsed once for both.
    """
    return [
        parse_entry_row(*columns, parsed=_parse(*columns[:_COLUMNS_OF_ENTRY]))
        for columns in json.loads(text or "[]")
    ]


_COLUMNS_OF_ENTRY: Final = 6


def parse_entry_row(
    pk: str,
    kind: str,
    at: str,
    recorded_at: str,
    replaces: str | None,
    body: str,
    username: str,
    first_name: str,
    last_name: str,
    kept_name: str = "",
    kept_role: str = "",
    *,
    parsed: ChartedEntry | None = None,
) -> EntryRow:
    """Return a row from one array of ``SQL_ENTRIES_AS_JSON``."""
    return EntryRow(
        uuid.UUID(pk),
        kind,
        datetime.fromisoformat(at),
        datetime.fromisoformat(recorded_at),
        None if replaces is None else uuid.UUID(replaces),
        body,
        username,
        first_name,
        last_name,
        parsed=parsed,
        kept_name=kept_name,
        kept_role=kept_role,
    )


def entry_row_of(entry: Entry) -> EntryRow:
    """Return the row of a model whose author is loaded, as a query would read it."""
    by = entry.recorded_by
    return EntryRow(
        entry.pk,
        entry.kind,
        entry.at.astimezone(UTC),
        entry.recorded_at,
        entry.replaces_id,
        json.dumps(entry.body),
        by.username,
        by.first_name,
        by.last_name,
    )


def entries_in_force(course_id: uuid.UUID, *, after: datetime | None) -> list[EntryRow]:
    """Read the entries in force later than ``after``, and every baseline, in the engine's order.

    ``after`` None reads all.
    """
    which = "true" if after is None else _AFTER
    return _read_rows(which, {"course": course_id, "after": after})


def rates_and_weights(course_id: uuid.UUID) -> list[EntryRow]:
    """Read every infusion and weight in force, in the engine's order."""
    return _read_rows("entry.kind IN ('vasopressor', 'weight')", {"course": course_id})


def weights_in_force(course_id: uuid.UUID, since: datetime) -> list[EntryRow]:
    """Read the weight in force at ``since`` and every later one, in order."""
    return _read_rows(SQL_WEIGHTS, {"course": course_id, "since": since})


def infusion_and_weights(
    course_id: uuid.UUID, at: datetime, drug: str, *, apart_from: uuid.UUID | None = None
) -> tuple[EntryRow | None, list[EntryRow]]:
    """Read the last entry in force about ``drug`` up to ``at``, and the weights from its time on.

    The weight in force at its time is among them; without such an entry they start at ``at``. The
    entry ``apart_from`` is passed over.
    """
    params = {"course": course_id, "at": at, "drug": drug, "apart_from": apart_from}
    rows = _read_rows(_INFUSION, params, before=_BEFORE)
    infusion = next((row for row in rows if row.kind == EntryKind.VASOPRESSOR), None)
    return infusion, [row for row in rows if row.kind == EntryKind.WEIGHT]


def concentrations_in_course(course_id: uuid.UUID) -> list[tuple[str, Any, datetime]]:
    """Read drug, concentration per mL and time of the course's latest infusions that have one."""
    latest = _entries_in_force(course_id).filter(SAYS_CONCENTRATION).reverse()
    return list(latest.values_list(*_SYRINGE)[:_SYRINGES_READ])


def concentrations_on_ward(ward: str) -> list[tuple[str, Any, datetime]]:
    """Read drug, concentration per mL and time of the infusions recorded last on ``ward``."""
    entries = Entry.objects.filter(not_replaced(), SAYS_CONCENTRATION, course__ward=ward)
    return list(entries.order_by("-recorded_at").values_list(*_SYRINGE)[:_SYRINGES_READ])


def read_entry_to_replace(course_id: uuid.UUID, entry_id: uuid.UUID) -> Entry:
    """Read an entry that a form corrects or retracts, with course, act, author and successor.

    Whether it is in force still is decided when it is recorded. Raises Entry.DoesNotExist, also for
    a retraction.
    """
    entries = Entry.objects.exclude(kind=EntryKind.RETRACTION).select_related(
        "course__patient",
        "course__policy",
        "recorded_by",
        "act",
        "replaced_by",
        "replaced_by__act",
    )
    return entries.get(course_id=course_id, pk=entry_id)


def _entries_in_force(course_id: uuid.UUID) -> QuerySet[Entry]:
    return (
        Entry.objects.filter(course_id=course_id)
        .filter(not_replaced())
        .exclude(kind=EntryKind.RETRACTION)
        .order_by("at", "recorded_at", "place")
    )


class SplitEntries(NamedTuple):
    """Entries in force after a checkpoint, and the few earlier ones that guidance needs."""

    in_force: list[EntryRow]
    for_guidance: list[EntryRow]


def split_by_use(
    course: Course, rows: Sequence[EntryRow], *, after: datetime | None
) -> SplitEntries:
    """Split the rows of ``SQL_ENTRIES_FROM_CHECKPOINT``; ``after`` is the checkpoint's instant.

    ``after`` None: there is no checkpoint.
    """
    for_guidance = [
        row
        for row in rows
        if row.kind in _KINDS_OF_COURSE
        or (row.kind in _KINDS_BEFORE_INFUSION and row.at < course.infused_at)
    ]
    later = [
        row for row in rows if after is None or row.at > after or row.kind == EntryKind.BASELINE
    ]
    return SplitEntries(later, for_guidance)


def _read_rows(which: str, params: Mapping[str, Any], *, before: str = "") -> list[EntryRow]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL_ENTRIES_IN_FORCE.format(which=which, before=before), params)
        return [EntryRow(*columns) for columns in cursor.fetchall()]
