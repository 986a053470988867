"""Readers of every kind of entry: its fields, their units and their hard limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from grading.engine.analytes import BASELINE_RESULTS, Analyte, lab_unit
from grading.engine.dose_limits import impossible_dose
from grading.engine.entries import (
    KINDS,
    SIGNS_READ,
    Admission,
    BaselineFacts,
    BloodProduct,
    Capd,
    Consciousness,
    Death,
    Entry,
    FluidBolus,
    Ice,
    Judgement,
    Lab,
    NeuroSign,
    Note,
    NotObserved,
    Oxygen,
    Retraction,
    Risk,
    Seizure,
    Symptom,
    Toxicity,
    Treatment,
    Vasopressor,
    Vitals,
    Weight,
)
from grading.engine.units import celsius
from grading.engine.vocabulary import (
    DRUGS,
    FAHRENHEIT,
    FIO2_FRACTION_BELOW,
    FIO2_FRACTION_LOWEST,
    FIO2_PERCENT,
    FLOW_L_PER_MIN,
    SYMPTOM_TERMS,
    TOXICITY_TERMS,
    VITAL_SIGN,
    VITAL_SIGNS,
    WEIGHT_KG,
    Attribution,
    DoseUnit,
    JudgementAbout,
    OxygenDevice,
    RiskQuestion,
    TreatmentAgent,
    VasopressorDrug,
)
from grading.faults import Place
from grading.plain_text import LONGEST_NOTE
from grading.remark_reader import read_not_observed, read_note
from grading.scale_entry_reader import (
    CAPD_KEYS,
    ICE_KEYS,
    SEIZURE_KEYS,
    read_admission,
    read_blood_product,
    read_capd,
    read_consciousness,
    read_death,
    read_ice,
    read_neuro_sign,
    read_purpose,
    read_seizure,
)

_COMMON: Final = frozenset({"at", "kind", "id", "recorded_at", "replaces", "attribution", "note"})
_CTCAE_GRADES: Final = frozenset(range(5))
_PERCENT: Final = Decimal(100)

Fields = dict[str, Any]


def read_fields(raw: Any, place: Place, *, default_id: str = "") -> Entry | None:
    """Return the entry in ``raw``, or None with its faults collected at ``place``."""
    words = place.mapping(raw)
    if words is None:
        return None
    kind = words.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        place.at("kind").refuse("expected one of " + ", ".join(KINDS))
        return None
    before = len(place.faults)
    reader, keys = _READERS[kind]
    place.only_keys(words, _COMMON | keys)
    values = {**_common(words, place, kind, default_id), **reader(words, place)}
    return KINDS[kind](**values) if len(place.faults) == before else None


def _common(words: Mapping[str, Any], place: Place, kind: str, default_id: str) -> Fields:
    at = _required_time(words, place)
    recorded_at = place.at("recorded_at").time(words.get("recorded_at"))
    identity = place.at("id").text(words.get("id")) or default_id
    replaces = place.at("replaces").text(words.get("replaces")) or None
    values: Fields = {
        "id": identity,
        "at": at,
        "recorded_at": recorded_at or at,
        "note": place.at("note").text(words.get("note"), LONGEST_NOTE),
        "replaces": replaces,
    }
    if not isinstance(words.get("attribution"), Mapping):
        attribution = place.at("attribution").one_of(words.get("attribution"), Attribution)
        values["attribution"] = attribution or Attribution.CRS
    elif kind != Vitals.kind:
        place.at("attribution").refuse("only vitals may have one by field")
    return values


def _required_time(words: Mapping[str, Any], place: Place) -> datetime | None:
    if words.get("at") is None:
        place.at("at").refuse("required: the clinical time, with its offset")
    return place.at("at").time(words.get("at"))


def _vitals(words: Mapping[str, Any], place: Place) -> Fields:
    values: Fields = {
        sign.key: place.at(sign.key).number(words.get(sign.key), sign.limits)
        for sign in VITAL_SIGNS
    }
    fahrenheit = place.at(FAHRENHEIT.key).number(words.get(FAHRENHEIT.key), FAHRENHEIT.limits)
    if fahrenheit is not None:
        if values["temperature_c"] is not None:
            place.at(FAHRENHEIT.key).refuse("the temperature is given in °C too")
        values[FAHRENHEIT.key] = fahrenheit
        values["temperature_c"] = celsius(fahrenheit)
    values["others"] = {
        key: value
        for key in VITAL_SIGN
        if key not in SIGNS_READ and (value := values.pop(key)) is not None
    }
    if all(words.get(key) is None for key in (*VITAL_SIGN, FAHRENHEIT.key)):
        place.refuse("expected at least one vital sign")
    by_field = words.get("attribution")
    if isinstance(by_field, Mapping):
        here = place.at("attribution")
        here.only_keys(by_field, VITAL_SIGN)
        values["attribution_by_field"] = {
            key: attribution
            for key, raw in by_field.items()
            if key in VITAL_SIGN
            and (attribution := here.at(key).one_of(raw, Attribution)) is not None
        }
    return values


def _oxygen(words: Mapping[str, Any], place: Place) -> Fields:
    device = place.at("device").one_of(words.get("device"), OxygenDevice)
    if words.get("device") is None:
        place.at("device").refuse("required: which device gives the oxygen?")
    flow = place.at("flow_l_per_min").number(words.get("flow_l_per_min"), FLOW_L_PER_MIN)
    fio2 = _fio2(words.get("fio2_percent"), place.at("fio2_percent"))
    if device is OxygenDevice.ROOM_AIR:
        for key in ("flow_l_per_min", "fio2_percent"):
            if words.get(key) is not None:
                place.at(key).refuse("room air has neither flow nor FiO2")
    return {
        "device": device,
        "flow_l_per_min": flow,
        "fio2_percent": fio2,
        "purpose": read_purpose(words, place),
    }


def _fio2(raw: Any, place: Place) -> Decimal | None:
    """FiO2 in percent; 0.21 to below 1.0 is read as a fraction, exactly 1 is ambiguous."""
    number = place.number(raw)
    if number is None:
        return None
    if FIO2_FRACTION_LOWEST <= number < FIO2_FRACTION_BELOW:
        return number * _PERCENT
    if number == FIO2_FRACTION_BELOW:
        place.refuse("1 may be 100 % or 1 %: write 100 for pure oxygen")
        return None
    if not FIO2_PERCENT.allow(number):
        place.refuse(f"expected 21 to 100 (percent), or a fraction from 0.21, found {number}")
        return None
    return number


def _vasopressor(words: Mapping[str, Any], place: Place) -> Fields:
    drug = place.at("drug").one_of(words.get("drug"), VasopressorDrug)
    if words.get("drug") is None:
        place.at("drug").refuse("required: which drug is infused?")
    if "rate" not in words:
        place.at("rate").refuse("required: 0 is stopped, null runs at a dose not known")
    rate = place.at("rate").number(words.get("rate"))
    if rate is not None and rate < 0:
        place.at("rate").refuse(f"expected 0 or more, found {rate}")
    unit = place.at("unit").one_of(words.get("unit"), DoseUnit)
    concentration = place.at("concentration_per_ml").number(
        words.get("concentration_per_ml"), above_zero=True
    )
    weight = place.at("weight_kg").number(words.get("weight_kg"), WEIGHT_KG)
    values = {
        "drug": drug,
        "rate": rate,
        "unit": unit,
        "concentration_per_ml": concentration,
        "weight_kg": weight,
    }
    if drug is not None:
        _check_infusion(values, place)
    return values


def _check_infusion(values: Fields, place: Place) -> None:
    facts, unit, rate = DRUGS[values["drug"]], values["unit"], values["rate"]
    accepted = ", ".join(item.value for item in facts.units)
    if unit is not None and unit not in facts.units:
        where = f"expected {accepted}" if accepted else "its dose has no unit here"
        place.at("unit").refuse(f"{values['drug'].label} is never given in {unit.value}; {where}")
        return
    if not rate:
        return
    if unit is None and facts.units:
        place.at("unit").refuse(f"required with a rate: {accepted}")
    elif unit is DoseUnit.ML_PER_H and values["concentration_per_ml"] is None:
        place.at("concentration_per_ml").refuse("required with ml/h: how much is in one mL?")
    elif unit is not DoseUnit.ML_PER_H and values["concentration_per_ml"] is not None:
        place.at("concentration_per_ml").refuse("only with ml/h")
    else:
        _check_dose(values, place)


def _check_dose(values: Fields, place: Place) -> None:
    """Check the dose against its hard limit wherever no other weight than the pump's is needed."""
    probe = Vasopressor(id="", at=_ANY_TIME, recorded_at=_ANY_TIME, **values)
    impossible = impossible_dose(probe)
    if impossible is not None:
        place.at(impossible.place).refuse(impossible.sentence)


