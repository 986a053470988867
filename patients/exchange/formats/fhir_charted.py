"""An entry of a course file on its way to FHIR: what became of it, and what every resource has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

from grading.engine.entries import Entry
from grading.engine.vocabulary import Attribution
from patients.exchange.formats.fhir_written_parts import (
    ATTRIBUTION,
    ENTRY,
    Ids,
    Json,
    extension,
    texts,
    time_text,
    without_empty,
    words_text,
)

Words = Mapping[str, Any]
Kind = TypeVar("Kind", bound=Entry)


class Standing(Enum):
    """What became of an entry; the values are the status words of an Observation."""

    FINAL = "final"
    CORRECTION = "corrected"
    IN_ERROR = "entered-in-error"


@dataclass(frozen=True, slots=True)
class Charted:
    """An entry, its words in the course file, what became of it, and who charted it.

    ``error_note`` says in words that it was entered in error, empty where it was not. ``performer``
    is a reference, None where the author is not known.
    """

    entry: Entry
    words: Words
    standing: Standing
    error_note: str
    patient: Json
    ids: Ids
    performer: Json | None

    def as_a(self, kind: type[Kind]) -> Kind:
        """Return the entry as one of its kind; raises TypeError where it is another one."""
        if not isinstance(self.entry, kind):
            raise TypeError(f"{self.entry.kind} is not {kind.kind}")
        return self.entry

    @property
    def at(self) -> datetime:
        """The clinical time with the offset that the course file has."""
        return datetime.fromisoformat(self.words["at"])

    @property
    def recorded_at(self) -> datetime:
        return datetime.fromisoformat(self.words.get("recorded_at") or self.words["at"])

    def notes(self) -> list[Json]:
        is_other = self.words.get("attribution") == Attribution.OTHER
        return texts(
            self.entry.note, "Attributed to another cause." if is_other else "", self.error_note
        )

    def extensions(self, *, attribution: bool = True) -> list[Json]:
        found = [extension(ENTRY, "String", words_text(self.words))]
        word = self.words.get("attribution")
        if attribution and isinstance(word, str):
            found.append(extension(ATTRIBUTION, "Code", word))
        return found

    def observation(self, field: str, code: Json, **parts: Any) -> Json:
        """Return an Observation; ``field`` is empty where the entry is this resource alone."""
        return without_empty(
            {
                "resourceType": "Observation",
                "id": self.ids.of_entry(self.entry.id, field),
                "extension": self.extensions(),
                "status": self.standing.value,
                "code": code,
                "subject": self.patient,
                "effectiveDateTime": time_text(self.at),
                "issued": time_text(self.recorded_at),
                "performer": [self.performer] if self.performer else [],
                "note": self.notes(),
                **parts,
            }
        )

    def administration(self, medication: Json, **parts: Any) -> Json:
        """Return a MedicationAdministration that is completed, or was entered in error."""
        in_error = self.standing is Standing.IN_ERROR
        return without_empty(
            {
                "resourceType": "MedicationAdministration",
                "id": self.ids.of_entry(self.entry.id),
                "extension": self.extensions(),
                "status": self.standing.value if in_error else "completed",
                "medicationCodeableConcept": medication,
                "subject": self.patient,
                "performer": [{"actor": self.performer}] if self.performer else [],
                "note": self.notes(),
                **parts,
            }
        )
