"""The only writer of the chart: an act is recorded and its course regraded in one transaction.

An observation is never stored without its grade: where grading fails, nothing is stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.policy import Policy
from grading.service import RULESET_VERSION, Regraded, Standing
from patients.drafts import Draft
from patients.history import Difference, GradeChange, compared
from patients.models import (
    ActSource,
    ChartingAct,
    Course,
    CoursePolicy,
    Entry,
    EntryKind,
    LaboratoryLimits,
    Patient,
)
from patients.queries.entries import EntryRow, Reread
from patients.queries.grades import stored_at
from patients.queries.laboratory import (
    LimitsGiven,
    age_in_years,
    for_group,
    group_of,
    latest_limits,
)
from patients.queries.policies import (
    Ruling,
    hold_site_policy,
    policy_at,
    rulings_for,
    site_rulings,
    version_of,
)
from patients.queries.snapshot import Moment, moment_of
from patients.regrading import regraded_from, revision_by, with_new
from patients.stored import store
from patients.turns import turn_at

_BEFORE_EVERYTHING: Final = datetime.min.replace(tzinfo=UTC)
_AFTER_EVERYTHING: Final = datetime.max.replace(tzinfo=UTC)
_ONE_TICK: Final = timedelta(microseconds=1)


class ReplacedAlreadyError(Exception):
    """The entry to correct or retract has a successor already: ``successor``, by someone else."""

    def __init__(self, successor: Entry) -> None:
        super().__init__(str(successor))
        self.successor = successor


class FormReusedError(Exception):
    """This form was saved before with other contents; ``act`` is what was recorded then."""

    def __init__(self, act: ChartingAct) -> None:
        super().__init__(str(act))
        self.act = act


class IdentityDiffersError(Exception):
    """The record number belongs to ``patient``, whose name, birth date or sex differ."""

    def __init__(self, patient: Patient) -> None:
        super().__init__(str(patient))
        self.patient = patient


class AlreadyAdmittedError(Exception):
    """The patient has a course of the same product from the same infusion: ``course``."""

    def __init__(self, course: Course) -> None:
        super().__init__(str(course))
        self.course = course


@dataclass(frozen=True, slots=True)
class Sending:
    """Who sends an act and under which form. ``recorded_at`` is given by an import alone.

    ``limits`` are those of normal that came with results, to be remembered for the next patient.
    """

    by: User
    form_id: uuid.UUID
    request_digest: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    source: ActSource = ActSource.BEDSIDE
    recorded_at: datetime | None = None
    limits: Sequence[LimitsGiven] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """A new course. ``infused_at`` keeps its offset; ``age_years`` where no birth date is known.

    ``policy`` is the course's own, which no decision of the site touches; None follows the site's.
    """

    mrn: str
    name: str
    sex: str
    product: str
    infused_at: datetime
    ward: str
    bed: str = ""
    birth_date: date | None = None
    age_years: Decimal | None = None
    policy: Policy | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an act put on the chart and what that changed.

    ``standing`` is where the course stands at ``now``; ``grade_changes`` are those that the act
    brought into the history, each with the findings that it begins, and ``keeps_changes`` says that
    it left those as they were that were there before; ``in_force`` are the entries read
    for it, those before the last checkpoint not among them, ``for_guidance`` those that guidance
    needs; ``repeated`` says that the same form had been recorded before.
    """

    course: Course
    act: ChartingAct
    entries: tuple[Entry, ...]
    now: datetime
    standing: Standing
    grade_before: int | None
    grade_changes: tuple[GradeChange, ...]
    keeps_changes: bool
    in_force: list[EntryRow]
    for_guidance: list[EntryRow]
    repeated: bool = False


def record(course: Course, drafts: Sequence[Draft], sending: Sending) -> Recorded:
    """Record one act of charting and regrade the course from the earliest instant it touches.

    Sent again under the same ``form_id``, answers as before and records nothing. Raises
    ReplacedAlreadyError where someone else has corrected or retracted the entry meanwhile, and
    FormReusedError where the form was saved before with other contents. Raises RuntimeError inside
    a transaction: one that holds a course's lock must not wait for a turn.
    """
    with turn_at(course.pk), transaction.atomic(durable=True):
        lock(course.pk)
        return append(course, drafts, sending)


def correct(entry: Entry, at: datetime, body: Mapping[str, Any], sending: Sending) -> Recorded:
    """Record what ``entry`` should have said; ``sending.answers`` holds the reason."""
    return record(entry.course, [Draft(entry.kind, at, body, replaces=entry.pk)], sending)


