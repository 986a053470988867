"""Which drug a MedicationAdministration gives, and how much of it is in a millilitre."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple

from grading.plain_text import LONGEST_NOTE, disallowed_character
from patients.exchange.formats.code_rows import COURSE_FILE_1, Kind
from patients.exchange.formats.codes import Meaning, meaning_of
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_bundle import Bundle, Item
from patients.exchange.formats.fhir_modifiers import check_understood
from patients.exchange.formats.fhir_sent import label_of
from patients.exchange.formats.fhir_tree import (
    NOTHING,
    Quantity,
    Tree,
    an_object,
    choice,
    codings,
    invalid,
    objects,
    quantity,
    text,
)
from patients.exchange.formats.unit_rows import STRENGTH, STRENGTH_IN_UNITS, VOLUME
from patients.exchange.formats.units import converted, quotient, shown, unit_row
from patients.exchange.formats.unreadable import UnreadableError

MEDICATION: Final = frozenset({"CodeableConcept", "Reference"})
BOLUS: Final = (f"{COURSE_FILE_1}fluid_bolus", "fluid_bolus")
_GIVEN: Final = frozenset({Kind.DRUG, Kind.AGENT})
_VASOPRESSIN: Final = "vasopressin"


class Drug(NamedTuple):
    """A drug, and the Medication that holds it; ``meaning`` None is a fluid bolus.

    ``name`` is what the other system calls it, for a vasopressor that the chart has no word for.
    """

    meaning: Meaning | None
    name: str
    medication: Tree


def drug_of(item: Item, bundle: Bundle, context: Context) -> Drug:
    """Return the drug of an administration; raises ``invalid``, ``code.unknown``, ``.conflict``.

    Its code decides; where that is in no table, the ingredient of its Medication that is.
    """
    key = choice(item.resource, "medication", MEDICATION)
    if key is None:
        raise invalid("it has no medication")
    if key == "medicationCodeableConcept":
        concept, medication = an_object(item.resource, key) or NOTHING, NOTHING
    else:
        medication = _medication(an_object(item.resource, key) or NOTHING, item, bundle)
        concept = an_object(medication, "code") or NOTHING
    codes = codings(concept)
    if BOLUS in codes:
        return Drug(None, "", medication)
    found = set(_ingredients(medication, item, bundle, context).values())
    meaning = meaning_of(codes, context.local_codes)
    if meaning is not None and meaning.kind in _GIVEN:
        found = {other for other in found if other.word != meaning.word} | {meaning}
    words = {(other.kind, other.word) for other in found}
    if not words:
        raise UnreadableError("code.unknown", f"{shown(label_of(concept))} is no drug of the table")
    if len(words) > 1:
        raise UnreadableError("code.conflict", "its codes name different drugs")
    drug = next(iter(found))
    return Drug(drug, _name(concept) or drug.note, medication)


def _medication(reference: Tree, item: Item, bundle: Bundle) -> Tree:
    found = bundle.resolve(text(reference, "reference"), item)
    if found is None or found.get("resourceType") != "Medication":
        raise UnreadableError("code.unknown", "its Medication is not in the document")
    check_understood(found)
    if found.get("status") == "entered-in-error":
        raise UnreadableError("code.unknown", "its Medication was entered in error")
    return found


def _ingredients(
    medication: Tree, item: Item, bundle: Bundle, context: Context
) -> dict[int, Meaning]:
    """Return the drugs of the table among the ingredients, by their place in the list."""
    found: dict[int, Meaning] = {}
    for index, ingredient in enumerate(objects(medication, "ingredient")):
        concept = an_object(ingredient, "itemCodeableConcept")
        reference = an_object(ingredient, "itemReference")
        if concept is None and reference is not None:
            referred = bundle.resolve(text(reference, "reference"), item)
            check_understood(referred or NOTHING)
            concept = None if referred is None else an_object(referred, "code")
        meaning = meaning_of(codings(concept), context.local_codes)
        if meaning is not None and meaning.kind in _GIVEN:
            found[index] = meaning
    return found


def _name(concept: Tree) -> str:
    name = text(concept, "text").strip()
    return "" if len(name) > LONGEST_NOTE or disallowed_character(name) else name


def concentration(drug: Drug, item: Item, bundle: Bundle, context: Context) -> str:
    """Return what is in one mL of an infusion: micrograms, of vasopressin units, as exact text.

    Raises UnreadableError ``infusion.concentration_missing``, ``unit.missing``, ``unit.unknown``,
    ``rate.inexact`` (4 mg in 60 mL has no finite decimal).
    """
    word = "" if drug.meaning is None else drug.meaning.word
    ingredients = objects(drug.medication, "ingredient")
    strengths = [
        an_object(ingredients[index], "strength")
        for index, meaning in _ingredients(drug.medication, item, bundle, context).items()
        if meaning.word == word
    ]
    strength = strengths[0] if len(strengths) == 1 else None
    amount = None if strength is None else quantity(strength, "numerator")
    volume = None if strength is None else quantity(strength, "denominator")
    thing = STRENGTH_IN_UNITS if word == _VASOPRESSIN else STRENGTH
    numerator, denominator = _amount(amount, thing), _amount(volume, VOLUME)
    if numerator is None or denominator is None:
        raise UnreadableError("infusion.concentration_missing", "how much is in one mL is not sent")
    return quotient(numerator, denominator)


def _amount(found: Quantity | None, thing: str) -> Fraction | None:
    if found is None or found.number is None or found.comparator:
        return None
    value = Fraction(converted(found.number, unit_row(thing, found.unit)))
    return value if value > 0 else None
