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

from crs_app.accounts.models import display_name_of
from grading.course_file import read_entry
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.facts import CourseFacts, PolicyFrom
from patients.models import SAYS_CONCENTRATION, Course, Entry, EntryKind
from patients.queries.policies import PolicyPeriod, read_policy_periods


def course_facts(course: Course, rulings: Sequence[PolicyPeriod] | None = None) -> CourseFacts:
    """What grading knows of a course before its entries; needs ``patient`` and ``policy`` at hand.

    Weight and baseline are not among them: they are entries like any other. ``rulings`` None reads
    which policies grade it.
    """
    first, *later = read_policy_periods(course) if rulings is None else rulings
    return CourseFacts(
        infused_at=course.infused_there,
        birth_date=course.patient.birth_date,
        age_years=course.age_years,
        policy=first.policy,
        policies=tuple(PolicyFrom(ruling.valid_from, ruling.policy) for ruling in later),
    )


_SYRINGE: Final = ("body__drug", "body__concentration_per_ml", "at")
_SYRINGES_READ: Final = 100


class EntryRow(NamedTuple):
    """An entry as it is read for grading, without the weight of a model.

    ``body`` is JSON text. ``parsed`` is the grading entry where it is known already: an entry that
    was recorded just now has been read by its form.
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

    @property
    def author(self) -> str:
        return display_name_of(self.username, self.first_name, self.last_name)


def parse_entry(entry: Entry | EntryRow) -> ChartedEntry:
    """A row as grading reads it, by the reader that course files and forms use too."""
    if isinstance(entry, EntryRow) and entry.parsed is not None:
        return entry.parsed
    at, recorded_at = entry.at.isoformat(), entry.recorded_at.isoformat()
    body = entry.body if isinstance(entry, EntryRow) else json.dumps(entry.body)
    return _parse(entry.pk, entry.kind, at, recorded_at, entry.replaces_id, body)


@lru_cache(maxsize=4096)
def _parse(
    pk: uuid.UUID,
    kind: str,
    at: str,
    recorded_at: str,
    replaces_id: uuid.UUID | None,
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


_SQL_ENTRIES_IN_FORCE: Final = """{before}
SELECT entry.id, entry.kind, entry.at, entry.recorded_at, entry.replaces_id, entry.body,
    author.username, author.first_name, author.last_name
FROM patients_entry AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
WHERE entry.course_id = %(course)s AND entry.kind <> 'retraction' AND ({which})
    AND NOT EXISTS (SELECT FROM patients_entry AS later WHERE later.replaces_id = entry.id)
ORDER BY entry.at, entry.recorded_at, entry.place
"""
_AFTER: Final = "entry.at > %(after)s OR entry.kind = 'baseline'"
SQL_WEIGHTS: Final = """entry.kind = 'weight' AND entry.at >= coalesce((
    SELECT held.at FROM patients_entry AS held
    WHERE held.course_id = %(course)s AND held.kind = 'weight' AND held.at <= %(since)s::timestamptz
        AND NOT EXISTS (SELECT FROM patients_entry AS later WHERE later.replaces_id = held.id)
    ORDER BY held.at DESC LIMIT 1
), %(since)s) AND entry.at <= 'infinity'"""
"""Those that hold at ``since`` or after it, among entries in force; none where it is NULL.

A time limited on one side only counts for a third of a course: it would be planned for each look.
"""
_BEFORE: Final = """WITH infusion AS MATERIALIZED (
    SELECT said.id, said.at FROM patients_entry AS said
    WHERE said.course_id = %(course)s AND said.kind = 'vasopressor' AND said.at <= %(at)s
        AND said.body ->> 'drug' = %(drug)s AND said.id IS DISTINCT FROM %(apart_from)s::uuid
        AND NOT EXISTS (SELECT FROM patients_entry AS later WHERE later.replaces_id = said.id)
    ORDER BY said.at DESC, said.recorded_at DESC, said.place DESC LIMIT 1
)"""
_SINCE_THE_INFUSION: Final = SQL_WEIGHTS.replace(
    "%(since)s", "coalesce((SELECT infusion.at FROM infusion), %(at)s)"
)
_INFUSION: Final = """entry.id = (SELECT id FROM infusion)
    OR {weights}""".replace("{weights}", _SINCE_THE_INFUSION)
GIVEN: Final = frozenset({EntryKind.TREATMENT, EntryKind.RISK, EntryKind.BASELINE})
PRIOR: Final = frozenset({EntryKind.LAB, EntryKind.TOXICITY, EntryKind.SYMPTOM})
"""What guidance reads of a whole course, and what of its time before the infusion."""


SQL_ENTRIES_AS_JSON: Final = """CAST(json_agg(
    json_build_array(entry.id, entry.kind, entry.at, entry.recorded_at, entry.replaces_id,
        entry.body::text, author.username, author.first_name, author.last_name)
    ORDER BY entry.at, entry.recorded_at, entry.place
) AS text)"""
"""Entries with their authors as one value of a statement, in the engine's order."""