def retract(entry: Entry, sending: Sending) -> Recorded:
    """Record that ``entry`` was entered in error; ``sending.answers`` holds the reason."""
    taken_back = Draft(EntryKind.RETRACTION, entry.at, {}, replaces=entry.pk)
    return record(entry.course, [taken_back], sending)


def admit(admission: Admission, drafts: Sequence[Draft], sending: Sending) -> Recorded:
    """Open a course, with what is known at its start; the patient is created where new.

    Raises IdentityDiffersError where the record number is another person's, and
    AlreadyAdmittedError where the course exists. The same form sent again answers with the
    course that it opened.
    """
    try:
        with transaction.atomic():
            return _admit(admission, drafts, sending)
    except IntegrityError:
        # Two forms for one patient at once: the first has it, and is found now.
        with transaction.atomic():
            return _admit(admission, drafts, sending)


def _admit(admission: Admission, drafts: Sequence[Draft], sending: Sending) -> Recorded:
    patient = _patient(admission)
    course = Course.objects.filter(
        patient=patient, product=admission.product, infused_at=admission.infused_at
    ).first()
    coming: list[Ruling] = []
    if course is None:
        course, coming = _open_course(admission, patient, sending)
    elif not course.acts.filter(form_id=sending.form_id).exists():
        raise AlreadyAdmittedError(course)
    lock(course.pk)
    return append(course, drafts, sending, coming)


def end_course(course: Course, at: datetime) -> None:
    """Take the course off the ward board; what is charted stays and can be added to."""
    Course.objects.filter(pk=course.pk).update(ended_at=at)


def _patient(admission: Admission) -> Patient:
    identity = {
        "name": admission.name,
        "birth_date": admission.birth_date,
        "sex": admission.sex,
    }
    patient, created = Patient.objects.get_or_create(mrn=admission.mrn, defaults=identity)
    if not created and any(getattr(patient, key) != said for key, said in identity.items()):
        raise IdentityDiffersError(patient)
    return patient


def _open_course(
    admission: Admission, patient: Patient, sending: Sending
) -> tuple[Course, list[Ruling]]:
    """The course, and what the site has decided for later."""
    offset = admission.infused_at.utcoffset()
    if offset is None:
        raise ValueError("an infusion's time needs its offset")
    site: list[Ruling] = []
    if admission.policy is None:
        hold_site_policy()
        site = site_rulings()
    received_at = timezone.now()
    policy = admission.policy or policy_at(site, received_at)
    course = Course.objects.create(
        patient=patient,
        product=admission.product,
        infused_at=admission.infused_at,
        infused_offset_seconds=int(offset.total_seconds()),
        age_years=admission.age_years,
        policy=version_of(policy, received_at),
        keeps_own_policy=admission.policy is not None,
        ward=admission.ward,
        bed=admission.bed,
        admitted_at=sending.recorded_at or received_at,
        admitted_by=sending.by,
    )
    return course, [ruling for ruling in site if ruling.valid_from > received_at]


