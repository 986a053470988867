"""Record a decision of the site about the policy, and regrade every course that follows it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import User
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from grading.engine.policy import Policy, policy_from
from grading.engine.vocabulary import EARLIEST, LATEST
from patients.display.signature import signature_of
from patients.models import ActSource, Course, PolicyVersion, SitePolicy
from patients.queries.courses import courses_following_site, now_for
from patients.queries.policies import (
    PolicyPeriod,
    course_decisions,
    lock_site_policy,
    read_latest_site_decision,
    read_site_decision_of_form,
    read_site_policy_periods,
    version_of,
)
from patients.recording.inputs import ConflictError, FormReusedError, Submission
from patients.recording.lock import lock_course
from patients.recording.record import RecordingResult, append_act


class DecidedMeanwhileError(ConflictError):
    """Someone else has decided since the page was shown; ``decision`` has its author loaded."""

    def __init__(self, decision: SitePolicy) -> None:
        super().__init__(
            f"{decision.recorded_by.display_name} has changed the policy since this page was "
            f"opened. Reason: {decision.reason} Nothing was changed, and what you typed is kept. "
            "Where it differs from what is in force now, that is shown. Compare, then preview the "
            "change."
        )


class DecisionReusedError(ConflictError):
    """This form was sent before with other contents."""

    def __init__(self) -> None:
        super().__init__("This form was already sent with other contents. Reload the page.")


class CourseChangedError(ConflictError):
    """The policies, the identity or the end of the course changed since the page was shown."""

    def __init__(self) -> None:
        super().__init__(
            "Someone has recalculated, corrected, closed or reopened this course, or changed the "
            "policy, since this page was opened. Look again at what changes."
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy valid from ``valid_from`` on (None: from now on), with author and reason.

    ``seen`` is an optimistic-lock token: the key of the latest decision that the page showed, 0
    where there was none.
    """

    policy: Policy
    valid_from: datetime | None
    reason: str
    by: User
    form_id: uuid.UUID
    seen: int


@transaction.atomic
def decide(decision: Decision) -> SitePolicy:
    """Store the decision and regrade, from its time on, every open course that follows the site.

    The same ``form_id`` again is a replay: it returns the stored decision. Raises
    DecidedMeanwhileError where someone else has decided since the page was shown, and
    DecisionReusedError where the form was sent before with other contents.
    """
    lock_site_policy(to_change=True)
    before = read_site_decision_of_form(decision.form_id)
    if before is not None:
        check_replay(before, decision.policy, decision.valid_from, decision.reason, decision.by)
        return before
    check_seen(read_latest_site_decision(), decision.seen)
    now = timezone.now()
    made = SitePolicy.objects.create(
        form_id=decision.form_id,
        version=version_of(decision.policy, now, decision.by),
        valid_from=decision.valid_from or now,
        reason=decision.reason,
        recorded_at=now,
        recorded_by=decision.by,
    )
    period = _policy_period(made.version, made.valid_from, made.pk)
    for course in courses_following_site():
        if lock_course(course) is None:  # nobody closed it before it was locked
            append_act(course, (), _submission(made.form_id, made.reason, decision.by), [period])
    from_when = {"valid from": made.valid_from.isoformat(timespec="minutes")}
    record_event(
        EventKind.POLICY_CHANGED, by=decision.by, purpose=decision.reason, details=from_when
    )
    return made


def check_seen(latest: SitePolicy | None, seen: int) -> None:
    """Raise DecidedMeanwhileError where ``latest`` is not the decision that the page showed."""
    if latest is not None and latest.pk != seen:
        raise DecidedMeanwhileError(latest)


def check_replay(
    before: SitePolicy, policy: Policy | None, valid_from: datetime | None, reason: str, by: User
) -> None:
    """Check that a form which recorded ``before`` is sent again unchanged.

    Raises DecidedMeanwhileError where it is someone else's, DecisionReusedError for other contents.
    """
    if before.recorded_by_id != by.pk:
        raise DecidedMeanwhileError(before)
    recorded = (policy_from(before.version.values), before.valid_from, before.reason)
    if recorded != (policy, valid_from or before.recorded_at, reason):
        raise DecisionReusedError


def course_token(course: Course) -> str:
    """Return the optimistic-lock token of what decides how ``course`` is graded, but its entries.

    Entries come by the minute: they change the preview of a regrade, and not what it does.
    """
    latest = course_decisions(course).first()
    decided = None if latest is None else latest.pk
    return signature_of(decided, course.identity_version, course.ended_at is None)


@transaction.atomic
def regrade_from_start(
    course: Course,
    version: PolicyVersion,
    *,
    reason: str,
    by: User,
    form_id: uuid.UUID,
    seen: str = "",
) -> RecordingResult:
    """Regrade ``course`` from its infusion under ``version``: a decision of the site never does.

    The earlier history stays as known before. A course that follows the site keeps the periods
    that the site decided for later. ``seen`` is the ``course_token`` that the page had; "" asks
    nothing. The same ``form_id`` again is a replay. Raises CourseChangedError where what decides
    its grades changed since the page was shown, and FormReusedError where the form was sent before
    with other contents or by another user.
    """
    lock_site_policy()
    course.ended_at = lock_course(course)
    is_replay = course.acts.filter(form_id=form_id).exists()
    if seen and not is_replay and seen != course_token(course):
        raise CourseChangedError
    periods = policy_periods_from_start(course, version)
    result = append_act(course, (), _submission(form_id, reason, by, version), periods)
    if not result.is_replay:
        record_event(EventKind.POLICY_CHANGED, by=by, course_id=course.pk, purpose=reason)
    elif result.act.answers.get("reason") != reason:
        raise FormReusedError(result.act, by)
    return result


def policy_periods_from_start(course: Course, version: PolicyVersion) -> list[PolicyPeriod]:
    """Return ``version`` from the infusion on, then what the site decided for later.

    A course stored before times were bounded can have an impossible infusion time.
    """
    first = _policy_period(version, min(max(course.infused_at, EARLIEST), LATEST), None)
    if course.keeps_own_policy or course.ended_at is not None:
        return [first]
    now = max(now_for(course), course.infused_at)
    return [first, *(period for period in read_site_policy_periods() if period.valid_from > now)]


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
