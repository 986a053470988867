"""What an empty form proposes from the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from grading.engine.policy import DEFAULT_POLICY
from patients.forms.concentrations import SyringeConcentration, read_concentrations
from patients.forms.round_before import RoundBefore, read_round_before
from patients.forms.unchanged import UnchangedItem
from patients.models import Course, EntryKind, LaboratoryLimits
from patients.queries.attributions import AttributionProposal
from patients.queries.laboratory import NO_REPORTS, Reports, read_last_reports, read_latest_limits
from patients.queries.policies import period_at, read_policy_periods


@dataclass(frozen=True, slots=True)
class Proposals:
    """Values that a view read for a form; the defaults propose nothing.

    ``attributions`` by what they are about; ``norepinephrine_convention`` is "base" or
    "bitartrate", as this site charts the drug; ``limits`` of normal of every laboratory and
    ``reports`` of this course are for the laboratory form; ``round`` is what a round of ICE shows.
    """

    attributions: Mapping[str, AttributionProposal] = field(default_factory=dict)
    unchanged: Sequence[UnchangedItem] = ()
    concentrations: Sequence[SyringeConcentration] = ()
    norepinephrine_convention: str = DEFAULT_POLICY.norepinephrine_expressed_as
    limits: Sequence[LaboratoryLimits] = ()
    reports: Reports = NO_REPORTS
    round: RoundBefore | None = None


NOTHING_PROPOSED: Final = Proposals()


def read_proposals(
    kind: str,
    course: Course,
    now: datetime,
    *,
    attributions: Mapping[str, AttributionProposal] | None = None,
    unchanged: Sequence[UnchangedItem] = (),
) -> Proposals:
    """Return what a form of ``kind`` proposes; ``unchanged`` is for a set of vital signs alone."""
    attributions = attributions or {}
    if kind == EntryKind.VITALS:
        return Proposals(attributions, unchanged)
    if kind == EntryKind.VASOPRESSOR:
        return Proposals(
            attributions,
            concentrations=read_concentrations(course, now),
            norepinephrine_convention=_read_norepinephrine_convention(course, now),
        )
    if kind == EntryKind.LAB:
        return Proposals(
            attributions, limits=read_latest_limits(), reports=read_last_reports(course)
        )
    if kind == EntryKind.ICE:
        return Proposals(attributions, round=read_round_before(course, now))
    return Proposals(attributions)


def read_correction_proposals(kind: str, course: Course, now: datetime) -> Proposals:
    """Return what the form of a correction shows: of all proposals, how the site charts a drug."""
    if kind != EntryKind.VASOPRESSOR:
        return NOTHING_PROPOSED
    return Proposals(norepinephrine_convention=_read_norepinephrine_convention(course, now))


def _read_norepinephrine_convention(course: Course, now: datetime) -> str:
    period = period_at(read_policy_periods(course), now)
    return (period.policy if period else DEFAULT_POLICY).norepinephrine_expressed_as
