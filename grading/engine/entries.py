"""Charted entries: one frozen value type for each kind, with the course file's keys.

Times are aware and in UTC. ``at`` is the clinical time, ``recorded_at`` the time of charting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final

from grading.engine.analytes import Analyte
from grading.engine.scale_vocabulary import (
    ICE_PARTS,
    AdmissionSetting,
    BloodProductName,
    ConsciousnessLevel,
    DeathCause,
    NeuroSignName,
    NotPerformedReason,
    OxygenPurpose,
    SeizureType,
)
from grading.engine.units import Number
from grading.engine.vocabulary import (
    Attribution,
    DoseUnit,
    DueObservation,
    JudgementAbout,
    NotObservedReason,
    OxygenDevice,
    TreatmentAgent,
    VasopressorDrug,
)

_OTHER_CAUSE: Final = Attribution.OTHER
"""Named once, for in Python 3.11 each look-up in an enumeration calls a function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What every entry has. ``replaces`` names the entry that this one corrects or retracts."""

    kind: ClassVar[str]

    id: str
    at: datetime
    recorded_at: datetime
    attribution: Attribution = Attribution.CRS
    note: str = ""
    replaces: str | None = None

    @property
    def counts(self) -> bool:
        """Whether the attribution gate lets it count: `uncertain` does, `other` does not."""
        return self.attribution is not _OTHER_CAUSE


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals(Entry):
    """A set of vital signs; those not measured are absent.

    Those that a criterion reads are fields; ``others`` holds every other sign by its key.
    """

    kind: ClassVar[str] = "vitals"

    temperature_c: Number | None = None
    temperature_f: Decimal | None = None
    systolic_mmhg: Decimal | None = None
    diastolic_mmhg: Decimal | None = None
    mean_arterial_pressure_mmhg: Decimal | None = None
    others: Mapping[str, Decimal] = field(default_factory=dict)
    attribution_by_field: Mapping[str, Attribution] = field(default_factory=dict)

    def value_of(self, vital_sign: str) -> Number | None:
        """Value of one vital sign, by its key; None where it is absent."""
        if vital_sign not in SIGNS_READ:
            return self.others.get(vital_sign)
        value: Number | None = getattr(self, vital_sign)
        return value

    def attribution_of(self, vital_sign: str) -> Attribution:
        """Attribution of one field: its own where it has one, else that of the set."""
        return self.attribution_by_field.get(vital_sign, self.attribution)

    def counted(self, vital_sign: str) -> bool:
        if not self.attribution_by_field:
            return self.attribution is not _OTHER_CAUSE
        return self.attribution_of(vital_sign) is not _OTHER_CAUSE

    @property
    def is_pressure_reading(self) -> bool:
        """A systolic or a mean pressure makes a reading; a diastolic alone does not."""
        return self.systolic_mmhg is not None or self.mean_arterial_pressure_mmhg is not None


SIGNS_READ: Final = (
    "temperature_c",
    "systolic_mmhg",
    "diastolic_mmhg",
    "mean_arterial_pressure_mmhg",
)
"""The vital signs that a criterion reads: fields of ``Vitals``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oxygen(Entry):
    """What the patient breathes; ``purpose`` is read by scales other than Lee's alone."""

    kind: ClassVar[str] = "oxygen"

    device: OxygenDevice
    flow_l_per_min: Decimal | None = None
    fio2_percent: Decimal | None = None
    purpose: OxygenPurpose = OxygenPurpose.HYPOXIA


