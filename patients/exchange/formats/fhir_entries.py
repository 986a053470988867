"""Entries of a course file as FHIR R4 resources, one function for each kind.

Infusions are written by their periods of one rate, in ``fhir_infusions``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final

from grading.engine.analytes import BASELINE_RESULTS, Analyte
from grading.engine.entries import Lab, Oxygen
from grading.engine.vocabulary import (
    FAHRENHEIT,
    VITAL_SIGN,
    Attribution,
    DueObservation,
    JudgementAbout,
    NotObservedReason,
    OxygenDevice,
    RiskQuestion,
    TreatmentAgent,
    term_label,
)
from patients.exchange.formats.code_rows import Amount, Kind
from patients.exchange.formats.fhir_charted import Charted, Words
from patients.exchange.formats.fhir_scale_entries import SCALE_WRITERS
from patients.exchange.formats.fhir_written_parts import (
    ATTRIBUTION,
    Json,
    absent,
    category,
    codes_of,
    concept,
    extension,
    local,
    local_2,
    number,
    quantity,
    reference,
    texts,
    time_text,
)
from patients.exchange.formats.statements import PRESSURES
from patients.exchange.formats.unit_rows import BOLUS_VOLUME

_NOT_TAKEN: Final = "not-performed"
_BASELINE: Final = "baseline"


def resources_of(charted: Charted) -> list[Json]:
    """Return the resources of an entry that is neither an infusion nor a retraction.

    The first is the one that stands for the entry as a whole.
    """
    return list(_WRITERS[charted.entry.kind](charted))


def _vitals(charted: Charted) -> Iterator[Json]:
    words = charted.words
    signs = [key for key in (*VITAL_SIGN, FAHRENHEIT.key) if words.get(key) is not None]
    pressures = [key for key in PRESSURES if key in signs]
    others = [key for key in signs if key not in PRESSURES]
    count = len(others) + bool(pressures)
    members = []
    for key in others:
        members.append(_sign(charted, key, key if count > 1 else ""))
    if pressures:
        members.append(_pressures(charted, "pressures" if count > 1 else ""))
    if count > 1:
        yield charted.observation(
            "",
            concept(*codes_of(Kind.SIGNS_PANEL, "vitals")),
            category=[category("vital-signs")],
            hasMember=[reference(member["id"]) for member in members],
        )
    yield from members


def _sign(charted: Charted, key: str, field: str) -> Json:
    resource = charted.observation(
        field,
        concept(*codes_of(Kind.SIGN, _word_of(key))),
        category=[category("vital-signs")],
        valueQuantity=_sign_value(charted.words, key),
    )
    return _attributed(resource, charted.words, key)


def _sign_value(words: Words, key: str) -> Json:
    unit = FAHRENHEIT.unit if key == FAHRENHEIT.key else VITAL_SIGN[key].unit
    return quantity(words[key], _word_of(key), unit)


def _word_of(key: str) -> str:
    return "temperature_c" if key == FAHRENHEIT.key else key


def _attributed(part: Json, words: Words, key: str) -> Json:
    """Add the attribution that one field has of its own, to a resource or a component."""
    by_field = words.get("attribution")
    if not isinstance(by_field, Mapping) or _word_of(key) not in by_field:
        return part
    word = by_field[_word_of(key)]
    part["extension"] = [*part.get("extension", []), extension(ATTRIBUTION, "Code", word)]
    if word == Attribution.OTHER and "resourceType" in part:
        part["note"] = [*part.get("note", []), *texts("Attributed to another cause.")]
    return part


def _pressures(charted: Charted, field: str) -> Json:
    return charted.observation(
        field,
        concept(*codes_of(Kind.PRESSURES, "pressures")),
        category=[category("vital-signs")],
        component=list(_pressure_components(charted.words)),
    )


def _pressure_components(words: Words) -> Iterator[Json]:
    """Yield systolic and diastolic pressure, which the profile wants both, and a mean one."""
    for key in PRESSURES:
        code = {"code": concept(*codes_of(Kind.SIGN, key))}
        if words.get(key) is not None:
            yield _attributed(code | {"valueQuantity": _sign_value(words, key)}, words, key)
        elif key != "mean_arterial_pressure_mmhg":
            yield code | {"dataAbsentReason": absent(_NOT_TAKEN)}


def _oxygen(charted: Charted) -> Iterator[Json]:
    words, entry = charted.words, charted.as_a(Oxygen)
    components = []
    if words.get("flow_l_per_min") is not None:
        components.append(
            {
                "code": concept(*codes_of(Kind.OXYGEN_FLOW, "flow_l_per_min")),
                "valueQuantity": quantity(words["flow_l_per_min"], "flow_l_per_min", "L/min"),
            }
        )
    if entry.fio2_percent is not None:
        components.append(
            {
                "code": concept(*codes_of(Kind.FIO2, "fio2_percent")),
                "valueQuantity": quantity(entry.fio2_percent, "fio2_percent", "%"),
            }
        )
    if words.get("purpose") is not None:
        components.append(
            {
                "code": concept(local_2("oxygen", "purpose")),
                "valueCodeableConcept": concept(local_2("oxygen", words["purpose"])),
            }
        )
    device = entry.device
    codings = codes_of(Kind.DEVICE, device) or [local("oxygen", device, device.label)]
    yield charted.observation(
        "",
        concept(*codes_of(Kind.OXYGEN_DEVICE, "device")),
        valueCodeableConcept=concept(*codings, text=OxygenDevice(device).label),
        component=components,
    )


def _fluid_bolus(charted: Charted) -> Iterator[Json]:
    yield charted.administration(
        concept(local("fluid_bolus", "fluid_bolus", "Fluid bolus"), text="fluid bolus"),
        category=concept(text="fluid bolus"),
        effectiveDateTime=time_text(charted.at),
        dosage={"dose": quantity(charted.words["volume_ml"], BOLUS_VOLUME, "mL")},
    )


def _treatment(charted: Charted) -> Iterator[Json]:
    agent, dose = TreatmentAgent(charted.words["agent"]), charted.words.get("dose_mg")
    yield charted.administration(
        concept(*codes_of(Kind.AGENT, agent), local("treatment", agent, agent.label)),
        effectiveDateTime=time_text(charted.at),
        dosage=None if dose is None else {"dose": quantity(dose, agent, "mg")},
    )


def _weight(charted: Charted) -> Iterator[Json]:
    yield charted.observation(
        "",
        concept(*codes_of(Kind.WEIGHT, "weight_kg")),
        category=[category("vital-signs")],
        valueQuantity=quantity(charted.words["weight_kg"], "weight_kg", "kg"),
    )


def _lab(charted: Charted) -> Iterator[Json]:
    words = charted.words
    analyte, unit = Analyte(words["analyte"]), charted.as_a(Lab).unit
    value = quantity(words["value"], analyte, unit)
    if words.get("comparator"):
        value["comparator"] = words["comparator"]
    limits = {
        end: quantity(words[key], analyte, unit)
        for end, key in (("low", "lower_limit"), ("high", "upper_limit"))
        if words.get(key) is not None
    }
    yield charted.observation(
        "",
        concept(*_codes_of_analyte(analyte, unit)),
        category=[category("laboratory")],
        valueQuantity=value,
        referenceRange=[limits] if limits else [],
    )


_NO_CODE_IS_EXACT: Final = frozenset({Analyte.TROPONIN, Analyte.D_DIMER})
"""LOINC asks whether troponin is I or T and a D-dimer FEU or DDU; the chart does not know."""


def _codes_of_analyte(analyte: Analyte, unit: str) -> list[Json]:
    amount = Amount.MOLAR if unit.endswith("mol/L") else Amount.MASS
    codings = [] if analyte in _NO_CODE_IS_EXACT else codes_of(Kind.ANALYTE, analyte, amount)
    return codings or [local("lab", analyte, analyte.label)]


def _baseline(charted: Charted) -> Iterator[Json]:
    """Yield what was normal before therapy: never a reading, so it says so in its category."""
    words = charted.words
    results = [one for one in BASELINE_RESULTS if words.get(one[0]) is not None]
    has_pressure = any(words.get(key) is not None for key in PRESSURES)
    is_alone = len(results) + has_pressure == 1
    measured_at = words.get("measured_at")
    parts = {
        "method": concept(text="Baseline before therapy"),
        "effectiveDateTime": time_text(
            datetime.fromisoformat(measured_at) if measured_at else charted.at
        ),
    }
    label = concept(text=_BASELINE)
    if has_pressure:
        yield charted.observation(
            "" if is_alone else "pressures",
            concept(*codes_of(Kind.PRESSURES, "pressures")),
            category=[category("vital-signs"), label],
            component=list(_pressure_components({**words, "attribution": None})),
            **parts,
        )
    for key, analyte, unit in results:
        yield charted.observation(
            "" if is_alone else key,
            concept(*_codes_of_analyte(analyte, unit)),
            category=[category("laboratory"), label],
            valueQuantity=quantity(words[key], analyte, unit),
            **parts,
        )


def _risk(charted: Charted) -> Iterator[Json]:
    answered = [one for one in RiskQuestion if charted.words.get(one) is not None]
    for question in answered:
        yield charted.observation(
            question if len(answered) > 1 else "",
            concept(local("risk", question, question.label)),
            category=[category("survey")],
            valueBoolean=charted.words[question],
        )


def _toxicity(charted: Charted) -> Iterator[Json]:
    term = charted.words["term"]
    yield charted.observation(
        "",
        concept(local("toxicity", term, term_label(term))),
        category=[category("exam")],
        valueInteger=number(charted.words["grade"]),
        method=concept(text="CTCAE v4.03"),
    )


def _symptom(charted: Charted) -> Iterator[Json]:
    term = charted.words["term"]
    yield charted.observation(
        "",
        concept(local("symptom", term, term_label(term))),
        category=[category("exam")],
        valueBoolean=charted.words["present"],
    )


def _judgement(charted: Charted) -> Iterator[Json]:
    about = JudgementAbout(charted.words["about"])
    is_new = about is JudgementAbout.PROLONGED_REACTION
    yield charted.observation(
        "",
        concept((local_2 if is_new else local)("judgement", about, about.label)),
        category=[category("exam")],
        valueBoolean=charted.words["present"],
    )


def _death(charted: Charted) -> Iterator[Json]:
    causes = charted.words.get("due_to") or []
    yield charted.observation(
        "",
        concept(local("death", "death", "Death")),
        valueBoolean=True,
        component=[
            {"code": concept(local_2("death", cause)), "valueBoolean": True} for cause in causes
        ],
    )


def _note(charted: Charted) -> Iterator[Json]:
    yield charted.observation("", concept(local("note", "note", "Note")), valueBoolean=True)


_ABSENT: Final = {NotObservedReason.REFUSED: "asked-declined"}


def _not_observed(charted: Charted) -> Iterator[Json]:
    what = DueObservation(charted.words["what"])
    reason = NotObservedReason(charted.words["reason"])
    yield charted.observation(
        "",
        concept(local("not_observed", "not_observed", "Not observed"), text=what.label),
        dataAbsentReason=absent(_ABSENT.get(reason, _NOT_TAKEN), reason.label),
    )


_WRITERS: Final[dict[str, Callable[[Charted], Iterator[Json]]]] = {
    "vitals": _vitals,
    "oxygen": _oxygen,
    "fluid_bolus": _fluid_bolus,
    "weight": _weight,
    "lab": _lab,
    "baseline": _baseline,
    "risk": _risk,
    "toxicity": _toxicity,
    "judgement": _judgement,
    "symptom": _symptom,
    "treatment": _treatment,
    "note": _note,
    "not_observed": _not_observed,
    "death": _death,
    **SCALE_WRITERS,
}
