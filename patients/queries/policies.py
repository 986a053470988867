"""Read which policy grades a course from when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db import connection

from crs_app.accounts.models import User
from grading.engine.policy import DEFAULT_POLICY, Policy, policy_from
from patients.models import Course, CoursePolicy, PolicyVersion, SitePolicy

ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


class PolicyPeriod(NamedTuple):
    """That a policy version holds from ``valid_from`` on.

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
    """Of decisions in the order in which they were made, those that hold, in order of time.

    One that changes nothing is left out.
    """
    holding: list[PolicyPeriod] = []
    for ruling in decided:
        while holding and holding[-1].valid_from >= ruling.valid_from:
            holding.pop()
        if not holding or holding[-1].version_id != ruling.version_id:
            holding.append(ruling)
    return holding


def policy_periods_for(course: Course, decided: Iterable[PolicyPeriod]) -> list[PolicyPeriod]:
    """What ``course`` is graded under: the policy of its admission first, then what followed."""
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
"""As one JSON value: the policies decided for a course, in the order of the decisions."""


def parse_policy_periods(said: str | None) -> tuple[PolicyPeriod, ...]:
    """The rulings of ``DECIDED``, without whose decision they were; none where there was none."""
    return tuple(
        PolicyPeriod(datetime.fromisoformat(valid_from), version, digest, values)
        for valid_from, version, digest, values in json.loads(said or "[]")
    )


def read_policy_periods(course: Course, *, known_at: datetime | None = None) -> list[PolicyPeriod]:
    """``policy_periods_for`` with what is stored, or what had been by ``known_at``."""
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
    """What the site has decided, in effect and in order; none where it never decided."""
    decisions = SitePolicy.objects.select_related("version").order_by("pk")
    return periods_in_effect(
        PolicyPeriod(one.valid_from, one.version_id, one.version.digest, one.version.values, one.pk)
        for one in decisions
    )


def period_at(rulings: Iterable[PolicyPeriod], at: datetime) -> PolicyPeriod | None:
    """The ruling that holds at ``at``."""
    return next((one for one in reversed(list(rulings)) if one.valid_from <= at), None)


def policy_at(site: Iterable[PolicyPeriod], at: datetime) -> Policy:
    """The site's policy at ``at``: the default until it decides otherwise."""
    ruling = period_at(site, at)
    return DEFAULT_POLICY if ruling is None else ruling.policy


def version_of(policy: Policy, now: datetime, by: User | None = None) -> PolicyVersion:
    """The stored version of ``policy``, made where there is none."""
    values = policy.values()
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    version, _ = PolicyVersion.objects.get_or_create(
        digest=digest, defaults={"values": values, "created_at": now, "created_by": by}
    )
    return version


def lock_site_policy(*, to_change: bool = False) -> None:
    """Keep what the site decided as it is until the transaction ends; others may hold it too.

    ``to_change`` waits for every course that is being admitted under it, and lets no other in.
    """
    mode = "SHARE ROW EXCLUSIVE" if to_change else "SHARE"
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {SitePolicy._meta.db_table} IN {mode} MODE")
