"""Blood pressure, fluid boluses and vasopressors together: what a chart says of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Self

from grading.engine.boluses import NO_BOLUSES, Boluses
from grading.engine.entries import FluidBolus, Judgement, Vasopressor, Vitals
from grading.engine.evidence import TABLE_3_MONOTHERAPY
from grading.engine.policy import Policy
from grading.engine.pressure import EXCLUDED, IN_QUESTION, LOW, NORMAL, PressureLimits, Reading
from grading.engine.times import moved
from grading.engine.units import minutes
from grading.engine.vasopressors import Infusions, TimedRun, high_now
from grading.engine.vocabulary import JudgementAbout, VasopressorDrug


@dataclass(slots=True)
class Circulation:
    """Blood pressure, fluid boluses, infusions and the judgements about them.

    Entries of one instant are noted in any order; ``settle`` then concludes what holds from that
    instant on. ``run`` is of high doses by Table 3, ``support`` of any vasopressor that counts.
    ``bolus`` is the latest for low pressure; ``boluses`` are those given at any pressure.
    """

    policy: Policy
    limits: PressureLimits
    infusions: Infusions
    run: TimedRun
    support: TimedRun
    reading: Vitals | None = None
    reading_class: Reading = EXCLUDED
    low: bool = False
    last_low: Vitals | None = None
    bolus: FluidBolus | None = None
    bolus_for: str = ""
    boluses_for_low: Boluses = NO_BOLUSES
    boluses: Boluses = NO_BOLUSES
    judged: dict[JudgementAbout, Judgement] = field(default_factory=dict)
    new_reading: bool = False
    new_boluses: list[FluidBolus] = field(default_factory=list)

    @classmethod
    def at_start(cls, policy: Policy, limits: PressureLimits) -> Circulation:
        return cls(policy, limits, Infusions(policy), TimedRun(policy), TimedRun(policy))

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
            self.support,
            self.reading,
            self.reading_class,
            self.low,
            self.last_low,
            self.bolus,
            self.bolus_for,
            self.boluses_for_low,
            self.boluses,
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
        self.support = self.support._replace(policy=policy)
        within = minutes(policy.penn_multiple_bolus_minutes)
        self.boluses_for_low = self.boluses_for_low.read_under(within)
        self.boluses = self.boluses.read_under(within)
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
            self._settle_runs(at)
        self._settle_pressure(at)
        if self.new_boluses:
            self._settle_boluses(at)

    def _settle_runs(self, at: datetime) -> None:
        infusions, evidence = self.infusions, self.infusions.evidence()
        high = high_now(infusions.doses)
        if high or self.run.high:
            self.run = self.run.settled(at, high, evidence)
        running = bool(infusions.running_since)
        if running or self.support.high:
            self.support = self.support.settled(at, running, evidence)

    def _settle_pressure(self, at: datetime) -> None:
        reading, judged = self.reading, self.judged
        if self.new_reading and reading is not None:
            self.reading_class = self.limits.classify(reading)
        self.low = self.reading_class is LOW
        if judged:
            self._lapse_relative()
            relative = judged.get(JudgementAbout.RELATIVE_HYPOTENSION)
            if self.reading_class is IN_QUESTION and relative is not None:
                self.low = relative.present
            self._lapse_refractory()
        if self.new_reading:
            if self.low:
                self.last_low = reading
            self.new_reading = False

    def _lapse_relative(self) -> None:
        if self.reading_class in (NORMAL, EXCLUDED):
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
        within = minutes(self.policy.penn_multiple_bolus_minutes)
        for_low = self.last_low is not None and at - self.last_low.at <= window
        if self.low or for_low:
            self.bolus = self.new_boluses[-1]
            cause = self.reading if self.low else self.last_low
            self.bolus_for = cause.id if cause is not None else ""
            for bolus in self.new_boluses:
                self.boluses_for_low = self.boluses_for_low.with_bolus(bolus, within)
        for bolus in self.new_boluses:
            self.boluses = self.boluses.with_bolus(bolus, within)
        self.new_boluses.clear()

    @property
    def fluid_hold(self) -> timedelta:
        return minutes(self.policy.fluid_hold_minutes)

    def fluid_held(self, at: datetime) -> bool:
        """Return whether a bolus for low pressure was given so lately that it still counts."""
        until = self._fluid_until()
        return until is not None and at < until

    def _fluid_until(self) -> datetime | None:
        if self.bolus is None:
            return None
        return moved(self.bolus.at, self.fluid_hold)

    def next_change(self, at: datetime) -> datetime | None:
        """Return the first instant after ``at`` at which the clock alone may change what is met."""
        if self.bolus is None and self.run.since is None:
            return None
        until = self._fluid_until()
        instants = self.run.changes() if until is None else (*self.run.changes(), until)
        later = [instant for instant in instants if instant > at]
        return min(later) if later else None

    @property
    def pressure_in_question(self) -> bool:
        """Whether the reading may be low for this patient, which nobody has judged."""
        return (
            self.reading_class is IN_QUESTION
            and JudgementAbout.RELATIVE_HYPOTENSION not in self.judged
        )

    @property
    def lacks_baseline(self) -> bool:
        """Whether a relative fall of the pressure cannot be seen, for no baseline is known."""
        return (
            self.reading is not None
            and self.reading_class is not EXCLUDED
            and not self.limits.baseline_known
            and not self.low
        )

    @property
    def lacks_systolic(self) -> bool:
        """Whether a child's reading lacks the systolic pressure, which alone is judged."""
        return (
            self.reading is not None
            and self.reading_class is not EXCLUDED
            and self.limits.lacks_systolic(self.reading)
        )

    def high_dose(self, at: datetime) -> bool:
        """Return whether Table 3's dose has run for its three hours."""
        return self.run.since is not None and self.run.is_met(at)

    def lacks_dose(self, drug: VasopressorDrug) -> bool:
        """Return whether ``drug``, which runs, has a row in Table 3 and no known dose."""
        return self.infusions.doses[drug] is None and drug in TABLE_3_MONOTHERAPY

    def judged_present(self, about: JudgementAbout) -> bool:
        judgement = self.judged.get(about)
        return judgement is not None and judgement.present

    def may_be_refractory(self, drug: VasopressorDrug) -> bool:
        """Return whether ``drug``, alone, has run so long that a clinician should judge it."""
        started = self.infusions.running_since[drug]
        return (
            self.low
            and self.reading is not None
            and self.reading.at - started >= minutes(self.policy.refractory_minutes)
            and JudgementAbout.REFRACTORY_HYPOTENSION not in self.judged
        )

    def may_be_life_threatening(self, at: datetime) -> bool:
        """Return whether a pressure stays low so long on high doses that it should be judged."""
        return (
            self.low
            and JudgementAbout.LIFE_THREATENING not in self.judged
            and self.run.is_open(at)
            and self.run.credited(at) >= minutes(self.policy.life_threatening_minutes)
        )


def _still_low(reading: Vitals, former: PressureLimits, limits: PressureLimits) -> bool:
    """Return whether a low reading stays low: by its floor, or as judged where in question."""
    kind = limits.classify(reading)
    if kind is IN_QUESTION:
        return former.classify(reading) is IN_QUESTION
    return kind is LOW
