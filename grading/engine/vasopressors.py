"""Vasopressor infusions: doses in Table 3's units, what is high now, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

from grading.engine import sentences
from grading.engine.entries import Vasopressor
from grading.engine.evidence import (
    BITARTRATE_PER_BASE,
    TABLE_3_COMBINATION,
    TABLE_3_MONOTHERAPY,
    TABLE_3_WITH_VASOPRESSIN,
    VASST_DIVISOR,
)
from grading.engine.periods import Explained
from grading.engine.policy import BITARTRATE, Policy
from grading.engine.times import moved
from grading.engine.units import (
    MICROGRAMS_PER_MILLIGRAM,
    MINUTES_PER_HOUR,
    REMEMBERED,
    format_number,
    minutes,
)
from grading.engine.vocabulary import DRUGS, Attribution, DoseUnit, VasopressorDrug

_NO_TIME: Final = timedelta(0)
_MONOTHERAPY: Final = {
    drug: Fraction(threshold.value) for drug, threshold in TABLE_3_MONOTHERAPY.items()
}
_DIVISOR: Final = {drug: Fraction(divisor.value) for drug, divisor in VASST_DIVISOR.items()}
_WITH_VASOPRESSIN: Final = Fraction(TABLE_3_WITH_VASOPRESSIN.value)
_COMBINATION: Final = Fraction(TABLE_3_COMBINATION.value)
_BITARTRATE: Final = Fraction(BITARTRATE_PER_BASE.value)

Doses = Mapping[VasopressorDrug, Fraction | None]
"""Each running drug's dose in Table 3's unit; None where its dose is not known."""


def needs_weight(drug: VasopressorDrug, unit: DoseUnit | None) -> bool:
    """Return whether a rate in ``unit`` reaches the drug's canonical unit only by a weight."""
    canonical = DRUGS[drug].canonical
    return unit is not None and canonical is not None and unit.per_kg is not canonical.per_kg


def canonical_dose(
    entry: Vasopressor, weight_kg: Decimal | None, policy: Policy
) -> Fraction | None:
    """Return the dose of ``entry`` in its drug's canonical unit, exactly; None: not known.

    ``weight_kg`` converts where the entry has no pump weight of its own.
    """
    dose = charted_dose(entry, entry.weight_kg or weight_kg)
    return dose / _BITARTRATE if dose is not None and _is_salt(entry, policy) else dose


def _is_salt(entry: Vasopressor, policy: Policy) -> bool:
    expressed_as_salt = policy.norepinephrine_expressed_as == BITARTRATE
    return expressed_as_salt and entry.drug is VasopressorDrug.NOREPINEPHRINE


def charted_dose(entry: Vasopressor, weight_kg: Decimal | None) -> Fraction | None:
    """Return the charted rate in the drug's canonical unit, before any salt is read as base."""
    if entry.rate is None or entry.unit is None:
        return None
    concentration = entry.concentration_per_ml
    if not needs_weight(entry.drug, entry.unit):
        return _per_minute(entry.rate, entry.unit, concentration)
    if weight_kg is None:
        return None
    return _by_weight(entry.rate, entry.unit, concentration, weight_kg)


def charted_dose_without_weight(entry: Vasopressor) -> Fraction | None:
    """Return the charted rate per minute in the substance's own unit, per kg where charted so."""
    if entry.rate is None or entry.unit is None:
        return None
    return _per_minute(entry.rate, entry.unit, entry.concentration_per_ml)


@lru_cache(REMEMBERED)
def _per_minute(
    rate: Decimal, unit: DoseUnit, concentration_per_ml: Decimal | None
) -> Fraction | None:
    """Return a pump's rate as a dose a minute; the same few rates come again and again."""
    dose = Fraction(rate)
    if unit is DoseUnit.ML_PER_H:
        if concentration_per_ml is None:
            return None
        return dose * Fraction(concentration_per_ml) / MINUTES_PER_HOUR
    if unit is DoseUnit.MG_PER_H:
        return dose * MICROGRAMS_PER_MILLIGRAM / MINUTES_PER_HOUR
    return dose / MINUTES_PER_HOUR if unit is DoseUnit.UNITS_PER_H else dose


@lru_cache(REMEMBERED)
def _by_weight(
    rate: Decimal, unit: DoseUnit, concentration_per_ml: Decimal | None, weight_kg: Decimal
) -> Fraction | None:
    """Return a rate per kg as the dose of a patient of this weight, any other as a dose per kg."""
    dose = _per_minute(rate, unit, concentration_per_ml)
    if dose is None:
        return None
    return dose * Fraction(weight_kg) if unit.per_kg else dose / Fraction(weight_kg)


def norepinephrine_equivalent(doses: Doses) -> Fraction:
    """VASST equivalent in µg/min of those with a term in the equation (Table 3, footnote)."""
    terms = [
        dose / _DIVISOR[drug]
        for drug, dose in doses.items()
        if dose is not None and drug in _DIVISOR
    ]
    return sum(terms[1:], terms[0]) if terms else Fraction(0)


