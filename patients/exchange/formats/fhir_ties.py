"""Two values that were charted for one thing and one instant: the later charted holds.

A reader of other systems cannot know which of two final values holds, so the export says it: the
earlier one has the status and the note of one that was replaced, the later one is a correction.
Boluses, doses and seizures are events, of which one minute may have several.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from grading.engine.entries import Vasopressor, Vitals
from patients.exchange.formats.fhir_charted import Charted, Standing
from patients.exchange.formats.fhir_written_parts import Json, codes_of_part, texts, time_text

_ONE_AT_A_TIME: Final = frozenset(
    {
        "vitals", "oxygen", "weight", "lab", "baseline", "risk", "toxicity", "symptom",
        "judgement", "neuro_sign", "ice", "capd", "consciousness", "admission",
    }
)  # fmt: skip
"""Kinds of which one instant has one value."""
_PRESSURES: Final = "85354-9"
_SET: Final = "85353-1"
_READINGS: Final = frozenset({"8480-6", "8478-0"})
_CONTENT: Final = ("component", "referenceRange", "dataAbsentReason")


@dataclass(frozen=True, slots=True)
class Written:
    """A resource and the entry that it is of."""

    charted: Charted
    resource: Json


def _note(later: Charted) -> str:
    return f"Another value was charted for this time at {time_text(later.recorded_at)}."


def settle_ties(written: Sequence[Written]) -> dict[str, list[str]]:
    """Mark every Observation whose place a later charted one of its instant takes.

    ``written`` are the resources of entries in force, in the order of charting. Returns the ids of
    the resources that an entry takes the place of, by the id of the entry.
    """
    groups: dict[Hashable, list[Written]] = defaultdict(list)
    for one in written:
        key = _key(one)
        if key is not None:
            groups[key].append(one)
    replaced: dict[str, list[str]] = defaultdict(list)
    for group in groups.values():
        holding = _holding(group)
        for one in group:
            if one is not holding and _content(one) != _content(holding):
                one.resource["status"] = Standing.IN_ERROR.value
                notes = one.resource.get("note", [])
                one.resource["note"] = [*notes, *texts(_note(holding.charted))]
                holding.resource["status"] = Standing.CORRECTION.value
                replaced[holding.charted.entry.id].append(one.resource["id"])
    return replaced


def _key(one: Written) -> Hashable | None:
    charted, resource = one.charted, one.resource
    kind = charted.entry.kind
    if kind not in _ONE_AT_A_TIME or resource["resourceType"] != "Observation":
        return None
    thing = charted.words.get("analyte") or next(iter(codes_of_part(resource)))
    if thing == _SET:
        return None
    instant = charted.entry.at
    return kind, thing, instant, resource["effectiveDateTime"] if kind == "baseline" else ""


def _holding(group: Sequence[Written]) -> Written:
    """Return the one that holds: the last, of pressures the last with a systolic or mean one."""
    if codes_of_part(group[-1].resource)[:1] == [_PRESSURES] and isinstance(
        group[-1].charted.entry, Vitals
    ):
        return next((one for one in reversed(group) if _is_reading(one)), group[-1])
    return group[-1]


def _is_reading(one: Written) -> bool:
    return any(
        code in _READINGS and "valueQuantity" in part
        for part in one.resource["component"]
        for code in codes_of_part(part)
    )


def _content(one: Written) -> Json:
    return {
        key: value
        for key, value in one.resource.items()
        if key.startswith("value") or key in _CONTENT
    } | {"attribution": one.charted.words.get("attribution")}


def settle_infusions(infusions: Iterable[Charted]) -> tuple[list[Charted], dict[str, list[str]]]:
    """Return infusions with those replaced whose drug has a later charted entry of its instant.

    Also returns the ids of the resources that an entry takes the place of, as ``settle_ties``.
    """
    ordered = sorted(
        infusions,
        key=lambda one: (one.as_a(Vasopressor).drug, one.entry.at, one.entry.recorded_at),
    )
    settled: dict[str, Charted] = {one.entry.id: one for one in ordered}
    replaced: dict[str, list[str]] = defaultdict(list)
    for one, later in pairwise(ordered):
        is_tie = _drug_and_time(one) == _drug_and_time(later)
        if is_tie:
            settled[one.entry.id] = replace(
                one, standing=Standing.IN_ERROR, error_note=_note(later)
            )
            replaced[later.entry.id].append(one.ids.of_entry(one.entry.id))
    return list(settled.values()), replaced


def _drug_and_time(charted: Charted) -> Hashable:
    entry = charted.as_a(Vasopressor)
    return entry.drug, entry.at
