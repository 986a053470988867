"""Charted entries: one frozen value type for each kind, with the course file's keys.

Times are aware and in UTC. ``at`` is the clinical time, ``recorded_at`` the time of charting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, NamedTuple

from grading.engine.analytes import Analyte
from grading.engine.units import Number, celsius
from grading.engine.vocabulary import (
    VITAL_SIGN,
    Attribution,
    DoseUnit,
    DueObservation,
    JudgementAbout,
    NotObservedReason,
    OxygenDevice,
    RiskQuestion,
    TreatmentAgent,
    VasopressorDrug,
)


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
        return self.attribution is not Attribution.OTHER


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
            return self.attribution is not Attribution.OTHER
        return self.attribution_of(vital_sign) is not Attribution.OTHER

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
    kind: ClassVar[str] = "oxygen"

    device: OxygenDevice
    flow_l_per_min: Decimal | None = None
    fio2_percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vasopressor(Entry):
    """An infusion's rate from ``at`` on: 0 is stopped, None runs at a dose not known.

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
    kind: ClassVar[str] = "death"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction(Entry):
    """States that the entry it replaces was entered in error; nothing takes its place."""

    kind: ClassVar[str] = "retraction"


KINDS: Final[dict[str, type[Entry]]] = {
    entry_class.kind: entry_class
    for entry_class in (
        Vitals, Oxygen, Vasopressor, FluidBolus, Weight, Lab, BaselineFacts, Risk, Toxicity,
        Judgement, Symptom, Treatment, Note, NotObserved, Death, Retraction,
    )
}  # fmt: skip


def in_force(known: Iterable[Entry]) -> list[Entry]:
    """Those of the ``known`` entries that count: not corrected, not retracted, no retraction.

    A retraction of a correction does not bring the original back.
    """
    entries = list(known)
    replaced = {entry.replaces for entry in entries if entry.replaces is not None}
    return [e for e in entries if e.id not in replaced and not isinstance(e, Retraction)]


class _Field(NamedTuple):
    """A field of an entry, and how its value is written as JSON has it and read back."""

    name: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


_VOCABULARIES: Final[dict[str, type[StrEnum]]] = {
    "attribution": Attribution,
    "device": OxygenDevice,
    "drug": VasopressorDrug,
    "unit": DoseUnit,
    "analyte": Analyte,
    "about": JudgementAbout,
    "agent": TreatmentAgent,
    "what": DueObservation,
    "reason": NotObservedReason,
}
_TIMES: Final = frozenset({"at", "recorded_at", "measured_at"})
_AS_IT_IS: Final = frozenset(
    {"id", "note", "replaces", "term", "grade", "present", "comparator"}
    | {question.value for question in RiskQuestion}
)
_BY_SIGN: Final = frozenset({"others", "attribution_by_field"})
_WRITTEN_BY_ITSELF: Final = _BY_SIGN | {attribute.name for attribute in fields(Entry)}
_OTHER_SIGNS: Final = tuple(key for key in VITAL_SIGN if key not in SIGNS_READ)


def _field(entry_class: type[Entry], name: str) -> _Field:
    if name in _AS_IT_IS or (name == "unit" and entry_class is Lab):
        return _Field(name, _itself, _itself)
    if name in _TIMES:
        return _Field(name, datetime.isoformat, datetime.fromisoformat)
    if name == "attribution_by_field":
        return _Field(name, _as_text, _each(Attribution))
    if name == "others":
        return _Field(name, _as_text, _each(Decimal))
    if name in _VOCABULARIES:
        return _Field(name, str, {str(item): item for item in _VOCABULARIES[name]}.__getitem__)
    return _Field(name, str, Decimal)


def _itself(value: Any) -> Any:
    return value


def _as_text(values: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in values.items()}


def _each(convert: Callable[[Any], Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda values: {key: convert(value) for key, value in values.items()}


_FIELDS: Final = {
    entry_class: tuple(_field(entry_class, attribute.name) for attribute in fields(entry_class))
    for entry_class in KINDS.values()
}
_WRITE: Final = {
    entry_class: tuple(
        (item.name, item.write) for item in items if item.name not in _WRITTEN_BY_ITSELF
    )
    for entry_class, items in _FIELDS.items()
}
_READ: Final = {
    entry_class: {item.name: item.read for item in items} for entry_class, items in _FIELDS.items()
}


def to_words(entry: Entry) -> dict[str, Any]:
    """``entry`` as a JSON object in the course file's words; ``from_words`` reads it back."""
    at = entry.at.isoformat()
    words: dict[str, Any] = {
        "kind": entry.kind,
        "id": entry.id,
        "at": at,
        "recorded_at": at if entry.recorded_at == entry.at else entry.recorded_at.isoformat(),
        "attribution": str(entry.attribution),
    }
    if entry.note:
        words["note"] = entry.note
    if entry.replaces is not None:
        words["replaces"] = entry.replaces
    for name, write in _WRITE[type(entry)]:
        value = getattr(entry, name)
        if value is not None:
            words[name] = write(value)
    if isinstance(entry, Vasopressor):
        words.setdefault("rate", None)
    elif isinstance(entry, Vitals):
        _write_signs(entry, words)
    return words


def _write_signs(entry: Vitals, words: dict[str, Any]) -> None:
    """Return what each sign has of its own, and the temperature as it was charted."""
    if entry.attribution_by_field:
        words["attribution_by_field"] = _as_text(entry.attribution_by_field)
    words.update(_as_text(entry.others))
    if entry.temperature_f is not None:
        words.pop("temperature_c", None)


def from_words(words: Mapping[str, Any]) -> Entry:
    """Return the entry that ``to_words`` wrote; the input is trusted, unlike a course file."""
    entry_class = KINDS[words["kind"]]
    read = _READ[entry_class]
    values: dict[str, Any] = {
        name: value if value is None else read.get(name, Decimal)(value)
        for name, value in words.items()
        if name != "kind"
    }
    if "temperature_f" in values:
        values["temperature_c"] = celsius(values["temperature_f"])
    if entry_class is Vitals:
        values["others"] = {key: values.pop(key) for key in _OTHER_SIGNS if key in values}
    return entry_class(**values)
