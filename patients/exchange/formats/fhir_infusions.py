"""Infusions as FHIR R4: one MedicationAdministration for each period of one rate.

FHIR has no agreed form for a change of rate. A period begins with a rate and ends with the next
entry about the drug; a stop is the end of the period before it and has no resource of its own,
unless nothing ran before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from grading.engine.entries import Vasopressor
from grading.engine.vocabulary import DRUGS, DoseUnit, VasopressorDrug
from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.fhir_charted import Charted, Standing
from patients.exchange.formats.fhir_written_parts import (
    DOSING_WEIGHT,
    ENTRY_OF_STOP,
    Json,
    codes_of,
    concept,
    extension,
    local,
    quantity,
    words_text,
)
from patients.exchange.formats.fhir_written_parts import period as period_of
from patients.exchange.formats.unit_rows import STRENGTH, STRENGTH_IN_UNITS, VOLUME

_BAG: Final = "bag"
_NOT_KNOWN: Final = "running, rate not known"


@dataclass(frozen=True, slots=True)
class RatePeriod:
    """A rate and what ends it: the next entry about the drug, which may be a stop; or nothing."""

    rate: Charted
    next_one: Charted | None
    has_own_stop: bool

    @property
    def resource_id(self) -> str:
        return self.rate.ids.of_entry(self.rate.entry.id)


def rate_periods(in_force: Iterable[Charted]) -> Iterator[RatePeriod]:
    """Yield the periods of all infusions of a course: ``in_force`` are its vasopressor entries.

    A stop that ends a period is in that period (``has_own_stop``); another is one of its own.
    """
    ordered = sorted(in_force, key=lambda one: _drug(one))
    for _, of_drug in groupby(ordered, key=_drug):
        yield from _periods_of_drug(
            sorted(of_drug, key=lambda one: (one.entry.at, one.entry.recorded_at))
        )


def _drug(charted: Charted) -> VasopressorDrug:
    return charted.as_a(Vasopressor).drug


def _periods_of_drug(entries: Sequence[Charted]) -> Iterator[RatePeriod]:
    runs = False
    for place, charted in enumerate(entries):
        before, runs = runs, charted.as_a(Vasopressor).runs
        following = entries[place + 1] if place + 1 < len(entries) else None
        if runs:
            ends = following is not None and not following.as_a(Vasopressor).runs
            yield RatePeriod(charted, following, ends)
        elif not before:
            yield RatePeriod(charted, charted, has_own_stop=False)


def administration_of(period: RatePeriod) -> Json:
    """Return the resource of a period."""
    charted, following = period.rate, period.next_one
    entry = charted.as_a(Vasopressor)
    resource = charted.administration(
        _medication(charted),
        effectivePeriod=period_of(charted.at, None if following is None else following.at),
        dosage=_dosage(entry),
    )
    if following is None and charted.standing is not Standing.IN_ERROR:
        resource["status"] = "in-progress"
    if entry.weight_kg is not None:
        weight = quantity(charted.words["weight_kg"], "weight_kg", "kg")
        resource["extension"].append(extension(DOSING_WEIGHT, "Quantity", weight))
    if following is not None and period.has_own_stop:
        words = words_text(following.words)
        resource["extension"].append(extension(ENTRY_OF_STOP, "String", words))
    if entry.rate and entry.unit is DoseUnit.ML_PER_H:
        _put_in_a_bag(resource, charted)
    return resource


def _medication(charted: Charted) -> Json:
    drug = _drug(charted)
    is_named_in_note = not codes_of(Kind.DRUG, drug)
    return concept(
        *codes_of(Kind.DRUG, drug),
        local("vasopressor", drug, drug.label),
        text=charted.entry.note if is_named_in_note else "",
    )


def _dosage(entry: Vasopressor) -> Json:
    if entry.rate is None:
        return {"text": _NOT_KNOWN}
    units = DRUGS[entry.drug].units
    unit = entry.unit or (units[0] if units else None)
    return {"rateQuantity": quantity(entry.rate, entry.drug, unit.value if unit else "")}


def _put_in_a_bag(resource: Json, charted: Charted) -> None:
    """Write what is in a millilitre: a contained Medication with the strength of its drug."""
    drug, strength = _drug(charted), charted.words["concentration_per_ml"]
    is_in_units = drug is VasopressorDrug.VASOPRESSIN
    thing, unit = (STRENGTH_IN_UNITS, "units") if is_in_units else (STRENGTH, "ug")
    medication = resource.pop("medicationCodeableConcept")
    resource["contained"] = [
        {
            "resourceType": "Medication",
            "id": _BAG,
            "code": medication,
            "ingredient": [
                {
                    "itemCodeableConcept": medication,
                    "strength": {
                        "numerator": quantity(strength, thing, unit),
                        "denominator": quantity("1", VOLUME, "mL"),
                    },
                }
            ],
        }
    ]
    resource["medicationReference"] = {"reference": f"#{_BAG}"}