def lock(course_id: uuid.UUID) -> None:
    """Wait for whoever writes to this course; others' foreign keys to it are not kept waiting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM patients_course WHERE id = %s FOR NO KEY UPDATE", [course_id])
        if not cursor.rowcount:
            raise Course.DoesNotExist


def append(
    course: Course,
    drafts: Sequence[Draft],
    sending: Sending,
    decided: Sequence[Ruling] = (),
) -> Recorded:
    """The inner step of ``record``, for a caller who holds the course's lock.

    ``decided`` are policies that the course is graded under from now on, each from its own time.
    """
    replaced = _replaced(drafts)
    moment = moment_of(
        course,
        form_id=sending.form_id,
        changed_at=min((_earliest(drafts, replaced), *(one.valid_from for one in decided))),
        recorded_at=sending.recorded_at,
        ruleset_version=RULESET_VERSION,
    )
    if moment.seen_act is not None:
        return _repeated(course, moment, moment.seen_act, sending)
    for entry in replaced:
        if hasattr(entry, "replaced_by"):
            raise ReplacedAlreadyError(entry.replaced_by)
    act, entries = _act(course, moment, drafts, sending)
    rulings = rulings_for(course, [*moment.decided, *decided])
    rows = with_new(moment.entries, entries)
    regraded, read = regraded_from(course, moment.resume, rows, act.recorded_at, rulings)
    difference = compared(
        moment.periods,
        resumed_at=moment.resume.at if moment.resume else None,
        continuing_until=regraded.continuing_until,
        periods=regraded.periods,
        rulings=rulings,
    )
    store(act, entries, revision_by(moment, regraded, difference))
    _store_rulings(act, decided)
    if sending.limits:
        _store_limits(course, act, sending.limits)
    return _recorded(course, act, entries, regraded, difference, read)


def _replaced(drafts: Sequence[Draft]) -> list[Entry]:
    named = [draft.replaces for draft in drafts if draft.replaces is not None]
    if not named:
        return []
    chain = ("replaced_by__recorded_by", "replaced_by__act")
    return list(Entry.objects.select_related(*chain).filter(pk__in=named))


def _earliest(drafts: Sequence[Draft], replaced: Iterable[Entry]) -> datetime:
    """The first instant whose grade the act can change; a baseline holds for the whole course."""
    touched: list[Draft | Entry] = [*drafts, *replaced]
    if any(entry.kind == EntryKind.BASELINE for entry in touched):
        return _BEFORE_EVERYTHING
    return min((entry.at for entry in touched), default=_AFTER_EVERYTHING)


def _act(
    course: Course, moment: Moment, drafts: Sequence[Draft], sending: Sending
) -> tuple[ChartingAct, tuple[Entry, ...]]:
    recorded_at = sending.recorded_at or moment.clock
    if moment.last_recorded_at is not None and recorded_at <= moment.last_recorded_at:
        if sending.recorded_at is not None:
            raise ValueError("an import records in the order of its recording times")
        recorded_at = moment.last_recorded_at + _ONE_TICK
    act = ChartingAct(
        course=course,
        form_id=sending.form_id,
        recorded_at=recorded_at,
        received_at=moment.clock,
        recorded_by=sending.by,
        source=sending.source,
        answers=dict(sending.answers),
        request_digest=sending.request_digest,
    )
    entries = tuple(
        Entry(
            id=draft.id,
            course=course,
            kind=draft.kind,
            at=draft.at,
            recorded_at=recorded_at,
            recorded_by=sending.by,
            act=act,
            place=place,
            replaces_id=draft.replaces,
            body=dict(draft.body),
        )
        for place, draft in enumerate(drafts)
    )
    return act, entries


def _store_rulings(act: ChartingAct, decided: Sequence[Ruling]) -> None:
    if decided:
        CoursePolicy.objects.bulk_create(
            CoursePolicy(
                course_id=act.course_id,
                act=act,
                version_id=ruling.version_id,
                valid_from=ruling.valid_from,
                site_policy_id=ruling.site_policy_id,
            )
            for ruling in decided
        )


def _store_limits(course: Course, act: ChartingAct, given: Sequence[LimitsGiven]) -> None:
    """Remember those limits that differ from what is remembered for this patient's group."""
    group = group_of(course, act.recorded_at)
    remembered = {
        (one.laboratory, one.analyte, one.unit): one for one in for_group(latest_limits(), group)
    }
    LaboratoryLimits.objects.bulk_create(
        LaboratoryLimits(
            act=act,
            laboratory=one.laboratory,
            analyte=one.analyte,
            unit=one.unit,
            sex=group.sex,
            is_child=group.is_child,
            age_years=age_in_years(course, act.recorded_at),
            lower=one.lower,
            upper=one.upper,
            recorded_at=act.recorded_at,
            recorded_by_id=act.recorded_by_id,
        )
        for one in given
        if one.says_more_than(remembered.get((one.laboratory, one.analyte, one.unit)))
    )


def _repeated(course: Course, moment: Moment, act_id: uuid.UUID, sending: Sending) -> Recorded:
    """The answer to a form that was recorded before, as the chart stands now."""
    act = ChartingAct.objects.get(pk=act_id)
    entries = tuple(act.entries.select_related("recorded_by", "act").order_by("place"))
    if act.request_digest != sending.request_digest:
        raise FormReusedError(act)
    difference = Difference(
        stored_at(course, act.recorded_at - _ONE_TICK),
        stored_at(course, act.recorded_at),
    )
    now = max(moment.clock, act.recorded_at)
    rulings = rulings_for(course, moment.decided)
    regraded, read = regraded_from(course, moment.resume, moment.entries, now, rulings)
    return _recorded(course, act, entries, regraded, difference, read, now=now)


def _recorded(
    course: Course,
    act: ChartingAct,
    entries: tuple[Entry, ...],
    regraded: Regraded,
    difference: Difference,
    read: Reread,
    *,
    now: datetime | None = None,
) -> Recorded:
    if regraded.standing is None:
        raise ValueError("a course was regraded without an instant to stand at")
    return Recorded(
        course=course,
        act=act,
        entries=entries,
        now=now or act.recorded_at,
        standing=regraded.standing,
        grade_before=difference.grade_before(act.recorded_at),
        grade_changes=difference.changes(act.recorded_at),
        keeps_changes=difference.keeps_changes(act.recorded_at),
        in_force=read.in_force,
        for_guidance=read.for_guidance,
        repeated=now is not None,
    )
