"""Values over time as grading had them: FiO2, doses, the norepinephrine equivalent, the limits.

What a plot and a table of a course show beside what was charted. Nothing is computed here that
grading does not compute; it is noted at every instant at which it may change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from grading.engine.entries import Entry, Oxygen, Vitals
from grading.engine.evidence import ROOM_AIR_FIO2
from grading.engine.oxygen import fio2_of
from grading.engine.pressure import counted_systolic, counted_tripled_map
from grading.engine.state import CourseState
from grading.engine.vasopressors import (
    equivalent_is_complete,
    equivalent_limit,
    high_now,
    norepinephrine_equivalent,
)
from grading.engine.vocabulary import OxygenDevice, VasopressorDrug


class OxygenStep(NamedTuple):
    """What the patient breathed from ``at`` on.

    ``fio2_percent`` is None where it is not known, and where the device alone decides;
    ``counts`` is false where the oxygen is attributed to another cause.
    """

    at: datetime
    entry_id: str
    device: OxygenDevice
    flow_l_per_min: Decimal | None
    fio2_percent: Decimal | None
    estimated: bool
    counts: bool


class DoseStep(NamedTuple):
    """The dose of one drug from ``at`` on, in the drug's canonical unit.

    ``runs`` is false where it was stopped, or is attributed to another cause; ``dose`` None runs at
    a dose not known.
    """

    at: datetime
    entry_id: str
    runs: bool
    dose: Fraction | None


class EquivalentStep(NamedTuple):
    """The norepinephrine equivalent of what ran from ``at`` on, in µg/min.

    ``limit`` is the equivalent from which Table 3 calls it a high dose; None where no row of the
    table applies. ``is_complete`` is false where a dose with a term in the equation is not known;
    vasopressin and drugs without a row have none. ``is_high`` is true where a row of the table is
    reached, whatever for how long. ``runs`` is false where no vasopressor does.
    """

    at: datetime
    equivalent: Fraction
    limit: Fraction | None
    is_complete: bool
    is_high: bool
    runs: bool

    @property
    def is_known(self) -> bool:
        """Return whether the equivalent is a value: 0 beside drugs without a row is none."""
        return self.is_complete and (self.limit is not None or not self.runs)


class PressureReading(NamedTuple):
    """A reading in mmHg; ``counts`` is false where its pressures are of another cause.

    ``mean`` is the one that grading judges: charted, or from the systolic and diastolic pressure
    (``is_derived``).
    """

    at: datetime
    entry_id: str
    systolic: Decimal | None
    diastolic: Decimal | None
    mean: Fraction | None
    is_derived: bool
    counts: bool


class LimitStep(NamedTuple):
    """The floors of pressure and the threshold of fever in force from ``at`` on.

    In mmHg and °C; ``map_floor_mmhg`` is None for a child.
    """

    at: datetime
    systolic_floor_mmhg: Decimal
    map_floor_mmhg: Decimal | None
    fever_c: Decimal


@dataclass(slots=True)
class Trace:
    """The values of one course in order of time, from the infusion on."""

    pressure: list[PressureReading] = field(default_factory=list)
    oxygen: list[OxygenStep] = field(default_factory=list)
    doses: dict[VasopressorDrug, list[DoseStep]] = field(default_factory=dict)
    equivalent: list[EquivalentStep] = field(default_factory=list)
    limits: list[LimitStep] = field(default_factory=list)

    def note(self, at: datetime, state: CourseState, entries: Iterable[Entry]) -> None:
        """Note what ``entries`` and the time have changed in ``state``, advanced to ``at``."""
        self.pressure += [
            _pressure(entry)
            for entry in entries
            if isinstance(entry, Vitals) and entry.is_pressure_reading
        ]
        self._note_limits(at, state)
        self._note_oxygen(at, state)
        self._note_doses(at, state)

    def _note_limits(self, at: datetime, state: CourseState) -> None:
        limits, policy = state.circulation.limits, state.policy
        map_floor = policy.map_floor_adult_mmhg if limits.adult else None
        step = LimitStep(at, limits.systolic_floor_mmhg, map_floor, policy.fever_threshold_c)
        if not self.limits or self.limits[-1][1:] != step[1:]:
            self.limits.append(step)

    def _note_oxygen(self, at: datetime, state: CourseState) -> None:
        entry = state.oxygen.entry
        if entry is None:
            return
        step = _oxygen_step(at, entry, state)
        if not self.oxygen or self.oxygen[-1][1:] != step[1:]:
            self.oxygen.append(step)

    def _note_doses(self, at: datetime, state: CourseState) -> None:
        infusions = state.circulation.infusions
        changed = False
        for drug, entry in infusions.entries.items():
            runs = drug in infusions.running_since
            step = DoseStep(at, entry.id, runs, infusions.doses.get(drug) if runs else None)
            steps = self.doses.setdefault(drug, [])
            if not steps or steps[-1][1:] != step[1:]:
                steps.append(step)
                changed = True
        if changed:
            doses = infusions.doses
            self.equivalent.append(
                EquivalentStep(
                    at,
                    norepinephrine_equivalent(doses),
                    equivalent_limit(doses),
                    is_complete=equivalent_is_complete(doses),
                    is_high=high_now(doses),
                    runs=bool(doses),
                )
            )


def trace(state: CourseState, entries: Iterable[Entry], until: datetime) -> Trace:
    """Advance ``state`` over ``entries`` up to ``until``; return the values on the way.

    ``entries`` are in order of time. The state begins at the infusion.
    """
    traced = Trace()
    by_instant: dict[datetime, list[Entry]] = {}
    for entry in entries:
        if entry.at <= until:
            by_instant.setdefault(entry.at, []).append(entry)
    facts = state.facts
    turns = {facts.infused_at, *(later.at for later in facts.policies)}
    for at in sorted(by_instant.keys() | {turn for turn in turns if turn <= until}):
        together = by_instant.get(at, ())
        state.advance(at, together)
        if at >= facts.infused_at:
            traced.note(at, state, together)
    return traced


def _pressure(entry: Vitals) -> PressureReading:
    tripled = counted_tripled_map(entry)
    counts = tripled is not None or counted_systolic(entry) is not None
    return PressureReading(
        entry.at,
        entry.id,
        entry.systolic_mmhg,
        entry.diastolic_mmhg,
        None if tripled is None else Fraction(tripled) / 3,
        is_derived=entry.mean_arterial_pressure_mmhg is None,
        counts=counts,
    )


def _oxygen_step(at: datetime, entry: Oxygen, state: CourseState) -> OxygenStep:
    fio2 = fio2_of(entry, state.policy)
    percent = None if fio2 is None else fio2.percent
    if percent is None and entry.device is OxygenDevice.ROOM_AIR:
        percent = ROOM_AIR_FIO2.value
    return OxygenStep(
        at,
        entry.id,
        entry.device,
        entry.flow_l_per_min,
        percent,
        estimated=fio2 is not None and fio2.estimated,
        counts=entry.counts,
    )
