"""What is known about a course before its first entry is graded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Final

from grading.engine.analytes import BASELINE_RESULTS, Analyte
from grading.engine.entries import BaselineFacts
from grading.engine.evidence import PALS_NEONATE_DAYS
from grading.engine.laboratory import in_common_unit
from grading.engine.policy import DEFAULT_POLICY, Policy


@dataclass(frozen=True, slots=True)
class Baseline:
    """Pressures in mmHg and results before therapy; None is not established."""

    systolic_mmhg: Decimal | None = None
    diastolic_mmhg: Decimal | None = None
    mean_arterial_pressure_mmhg: Decimal | None = None
    measured_at: datetime | None = None
    creatinine_mg_dl: Decimal | None = None
    lvef_percent: Decimal | None = None
    fibrinogen_mg_dl: Decimal | None = None

    def with_entries(self, entries: Iterable[BaselineFacts]) -> Baseline:
        """This baseline overlaid, field by field, by ``entries``: the latest recorded holds.

        Of two recorded together the later in clinical time wins, so that their order never matters.
        """
        baseline = self
        for entry in sorted(entries, key=lambda e: (e.recorded_at, e.at)):
            established = {
                item.name: value
                for item in fields(Baseline)
                if (value := getattr(entry, item.name)) is not None
            }
            baseline = replace(baseline, **established)
        return baseline

    def of(self, analyte: Analyte) -> Decimal | None:
        """Return the course's baseline of ``analyte`` in its common unit; None: not established."""
        name, unit = _ESTABLISHED.get(analyte, ("", ""))
        value: Decimal | None = getattr(self, name) if name else None
        return None if value is None else in_common_unit(analyte, value, unit)


_NOT_ESTABLISHED: Final = Baseline()
_ESTABLISHED: Final = {analyte: (name, unit) for name, analyte, unit in BASELINE_RESULTS}


@dataclass(frozen=True, slots=True)
class PolicyFrom:
    """A later policy, and the instant from which it holds for a course."""

    at: datetime
    policy: Policy


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """One course of immunotherapy of one patient.

    ``infused_at`` keeps its own offset: ages are counted by the calendar there. One of
    ``birth_date`` and ``age_years`` is required; the birth date wins. ``weight_kg`` is the dosing
    weight at the start. ``policy`` holds until the first of the later ``policies``,
    which come in the order of their instants; raises ValueError where they do not.
    ``developmental_delay`` None is not answered; only ICANS reads it.
    """

    infused_at: datetime
    birth_date: date | None = None
    age_years: Decimal | None = None
    weight_kg: Decimal | None = None
    baseline: Baseline = _NOT_ESTABLISHED
    policy: Policy = DEFAULT_POLICY
    policies: tuple[PolicyFrom, ...] = ()
    developmental_delay: bool | None = None

    def __post_init__(self) -> None:
        if any(not one.at < following.at for one, following in pairwise(self.policies)):
            raise ValueError("later policies must be in order of time, no two at one instant")

    def policies_begun(self, at: datetime) -> int:
        """Return how many of the later policies have begun by ``at``."""
        return sum(later.at <= at for later in self.policies)

    def next_policy_at(self, number: int) -> datetime | None:
        """Return when the policy after the ``number``-th begins; None where none follows."""
        return self.policies[number].at if number < len(self.policies) else None

    def under(self, number: int) -> CourseFacts:
        """Return the facts under one policy alone: 0 is the first, n the n-th later one."""
        policy = self.policies[number - 1].policy if number else self.policy
        return replace(self, policy=policy, policies=())

    @property
    def age_in_completed_years(self) -> int:
        """Age at infusion; raises ValueError where neither birth date nor age is known."""
        if self.birth_date is not None:
            then = self.infused_at.date()
            before_birthday = (then.month, then.day) < (self.birth_date.month, self.birth_date.day)
            return then.year - self.birth_date.year - before_birthday
        if self.age_years is None:
            raise ValueError("a course needs the patient's birth date or age")
        return int(self.age_years)

    @property
    def is_neonate(self) -> bool:
        """Under 28 days at infusion; only a birth date can say so."""
        if self.birth_date is None:
            return False
        return (self.infused_at.date() - self.birth_date).days < PALS_NEONATE_DAYS.value

    @property
    def is_adult(self) -> bool:
        return self.age_in_completed_years >= self.policy.adult_age_years
