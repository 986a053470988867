"""Read a FHIR R4 document: a Bundle, one Observation or one MedicationAdministration.

Everything is mapped from the exact JSON tree, never through a FHIR library: those read numbers
through a binary float and refuse a whole Bundle for one resource.
"""

from __future__ import annotations

from typing import Final

from patients.exchange.formats.context import Context
from patients.exchange.formats.exact_json import NotJsonError, read_json
from patients.exchange.formats.fhir_bundle import Bundle, Item, open_bundle
from patients.exchange.formats.fhir_medication import read_medication
from patients.exchange.formats.fhir_observation import read_observation
from patients.exchange.formats.fhir_own import states_death
from patients.exchange.formats.fhir_patient import check_patient, with_doubts
from patients.exchange.formats.fhir_procedure import read_procedure
from patients.exchange.formats.fhir_resource_types import RESOURCE_TYPES
from patients.exchange.formats.fhir_results import Results
from patients.exchange.formats.fhir_tree import invalid
from patients.exchange.formats.received import Document, RefusedDocumentError

NEVER_CHARTED: Final = frozenset(
    {
        "GuidanceResponse", "Provenance", "Device", "Practitioner", "PractitionerRole",
        "EpisodeOfCare", "Patient", "Medication",
    }
)  # fmt: skip
"""Resources that charting needs nothing more of: they are neither held nor remarked."""


def read_bundle(text: bytes, context: Context) -> Document:
    """Return what a FHIR document states about the patient of the course.

    ``place`` of each statement, held item and remark is ``entry[i].resource``, of a single resource
    its type, or a component below it. Raises RefusedDocumentError for what is no JSON or no Bundle,
    for another patient, and for a transaction with an invalid resource.
    """
    try:
        tree = read_json(text)
    except NotJsonError as error:
        raise RefusedDocumentError("structure", "document", str(error)) from None
    bundle = open_bundle(tree)
    check_patient(bundle, context)
    bundle = with_doubts(bundle)
    results = Results()
    for item in bundle.items:
        _read_item(item, bundle, context, results)
    _remark_death(bundle, results)
    document = results.document()
    if bundle.is_transaction:
        _refuse_invalid(document)
    return document


def _read_item(item: Item, bundle: Bundle, context: Context, results: Results) -> None:
    if not item.is_stated:
        results.hold(invalid("its request is neither POST nor PUT: it is not read"), item.place)
    elif item.type not in RESOURCE_TYPES:
        what = "it is no resource of FHIR R4" if item.type else "an entry without a resource"
        results.hold(invalid(what), item.place)
    elif item.type == "Observation":
        read_observation(item, context, results)
    elif item.type == "MedicationAdministration":
        read_medication(item, bundle, context, results)
    elif item.type == "Procedure":
        read_procedure(item, context, results)
    elif item.type not in NEVER_CHARTED:
        results.remark("resource.unmapped", item.place, f"{item.type} has no place in the chart")


def _remark_death(bundle: Bundle, results: Results) -> None:
    """Remark that a patient is marked as deceased: a death is charted with what it is due to."""
    marked = [item for item in bundle.items if item.type == "Patient" and _is_deceased(item)]
    if marked and not any(states_death(item.resource) for item in bundle.items):
        what = "the patient is marked as deceased; people chart a death"
        results.remark("resource.unmapped", f"{marked[0].place}.deceased", what)


def _is_deceased(item: Item) -> bool:
    words = item.resource
    return words.get("deceasedBoolean") is True or bool(words.get("deceasedDateTime"))


def _refuse_invalid(document: Document) -> None:
    for held in document.held:
        if held.reason == "invalid":
            raise RefusedDocumentError("invalid", held.place, held.what)
