"""Read the policies of the site and of courses, each with the time from which it is valid."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from crs_app.accounts.models import User
from grading.engine.policy import DEFAULT_POLICY, Policy, policy_from
from patients.models import ActSource, Course, CoursePolicy, PolicyVersion, SitePolicy

ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


class PolicyPeriod(NamedTuple):
    """A policy version valid from ``valid_from`` on.

    ``site_policy_id`` is the site's decision that brought it, None where there was none.
    """

    valid_from: datetime
    version_id: int
    digest: str
    values: Mapping[str, Any]
    site_policy_id: int | None = None

    @property
    def policy(self) -> Policy:
        return _policy(self.digest, tuple(sorted(self.values.items())))


@lru_cache(maxsize=64)
def _policy(_digest: str, values: tuple[tuple[str, Any], ...]) -> Policy:
    return policy_from(dict(values))


def periods_in_effect(decided: Iterable[PolicyPeriod]) -> list[PolicyPeriod]:
    """Return, in order of time, the periods in effect of those ``decided``, in order of decision.

    A later decision replaces earlier ones from its time on. One that changes nothing is left out.
    """
    in_effect: list[PolicyPeriod] = []
    for period in decided:
        while in_effect and in_effect[-1].valid_from >= period.valid_from:
            in_effect.pop()
        if not in_effect or in_effect[-1].version_id != period.version_id:
            in_effect.append(period)
    return in_effect


def policy_periods_for(course: Course, decided: Iterable[PolicyPeriod]) -> list[PolicyPeriod]:
    """Return the policies that grade ``course``: that of its admission, then those ``decided``."""
    version = course.policy
    first = PolicyPeriod(ALWAYS, version.pk, version.digest, version.values)
    return periods_in_effect([first, *decided])


SQL_DECIDED_POLICIES: Final = """
SELECT jsonb_agg(
    jsonb_build_array(decided.valid_from, version.id, version.digest, version.values)
    ORDER BY decided.id
)
FROM patients_coursepolicy AS decided
JOIN patients_policyversion AS version ON version.id = decided.version_id
WHERE decided.course_id = %(course)s
"""
"""One JSON text: the policies decided for a course, in the order of the decisions."""

SQL_POLICIES_DECIDED_THEN: Final = (
    SQL_DECIDED_POLICIES.replace(
        "FROM patients_coursepolicy AS decided",
        "FROM patients_coursepolicy AS decided "
        "JOIN patients_chartingact AS decision "
        "ON decision.course_id = decided.course_id AND decision.id = decided.act_id",
    )
    + "AND decision.recorded_at <= %(known_at)s"
)
"""The same, of the decisions recorded by ``%(known_at)s``."""


def parse_policy_periods(text: str | None) -> tuple[PolicyPeriod, ...]:
    """Return the periods of ``SQL_DECIDED_POLICIES``, each without ``site_policy_id``."""
    return tuple(
        PolicyPeriod(datetime.fromisoformat(valid_from), version, digest, values)
        for valid_from, version, digest, values in json.loads(text or "[]")
    )


def read_policy_periods(course: Course, *, known_at: datetime | None = None) -> list[PolicyPeriod]:
    """Read the policies that grade ``course`` now, or as they were known at ``known_at``."""
    decisions = CoursePolicy.objects.filter(course=course).order_by("pk")
    if known_at is not None:
        decisions = decisions.filter(act__recorded_at__lte=known_at)
    return policy_periods_for(course, map(_policy_period, decisions.select_related("version")))


def _policy_period(decision: CoursePolicy) -> PolicyPeriod:
    version = decision.version
    return PolicyPeriod(
        decision.valid_from, version.pk, version.digest, version.values, decision.site_policy_id
    )


def read_site_policy_periods() -> list[PolicyPeriod]:
    """Read the site's policy periods in effect, in order; none where it never decided."""
    decisions = SitePolicy.objects.select_related("version").order_by("pk")
    return periods_in_effect(
        PolicyPeriod(one.valid_from, one.version_id, one.version.digest, one.version.values, one.pk)
        for one in decisions
    )