def _listed(kinds: Iterable[EntryKind]) -> str:
    return ", ".join(f"'{kind.value}'" for kind in sorted(kinds))


# Planned once for whatever course and time: each part goes by an index of its own, the kinds stand
# in the text, and a time that is limited on one side only would count for a third of the course.
SQL_ENTRIES_FROM_CHECKPOINT: Final = (
    """
SELECT {as_json}
FROM (
    SELECT * FROM patients_entry
    WHERE course_id = %(course)s
        AND at > coalesce(resume.at, '-infinity') AND at <= 'infinity'::timestamptz
    UNION ALL
    SELECT * FROM patients_entry
    WHERE course_id = %(course)s AND kind IN ({given}) AND at <= resume.at
    UNION ALL
    SELECT * FROM patients_entry
    WHERE course_id = %(course)s AND kind IN ({prior})
        AND at >= '-infinity' AND at < least(%(infused_at)s::timestamptz, resume.at)
) AS entry JOIN accounts_user AS author ON author.id = entry.recorded_by_id
WHERE entry.kind <> 'retraction'
    AND NOT EXISTS (SELECT FROM patients_entry AS later WHERE later.replaces_id = entry.id)
""".replace("{as_json}", SQL_ENTRIES_AS_JSON)
    .replace("{given}", _listed(GIVEN))
    .replace("{prior}", _listed(PRIOR))
)
"""As one JSON value: the entries in force after ``resume.at``, and those before for guidance."""


def parse_entry_rows(said: str | None) -> list[EntryRow]:
    """The rows of ``AS_JSON``; none where there was none."""
    return [parse_entry_row(*columns) for columns in json.loads(said or "[]")]


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
) -> EntryRow:
    """A row from the columns of ``AS_JSON``, as JSON has them."""
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
    )


def entry_row_of(entry: Entry) -> EntryRow:
    """The row of an entry with its author at hand, as it would be read."""
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
    """The entries that count, in the engine's order: those after an instant, and every baseline.

    Those replaced by a correction or a retraction count no more; ``after`` None is from the start.
    """
    which = "true" if after is None else _AFTER
    return _read_rows(which, {"course": course_id, "after": after})


def weights_in_force(course_id: uuid.UUID, since: datetime) -> list[EntryRow]:
    """The weights that count, in order: the latest at or before ``since``, and those after it."""
    return _read_rows(SQL_WEIGHTS, {"course": course_id, "since": since})


def infusion_and_weights(
    course_id: uuid.UUID, at: datetime, drug: str, *, apart_from: uuid.UUID | None = None
) -> tuple[EntryRow | None, list[EntryRow]]:
    """The last entry in force about ``drug`` up to ``at``, and the weights since then.

    With them the weight that held then; without such an entry, those since ``at``.
    """
    said = {"course": course_id, "at": at, "drug": drug, "apart_from": apart_from}
    rows = _read_rows(_INFUSION, said, before=_BEFORE)
    infusion = next((row for row in rows if row.kind == EntryKind.VASOPRESSOR), None)
    return infusion, [row for row in rows if row.kind == EntryKind.WEIGHT]


def concentrations_in_course(course_id: uuid.UUID) -> list[tuple[str, Any, datetime]]:
    """Drug, concentration per mL and time of the course's latest infusions that say one."""
    said = _entries_in_force(course_id).filter(SAYS_CONCENTRATION).reverse()
    return list(said.values_list(*_SYRINGE)[:_SYRINGES_READ])


def concentrations_on_ward(ward: str) -> list[tuple[str, Any, datetime]]:
    """The same of the infusions that were recorded last on ``ward``, whoever they were for."""
    said = Entry.objects.filter(SAYS_CONCENTRATION, course__ward=ward)
    status = said.filter(~Exists(Entry.objects.filter(replaces=OuterRef("pk"))))
    return list(status.order_by("-recorded_at").values_list(*_SYRINGE)[:_SYRINGES_READ])


def _entries_in_force(course_id: uuid.UUID) -> QuerySet[Entry]:
    return (
        Entry.objects.filter(course_id=course_id)
        .filter(~Exists(Entry.objects.filter(replaces=OuterRef("pk"))))
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
    """What ``FROM_CHECKPOINT`` found, told apart; ``after`` None where there is no checkpoint."""
    given = [
        row
        for row in rows
        if row.kind in GIVEN or (row.kind in PRIOR and row.at < course.infused_at)
    ]
    later = [
        row for row in rows if after is None or row.at > after or row.kind == EntryKind.BASELINE
    ]
    return SplitEntries(later, given)


def _read_rows(which: str, parameters: Mapping[str, Any], *, before: str = "") -> list[EntryRow]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL_ENTRIES_IN_FORCE.format(which=which, before=before), parameters)
        return [EntryRow(*columns) for columns in cursor.fetchall()]