@dataclass(frozen=True, slots=True, kw_only=True)
class Vasopressor(Entry):
    """An infusion's rate from ``at`` on: 0 is stopped, None a dose that is not known.

    ``concentration_per_ml`` (µg, for vasopressin units) goes with mL/h; ``weight_kg`` is the weight
    programmed in the pump.
    """

    kind: ClassVar[str] = "vasopressor"

    drug: VasopressorDrug
    rate: Decimal | None
    unit: DoseUnit | None = None
    concentration_per_ml: Decimal | None = None
    weight_kg: Decimal | None = None

    @property
    def runs(self) -> bool:
        return self.rate is None or self.rate > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FluidBolus(Entry):
    kind: ClassVar[str] = "fluid_bolus"

    volume_ml: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight(Entry):
    kind: ClassVar[str] = "weight"

    weight_kg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab(Entry):
    """A laboratory result with the limits of normal that its report gave, in the result's unit."""

    kind: ClassVar[str] = "lab"

    analyte: Analyte
    value: Decimal
    unit: str
    upper_limit: Decimal | None = None
    lower_limit: Decimal | None = None
    comparator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFacts(Entry):
    """What was normal for this patient before therapy; holds for the whole course."""

    kind: ClassVar[str] = "baseline"

    systolic_mmhg: Decimal | None = None
    diastolic_mmhg: Decimal | None = None
    mean_arterial_pressure_mmhg: Decimal | None = None
    measured_at: datetime | None = None
    creatinine_mg_dl: Decimal | None = None
    lvef_percent: Decimal | None = None
    fibrinogen_mg_dl: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk(Entry):
    """Answers to the algorithm's questions; None is no answer."""

    kind: ClassVar[str] = "risk"

    extensive_comorbidities: bool | None = None
    older_age: bool | None = None
    chronic_corticosteroids: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxicity(Entry):
    """A CTCAE v4.03 grade that a clinician charted; 0 is resolved."""

    kind: ClassVar[str] = "toxicity"

    term: str
    grade: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(Entry):
    kind: ClassVar[str] = "judgement"

    about: JudgementAbout
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom(Entry):
    kind: ClassVar[str] = "symptom"

    term: str
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment(Entry):
    kind: ClassVar[str] = "treatment"

    agent: TreatmentAgent
    dose_mg: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Entry):
    """Free text, in ``note``; no grade depends on it."""

    kind: ClassVar[str] = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotObserved(Entry):
    """That something due was not observed, and why; what was charted before stays as it is."""

    kind: ClassVar[str] = "not_observed"

    what: DueObservation
    reason: NotObservedReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Death(Entry):
    """A death; ``due_to`` is read by scales other than Lee's alone, None where it is not stated."""

    kind: ClassVar[str] = "death"

    due_to: tuple[DeathCause, ...] | None = None

    @property
    def causes(self) -> tuple[DeathCause, ...]:
        """What the death is due to; where that is not stated, its attribution decides."""
        if self.due_to is not None:
            return self.due_to
        return (DeathCause.CRS,) if self.counts else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction(Entry):
    """States that the entry it replaces was entered in error; nothing takes its place."""

    kind: ClassVar[str] = "retraction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ice(Entry):
    """An ICE round: the whole ``score``, or points for those parts that were asked in full.

    Where it was not ``performed`` there are no points, and perhaps a ``reason``.
    """

    kind: ClassVar[str] = "ice"

    score: int | None = None
    orientation: int | None = None
    naming: int | None = None
    commands: int | None = None
    writing: int | None = None
    attention: int | None = None
    performed: bool = True
    reason: NotPerformedReason | None = None

    @property
    def parts(self) -> dict[str, int]:
        """The points of each part that was asked."""
        points = {name: getattr(self, name) for name in ICE_PARTS}
        return {name: value for name, value in points.items() if value is not None}

    @property
    def lowest(self) -> int:
        """The score with parts not asked at 0 points."""
        return self.score if self.score is not None else sum(self.parts.values())

    @property
    def highest(self) -> int:
        """The score with parts not asked at all their points."""
        if self.score is not None:
            return self.score
        asked = self.parts
        return sum(asked.get(name, most) for name, most in ICE_PARTS.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Capd(Entry):
    """The sum of the Cornell Assessment of Pediatric Delirium, or why it was not done."""

    kind: ClassVar[str] = "capd"

    score: int | None = None
    performed: bool = True
    reason: NotPerformedReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consciousness(Entry):
    kind: ClassVar[str] = "consciousness"

    level: ConsciousnessLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Seizure(Entry):
    """A seizure that began at ``at``; ``resolved`` None is not stated."""

    kind: ClassVar[str] = "seizure"

    seizure_type: SeizureType
    duration_minutes: Decimal | None = None
    resolved: bool | None = None
    repetitive_without_recovery: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuroSign(Entry):
    kind: ClassVar[str] = "neuro_sign"

    sign: NeuroSignName
    present: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission(Entry):
    """Where the patient is cared for; ``because_of_crs`` None is not stated."""

    kind: ClassVar[str] = "admission"

    setting: AdmissionSetting
    because_of_crs: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BloodProduct(Entry):
    kind: ClassVar[str] = "blood_product"

    product: BloodProductName


KINDS: Final[dict[str, type[Entry]]] = {
    entry_class.kind: entry_class
    for entry_class in (
        Vitals, Oxygen, Vasopressor, FluidBolus, Weight, Lab, BaselineFacts, Risk, Toxicity,
        Judgement, Symptom, Treatment, Note, NotObserved, Death, Retraction,
        Ice, Capd, Consciousness, Seizure, NeuroSign, Admission, BloodProduct,
    )
}  # fmt: skip


def in_force(known: Iterable[Entry]) -> list[Entry]:
    """Those of the ``known`` entries that count: not corrected, not retracted, no retraction.

    A retraction of a correction does not bring the original back.
    """
    entries = list(known)
    replaced = {entry.replaces for entry in entries if entry.replaces is not None}
    return [e for e in entries if e.id not in replaced and not isinstance(e, Retraction)]
