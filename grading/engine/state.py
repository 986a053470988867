"""The state of a course at an instant, and how the entries of an instant change it.

``advance`` is one step of a left fold: it takes the state over one instant and returns the periods
that open. The state is of bounded size, whatever the length of the chart, and can be saved and
restored (``checkpoint``), so that a save does not read the days before it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self

from grading.engine.circulation import Circulation
from grading.engine.constitutional import ConstitutionalSymptoms
from grading.engine.entries import (
    Admission,
    Death,
    Entry,
    FluidBolus,
    Judgement,
    Lab,
    NeuroSign,
    Note,
    NotObserved,
    Oxygen,
    Risk,
    Symptom,
    Toxicity,
    Treatment,
    Vasopressor,
    Vitals,
    Weight,
)
from grading.engine.facts import Baseline, CourseFacts
from grading.engine.findings import CombinedFindings, death_found, part_findings
from grading.engine.grading_system import NOTHING_MET, Assessed, GradingSystem
from grading.engine.organ_toxicity import OrganToxicity, wants_grade
from grading.engine.oxygen import OxygenSupport
from grading.engine.periods import Findings, Opening
from grading.engine.policy import Policy
from grading.engine.pressure import limits_for
from grading.engine.scale_facts import ASKED_BY_OTHER_SCALES, ScaleFacts
from grading.engine.vocabulary import CONSTITUTIONAL_SYMPTOMS

CONSTITUTION, OXYGEN, CIRCULATION, ORGANS = range(4)
"""Places of the four parts of a chart in ``CourseState.assessed`` and ``CourseState.found``."""


@dataclass(slots=True)
class CourseState:
    """The state of a course after ``at``: all that later grades can depend on.

    ``latest`` holds the latest entry about each thing ("temperature_c", "oxygen",
    "vasopressor.norepinephrine", "lab.crp", ...) since the infusion. ``policy_number`` is which of
    the course's policies holds at ``at``: 0 the first, n the n-th later one. ``assessed`` are the
    codes of the four parts, ``found`` their findings, None where a part was charted since.
    ``other_scales`` is what scales other than Lee's ask of the past; None where the state was
    restored from a checkpoint that does not hold it.
    ``shown`` is grade, bound, codes and policy of the open period, None before the infusion.
    """

    facts: CourseFacts
    baseline: Baseline
    system: GradingSystem
    grades: dict[str, int]
    constitutional: ConstitutionalSymptoms
    oxygen: OxygenSupport
    circulation: Circulation
    organs: OrganToxicity
    other_scales: ScaleFacts | None = field(default_factory=ScaleFacts)
    policy_number: int = 0
    at: datetime | None = None
    weight: Weight | None = None
    weight_kg: Decimal | None = None
    begun: bool = False
    death: Death | None = None
    latest: dict[str, Entry] = field(default_factory=dict)
    assessed: list[Assessed] = field(default_factory=lambda: [NOTHING_MET] * 4)
    found: list[Findings | None] = field(default_factory=lambda: [None] * 4)
    next_clock: datetime | None = None
    next_policy_at: datetime | None = None
    shown: tuple[Any, ...] | None = None

    @classmethod
    def at_start(
        cls,
        facts: CourseFacts,
        baseline: Baseline,
        system: GradingSystem,
        *,
        policy_number: int | None = None,
    ) -> CourseState:
        """Return the empty state before any entry; ``baseline`` is what holds for the whole course.

        ``policy_number`` None is the policy that holds at the infusion.
        """
        if policy_number is None:
            policy_number = facts.policies_begun(facts.infused_at)
        ruled = facts.under(policy_number)
        policy = ruled.policy
        return cls(
            facts=facts,
            baseline=baseline,
            system=system,
            grades=system.grades_under(policy),
            constitutional=ConstitutionalSymptoms(policy),
            oxygen=OxygenSupport(policy),
            circulation=Circulation.at_start(policy, limits_for(ruled, baseline)),
            organs=OrganToxicity(policy, baseline),
            policy_number=policy_number,
            weight_kg=facts.weight_kg,
            next_policy_at=facts.next_policy_at(policy_number),
        )

    def copied(self) -> Self:
        """Copy the state, so that it can be advanced by itself; the entries are shared."""
        return replace(
            self,
            constitutional=self.constitutional.copied(),
            oxygen=replace(self.oxygen),
            circulation=self.circulation.copied(),
            organs=self.organs.copied(),
            other_scales=None if self.other_scales is None else self.other_scales.copied(),
            latest=dict(self.latest),
            assessed=list(self.assessed),
            found=list(self.found),
        )

    @property
    def is_over(self) -> bool:
        return self.death is not None

    @property
    def policy(self) -> Policy:
        """The policy that holds at ``at``."""
        return self.circulation.policy

    def advance(self, at: datetime, entries: Iterable[Entry]) -> list[Opening]:
        """Apply all ``entries`` of the instant ``at``; returns the periods that open.

        Instants must come in order. The clock's own changes before ``at`` are made on the way.
        """
        openings = self.advance_clock(at)
        if at < self.facts.infused_at:
            self._apply_prior(entries)
        elif self.death is None:
            self._apply(at, entries, openings)
        self.at = at
        return openings

    def advance_clock(self, until: datetime) -> list[Opening]:
        """Apply changes by clock or policy before ``until``; returns the periods that open."""
        openings: list[Opening] = []
        if not self.begun and until > self.facts.infused_at:
            self._apply(self.facts.infused_at, (), openings)
        while (event := self.next_event) is not None and event < until:
            self.at = event
            self._apply(event, (), openings)
        return openings

    @property
    def changes_by_itself(self) -> bool:
        """Whether time alone, or a policy decided for later, will change anything."""
        return self.next_event is not None

    @property
    def next_event(self) -> datetime | None:
        """When the clock, or a policy decided for later, next changes anything."""
        clock, policy = self.next_clock, self.next_policy_at
        if clock is None or policy is None:
            return policy if clock is None else clock
        return min(clock, policy)

    def _change_policy(self) -> None:
        """Apply the next policy to everything noted so far."""
        self.policy_number += 1
        self.next_policy_at = self.facts.next_policy_at(self.policy_number)
        ruled = self.facts.under(self.policy_number)
        self.grades = self.system.grades_under(ruled.policy)
        self.constitutional.read_under(ruled.policy)
        self.oxygen.read_under(ruled.policy)
        self.circulation.read_under(ruled.policy, limits_for(ruled, self.baseline))
        self.organs.read_under(ruled.policy)

    def _apply_prior(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Weight):
                self._note_weight(entry)
            elif isinstance(entry, Lab | Toxicity):
                self.organs.prior.note(entry)
            elif isinstance(entry, Risk):
                self._note_risk(entry)
            elif isinstance(entry, Admission):
                self._note_for_other_scales(entry)

    def _apply(self, at: datetime, entries: Iterable[Entry], openings: list[Opening]) -> None:
        touched = self._pass_time(at) if at in (self.next_clock, self.next_policy_at) else 0
        for entry in entries:
            touched |= _NOTED[type(entry)](self, entry)
        if self.death is not None:
            self._end(at, openings)
            return
        if touched & (_TOUCHED_CONSTITUTION | _TREATED) and self.other_scales is not None:
            self.other_scales.settle(self.constitutional.fever_charted_at(at))
        if (touched and self._assess(at, touched)) or not self.begun:
            self.begun = True
            self._open(at, openings)

    def _assess(self, at: datetime, touched: int) -> bool:
        """Assess the parts that were touched; whether the grade may now differ."""
        before = self.assessed.copy()
        if touched & (_TOUCHED_CIRCULATION | _PRESSURE):
            self.circulation.settle(at, self.weight_kg)
            self.assessed[CIRCULATION] = self.system.circulation.assess(self.circulation, at)
            if touched & _TOUCHED_CIRCULATION:  # a pressure alone sets no clock
                self.next_clock = self.circulation.next_change(at)
        if touched & _TOUCHED_CONSTITUTION:
            self.assessed[CONSTITUTION] = self.system.constitutional.assess(self.constitutional)
            self.found[CONSTITUTION] = None
        if touched & _TOUCHED_OXYGEN:
            self.assessed[OXYGEN] = self.system.oxygen.assess(self.oxygen)
            self.found[OXYGEN] = None
        if touched & _TOUCHED_ORGANS:
            self.assessed[ORGANS] = self.system.organs.assess(self.organs)
            self.found[ORGANS] = None
        return self.assessed != before or bool(touched & _POLICY)

    def _pass_time(self, at: datetime) -> int:
        """Change the policy where that is due; returns the parts that it or the clock touches."""
        if self.next_policy_at == at:
            self._change_policy()
            return _EVERYTHING
        return _TOUCHED_CIRCULATION if self.next_clock == at else 0

    def _end(self, at: datetime, openings: list[Opening]) -> None:
        self.at, self.begun, self.next_clock, self.next_policy_at = at, True, None, None
        openings.append(self.opening_of_death())

    def opening_of_death(self) -> Opening:
        """Grade 5 from a death due, or perhaps due, to CRS; the end of grading otherwise."""
        if self.death is None:
            raise ValueError("no death is charted")
        at, found = self.death.at, death_found(self.death, self.system)
        grade = max([criterion.grade for criterion in found.in_words.criteria], default=None)
        return Opening(at, grade, grade, found, self.policy_number)

    def _open(self, at: datetime, openings: list[Opening]) -> None:
        """Open a period where grade, bound, codes or policy differ from what is shown."""
        a, b, c, d = self.assessed
        met = a[0] + b[0] + c[0] + d[0]
        unknown = a[1] + b[1] + c[1] + d[1]
        grades = self.grades
        grade = max([grades[code] for code in met]) if met else 0
        at_most = max([grade, *[reach for _, reach in unknown]])
        codes = tuple([code for code, _ in unknown])
        shown = (grade, at_most, met, codes, self.policy_number)
        if shown == self.shown:
            return
        by_policy_alone = self.shown is not None and shown[:4] == self.shown[:4]
        self.shown = shown
        found = self.findings(at)
        openings.append(Opening(at, grade, at_most, found, self.policy_number, by_policy_alone))

    def findings(self, at: datetime) -> Findings:
        """Return criteria met and unknowns at ``at``, highest grade first, worded when read.

        A part's findings are kept until an entry about it comes; those of the circulation are made
        at every call, because their words name durations.
        """
        parts = (self.constitutional, self.oxygen, self.circulation, self.organs)
        found = part_findings(self.system, self.grades, parts, self.assessed, self.found, at)
        self.found = [*found]
        return CombinedFindings(self.system, found)

    def _note_weight(self, entry: Weight) -> int:
        self.weight, self.weight_kg = entry, entry.weight_kg
        self.latest["weight"] = entry
        return _TOUCHED_CIRCULATION if self.circulation.infusions.awaiting_weight else 0

    def _note_vitals(self, entry: Vitals) -> int:
        latest, touched = self.latest, 0
        if entry.temperature_c is not None:
            latest["temperature_c"] = entry
            self.constitutional.note_temperature(entry)
            touched = _TOUCHED_CONSTITUTION
        if entry.systolic_mmhg is not None:
            latest["systolic_mmhg"] = entry
        if entry.diastolic_mmhg is not None:
            latest["diastolic_mmhg"] = entry
        if entry.mean_arterial_pressure_mmhg is not None:
            latest["mean_arterial_pressure_mmhg"] = entry
        for sign in entry.others:
            latest[sign] = entry
        if entry.is_pressure_reading:
            self.circulation.note_reading(entry)
            touched |= _PRESSURE
        return touched

    def _note_oxygen(self, entry: Oxygen) -> int:
        self.latest["oxygen"] = entry
        self.oxygen.note(entry)
        return _TOUCHED_OXYGEN

    def _note_vasopressor(self, entry: Vasopressor) -> int:
        self.latest["vasopressor." + entry.drug] = entry
        self.circulation.note_vasopressor(entry)
        return _TOUCHED_CIRCULATION

    def _note_bolus(self, entry: FluidBolus) -> int:
        self.latest["fluid_bolus"] = entry
        self.circulation.note_bolus(entry)
        return _TOUCHED_CIRCULATION

    def _note_judgement(self, entry: Judgement) -> int:
        self.latest[f"judgement.{entry.about}"] = entry
        self.circulation.note_judgement(entry)
        return _TOUCHED_CIRCULATION

    def _note_lab(self, entry: Lab) -> int:
        self.latest["lab." + entry.analyte] = entry
        return _TOUCHED_ORGANS if self.organs.note_lab(entry) else 0

    def _note_toxicity(self, entry: Toxicity) -> int:
        self.latest[f"toxicity.{entry.term}"] = entry
        self.organs.note_toxicity(entry)
        return _TOUCHED_ORGANS

    def _note_symptom(self, entry: Symptom) -> int:
        self.latest[f"symptom.{entry.term}"] = entry
        touched = 0
        if entry.term in CONSTITUTIONAL_SYMPTOMS:
            self.constitutional.note_symptom(entry)
            touched = _TOUCHED_CONSTITUTION
        if wants_grade(entry):
            self.organs.note_tick(entry)
            touched |= _TOUCHED_ORGANS
        return touched

    def _note_treatment(self, entry: Treatment) -> int:
        self.latest[f"treatment.{entry.agent}"] = entry
        if self.other_scales is not None:
            self.other_scales.note_treatment(entry)
        return _TREATED

    def _note_for_other_scales(self, entry: Entry) -> int:
        """Note an entry that no criterion of Lee's reads."""
        thing = f"neuro_sign.{entry.sign}" if isinstance(entry, NeuroSign) else entry.kind
        self.latest[thing] = entry
        if self.other_scales is not None:
            self.other_scales.note(entry)
        return 0

    def _note_risk(self, entry: Risk) -> int:
        self.latest["risk"] = entry
        return 0

    def _ignore(self, _entry: Entry) -> int:
        """Ignore a note or a missed observation, on which no grade depends."""
        return 0

    def _note_death(self, entry: Death) -> int:
        self.death = entry
        return 0