_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)


def _fluid_bolus(words: Mapping[str, Any], place: Place) -> Fields:
    if words.get("volume_ml") is None:
        place.at("volume_ml").refuse("required")
    return {"volume_ml": place.at("volume_ml").number(words.get("volume_ml"), above_zero=True)}


def _weight(words: Mapping[str, Any], place: Place) -> Fields:
    if words.get("weight_kg") is None:
        place.at("weight_kg").refuse("required")
    return {"weight_kg": place.at("weight_kg").number(words.get("weight_kg"), WEIGHT_KG)}


def _lab(words: Mapping[str, Any], place: Place) -> Fields:
    analyte = place.at("analyte").one_of(words.get("analyte"), Analyte)
    for key in ("analyte", "value", "unit"):
        if words.get(key) is None:
            place.at(key).refuse("required")
    unit = None
    if analyte is not None and words.get("unit") is not None:
        unit = lab_unit(analyte, words["unit"]) if isinstance(words["unit"], str) else None
        if unit is None:
            accepted = ", ".join(item.name for item in analyte.units)
            place.at("unit").refuse(f"expected {accepted} for {analyte.label}")
    limits = unit.limits if unit is not None else None
    value = place.at("value").number(words.get("value"), limits)
    if value is not None and value < 0:
        place.at("value").refuse(f"expected 0 or more, found {value}")
    comparator = words.get("comparator")
    if comparator not in (None, "<", ">"):
        place.at("comparator").refuse("expected < or >")
    return {
        "analyte": analyte,
        "value": value,
        "unit": unit.name if unit is not None else "",
        "upper_limit": place.at("upper_limit").number(words.get("upper_limit"), above_zero=True),
        "lower_limit": _lower_limit(words.get("lower_limit"), place.at("lower_limit")),
        "comparator": comparator,
    }


