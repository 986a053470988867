"""The form of the site's policy, and the grades that follow from a decision."""

import uuid
from collections.abc import Callable
from typing import Any

from grading.engine.policy import DEFAULT_POLICY, Policy
from grading.systems import HEADLINE
from patients.models import Course, SitePolicy
from patients.queries.grades import periods_known_now
from patients.queries.policies import read_latest_site_decision

PAGE = "/policy/"
Make = Callable[..., SitePolicy]
"""Decides a policy: the fixture ``decided``."""


def policy_form(policy: Policy = DEFAULT_POLICY, **fields: Any) -> dict[str, Any]:
    values = {name: str(value) for name, value in policy.all_values().items()}
    latest = read_latest_site_decision()
    own = {"form_id": str(uuid.uuid4()), "seen": latest.pk if latest else 0, "step": "preview"}
    return {**values, **own, "reason": "Agreed in the CRS meeting", **fields}


def grades(course: Course) -> list[tuple[int, int]]:
    """Grade and policy version of every period as the chart has them now."""
    return list(periods_known_now(course, HEADLINE).values_list("grade", "policy_id"))
