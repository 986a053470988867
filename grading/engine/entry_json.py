"""Entries as JSON objects in the course file's words, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple

from grading.engine.analytes import Analyte
from grading.engine.entries import (
    KINDS,
    SIGNS_READ,
    Capd,
    Entry,
    Ice,
    Lab,
    NotObserved,
    Oxygen,
    Seizure,
    Vasopressor,
    Vitals,
)
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
from grading.engine.units import celsius
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
    "level": ConsciousnessLevel,
    "seizure_type": SeizureType,
    "sign": NeuroSignName,
    "setting": AdmissionSetting,
    "product": BloodProductName,
    "purpose": OxygenPurpose,
}
_TIMES: Final = frozenset({"at", "recorded_at", "measured_at"})
_AS_IT_IS: Final = frozenset(
    {"id", "note", "replaces", "term", "grade", "present", "comparator"}
    | {"score", "performed", "resolved", "repetitive_without_recovery", "because_of_crs"}
    | set(ICE_PARTS)
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
    if name == "due_to":
        return _Field(
            name,
            lambda causes: [str(cause) for cause in causes],
            lambda causes: tuple(DeathCause(cause) for cause in causes),
        )
    if name == "reason" and entry_class is not NotObserved:
        return _Field(name, str, NotPerformedReason)
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


_UNWRITTEN: Final[dict[type[Entry], dict[str, Any]]] = {
    Oxygen: {"purpose": OxygenPurpose.HYPOXIA},
    Ice: {"performed": True},
    Capd: {"performed": True},
    Seizure: {"repetitive_without_recovery": False},
}
"""Values that a course file leaves out, for they are meant where nothing is written."""


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
    unwritten = _UNWRITTEN.get(type(entry))
    for name, write in _WRITE[type(entry)]:
        value = getattr(entry, name)
        if value is None or (unwritten and value == unwritten.get(name)):
            continue
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