def _lower_limit(raw: Any, place: Place) -> Decimal | None:
    number = place.number(raw)
    if number is not None and number < 0:
        place.refuse(f"expected 0 or more, found {number}")
    return number


def _baseline(words: Mapping[str, Any], place: Place) -> Fields:
    values: Fields = {
        key: place.at(key).number(words.get(key), VITAL_SIGN[key].limits)
        for key in ("systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg")
    }
    for key, analyte, unit_name in BASELINE_RESULTS:
        unit = lab_unit(analyte, unit_name)
        values[key] = place.at(key).number(words.get(key), None if unit is None else unit.limits)
    values["measured_at"] = place.at("measured_at").time(words.get("measured_at"))
    return values


def _risk(words: Mapping[str, Any], place: Place) -> Fields:
    return {q.value: place.at(q.value).boolean(words.get(q.value)) for q in RiskQuestion}


def _toxicity(words: Mapping[str, Any], place: Place) -> Fields:
    term = words.get("term")
    if not isinstance(term, str) or term not in TOXICITY_TERMS:
        place.at("term").refuse("expected a CTCAE term of the list, in snake case")
    grade = place.at("grade").number(words.get("grade"))
    if words.get("grade") is None or (grade is not None and grade not in _CTCAE_GRADES):
        place.at("grade").refuse("expected a CTCAE grade from 0 (resolved) to 4")
        return {"term": term, "grade": 0}
    return {"term": term, "grade": int(grade) if grade is not None else 0}


