"""The only reader of more than one table: what a bedside page, a timeline and a board show."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from grading.engine import entries as grading_entries
from grading.engine.facts import Baseline
from grading.engine.systems.lee_2014 import RULESET
from grading.engine.units import shown
from grading.engine.vasopressors import needs_weight
from grading.engine.vocabulary import Sex
from grading.service import RULESET_VERSION, Checkpoint, Standing, regrade
from patients.answers import GUIDANCE, answer_rows
from patients.asking import confirmed_of
from patients.attributed import REASON, last_said
from patients.carried_on import CarriedOn, carried_on
from patients.chart import (
    EntryRow,
    all_charted,
    charted,
    facts_of,
    in_force,
    infusion_and_weights,
    weights_in_force,
)
from patients.grade_card import (
    Author,
    Stretch,
    grade_card,
    previous_values,
    running_infusions,
)
from patients.grades_held import Held, grades_held
from patients.models import Course, Entry, EntryKind, GradeCheckpoint
from patients.panels import (
    Banner,
    Bedside,
    GradeCard,
    Superseded,
    Timeline,
    TimelineRow,
)
from patients.transfer import TRANSFER, transfer_rows
from patients.wording import (
    attribution_text,
    day_text,
    describe,
    late_text,
    weight_at,
)

PAGE_OF_ROWS: Final = 40
GRADE_CHANGE: Final = "grade_change"
CORRECTABLE: Final = frozenset(
    {
        EntryKind.VITALS,
        EntryKind.OXYGEN,
        EntryKind.VASOPRESSOR,
        EntryKind.FLUID_BOLUS,
        EntryKind.WEIGHT,
        EntryKind.LAB,
        EntryKind.TOXICITY,
        EntryKind.SYMPTOM,
        EntryKind.TREATMENT,
        EntryKind.BASELINE,
        EntryKind.RISK,
        EntryKind.JUDGEMENT,
        EntryKind.NOTE,
        EntryKind.NOT_OBSERVED,
        EntryKind.DEATH,
    }
)
"""The kinds that have a form; any other is retracted and charted anew."""
_SEX_LETTERS: Final = {Sex.FEMALE: "F", Sex.MALE: "M", Sex.OTHER: "X", Sex.UNKNOWN: ""}
_ENTRY: Final = ("course", "kind", "at", "recorded_at", "place", "replaces", "body")
_NAMES: Final = tuple(f"recorded_by__{name}" for name in ("username", "first_name", "last_name"))
_ANSWERS: Final = ("act__answers", "replaced_by__act__answers")
_SAID_BY_ITS_TEXT: Final = (grading_entries.Note, grading_entries.NotObserved)


@dataclass(frozen=True, slots=True)
class Reading:
    """A course as it stands at an instant, read from its latest checkpoint and what came after."""

    course: Course
    standing: Standing
    baseline: Baseline


def reading_of(course: Course, now: datetime) -> Reading:
    """Where ``course`` stands at ``now``: computed, never cached."""
    resume = _checkpoint(course, now)
    entries = all_charted(in_force(course.pk, after=resume.at if resume else None))
    facts = facts_of(course)
    standing = regrade(facts, entries, resume=resume, now=now).standing
    if standing is None:
        raise ValueError("a course was regraded without an instant to stand at")
    said = [entry for entry in entries if isinstance(entry, grading_entries.BaselineFacts)]
    return Reading(course, standing, facts.baseline.with_entries(said))


def _checkpoint(course: Course, now: datetime) -> Checkpoint | None:
    latest = (
        GradeCheckpoint.objects.filter(course=course, at__lte=now, ruleset_version=RULESET_VERSION)
        .order_by("-at")
        .first()
    )
    return Checkpoint(latest.at, latest.state) if latest else None


def bedside_of(course: Course, now: datetime) -> Bedside:
    """Banner, grade card, previous values and running infusions of one course."""
    return beside_of(reading_of(course, now))


def beside_of(reading: Reading) -> Bedside:
    """``bedside_of`` for a course that was read already."""
    course = reading.course
    held = held_beside(course.pk, reading.standing)
    weights = weights_among(held.weights)
    return Bedside(
        held=held,
        banner=banner_of(reading),
        card=grade_card(course.pk, reading.standing, as_stretches(held), held.authors),
        previous=previous_values(reading.standing, weights),
        running=running_infusions(reading.standing, weights),
        carried_on=carried_on(reading.standing, weights),
        proposed=last_said(reading.standing.latest),
    )


def carried_on_of(course: Course, now: datetime) -> list[CarriedOn]:
    """What a round at ``now`` may find unchanged."""
    standing = reading_of(course, now).standing
    return carried_on(standing, weights_for(course.pk, standing.latest.values()))


def card_of(course_id: uuid.UUID, standing: Standing) -> GradeCard:
    """The grade card of a course that stands at ``standing``."""
    held = held_beside(course_id, standing)
    return grade_card(course_id, standing, as_stretches(held), held.authors)


def held_beside(
    course_id: uuid.UUID, standing: Standing, new: Iterable[grading_entries.Entry] = ()
) -> Held:
    """Grades, authors and weights that the page tells beside ``standing`` and ``new`` entries."""
    latest = standing.latest.values()
    shown_ids = {entry.id for entry in latest}
    return grades_held(
        course_id,
        standing.at,
        shown_ids.union(*(criterion.evidence for criterion in standing.criteria)),
        weights_since=reckoned_since([*latest, *new]),
    )


def as_stretches(held: Held) -> list[Stretch]:
    """The grades of ``held`` as the card and guidance read them."""
    return [Stretch(*grade) for grade in held.grades]


def authors_of(entry_ids: Iterable[str]) -> dict[str, Author]:
    """Who charted these entries, and for when."""
    ids = list(entry_ids)
    if not ids:
        return {}
    entries = Entry.objects.filter(pk__in=ids).select_related("recorded_by").defer("body")
    return {str(e.pk): Author(e.recorded_by.display_name, e.at) for e in entries}


def banner_of(reading: Reading) -> Banner:
    """Who it is about, on which day of therapy."""
    course, standing = reading.course, reading.standing
    weight = standing.latest.get("weight")
    return Banner(
        course_id=course.pk,
        name=course.patient.name,
        mrn=course.patient.mrn,
        birth_date=course.patient.birth_date,
        age_text=_age(course, standing.at),
        sex_letter=_SEX_LETTERS[Sex(course.patient.sex)],
        product=course.product,
        day=day_text(course.infused_at, standing.at),
        infused_at=course.infused_at,
        weight_text="not charted"
        if standing.weight_kg is None
        else f"{shown(standing.weight_kg)} kg",
        weight_at=weight.at if weight else None,
        baseline_text=_baseline_text(reading.baseline),
        ward=course.ward,
        bed=course.bed,
    )


def _age(course: Course, now: datetime) -> str:
    """Completed years today, months under two years; as given where no birth date is known."""
    born = course.patient.birth_date
    if born is None:
        return "" if course.age_years is None else f"{int(course.age_years)} y"
    today = timezone.localtime(now).date()
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    return f"{months // 12} y" if months >= 24 else f"{months} mo"


def _baseline_text(baseline: Baseline) -> str:
    pair = (baseline.systolic_mmhg, baseline.diastolic_mmhg)
    if pair != (None, None):
        return "/".join("–" if value is None else shown(value) for value in pair)
    if baseline.mean_arterial_pressure_mmhg is not None:
        return f"MAP {shown(baseline.mean_arterial_pressure_mmhg)}"
    return "not established"


def _shown_entries(course_id: uuid.UUID) -> QuerySet[Entry]:
    """Entries with a row of their own: all but retractions and what a correction replaced."""
    return (
        Entry.objects.filter(course_id=course_id)
        .exclude(kind=EntryKind.RETRACTION)
        .filter(Q(replaced_by=None) | Q(replaced_by__kind=EntryKind.RETRACTION))
        .select_related("recorded_by", "replaced_by", "replaced_by__act", "act")
        .only(*_ENTRY, *_NAMES, *(f"replaced_by__{name}" for name in _ENTRY), *_ANSWERS)
        .order_by("-at", "-recorded_at", "-place")
    )


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
        changes = _grade_changes(course_id, None, None, now)
        return Timeline([*reversed(changes)], "", kind)
    if kind == GUIDANCE:
        return Timeline(answer_rows(course_id), "", kind)
    if kind == TRANSFER:
        return Timeline(transfer_rows(course_id), "", kind)
    entries = _shown_entries(course_id)
    if kind:
        entries = entries.filter(kind=kind)
    last = None
    if before is not None:
        last = Entry.objects.filter(course_id=course_id, pk=before).first()
        if last is not None:
            entries = entries.filter(_older_than(last))
    page = list(entries[: PAGE_OF_ROWS + 1])
    more = len(page) > PAGE_OF_ROWS
    page = page[:PAGE_OF_ROWS]
    rows = rows_of(course_id, page, can_correct=can_correct)
    if not kind:
        since = page[-1].at if more else None
        until = last.at if last is not None else None
        derived = _grade_changes(course_id, since, until, now)
        others = [*answer_rows(course_id, since, until), *transfer_rows(course_id, since, until)]
        rows = _merged([*others, *rows], derived)
    return Timeline(rows, str(page[-1].pk) if more else "", kind)


def _older_than(entry: Entry) -> Q:
    """What follows ``entry`` in the order of the timeline."""
    at, recorded_at = Q(at=entry.at), Q(recorded_at=entry.recorded_at)
    return Q(at__lte=entry.at) & (
        Q(at__lt=entry.at)
        | at & Q(recorded_at__lt=entry.recorded_at)
        | at & recorded_at & Q(place__lt=entry.place)
    )


def _merged(rows: Sequence[TimelineRow], changes: Sequence[TimelineRow]) -> list[TimelineRow]:
    by_time = sorted([*changes, *rows], key=lambda row: row.kind != GRADE_CHANGE)
    return sorted(by_time, key=lambda row: row.at, reverse=True)


def rows_of(
    course_id: uuid.UUID,
    entries: Sequence[Entry],
    *,
    can_correct: bool = False,
    fresh: bool = False,
    weights: Sequence[grading_entries.Weight] | None = None,
) -> list[TimelineRow]:
    """The rows of ``entries``, in their order, each with what it corrected.

    ``fresh`` entries were recorded just now: nothing can have replaced them yet. ``weights`` are
    those in force, None reads what is needed of them.
    """
    read = {entry.pk: charted(entry) for entry in entries}
    chains = _chains(entries)
    if weights is None:
        weights = weights_for(course_id, read.values())
    return [
        _row(
            entry,
            read[entry.pk],
            list(_corrected(entry, chains, weights)),
            weight_at(weights, entry.at),
            None if fresh else getattr(entry, "replaced_by", None),
            can_correct,
        )
        for entry in entries
    ]


def _row(
    entry: Entry,
    read: grading_entries.Entry,
    corrected: Sequence[Superseded],
    weight_kg: Decimal | None,
    retraction: Entry | None,
    can_correct: bool,
) -> TimelineRow:
    return TimelineRow(
        key=f"entry-{entry.pk}",
        at=entry.at,
        kind=entry.kind,
        text=describe(read, weight_kg),
        author=entry.recorded_by.display_name,
        recorded_at=entry.recorded_at,
        late_text=late_text(entry.at, entry.recorded_at),
        corrected=tuple(corrected),
        retracted=retraction is not None,
        retract_reason=reason_of(retraction) if retraction is not None else "",
        note="" if isinstance(read, _SAID_BY_ITS_TEXT) else read.note,
        attribution=read.attribution.value,
        attribution_text=attribution_text(read),
        attribution_reason=entry.act.answers.get(REASON, "")
        if attribution_text(read) or entry.kind == EntryKind.DEATH
        else "",
        confirmed=tuple(confirmed_of(entry.act.answers, entry.place)),
        can_correct=can_correct and retraction is None and entry.kind in CORRECTABLE,
        can_retract=can_correct and retraction is None,
        entry_id=entry.pk,
    )


def _chains(entries: Sequence[Entry]) -> dict[uuid.UUID, Entry]:
    """Every entry that one of ``entries`` corrects, and what that one corrected before."""
    chains: dict[uuid.UUID, Entry] = {}
    wanted = {entry.replaces_id for entry in entries if entry.replaces_id is not None}
    while wanted:
        found = Entry.objects.filter(pk__in=wanted).select_related("recorded_by", "act")
        chains |= {entry.pk: entry for entry in found}
        wanted = {e.replaces_id for e in found if e.replaces_id is not None} - chains.keys()
    return chains


def _corrected(
    entry: Entry,
    chains: Mapping[uuid.UUID, Entry],
    weights: Sequence[grading_entries.Weight],
) -> Iterable[Superseded]:
    correction = entry
    while correction.replaces_id is not None:
        old = chains[correction.replaces_id]
        yield Superseded(
            old_text=describe(charted(old), weight_at(weights, old.at)),
            reason=reason_of(correction),
            author=correction.recorded_by.display_name,
            at=correction.recorded_at,
        )
        correction = old


def reason_of(successor: Entry) -> str:
    """Why an entry was corrected or retracted."""
    reason = successor.act.answers.get("reason", "")
    if not reason and successor.kind == EntryKind.RETRACTION:
        reason = successor.body.get("note", "")
    return str(reason)


def weights_for(
    course_id: uuid.UUID, read: Iterable[grading_entries.Entry]
) -> list[grading_entries.Weight]:
    """The weights of the course that a running dose among the entries needs, else none."""
    since = reckoned_since(read)
    return [] if since is None else weights_of(course_id, since)


def reckoned_since(read: Iterable[grading_entries.Entry]) -> datetime | None:
    """The earliest running dose among the entries that is reckoned with a charted weight."""
    reckoned = [
        e.at
        for e in read
        if isinstance(e, grading_entries.Vasopressor)
        and e.runs
        and e.weight_kg is None
        and needs_weight(e.drug, e.unit)
    ]
    return min(reckoned, default=None)


def weights_of(course_id: uuid.UUID, since: datetime) -> list[grading_entries.Weight]:
    """The weight that held at ``since`` and those after it, as far as in force, in order."""
    return weights_among(weights_in_force(course_id, since))


def weights_among(rows: Iterable[EntryRow]) -> list[grading_entries.Weight]:
    """The weights among ``rows``, as grading reads them."""
    return [entry for entry in all_charted(rows) if isinstance(entry, grading_entries.Weight)]


def infusion_before(
    course_id: uuid.UUID, at: datetime, drug: str, correcting: Entry | None
) -> tuple[grading_entries.Vasopressor | None, list[grading_entries.Weight]]:
    """The entry in force about ``drug`` that one at ``at`` follows, None for the first; weights.

    The weights are those that held from then on. ``correcting`` is the entry whose place the one
    at ``at`` takes.
    """
    apart_from = correcting.pk if correcting is not None else None
    row, weights = infusion_and_weights(course_id, at, drug, apart_from=apart_from)
    read = charted(row) if row is not None else None
    before = read if isinstance(read, grading_entries.Vasopressor) else None
    return before, weights_among(weights)


# A change is told from the grade that it ended: the period before ``since`` is read, too.
_CHANGES: Final = """
SELECT start, before, grade, findings FROM (
    SELECT lower(valid) AS start, grade, findings, lag(grade) OVER (ORDER BY lower(valid)) AS before
    FROM patients_gradeperiod
    WHERE course_id = %(course)s AND system = %(system)s AND upper_inf(known)
        AND lower(valid) <= %(now)s
        AND lower(valid) >= coalesce((
            SELECT lower(held.valid) FROM patients_gradeperiod AS held
            WHERE held.course_id = %(course)s AND held.system = %(system)s
                AND upper_inf(held.known) AND lower(held.valid) < %(since)s::timestamptz
            ORDER BY lower(held.valid) DESC LIMIT 1
        ), %(since)s, '-infinity')
) AS held
WHERE before <> grade AND start >= coalesce(%(since)s, '-infinity')
    AND start < coalesce(%(until)s::timestamptz, 'infinity')
ORDER BY start
"""


def _grade_changes(
    course_id: uuid.UUID, since: datetime | None, until: datetime | None, now: datetime
) -> list[TimelineRow]:
    """The changes of grade in [since, until) up to now, in order, as the chart has them now."""
    said: dict[str, Any] = {
        "course": course_id,
        "system": RULESET,
        "since": since,
        "until": until,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, said)
        found = cursor.fetchall()
    return [
        change_row(at, before, grade, json.loads(findings)) for at, before, grade, findings in found
    ]


def change_row(at: datetime, before: int, grade: int, findings: Mapping[str, Any]) -> TimelineRow:
    """The row of a change of grade, with the criterion that decides the new one."""
    deciding = [c["explanation"] for c in findings["criteria"] if c["grade"] == grade]
    text = deciding[0] if deciding else "no criterion is met"
    return TimelineRow(
        key=f"grade-{at.isoformat()}",
        at=at,
        kind=GRADE_CHANGE,
        icon_grade=grade,
        grade_before=before,
        text=text,
    )
