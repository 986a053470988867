"""A chart at an instant, as grading scales read it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

from grading.engine.boluses import Boluses
from grading.engine.circulation import Circulation
from grading.engine.entries import Death, Entry, Oxygen
from grading.engine.evidence import ASTCT_LOW_FLOW_UP_TO, ROOM_AIR_FIO2
from grading.engine.facts import CourseFacts
from grading.engine.organ_toxicity import TermResult
from grading.engine.oxygen import POSITIVE_PRESSURE, Fio2, OxygenSupport
from grading.engine.policy import FLOW, Policy
from grading.engine.scale_facts import ScaleFacts
from grading.engine.scale_vocabulary import OxygenPurpose
from grading.engine.state import CourseState
from grading.engine.times import moved
from grading.engine.units import minutes
from grading.engine.vocabulary import JudgementAbout, OxygenDevice, VasopressorDrug

LOW_FLOW, HIGH_FLOW = "low_flow", "high_flow"
"""ASTCT's reading of a device that gives oxygen without positive pressure."""


class Chart:
    """A read-only view over the parts of a course's state, concluded at ``at``.

    Every scale asks its questions here, so that scales differ only in what they make of the same
    facts. Facts that several scales ask for are found once. Raises ValueError where the state lacks
    what other scales ask, as one restored from an old checkpoint does.
    """

    def __init__(self, state: CourseState, at: datetime) -> None:
        if state.other_scales is None:
            raise ValueError("the checkpoint does not hold what other scales ask")
        self.state = state
        self.at = at
        self.past: ScaleFacts = state.other_scales

    @property
    def policy(self) -> Policy:
        return self.state.policy

    @property
    def facts(self) -> CourseFacts:
        return self.state.facts

    @property
    def circulation(self) -> Circulation:
        return self.state.circulation

    @property
    def oxygen(self) -> OxygenSupport:
        return self.state.oxygen

    @property
    def latest(self) -> Mapping[str, Entry]:
        """The latest entry about each thing since the infusion."""
        return self.state.latest

    @property
    def death(self) -> Death | None:
        return self.state.death

    def within(self, entry: Entry | None, hold_minutes: int) -> bool:
        """Return whether ``entry`` was less than ``hold_minutes`` ago."""
        return entry is not None and self.at < moved(entry.at, minutes(hold_minutes))

    @cached_property
    def fever(self) -> bool:
        return self.state.constitutional.fever

    @property
    def has_temperature(self) -> bool:
        """Whether any temperature was charted since the infusion."""
        return self.state.constitutional.temperature is not None

    @property
    def symptoms(self) -> bool:
        """Whether a constitutional symptom is present."""
        return bool(self.state.constitutional.symptoms)

    @cached_property
    def low_or_held(self) -> bool:
        """Whether the pressure is low, or was treated by a bolus that still counts."""
        return self.circulation.low or self.circulation.fluid_held(self.at)

    @property
    def several_boluses(self) -> bool:
        """Whether one of several boluses for low pressure still counts."""
        return self._still_counts(self.circulation.boluses_for_low)

    @property
    def several_boluses_at_any_pressure(self) -> bool:
        return self._still_counts(self.circulation.boluses)

    def _still_counts(self, boluses: Boluses) -> bool:
        until = boluses.repeated_until(self.circulation.fluid_hold)
        return until is not None and self.at < until

    @cached_property
    def running(self) -> tuple[VasopressorDrug, ...]:
        """The vasopressors that run and count."""
        return tuple(sorted(self.circulation.infusions.running_since))

    @property
    def running_besides_vasopressin(self) -> int:
        return sum(drug is not VasopressorDrug.VASOPRESSIN for drug in self.running)

    @cached_property
    def high_dose(self) -> bool:
        """Whether Table 3's dose has run for its three hours (Lee 2014, Table 3)."""
        return self.circulation.high_dose(self.at)

    def supported_for(self, duration: timedelta) -> bool:
        """Return whether any vasopressor was credited with running for ``duration``."""
        return self.circulation.support.has_lasted(duration, self.at)

    @property
    def device(self) -> OxygenDevice | None:
        """The device in use, whatever its purpose; None for none and for room air."""
        return self.oxygen.device

    @cached_property
    def for_hypoxia(self) -> bool:
        """Whether the device in use is there for hypoxia."""
        entry = self.oxygen.entry
        return entry is not None and entry.purpose is OxygenPurpose.HYPOXIA

    @cached_property
    def needed(self) -> Fio2 | None:
        """The FiO2 of oxygen that is needed, whatever its purpose."""
        return self.oxygen.needed

    @property
    def positive_pressure(self) -> bool:
        return self.device in POSITIVE_PRESSURE

    @cached_property
    def flow_class(self) -> str | None:
        """Low or high flow by device and flow (ASTCT 2019); None for neither."""
        entry, device = self.oxygen.entry, self.device
        if entry is None or device is None or device in POSITIVE_PRESSURE:
            return None
        fio2, flow = entry.fio2_percent, entry.flow_l_per_min
        if fio2 is not None and fio2 <= ROOM_AIR_FIO2.value:
            return None
        if device is OxygenDevice.NASAL_CANNULA:
            if flow == 0 and fio2 is None:
                return None
            return HIGH_FLOW if flow is not None and flow > ASTCT_LOW_FLOW_UP_TO.value else LOW_FLOW
        if device is OxygenDevice.BLOW_BY:
            return LOW_FLOW
        if device is OxygenDevice.HIGH_FLOW_NASAL_CANNULA and self._is_low_by_flow(entry):
            return LOW_FLOW
        return HIGH_FLOW

    def _is_low_by_flow(self, entry: Oxygen) -> bool:
        flow = entry.flow_l_per_min
        return (
            self.policy.astct_high_flow_by == FLOW
            and flow is not None
            and 0 < flow <= ASTCT_LOW_FLOW_UP_TO.value
        )

    @property
    def lacks_flow(self) -> bool:
        """Whether a nasal cannula gives oxygen at a flow that is not known."""
        entry = self.oxygen.entry
        return (
            entry is not None
            and self.device is OxygenDevice.NASAL_CANNULA
            and self.flow_class is not None
            and not entry.flow_l_per_min
        )

    def toxicities(self, *, neurologic: bool) -> list[TermResult]:
        """Return the organ toxicities that count, by term."""
        return self.state.organs.counted(neurologic=neurologic)

    def judged(self, about: JudgementAbout) -> bool | None:
        """Return what a clinician judged; None where nothing was, or what was has ended."""
        judgement = self.circulation.judged.get(about)
        return None if judgement is None else judgement.present

    @cached_property
    def headline_codes(self) -> frozenset[str]:
        """The criteria that the system of the grade itself found (Lee 2014)."""
        return frozenset([code for met, _ in self.state.assessed for code in met])

    @property
    def headline_unknown(self) -> tuple[tuple[str, int], ...]:
        """What that system found unknown, with what it could reach."""
        return tuple([item for _, unknown in self.state.assessed for item in unknown])

    @property
    def life_threatening(self) -> bool:
        return self.judged(JudgementAbout.LIFE_THREATENING) is True

    @property
    def may_be_life_threatening(self) -> bool:
        """Whether it should be judged as Lee's text asks (Lee 2014, text after Figure 2)."""
        return len(self.running) > 1 and self.circulation.may_be_life_threatening(self.at)