def _judgement(words: Mapping[str, Any], place: Place) -> Fields:
    if words.get("about") is None:
        place.at("about").refuse("required: what is judged?")
    return {
        "about": place.at("about").one_of(words.get("about"), JudgementAbout),
        "present": _present(words, place),
    }


def _symptom(words: Mapping[str, Any], place: Place) -> Fields:
    term = words.get("term")
    if not isinstance(term, str) or term not in SYMPTOM_TERMS:
        place.at("term").refuse("expected a symptom of Table 1, in snake case")
    return {"term": term, "present": _present(words, place)}


def _present(words: Mapping[str, Any], place: Place) -> bool | None:
    if words.get("present") is None:
        place.at("present").refuse("required: true or false")
    return place.at("present").boolean(words.get("present"))


def _treatment(words: Mapping[str, Any], place: Place) -> Fields:
    if words.get("agent") is None:
        place.at("agent").refuse("required: which agent was given?")
    return {
        "agent": place.at("agent").one_of(words.get("agent"), TreatmentAgent),
        "dose_mg": place.at("dose_mg").number(words.get("dose_mg"), above_zero=True),
    }


def _nothing(_words: Mapping[str, Any], _place: Place) -> Fields:
    return {}


_LAB_KEYS: Final = frozenset(
    {"analyte", "value", "unit", "upper_limit", "lower_limit", "comparator"}
)
_VASOPRESSOR_KEYS: Final = frozenset({"drug", "rate", "unit", "concentration_per_ml", "weight_kg"})
_READERS: Final[dict[str, tuple[Callable[[Mapping[str, Any], Place], Fields], frozenset[str]]]] = {
    Vitals.kind: (_vitals, frozenset((*VITAL_SIGN, FAHRENHEIT.key))),
    Oxygen.kind: (_oxygen, frozenset({"device", "flow_l_per_min", "fio2_percent", "purpose"})),
    Vasopressor.kind: (_vasopressor, _VASOPRESSOR_KEYS),
    FluidBolus.kind: (_fluid_bolus, frozenset({"volume_ml"})),
    Weight.kind: (_weight, frozenset({"weight_kg"})),
    Lab.kind: (_lab, _LAB_KEYS),
    BaselineFacts.kind: (
        _baseline,
        frozenset(
            {
                "systolic_mmhg",
                "diastolic_mmhg",
                "mean_arterial_pressure_mmhg",
                "measured_at",
                *(key for key, _, _ in BASELINE_RESULTS),
            }
        ),
    ),
    Risk.kind: (_risk, frozenset(question.value for question in RiskQuestion)),
    Toxicity.kind: (_toxicity, frozenset({"term", "grade"})),
    Judgement.kind: (_judgement, frozenset({"about", "present"})),
    Symptom.kind: (_symptom, frozenset({"term", "present"})),
    Treatment.kind: (_treatment, frozenset({"agent", "dose_mg"})),
    Ice.kind: (read_ice, ICE_KEYS),
    Capd.kind: (read_capd, CAPD_KEYS),
    Consciousness.kind: (read_consciousness, frozenset({"level"})),
    Seizure.kind: (read_seizure, SEIZURE_KEYS),
    NeuroSign.kind: (read_neuro_sign, frozenset({"sign", "present"})),
    Admission.kind: (read_admission, frozenset({"setting", "because_of_crs"})),
    BloodProduct.kind: (read_blood_product, frozenset({"product"})),
    Note.kind: (read_note, frozenset()),
    NotObserved.kind: (read_not_observed, frozenset({"what", "reason"})),
    Death.kind: (read_death, frozenset({"due_to"})),
    Retraction.kind: (_nothing, frozenset()),
}

FIELDS: Final[Mapping[str, frozenset[str]]] = {kind: keys for kind, (_, keys) in _READERS.items()}
"""The keys of each kind apart from those that every entry may have; none of them is free text."""
