"""What an administrator decides about policy: for the site from now on, or for one course at all.

A decision of the site and the regrade of every open course are one transaction: a ward is never
graded half by one policy and half by another, and a decision that fails has not been made. That
costs one resumed regrade for each open course, a fraction of a second for a ward.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.policy import Policy
from patients.models import ActSource, Course, PolicyVersion, SitePolicy
from patients.queries.grades import known_now
from patients.queries.policies import Ruling, hold_site_policy, site_rulings, version_of
from patients.recording.inputs import Sending
from patients.recording.record import Recorded, append_act, lock_course
from patients.recording.regrade import WouldBe, graded_if


class DecidedMeanwhileError(Exception):
    """Someone else has decided since the page was shown: ``decision``."""

    def __init__(self, decision: SitePolicy) -> None:
        super().__init__(str(decision))
        self.decision = decision


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy from ``valid_from`` on (None: from now on); ``seen`` is the latest decision shown.

    ``seen`` is 0 where none was.
    """

    policy: Policy
    valid_from: datetime | None
    reason: str
    by: User
    form_id: uuid.UUID
    seen: int


class Held(NamedTuple):
    """Grade and bound; both None where nothing is graded."""

    grade: int | None
    at_most: int | None


_UNGRADED = Held(None, None)


class Stretch(NamedTuple):
    """What holds over [``start``, ``end``); ``end`` None is for ever."""

    start: datetime
    end: datetime | None
    held: Held


class Difference(NamedTuple):
    """From ``start`` to ``end`` a course would hold ``after`` instead of ``before``."""

    start: datetime
    end: datetime | None
    before: Held
    after: Held


class Effect(NamedTuple):
    """What a decision would change first on a course: now, or at an instant to come."""

    course: Course
    difference: Difference
    is_now: bool


def latest_decision() -> SitePolicy | None:
    return SitePolicy.objects.select_related("recorded_by").order_by("-pk").first()


def open_courses() -> QuerySet[Course]:
    """The courses that follow the site's policy; each needs its patient and policy for grading."""
    following = Course.objects.filter(ended_at=None, keeps_own_policy=False)
    return following.select_related("patient", "policy").order_by("pk")


@transaction.atomic
def decide(decision: Decision) -> SitePolicy:
    """Store the decision and regrade every open course from its time on.

    Sent again under the same ``form_id``, answers as before. Raises DecidedMeanwhileError where
    the page that it was made on no longer shows what holds.
    """
    hold_site_policy(to_change=True)
    before = SitePolicy.objects.filter(form_id=decision.form_id).first()
    if before is not None:
        return before
    latest = latest_decision()
    if latest is not None and latest.pk != decision.seen:
        raise DecidedMeanwhileError(latest)
    now = timezone.now()
    made = SitePolicy.objects.create(
        form_id=decision.form_id,
        version=version_of(decision.policy, now, decision.by),
        valid_from=decision.valid_from or now,
        reason=decision.reason,
        recorded_at=now,
        recorded_by=decision.by,
    )
    ruling = _ruling(made.version, made.valid_from, made.pk)
    for course in open_courses():
        lock_course(course.pk)
        append_act(course, (), _sending(made.form_id, made.reason, decision.by), [ruling])
    return made


@transaction.atomic
def regrade_from_start(
    course: Course, version: PolicyVersion, *, reason: str, by: User, form_id: uuid.UUID
) -> Recorded:
    """Grade a course anew from its infusion under ``version``: the only way backwards.

    What the chart said before stays known as such. A course that follows the site goes on to
    follow what the site decided for later.
    """
    hold_site_policy()
    lock_course(course.pk)
    rulings = _from_start(course, version)
    return append_act(course, (), _sending(form_id, reason, by, version), rulings)


def _from_start(course: Course, version: PolicyVersion) -> list[Ruling]:
    first = _ruling(version, course.infused_at, None)
    if course.keeps_own_policy or course.ended_at is not None:
        return [first]
    now = max(timezone.now(), course.infused_at)
    return [first, *(ruling for ruling in site_rulings() if ruling.valid_from > now)]


def _ruling(version: PolicyVersion, valid_from: datetime, site_policy_id: int | None) -> Ruling:
    return Ruling(valid_from, version.pk, version.digest, version.values, site_policy_id)


def _sending(
    form_id: uuid.UUID, reason: str, by: User, version: PolicyVersion | None = None
) -> Sending:
    return Sending(
        by=by,
        form_id=form_id,
        answers={"reason": reason},
        source=ActSource.POLICY,
        request_digest="" if version is None else version.digest,
    )


def effects_on_site(policy: Policy, valid_from: datetime, now: datetime) -> list[Effect]:
    """The open courses whose grade or bound would change, the present ones first."""
    unstored = Ruling(valid_from, 0, "not stored", policy.values())
    found = []
    for course in open_courses():
        differences = _differences(course, [unstored], valid_from)
        if differences:
            found.append(_effect(course, differences, now))
    return sorted(found, key=lambda one: (not one.is_now, one.difference.start))


def effects_on_course(course: Course, version: PolicyVersion) -> list[Difference]:
    """Where a course graded anew under ``version`` would differ from what its chart says."""
    return _differences(course, _from_start(course, version), course.infused_at)


def _effect(course: Course, differences: Sequence[Difference], now: datetime) -> Effect:
    for difference in differences:
        if difference.end is None or now < difference.end:
            return Effect(course, difference, difference.start <= now)
    return Effect(course, differences[0], False)


def _differences(course: Course, decided: list[Ruling], since: datetime) -> list[Difference]:
    would_be = graded_if(course, decided)
    before = [
        Stretch(row.valid.lower, row.valid.upper, Held(row.grade, row.at_most))
        for row in known_now(course)
    ]
    return _compared(before, _after(before, would_be), since)


def _after(before: Sequence[Stretch], would_be: WouldBe) -> list[Stretch]:
    """What would hold: as before up to the resume point and where it goes on, then as regraded."""
    after = [
        Stretch(period.start, period.end, Held(period.grade, period.at_most))
        for period in would_be.periods
    ]
    if would_be.resumed_at is None:
        return after
    kept = [stretch for stretch in before if stretch.start <= would_be.resumed_at]
    going_on = [stretch._replace(end=would_be.continuing_until) for stretch in kept[-1:]]
    return [*kept[:-1], *going_on, *after]


def _compared(
    before: Sequence[Stretch], after: Sequence[Stretch], since: datetime
) -> list[Difference]:
    starts = {stretch.start for stretch in (*before, *after)}
    ends = {stretch.end for stretch in (*before, *after) if stretch.end is not None}
    instants = sorted({since, *(at for at in starts | ends if at > since)})
    found: list[Difference] = []
    for at, until in zip(instants, [*instants[1:], None], strict=True):
        was, would_be = _held_at(before, at), _held_at(after, at)
        if was == would_be:
            continue
        last = found[-1] if found else None
        if last is not None and (last.end, last.before, last.after) == (at, was, would_be):
            found[-1] = last._replace(end=until)
        else:
            found.append(Difference(at, until, was, would_be))
    return found


def _held_at(stretches: Iterable[Stretch], at: datetime) -> Held:
    for stretch in stretches:
        if stretch.start <= at and (stretch.end is None or at < stretch.end):
            return stretch.held
    return _UNGRADED