def site_decisions() -> QuerySet[SitePolicy]:
    """Query every decision of the site with version and author, in the order of the decisions."""
    return SitePolicy.objects.select_related("version", "recorded_by").order_by("pk")


def read_latest_site_decision() -> SitePolicy | None:
    """Read the site's latest decision with its author; None where it never decided."""
    return SitePolicy.objects.select_related("recorded_by").order_by("-pk").first()


def read_site_decision_of_form(form_id: uuid.UUID) -> SitePolicy | None:
    """Read the decision that the form ``form_id`` recorded, with its author and version."""
    found = SitePolicy.objects.filter(form_id=form_id)
    return found.select_related("recorded_by", "version").first()


def course_decisions(course: Course) -> QuerySet[CoursePolicy]:
    """Query every policy decided for ``course`` with act, author and version, newest first."""
    decided = CoursePolicy.objects.filter(course=course)
    return decided.select_related("act__recorded_by", "version", "site_policy").order_by("-pk")


def policy_periods_to_follow(course: Course, now: datetime) -> list[PolicyPeriod]:
    """Return the policies that ``course`` must follow from ``now`` on where it is reopened.

    They are those of the site, which decided without it while it was closed; none where nothing
    changes. A recalculation of the course after the decision in force keeps its policy.
    """
    if course.keeps_own_policy:
        return []
    site, own = read_site_policy_periods(), read_policy_periods(course)
    coming = [period for period in site if period.valid_from > now]
    in_force = period_at(site, now)
    if in_force is None or _is_recalculated_since(course, in_force):
        return [period for period in coming if period not in own]
    wanted = [in_force._replace(valid_from=now), *coming]
    return [] if _versions_from(own, now) == _versions_from(wanted, now) else wanted


def _is_recalculated_since(course: Course, of_site: PolicyPeriod) -> bool:
    """Return whether ``course`` was recalculated by itself after the site's decision."""
    decision = next(one for one in site_decisions() if one.pk == of_site.site_policy_id)
    of_course = course_decisions(course).filter(site_policy=None, act__source=ActSource.POLICY)
    return of_course.filter(act__recorded_at__gt=decision.recorded_at).exists()


def _versions_from(periods: Sequence[PolicyPeriod], now: datetime) -> list[tuple[datetime, int]]:
    """Return the versions in force at ``now`` and later, each with when it begins, or ``now``."""
    current = period_at(periods, now)
    return [
        (max(period.valid_from, now), period.version_id)
        for period in periods
        if period is current or period.valid_from > now
    ]


def policy_versions() -> QuerySet[PolicyVersion]:
    """Query every policy version, in the order in which they were stored."""
    return PolicyVersion.objects.order_by("pk")


def period_at(policy_periods: Iterable[PolicyPeriod], at: datetime) -> PolicyPeriod | None:
    """Return the period in effect at ``at``; None before the first."""
    return next((one for one in reversed(list(policy_periods)) if one.valid_from <= at), None)


def policy_at(site: Iterable[PolicyPeriod], at: datetime) -> Policy:
    """Return the site's policy at ``at``; the default until the site decides otherwise."""
    period = period_at(site, at)
    return DEFAULT_POLICY if period is None else period.policy


def version_of(policy: Policy, now: datetime, by: User | None = None) -> PolicyVersion:
    """Return the stored version of ``policy``; create it where there is none."""
    values = policy.values()
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    version, _ = PolicyVersion.objects.get_or_create(
        digest=digest, defaults={"values": values, "created_at": now, "created_by": by}
    )
    return version


_LOCK_OF_SITE_POLICY: Final = 2014_124_188
"""The key of an advisory lock: a lock of the table would need the right to change its rows."""


def lock_site_policy(*, to_change: bool = False) -> None:
    """Lock the site's decisions against change until the transaction ends; the lock is shared.

    ``to_change`` takes the lock alone: it waits for every admission under way and blocks others.
    """
    shared = "" if to_change else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{shared}(%s)", [_LOCK_OF_SITE_POLICY])
