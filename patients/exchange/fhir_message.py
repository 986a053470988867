"""A FHIR document as a message: whom it is about, what it says, what is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from patients.exchange.fhir_answers import (
    answer_to_bundle,
    answer_to_refused,
    answer_to_resource,
)
from patients.exchange.formats.context import Context
from patients.exchange.formats.exact_json import Exact, NotJsonError, read_json
from patients.exchange.formats.fhir_bundle import Bundle, Item, open_bundle
from patients.exchange.formats.fhir_patient import record_numbers
from patients.exchange.formats.fhir_read import read_bundle
from patients.exchange.formats.received import Document, RefusedDocumentError
from patients.exchange.incoming import (
    STRUCTURE,
    Outcome,
    Subject,
    verdict_by_reason,
)
from patients.models import MessageFormat, Verdict

_SCOPE_OF: Final[Mapping[str, str]] = {
    "MedicationAdministration": "system/MedicationAdministration.c",
}
_OTHERWISE: Final = "system/Observation.c"


@dataclass(frozen=True)
class FhirMessage:
    """A document as it came, of a system whose record numbers are those of ``mrn_system``.

    ``fault`` says why it cannot be read at all; else ``bundle`` has its resources.
    """

    raw: bytes
    mrn_system: str
    tree: Any = None
    bundle: Bundle | None = None
    fault: RefusedDocumentError | None = None

    format = MessageFormat.FHIR
    charset = "utf-8"

    @property
    def is_bundle(self) -> bool:
        return self.resource_type == "Bundle"

    @property
    def resource_type(self) -> str:
        return _text(self.tree.get("resourceType")) if isinstance(self.tree, Mapping) else ""

    @property
    def control_id(self) -> str:
        """Bundle.identifier, the sender's lasting name of the document; "" without one."""
        identifier = self.tree.get("identifier") if self.is_bundle else None
        if not isinstance(identifier, Mapping):
            return ""
        value = _text(identifier.get("value"))
        return f"{_text(identifier.get('system'))}|{value}" if value else ""

    @property
    def sent_at(self) -> datetime | None:
        """Bundle.timestamp; None without one that has an offset."""
        text = _text(self.tree.get("timestamp")) if self.is_bundle else ""
        try:
            at = datetime.fromisoformat(text) if text else None
        except ValueError:
            return None
        return at if at is not None and at.tzinfo is not None else None

    def scopes(self) -> set[str]:
        """Return the scopes that a sender of this document needs."""
        if self.bundle is None:
            return {_OTHERWISE}
        return {_SCOPE_OF.get(item.type, _OTHERWISE) for item in self.bundle.items} or {_OTHERWISE}

    def subject(self) -> Subject:
        """Return the record numbers of the patients and subjects in it."""
        if self.fault is not None:
            raise self.fault
        mrns = () if self.bundle is None else dict.fromkeys(self._mrns(self.bundle))
        return Subject(tuple(mrns))

    def read(self, context: Context, received_at: datetime) -> Document:
        """Return what it says of the course."""
        return read_bundle(self.raw, context)

    def verdict_of(self, refused: RefusedDocumentError) -> Verdict:
        """Return whether it may be accepted when it comes again."""
        return verdict_by_reason(refused)

    def answer(self, outcome: Outcome) -> Mapping[str, Any]:
        """Return status and body."""
        if outcome.refused is not None:
            return answer_to_refused(outcome.refused)
        items = () if self.bundle is None else self.bundle.items
        if self.is_bundle:
            kind = "transaction-response" if _is_transaction(self.bundle) else "batch-response"
            return answer_to_bundle(outcome, [_entry_of(item) for item in items], kind)
        return answer_to_resource(outcome, items[0].place if items else "")

    def _mrns(self, bundle: Bundle) -> Iterator[str]:
        patients = [
            resource
            for item in bundle.items
            for resource in (item.resource, *_listed(item.resource.get("contained")))
            if resource.get("resourceType") == "Patient"
        ]
        for patient in patients:
            yield from record_numbers(patient, self.mrn_system)
        for item in bundle.items:
            for key in ("subject", "patient"):
                reference = item.resource.get(key)
                if isinstance(reference, Mapping):
                    yield from self._in_system(_listed([reference.get("identifier")]))
        for patient in patients:  # where the earlier record is the one on the chart
            yield from record_numbers(patient, self.mrn_system, former=True)

    def _in_system(self, identifiers: Iterator[Mapping[str, Any]]) -> Iterator[str]:
        for identifier in identifiers:
            value = _text(identifier.get("value")).strip()
            if value and _text(identifier.get("system")) == self.mrn_system:
                yield value


def fhir_message(raw: bytes, mrn_system: str) -> FhirMessage:
    """Return a document as a message; one that cannot be read has its fault."""
    try:
        tree = read_json(raw)
        return FhirMessage(raw, mrn_system, tree, open_bundle(tree))
    except NotJsonError as error:
        fault = RefusedDocumentError(STRUCTURE, "", str(error))
    except RefusedDocumentError as error:
        fault = error
    return FhirMessage(raw, mrn_system, fault=fault)


def _is_transaction(bundle: Bundle | None) -> bool:
    return bundle is not None and bundle.is_transaction


def _entry_of(item: Item) -> str:
    """Return the place of an entry of a Bundle: all that stands in it is below."""
    return item.place.removesuffix(".resource")


def _listed(raw: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in raw if isinstance(one, Mapping)) if isinstance(raw, list) else iter(())


def _text(raw: Any) -> str:
    return raw if isinstance(raw, str) and not isinstance(raw, Exact) else ""
