"""Readers of what scales other than Lee's ask (course format crs-course/2)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from grading.engine.scale_vocabulary import (
    CAPD_SCORE,
    ICE_PARTS,
    ICE_SCORE,
    SEIZURE_MINUTES,
    AdmissionSetting,
    BloodProductName,
    ConsciousnessLevel,
    DeathCause,
    NeuroSignName,
    NotPerformedReason,
    OxygenPurpose,
    SeizureType,
)
from grading.engine.vocabulary import Attribution, Labelled, Limits
from grading.faults import Place

Words = Mapping[str, Any]

ICE_KEYS: Final = frozenset({"score", "performed", "reason", *ICE_PARTS})
CAPD_KEYS: Final = frozenset({"score", "performed", "reason"})
SEIZURE_KEYS: Final = frozenset(
    {"seizure_type", "duration_minutes", "resolved", "repetitive_without_recovery"}
)


def read_ice(words: Words, place: Place) -> dict[str, Any]:
    """An ICE round: a score, or points by part, or why it was not performed."""
    values: dict[str, Any] = {"score": _points(words, place, "score", ICE_SCORE)}
    for part, most in ICE_PARTS.items():
        values[part] = _points(words, place, part, Limits(Decimal(0), Decimal(most)))
    parts = [part for part in ICE_PARTS if words.get(part) is not None]
    if words.get("score") is not None and parts:
        place.at("score").refuse("expected a score or the points of the parts, not both")
    return {**values, **_performed(words, place, ("score", *ICE_PARTS))}


def read_capd(words: Words, place: Place) -> dict[str, Any]:
    """A CAPD sum, or why it was not performed."""
    score = _points(words, place, "score", CAPD_SCORE)
    return {"score": score, **_performed(words, place, ("score",))}


def _points(words: Words, place: Place, key: str, limits: Limits) -> int | None:
    here = place.at(key)
    number = here.number(words.get(key), limits)
    if number is None:
        return None
    if number != int(number):
        here.refuse(f"expected a whole number, found {number}")
        return None
    return int(number)


def _performed(words: Words, place: Place, points: tuple[str, ...]) -> dict[str, Any]:
    performed = place.at("performed").boolean(words.get("performed"))
    reason = place.at("reason").one_of(words.get("reason"), NotPerformedReason)
    has_points = any(words.get(key) is not None for key in points)
    if performed is False and has_points:
        place.at("performed").refuse("expected no points where it was not performed")
    elif performed is not False and not has_points:
        place.refuse('expected a score, or "performed": false')
    if words.get("reason") is not None and performed is not False:
        place.at("reason").refuse('expected only with "performed": false')
    return {"performed": performed is not False, "reason": reason}


def read_consciousness(words: Words, place: Place) -> dict[str, Any]:
    """What wakes the patient."""
    return {"level": _required(words, place, "level", ConsciousnessLevel)}


def read_seizure(words: Words, place: Place) -> dict[str, Any]:
    """A seizure: its type, its duration in minutes, and whether it ended or came again."""
    repetitive = place.at("repetitive_without_recovery").boolean(
        words.get("repetitive_without_recovery")
    )
    return {
        "seizure_type": _required(words, place, "seizure_type", SeizureType),
        "duration_minutes": place.at("duration_minutes").number(
            words.get("duration_minutes"), SEIZURE_MINUTES
        ),
        "resolved": place.at("resolved").boolean(words.get("resolved")),
        "repetitive_without_recovery": repetitive is True,
    }


def read_neuro_sign(words: Words, place: Place) -> dict[str, Any]:
    """A sign of the nervous system, and whether it is present."""
    if words.get("present") is None:
        place.at("present").refuse("required: true or false")
    return {
        "sign": _required(words, place, "sign", NeuroSignName),
        "present": place.at("present").boolean(words.get("present")),
    }


def read_admission(words: Words, place: Place) -> dict[str, Any]:
    """Where the patient is cared for, and whether because of CRS."""
    return {
        "setting": _required(words, place, "setting", AdmissionSetting),
        "because_of_crs": place.at("because_of_crs").boolean(words.get("because_of_crs")),
    }


def read_blood_product(words: Words, place: Place) -> dict[str, Any]:
    """A blood product."""
    return {"product": _required(words, place, "product", BloodProductName)}


def read_purpose(words: Words, place: Place) -> OxygenPurpose:
    """Why oxygen is in use; hypoxia where nothing is written."""
    return place.at("purpose").one_of(words.get("purpose"), OxygenPurpose) or OxygenPurpose.HYPOXIA


def read_death(words: Words, place: Place) -> dict[str, Any]:
    """What a death is due to; it must agree with the attribution of the death."""
    raw, here = words.get("due_to"), place.at("due_to")
    if raw is None:
        return {}
    if not isinstance(raw, list | tuple):
        here.refuse("expected a list of " + ", ".join(DeathCause))
        return {}
    causes = [here.item(index).one_of(item, DeathCause) for index, item in enumerate(raw)]
    for index, item in enumerate(raw):
        if item is None:
            here.item(index).refuse("expected one of " + ", ".join(DeathCause))
        elif item in raw[:index]:
            here.item(index).refuse("stands twice in the list")
    attribution = words.get("attribution") or Attribution.CRS
    if attribution == Attribution.OTHER and DeathCause.CRS in raw:
        here.refuse("expected no crs, for the death is attributed to another cause")
    if attribution == Attribution.CRS and not raw:
        here.refuse("expected at least one cause, for the death is attributed to CRS")
    return {"due_to": tuple(cause for cause in causes if cause is not None)}


def _required(words: Words, place: Place, key: str, options: type[Labelled]) -> Any:
    if words.get(key) is None:
        place.at(key).refuse("required: one of " + ", ".join(options))
    return place.at(key).one_of(words.get(key), options)
