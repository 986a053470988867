"""Kinds of entry that only crs-course/2 has, as FHIR R4 Observations with codes of our own.

No system but this one reads them by their codes: they come back by the extension of the entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from grading.engine.scale_vocabulary import (
    ICE_PARTS,
    AdmissionSetting,
    BloodProductName,
    ConsciousnessLevel,
    NeuroSignName,
    SeizureType,
)
from patients.exchange.formats.code_rows import UCUM
from patients.exchange.formats.fhir_charted import Charted, Words
from patients.exchange.formats.fhir_written_parts import (
    Json,
    category,
    concept,
    local_2,
    number,
)


def _survey(charted: Charted, kind: str, display: str, **value: Any) -> Json:
    return charted.observation(
        "", concept(local_2(kind, kind, display)), category=[category("survey")], **value
    )


def _score(words: Words) -> Json:
    return {} if words.get("score") is None else {"valueInteger": number(words["score"])}


def _not_performed(kind: str, words: Words) -> Iterator[Json]:
    """Yield that a round could not be done, and why: a fact that is graded, no absent value."""
    if words.get("performed") is False:
        reason = words.get("reason")
        yield {
            "code": concept(local_2(kind, "performed"), text=reason or ""),
            "valueBoolean": False,
        }


def _ice(charted: Charted) -> Iterator[Json]:
    words = charted.words
    parts = [
        {"code": concept(local_2("ice", part)), "valueInteger": number(words[part])}
        for part in ICE_PARTS
        if words.get(part) is not None
    ]
    components = [*parts, *_not_performed("ice", words)]
    yield _survey(charted, "ice", "ICE", component=components, **_score(words))


def _capd(charted: Charted) -> Iterator[Json]:
    words = charted.words
    yield _survey(
        charted, "capd", "CAPD", component=list(_not_performed("capd", words)), **_score(words)
    )


def _consciousness(charted: Charted) -> Iterator[Json]:
    level = ConsciousnessLevel(charted.words["level"])
    value = concept(local_2("consciousness", level, level.label))
    yield _survey(charted, "consciousness", "Consciousness", valueCodeableConcept=value)


def _seizure(charted: Charted) -> Iterator[Json]:
    words = charted.words
    kind = SeizureType(words["seizure_type"])
    components = [_component("seizure_type", "CodeableConcept", concept(local_2("seizure", kind)))]
    if words.get("duration_minutes") is not None:
        lasted = {"value": number(words["duration_minutes"]), "unit": "min"}
        components.append(
            _component("duration_minutes", "Quantity", lasted | {"system": UCUM, "code": "min"})
        )
    components += [
        _component(name, "Boolean", words[name])
        for name in ("resolved", "repetitive_without_recovery")
        if words.get(name) is not None
    ]
    yield _survey(charted, "seizure", "Seizure", valueBoolean=True, component=components)


def _component(name: str, kind: str, value: Any) -> Json:
    return {"code": concept(local_2("seizure", name)), f"value{kind}": value}


def _neuro_sign(charted: Charted) -> Iterator[Json]:
    sign = NeuroSignName(charted.words["sign"])
    yield charted.observation(
        "",
        concept(local_2("neuro_sign", sign, sign.label)),
        category=[category("exam")],
        valueBoolean=charted.words["present"],
    )


def _admission(charted: Charted) -> Iterator[Json]:
    words = charted.words
    setting = AdmissionSetting(words["setting"])
    reason = [
        {"code": concept(local_2("admission", "because_of_crs")), "valueBoolean": because}
        for because in (words.get("because_of_crs"),)
        if because is not None
    ]
    yield charted.observation(
        "",
        concept(local_2("admission", "admission", "Place of care")),
        valueCodeableConcept=concept(local_2("admission", setting, setting.label)),
        component=reason,
    )


def _blood_product(charted: Charted) -> Iterator[Json]:
    product = BloodProductName(charted.words["product"])
    yield charted.observation(
        "", concept(local_2("blood_product", product, product.label)), valueBoolean=True
    )


SCALE_WRITERS: Final[dict[str, Callable[[Charted], Iterator[Json]]]] = {
    "ice": _ice,
    "capd": _capd,
    "consciousness": _consciousness,
    "seizure": _seizure,
    "neuro_sign": _neuro_sign,
    "admission": _admission,
    "blood_product": _blood_product,
}
