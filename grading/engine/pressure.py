"""Blood pressure: which reading is low, which is in question, against floors and baseline.

A mean pressure may be derived as (systolic + 2 x diastolic) / 3; three times the mean is kept
instead, so that it stays an exact decimal.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final

from grading.engine.entries import Vitals
from grading.engine.evidence import (
    PALS_CHILD_SBP,
    PALS_CHILD_SBP_PER_YEAR,
    PALS_CHILD_YEARS,
    PALS_INFANT_SBP,
    PALS_INFANT_YEARS,
    PALS_NEONATE_SBP,
    PALS_OLDER_SBP,
)
from grading.engine.facts import Baseline, CourseFacts
from grading.engine.policy import Policy
from grading.engine.units import EXACT, format_number
from grading.engine.vocabulary import Attribution

_THREE: Final = Decimal(3)
_TWO: Final = Decimal(2)


class Reading(Enum):
    """Class of a pressure reading by itself, before any judgement."""

    EXCLUDED = "attributed to another cause"
    NORMAL = "neither low nor in question"
    IN_QUESTION = "low for this patient, or at a low baseline: for a clinician to judge"
    LOW = "below its floor and not at baseline"


EXCLUDED, NORMAL, IN_QUESTION, LOW = Reading
"""Named once, for in Python 3.11 each look-up in an enumeration calls a function."""


@dataclass(frozen=True, slots=True)
class PressureLimits:
    """The pressures that decide for one patient, in mmHg; None where there is no such limit.

    ``at_baseline_*``: a pressure below its floor but at or above this is at the patient's baseline.
    ``relative_mmhg``: a systolic pressure at or below this is relatively low.
    """

    systolic_floor_mmhg: Decimal
    tripled_map_floor_mmhg: Decimal | None
    at_baseline_systolic_mmhg: Decimal | None
    at_baseline_tripled_map_mmhg: Decimal | None
    relative_mmhg: Decimal | None
    baseline_systolic_mmhg: Decimal | None
    baseline_tripled_map_mmhg: Decimal | None
    adult: bool

    @property
    def baseline_known(self) -> bool:
        return self.baseline_systolic_mmhg is not None

    def classify(self, vitals: Vitals) -> Reading:
        """Classify the reading in ``vitals``, which must be a pressure reading."""
        systolic = counted_systolic(vitals)
        in_question = False
        if systolic is not None:
            if systolic < self.systolic_floor_mmhg:
                if (
                    self.at_baseline_systolic_mmhg is None
                    or systolic < self.at_baseline_systolic_mmhg
                ):
                    return LOW
                in_question = True
            if self.relative_mmhg is not None and systolic <= self.relative_mmhg:
                in_question = True
        tripled_map = counted_tripled_map(vitals)
        if systolic is None and tripled_map is None:
            return EXCLUDED
        floor = self.tripled_map_floor_mmhg
        if tripled_map is not None and floor is not None and tripled_map < floor:
            at_baseline = self.at_baseline_tripled_map_mmhg
            if at_baseline is None or tripled_map < at_baseline:
                return LOW
            in_question = True
        return IN_QUESTION if in_question else NORMAL

    def low_map_alone(self, vitals: Vitals) -> Decimal | None:
        """Return three times a mean pressure that is derived and, unlike the systolic, too low."""
        systolic, tripled_map = counted_systolic(vitals), counted_tripled_map(vitals)
        floor = self.tripled_map_floor_mmhg
        if vitals.mean_arterial_pressure_mmhg is not None or tripled_map is None or floor is None:
            return None
        systolic_is_low = systolic is not None and systolic < self.systolic_floor_mmhg
        return None if systolic_is_low or tripled_map >= floor else tripled_map

    def lacks_systolic(self, vitals: Vitals) -> bool:
        """Return whether a child's reading lacks the systolic pressure, which alone is judged."""
        return not self.adult and counted_systolic(vitals) is None


