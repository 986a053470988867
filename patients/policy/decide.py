"""Record a decision of the site about the policy, and regrade every course that it concerns."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from crs_app.accounts.models import User
from grading.engine.policy import Policy
from patients.models import ActSource, Course, PolicyVersion, SitePolicy
from patients.queries.policies import (
    PolicyPeriod,
    lock_site_policy,
    read_site_policy_periods,
    version_of,
)
from patients.recording.inputs import Submission
from patients.recording.record import RecordingResult, append_act, lock_course


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
    lock_site_policy(to_change=True)
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
    ruling = _policy_period(made.version, made.valid_from, made.pk)
    for course in open_courses():
        lock_course(course.pk)
        append_act(course, (), _submission(made.form_id, made.reason, decision.by), [ruling])
    return made


@transaction.atomic
def regrade_from_start(
    course: Course, version: PolicyVersion, *, reason: str, by: User, form_id: uuid.UUID
) -> RecordingResult:
    """Grade a course anew from its infusion under ``version``: the only way backwards.

    What the chart said before stays known as such. A course that follows the site goes on to
    follow what the site decided for later.
    """
    lock_site_policy()
    lock_course(course.pk)
    rulings = from_start(course, version)
    return append_act(course, (), _submission(form_id, reason, by, version), rulings)


def from_start(course: Course, version: PolicyVersion) -> list[PolicyPeriod]:
    first = _policy_period(version, course.infused_at, None)
    if course.keeps_own_policy or course.ended_at is not None:
        return [first]
    now = max(timezone.now(), course.infused_at)
    return [first, *(ruling for ruling in read_site_policy_periods() if ruling.valid_from > now)]


def _policy_period(
    version: PolicyVersion, valid_from: datetime, site_policy_id: int | None
) -> PolicyPeriod:
    return PolicyPeriod(valid_from, version.pk, version.digest, version.values, site_policy_id)


def _submission(
    form_id: uuid.UUID, reason: str, by: User, version: PolicyVersion | None = None
) -> Submission:
    return Submission(
        by=by,
        form_id=form_id,
        answers={"reason": reason},
        source=ActSource.POLICY,
        request_digest="" if version is None else version.digest,
    )
