"""Whether a FHIR document is about the patient of the course, and about no other.

Everything here refuses the whole document: a value charted for the wrong patient is worse than
none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from grading.plain_text import without_blanks_around
from patients.exchange.formats.context import Context
from patients.exchange.formats.exact_json import Exact
from patients.exchange.formats.fhir_bundle import Bundle, Item
from patients.exchange.formats.fhir_modifiers import modifier_of, out_of_use
from patients.exchange.formats.fhir_resource_types import RESOURCE_TYPES
from patients.exchange.formats.fhir_tree import NOTHING, Tree
from patients.exchange.formats.names import is_name_of
from patients.exchange.formats.received import RefusedDocumentError

PATIENT: Final = "Patient"
_NEEDS_A_SUBJECT: Final = frozenset({"Observation", "MedicationAdministration", "Procedure"})
_FORMER: Final = "old"
"""Use of an Identifier (FHIR R4 identifier-use) that is not the patient's any more."""
_FORMER_NAMES: Final = frozenset({"old", "maiden"})
"""Uses of a HumanName (FHIR R4 name-use) that need not be in the chart."""
_DATE: Final = re.compile(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", re.ASCII)


def check_patient(bundle: Bundle, context: Context) -> None:
    """Refuse a document with another patient than that of the course.

    Raises RefusedDocumentError: ``patient.unknown`` where a patient or a subject has not the MRN of
    the course in ``mrn_system``, or does not resolve, or has a modifier that is not known;
    ``patient.contradiction`` where birth date or family name contradict the chart.
    """
    for place, patient in _patients(bundle):
        if modifier_of(patient):
            words = "a patient with a modifierExtension or implicitRules, which are not known here"
            raise RefusedDocumentError("patient.unknown", place, words)
        if not _has_mrn(_listed(patient, "identifier"), context):
            raise RefusedDocumentError(
                "patient.unknown", place, "a patient without the MRN of the course in its system"
            )
        check_against_chart(patient, place, _of(context.course.get("patient")))
    for item in bundle.items:
        if item.type in RESOURCE_TYPES:
            _check_subject(item, bundle, context)


def with_doubts(bundle: Bundle) -> Bundle:
    """Return a verified Bundle with a doubt on each resource whose Patient is out of use."""
    of_entries = (out_of_use(one.resource) for one in bundle.items if one.type == PATIENT)
    of_any = next(filter(None, of_entries), "")
    items = (replace(one, doubt=_doubt_of(one, bundle, of_any)) for one in bundle.items)
    return replace(bundle, items=tuple(items))


def _doubt_of(item: Item, bundle: Bundle, of_any: str) -> str:
    """Return why the patient of a resource may be another one.

    A subject that is named by its number alone has the doubt of a Patient sent along, ``of_any``.
    """
    reference = _of(item.resource.get("subject")).get("reference")
    found = bundle.resolve(reference, item) if isinstance(reference, str) else None
    return of_any if found is None else out_of_use(found)


def _patients(bundle: Bundle) -> Iterator[tuple[str, Tree]]:
    for item in bundle.items:
        if item.type == PATIENT:
            yield item.place, item.resource
        for index, contained in enumerate(_listed(item.resource, "contained")):
            if contained.get("resourceType") == PATIENT:
                yield f"{item.place}.contained[{index}]", contained


def _check_subject(item: Item, bundle: Bundle, context: Context) -> None:
    for key in ("subject", "patient"):
        subject = item.resource.get(key)
        if subject is None and not (key == "subject" and item.type in _NEEDS_A_SUBJECT):
            continue
        words = subject if isinstance(subject, Mapping) else NOTHING
        if not _is_the_patient(words, item, bundle, context):
            raise RefusedDocumentError(
                "patient.unknown", f"{item.place}.{key}", "no patient of the course stands here"
            )


def _is_the_patient(subject: Tree, item: Item, bundle: Bundle, context: Context) -> bool:
    """Return whether a Reference leads to the patient, who was verified before."""
    reference, identifier = subject.get("reference"), _of(subject.get("identifier"))
    has_mrn = _has_mrn([identifier], context)
    found = bundle.resolve(reference, item) if isinstance(reference, str) else None
    if found is None:
        return has_mrn
    has_other_mrn = identifier.get("system") == context.mrn_system and not has_mrn
    return found.get("resourceType") == PATIENT and not has_other_mrn


def _has_mrn(identifiers: list[Tree], context: Context) -> bool:
    mrn = _stripped(_of(context.course.get("patient")).get("mrn"))
    return bool(mrn) and any(
        found.get("system") == context.mrn_system and _stripped(found.get("value")) == mrn
        for found in identifiers
    )


def record_numbers(patient: Tree, system: str, *, former: bool = False) -> list[str]:
    """Return the record numbers of a Patient in ``system``, each once and without blanks around it.

    ``former``: those that it has no more (use ``old``), as after two records were joined.
    """
    numbers = [
        _stripped(found.get("value"))
        for found in _listed(patient, "identifier")
        if found.get("system") == system and (found.get("use") == _FORMER) is former
    ]
    return [number for number in dict.fromkeys(numbers) if number]


def check_against_chart(patient: Tree, place: str, chart: Tree) -> None:
    """Refuse a patient whose birth date or family name contradicts the patient of a course file.

    Raises RefusedDocumentError.
    """
    birth_date = patient.get("birthDate")
    if birth_date is not None and not (
        isinstance(birth_date, str)
        and not isinstance(birth_date, Exact)
        and _DATE.fullmatch(birth_date)
    ):
        raise RefusedDocumentError("structure", f"{place}.birthDate", "expected a date")
    charted = chart.get("birth_date")
    if birth_date and isinstance(charted, str) and not charted.startswith(birth_date):
        raise RefusedDocumentError(
            "patient.contradiction", f"{place}.birthDate", "the chart has another birth date"
        )
    name = chart.get("name")
    for index, found in enumerate(_listed(patient, "name")):
        family = found.get("family")
        if not isinstance(family, str) or found.get("use") in _FORMER_NAMES:
            continue
        if isinstance(name, str) and not is_name_of(family, name):
            raise RefusedDocumentError(
                "patient.contradiction",
                f"{place}.name[{index}].family",
                "the chart has another name",
            )


def _listed(node: Tree, key: str) -> list[Tree]:
    raw = node.get(key)
    return [item for item in raw if isinstance(item, Mapping)] if isinstance(raw, list) else []


def _of(raw: Any) -> Tree:
    return raw if isinstance(raw, Mapping) else NOTHING


def _stripped(raw: Any) -> str:
    is_text = isinstance(raw, str) and not isinstance(raw, Exact)
    return without_blanks_around(raw) if is_text else ""
