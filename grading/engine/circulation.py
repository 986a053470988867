"""Hypotension and vasopressors together: Table 2, grades 2 to 4, and the text after Figure 2."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final, Self

from grading.engine.entries import FluidBolus, Judgement, Vasopressor, Vitals
from grading.engine.evidence import TABLE_3_MONOTHERAPY
from grading.engine.periods import Assessed
from grading.engine.policy import Policy
from grading.engine.pressure import PressureLimits, Reading
from grading.engine.units import minutes
from grading.engine.vasopressors import HighDoseRun, Infusions, high_now
from grading.engine.vocabulary import JudgementAbout

LOW_PRESSURE: Final = "hypotension.low_pressure"
FLUID_BOLUS: Final = "hypotension.fluid_bolus"
REFRACTORY: Final = "hypotension.refractory"
SINGLE_LOW_DOSE: Final = "vasopressor.single_low_dose"
HIGH_DOSE: Final = "vasopressor.high_dose"
MULTIPLE: Final = "vasopressor.multiple"
LIFE_THREATENING: Final = "life_threatening"

RELATIVE: Final = "hypotension.relative"
NO_BASELINE: Final = "hypotension.no_baseline"
NO_SYSTOLIC: Final = "hypotension.no_systolic"
DOSE: Final = "vasopressor.dose"

_IN_QUESTION_REACHES: Final = 2
_SEVERE: Final = 3
_LIFE_THREATENING_REACHES: Final = 4


@dataclass(slots=True)
class Circulation:
    """Blood pressure, fluid boluses, infusions and the judgements about them.

    Entries of one instant are noted in any order; ``settle`` then concludes what holds from that
    instant on.
    """

    policy: Policy
    limits: PressureLimits
    infusions: Infusions
    run: HighDoseRun
    reading: Vitals | None = None
    reading_class: Reading = Reading.EXCLUDED
    low: bool = False
    last_low: Vitals | None = None
    bolus: FluidBolus | None = None
    bolus_for: str = ""
    judged: dict[JudgementAbout, Judgement] = field(default_factory=dict)
    new_reading: bool = False
    new_boluses: list[FluidBolus] = field(default_factory=list)

    @classmethod
    def at_start(cls, policy: Policy, limits: PressureLimits) -> Circulation:
        return cls(policy, limits, Infusions(policy), HighDoseRun(policy))

    def copied(self) -> Self:
        return replace(
            self,
            infusions=self.infusions.copied(),
            judged=dict(self.judged),
            new_boluses=list(self.new_boluses),
        )

    def frozen_copy(self) -> Circulation:
        """Copy the settled state for explanations; the copy is never advanced."""
        return Circulation(
            self.policy,
            self.limits,
            self.infusions.frozen_copy(),
            self.run,
            self.reading,
            self.reading_class,
            self.low,
            self.last_low,
            self.bolus,
            self.bolus_for,
            dict(self.judged),
        )

    def read_under(self, policy: Policy, limits: PressureLimits) -> None:
        """Apply another policy to what was noted; doses stay as they were converted when charted.

        A reading that is now classified otherwise counts as new: it may end a judgement, or be the
        low pressure that a bolus answers.
        """
        former, self.limits = self.limits, limits
        self.policy = self.infusions.policy = policy
        self.run = self.run._replace(policy=policy)
        if self.last_low is not None and not _still_low(self.last_low, former, limits):
            self.last_low = None
        if self.reading is not None and limits.classify(self.reading) is not self.reading_class:
            self.new_reading = True

    def note_reading(self, vitals: Vitals) -> None:
        self.reading, self.new_reading = vitals, True

    def note_bolus(self, bolus: FluidBolus) -> None:
        if bolus.counts:
            self.new_boluses.append(bolus)

    def note_judgement(self, judgement: Judgement) -> None:
        self.judged[judgement.about] = judgement

    def note_vasopressor(self, entry: Vasopressor) -> None:
        self.infusions.note(entry)

    def settle(self, at: datetime, weight_kg: Decimal | None) -> None:
        """Apply what was noted for the instant ``at``, once all its entries are noted."""
        infusions = self.infusions
        if infusions.changed or infusions.awaiting_weight:
            infusions.settle(at, weight_kg)
            high = bool(infusions.doses) and high_now(infusions.doses)
            if high or self.run.high:
                self.run = self.run.settled(at, high, infusions.evidence())
        self._settle_pressure(at)
        if self.new_boluses:
            self._settle_boluses(at)

    def _settle_pressure(self, at: datetime) -> None:
        reading, judged = self.reading, self.judged
        if self.new_reading and reading is not None:
            self.reading_class = self.limits.classify(reading)
        self.low = self.reading_class is Reading.LOW
        if judged:
            self._lapse_relative()
            relative = judged.get(JudgementAbout.RELATIVE_HYPOTENSION)
            if self.reading_class is Reading.IN_QUESTION and relative is not None:
                self.low = relative.present
            self._lapse_refractory()
        if self.new_reading:
            if self.low:
                self.last_low = reading
            self.new_reading = False

    def _lapse_relative(self) -> None:
        if self.reading_class in (Reading.NORMAL, Reading.EXCLUDED):
            self.judged.pop(JudgementAbout.RELATIVE_HYPOTENSION, None)

    def _lapse_refractory(self) -> None:
        judgement = self.judged.get(JudgementAbout.REFRACTORY_HYPOTENSION)
        if judgement is None:
            return
        ended = (
            self.new_reading
            and not self.low
            and self.reading is not None
            and (self.reading.at > judgement.at)
        )
        if ended or not self.infusions.running_since:
            del self.judged[JudgementAbout.REFRACTORY_HYPOTENSION]

    def _settle_boluses(self, at: datetime) -> None:
        window = minutes(self.policy.fluid_window_minutes)
        for_low = self.last_low is not None and at - self.last_low.at <= window
        if self.low or for_low:
            self.bolus = self.new_boluses[-1]
            cause = self.reading if self.low else self.last_low
            self.bolus_for = cause.id if cause is not None else ""
        self.new_boluses.clear()

    def _fluid_until(self) -> datetime | None:
        if self.bolus is None:
            return None
        return self.bolus.at + minutes(self.policy.fluid_hold_minutes)

    def next_change(self, at: datetime) -> datetime | None:
        """Return the first instant after ``at`` at which the clock alone may change what is met."""
        if self.bolus is None and self.run.since is None:
            return None
        until = self._fluid_until()
        instants = self.run.changes() if until is None else (*self.run.changes(), until)
        return min([instant for instant in instants if instant > at], default=None)

    def assess(self, at: datetime) -> Assessed:
        met: list[str] = []
        unknown: list[tuple[str, int]] = []
        if self.low:
            met.append(LOW_PRESSURE)
        until = self._fluid_until()
        if until is not None and at < until:
            met.append(FLUID_BOLUS)
        if self.reading is not None and self.reading_class is not Reading.EXCLUDED:
            self._question_pressure(self.reading, unknown)
        if self.infusions.running_since or self.run.since is not None:
            self._assess_vasopressors(at, met, unknown)
        if self.judged:
            met += [
                code
                for about, code in _JUDGED_CODE.items()
                if (judgement := self.judged.get(about)) is not None and judgement.present
            ]
        return tuple(met), tuple(unknown)

    def _question_pressure(self, reading: Vitals, unknown: list[tuple[str, int]]) -> None:
        in_question = self.reading_class is Reading.IN_QUESTION
        if in_question and JudgementAbout.RELATIVE_HYPOTENSION not in self.judged:
            unknown.append((RELATIVE, _IN_QUESTION_REACHES))
        if not self.limits.baseline_known and not self.low:
            unknown.append((NO_BASELINE, _IN_QUESTION_REACHES))
        if self.limits.lacks_systolic(reading):
            unknown.append((NO_SYSTOLIC, _IN_QUESTION_REACHES))

    def _assess_vasopressors(
        self, at: datetime, met: list[str], unknown: list[tuple[str, int]]
    ) -> None:
        high = self.run.since is not None and self.run.is_met(at)
        if high:
            met.append(HIGH_DOSE)
        only = self.infusions.only()
        if only is not None:
            if not high:
                met.append(SINGLE_LOW_DOSE)
                if self.infusions.doses[only] is None and only in TABLE_3_MONOTHERAPY:
                    unknown.append((DOSE, _SEVERE))
                if self._may_be_refractory(self.infusions.running_since[only]):
                    unknown.append((REFRACTORY, _SEVERE))
        elif self.infusions.running_since:
            met.append(MULTIPLE)
            if self._may_be_life_threatening(at):
                unknown.append((LIFE_THREATENING, _LIFE_THREATENING_REACHES))

    def _may_be_refractory(self, started: datetime) -> bool:
        return (
            self.low
            and self.reading is not None
            and self.reading.at - started >= minutes(self.policy.refractory_minutes)
            and JudgementAbout.REFRACTORY_HYPOTENSION not in self.judged
        )

    def _may_be_life_threatening(self, at: datetime) -> bool:
        return (
            self.low
            and JudgementAbout.LIFE_THREATENING not in self.judged
            and self.run.is_open(at)
            and self.run.credited(at) >= minutes(self.policy.life_threatening_minutes)
        )


def _still_low(reading: Vitals, former: PressureLimits, limits: PressureLimits) -> bool:
    """Return whether a low reading stays low: by its floor, or as judged where in question."""
    kind = limits.classify(reading)
    if kind is Reading.IN_QUESTION:
        return former.classify(reading) is Reading.IN_QUESTION
    return kind is Reading.LOW


_JUDGED_CODE: Final = {
    JudgementAbout.REFRACTORY_HYPOTENSION: REFRACTORY,
    JudgementAbout.LIFE_THREATENING: LIFE_THREATENING,
}