_TOUCHED_CONSTITUTION: Final = 1 << CONSTITUTION
_TOUCHED_OXYGEN: Final = 1 << OXYGEN
_TOUCHED_CIRCULATION: Final = 1 << CIRCULATION
_TOUCHED_ORGANS: Final = 1 << ORGANS
_POLICY: Final = _TOUCHED_ORGANS << 1
_PRESSURE: Final = _POLICY << 1
_TREATED: Final = _PRESSURE << 1
_EVERYTHING: Final = (
    _TOUCHED_CONSTITUTION | _TOUCHED_OXYGEN | _TOUCHED_CIRCULATION | _TOUCHED_ORGANS | _POLICY
)

_NOTED: Final[dict[type[Entry], Callable[[CourseState, Any], int]]] = {
    Weight: CourseState._note_weight,
    Vitals: CourseState._note_vitals,
    Oxygen: CourseState._note_oxygen,
    Vasopressor: CourseState._note_vasopressor,
    FluidBolus: CourseState._note_bolus,
    Judgement: CourseState._note_judgement,
    Lab: CourseState._note_lab,
    Toxicity: CourseState._note_toxicity,
    Symptom: CourseState._note_symptom,
    Treatment: CourseState._note_treatment,
    Risk: CourseState._note_risk,
    **dict.fromkeys(ASKED_BY_OTHER_SCALES, CourseState._note_for_other_scales),
    Note: CourseState._ignore,
    NotObserved: CourseState._ignore,
    Death: CourseState._note_death,
}