def equivalent_is_complete(doses: Doses) -> bool:
    """Return whether every dose with a term in the equation is known."""
    return all(dose is not None for drug, dose in doses.items() if drug in _DIVISOR)


def equivalent_limit(doses: Doses) -> Fraction | None:
    """Return the norepinephrine equivalent, in µg/min, from which Table 3 calls ``doses`` high.

    Of one drug by itself it is its own threshold as an equivalent; None where no row of the table
    applies. In a combination a drug that reaches its own threshold is high whatever the equivalent.
    """
    if VasopressorDrug.VASOPRESSIN in doses:
        return _WITH_VASOPRESSIN
    if len(doses) > 1 and len(doses.keys() & _DIVISOR.keys()) > 1:
        return _COMBINATION
    limits = [
        _MONOTHERAPY[drug] / _DIVISOR[drug]
        for drug in doses
        if drug in _MONOTHERAPY and drug in _DIVISOR
    ]
    return min(limits, default=None)


def high_now(doses: Doses) -> bool:
    """Return whether any row of Table 3 is reached at this instant, whatever its duration."""
    for drug, dose in doses.items():
        if dose is not None and drug in _MONOTHERAPY and dose >= _MONOTHERAPY[drug]:
            return True
    if VasopressorDrug.VASOPRESSIN in doses:
        return norepinephrine_equivalent(doses) >= _WITH_VASOPRESSIN
    in_combination = len(doses) > 1 and len(doses.keys() & _DIVISOR.keys()) > 1
    return in_combination and norepinephrine_equivalent(doses) >= _COMBINATION


class TimedRun(NamedTuple):
    """Table 3's "for ≥ 3 hours": a run of high dose, its credit and its gap.

    ``since`` is when ``high`` last changed; ``credit`` what had been credited until then. A run of
    another kind of dose is timed in the same way, with its own meaning of ``high``.
    """

    policy: Policy
    credit: timedelta = _NO_TIME
    high: bool = False
    since: datetime | None = None
    evidence: tuple[str, ...] = ()

    def settled(self, at: datetime, high: bool, evidence: tuple[str, ...]) -> TimedRun:
        """What holds from ``at`` on, where the dose is now, or is no longer, high."""
        credit, since = self.credit, self.since
        if not high:
            credit, since, evidence = self.credited(at), at, self.evidence
        elif not self.high:
            credit, since = credit if self.is_open(at) else _NO_TIME, at
        return TimedRun(self.policy, credit, high, since, evidence)

    def is_open(self, at: datetime) -> bool:
        return self.since is not None and (self.high or at < moved(self.since, self._gap))

    def credited(self, at: datetime) -> timedelta:
        """Minutes credited to the open run; none where no run is open."""
        return self._credit(at) if self.is_open(at) else _NO_TIME

    def _credit(self, at: datetime) -> timedelta:
        high_since = self.since if self.high else None
        return self.credit if high_since is None else self.credit + (at - high_since)

    def is_met(self, at: datetime) -> bool:
        return self.has_lasted(minutes(self.policy.high_dose_minutes), at)

    def has_lasted(self, duration: timedelta, at: datetime) -> bool:
        """Return whether the run is open and was credited with ``duration`` or more."""
        return self._credit(at) >= duration and self.is_open(at)

    def lasts_from(self, duration: timedelta) -> datetime | None:
        """Return when a run that is still high reaches ``duration``; None for one that stopped."""
        if self.since is None or not self.high:
            return None
        return moved(self.since, duration - self.credit)

    def closes_at(self) -> datetime | None:
        """Return when a run closes that has stopped."""
        return None if self.since is None or self.high else moved(self.since, self._gap)

    def changes(self) -> tuple[datetime, ...]:
        """Return the instants at which the clock alone may change if the run is open or met."""
        if self.since is None:
            return ()
        if not self.high:
            return (moved(self.since, self._gap),)
        high_dose = minutes(self.policy.high_dose_minutes)
        life_threatening = minutes(self.policy.life_threatening_minutes)
        return (
            moved(self.since, high_dose - self.credit),
            moved(self.since, life_threatening - self.credit),
        )

    @property
    def _gap(self) -> timedelta:
        return minutes(self.policy.gap_minutes)