def limits_for(facts: CourseFacts, baseline: Baseline) -> PressureLimits:
    """Return the pressure limits of one patient, from age, baseline and policy."""
    policy, adult = facts.policy, facts.is_adult
    floor = policy.sbp_floor_adult_mmhg if adult else childs_floor(facts)
    map_floor = _THREE * policy.map_floor_adult_mmhg if adult else None
    systolic = baseline.systolic_mmhg
    tripled_map = _tripled(
        baseline.mean_arterial_pressure_mmhg, baseline.systolic_mmhg, baseline.diastolic_mmhg
    )
    return PressureLimits(
        systolic_floor_mmhg=floor,
        tripled_map_floor_mmhg=map_floor,
        at_baseline_systolic_mmhg=_at_baseline(
            systolic, EXACT.add(floor, policy.at_baseline_margin_mmhg), policy
        ),
        at_baseline_tripled_map_mmhg=None
        if map_floor is None
        else _at_baseline(
            tripled_map, EXACT.add(map_floor, _THREE * policy.at_baseline_margin_mmhg), policy
        ),
        relative_mmhg=None
        if systolic is None
        else max(
            EXACT.multiply(policy.relative_fraction, systolic),
            EXACT.subtract(systolic, policy.relative_drop_mmhg),
        ),
        baseline_systolic_mmhg=systolic,
        baseline_tripled_map_mmhg=tripled_map,
        adult=adult,
    )


def childs_floor(facts: CourseFacts) -> Decimal:
    """Return the systolic floor of a child, in mmHg, by age at infusion (PALS; Mahadeo 2019)."""
    if facts.is_neonate:
        return PALS_NEONATE_SBP.value
    years = facts.age_in_completed_years
    if years < PALS_INFANT_YEARS.value:
        return PALS_INFANT_SBP.value
    if years < PALS_CHILD_YEARS.value:
        return PALS_CHILD_SBP.value + PALS_CHILD_SBP_PER_YEAR.value * years
    return PALS_OLDER_SBP.value


def _at_baseline(baseline: Decimal | None, below: Decimal, policy: Policy) -> Decimal | None:
    if baseline is None or baseline >= below:
        return None
    return EXACT.multiply(policy.at_baseline_fraction, baseline)


def counted_systolic(vitals: Vitals) -> Decimal | None:
    """Return the systolic pressure unless it is attributed to another cause."""
    if vitals.systolic_mmhg is None or not vitals.counted("systolic_mmhg"):
        return None
    return vitals.systolic_mmhg


def counted_tripled_map(vitals: Vitals) -> Decimal | None:
    """Three times the mean pressure: the charted one, else from systolic and diastolic.

    None where what it would rest on is not charted or is attributed to another cause.
    """
    if vitals.mean_arterial_pressure_mmhg is not None:
        if not vitals.counted("mean_arterial_pressure_mmhg"):
            return None
        return EXACT.multiply(_THREE, vitals.mean_arterial_pressure_mmhg)
    if vitals.diastolic_mmhg is None or not vitals.counted("diastolic_mmhg"):
        return None
    return _tripled(None, counted_systolic(vitals), vitals.diastolic_mmhg)


def _tripled(
    mean: Decimal | None, systolic: Decimal | None, diastolic: Decimal | None
) -> Decimal | None:
    if mean is not None:
        return EXACT.multiply(_THREE, mean)
    if systolic is None or diastolic is None:
        return None
    return EXACT.add(systolic, EXACT.multiply(_TWO, diastolic))


def reading_params(vitals: Vitals) -> dict[str, str]:
    """Return the pressures of a reading in mmHg; a diastolic one only with its systolic one."""
    params = {}
    if vitals.systolic_mmhg is not None:
        params["systolic_mmhg"] = format_number(vitals.systolic_mmhg)
        if vitals.diastolic_mmhg is not None:
            params["diastolic_mmhg"] = format_number(vitals.diastolic_mmhg)
    if vitals.mean_arterial_pressure_mmhg is not None:
        params["mean_arterial_pressure_mmhg"] = format_number(vitals.mean_arterial_pressure_mmhg)
    return params


def reading_is_uncertain(vitals: Vitals) -> bool:
    """Return whether the attribution of a pressure in ``vitals``, a reading, is uncertain."""
    if not vitals.attribution_by_field:
        return vitals.attribution is Attribution.UNCERTAIN
    return any(
        getattr(vitals, name) is not None and vitals.attribution_of(name) is Attribution.UNCERTAIN
        for name in ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")
    )