@dataclass(slots=True)
class Infusions:
    """Every vasopressor as last charted, and since when those that count have run.

    A dose stays as it was converted when charted; ``as_salt`` are those read as a salt then.
    ``explained``, ``equivalent`` and ``frozen`` are cached until an infusion changes.
    """

    policy: Policy
    entries: dict[VasopressorDrug, Vasopressor] = field(default_factory=dict)
    running_since: dict[VasopressorDrug, datetime] = field(default_factory=dict)
    doses: dict[VasopressorDrug, Fraction | None] = field(default_factory=dict)
    awaiting_weight: set[VasopressorDrug] = field(default_factory=set)
    as_salt: set[VasopressorDrug] = field(default_factory=set)
    changed: set[VasopressorDrug] = field(default_factory=set)
    explained: Explained | None = None
    equivalent: str | None = None
    frozen: Infusions | None = None

    def copied(self) -> Self:
        return replace(
            self,
            entries=dict(self.entries),
            running_since=dict(self.running_since),
            doses=dict(self.doses),
            awaiting_weight=set(self.awaiting_weight),
            as_salt=set(self.as_salt),
            changed=set(self.changed),
        )

    def frozen_copy(self) -> Infusions:
        """Copy the settled infusions for explanations; the copy is never advanced."""
        if self.frozen is None:
            self.frozen = Infusions(
                self.policy,
                dict(self.entries),
                dict(self.running_since),
                dict(self.doses),
                as_salt=set(self.as_salt),
            )
        return self.frozen

    def note(self, entry: Vasopressor) -> None:
        self.entries[entry.drug] = entry
        self.changed.add(entry.drug)

    def settle(self, at: datetime, weight_kg: Decimal | None) -> None:
        """Apply the entries noted for ``at``; a first weight converts rates that awaited one."""
        if weight_kg is not None and self.awaiting_weight:
            self.changed |= self.awaiting_weight
        for drug in self.changed:
            entry = self.entries[drug]
            if not (DRUGS[drug].counted and entry.runs and entry.counts):
                self.running_since.pop(drug, None)
                self.doses.pop(drug, None)
                self.awaiting_weight.discard(drug)
                self.as_salt.discard(drug)
                continue
            self.running_since.setdefault(drug, at)
            dose = self.doses[drug] = canonical_dose(entry, weight_kg, self.policy)
            waits = dose is None and entry.rate is not None and needs_weight(drug, entry.unit)
            (self.awaiting_weight.add if waits else self.awaiting_weight.discard)(drug)
            salt = _is_salt(entry, self.policy)
            (self.as_salt.add if salt else self.as_salt.discard)(drug)
        self.changed.clear()
        self.explained = self.equivalent = self.frozen = None

    def only(self) -> VasopressorDrug | None:
        """Return the one vasopressor that runs, or None where none or several do."""
        return next(iter(self.running_since)) if len(self.running_since) == 1 else None

    def evidence(self) -> tuple[str, ...]:
        return tuple(sorted([self.entries[drug].id for drug in self.running_since]))

    def explain(self) -> Explained:
        """What runs: the entries, their doses, and whether the attribution of one is uncertain."""
        if self.explained is None:
            infusions, uncertain = [], False
            for drug in sorted(self.running_since):
                entry, salt = self.entries[drug], drug in self.as_salt
                infusions.append(infusion_params(entry, self.doses[drug], salt=salt))
                uncertain |= entry.attribution is Attribution.UNCERTAIN
            self.explained = Explained(self.evidence(), {"infusions": infusions}, uncertain)
        return self.explained

    def equivalent_dose(self) -> str:
        """Return the VASST equivalent of what runs, in µg/min, as a parameter of a sentence."""
        if self.equivalent is None:
            self.equivalent = format_number(norepinephrine_equivalent(self.doses))
        return self.equivalent


def rate_text(entry: Vasopressor) -> str:
    """Return the rate as it was charted, in words."""
    return sentences.rate_text(rate_params(entry))


def rate_params(entry: Vasopressor) -> dict[str, Any]:
    """Return the charted rate: ``rate`` is None if not known, "0" if the drug is stopped."""
    params: dict[str, Any] = {"drug": str(entry.drug), "rate": None}
    if entry.rate is None:
        return params
    params["rate"] = format_number(entry.rate) if entry.runs else "0"
    if entry.unit is not None:
        params["unit"] = str(entry.unit)
        if entry.unit is DoseUnit.ML_PER_H and entry.concentration_per_ml is not None:
            params["concentration_per_ml"] = format_number(entry.concentration_per_ml)
    return params


def infusion_params(entry: Vasopressor, dose: Fraction | None, *, salt: bool) -> dict[str, Any]:
    """Return an infusion with the steps that brought its rate to ``dose``, in Table 3's unit.

    ``dose`` None is not known. ``salt``: the charted rate is that of norepinephrine bitartrate.
    """
    params = rate_params(entry)
    canonical = DRUGS[entry.drug].canonical
    if dose is None:
        if entry.rate is not None and needs_weight(entry.drug, entry.unit):
            params["weight_missing"] = True
        return params
    if canonical is None or (entry.unit is canonical and not salt):
        return params
    weight = _weight_used(entry, dose * _BITARTRATE if salt else dose)
    if weight is not None:
        params["weight_kg"] = format_number(weight)
    params |= {"dose": format_number(dose), "dose_unit": str(canonical)}
    if salt:
        params["salt"] = True
    return params


def _weight_used(entry: Vasopressor, charted: Fraction) -> Fraction | None:
    """Return the weight that converted the charted rate; None where none was needed."""
    if not needs_weight(entry.drug, entry.unit) or not entry.rate or entry.unit is None:
        return None
    if entry.unit.per_kg:
        return charted / Fraction(entry.rate)
    per_min = charted_dose_without_weight(entry)
    return None if per_min is None else per_min / charted
