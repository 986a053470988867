"""Import a course file (crs-course/1 or 2) with its own recording times."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from crs_app.accounts.models import User
from grading.course_file import CourseDocument, CourseFileError, Fault, read_course
from grading.engine.entries import Entry as ChartedEntry
from grading.engine.vocabulary import AT_MOST_AHEAD, EARLIEST
from grading.json_document import read_json
from grading.plain_text import LONGEST_MRN
from patients.models import ActSource, Course, EntryKind
from patients.models.charted_times import ONE_TICK
from patients.models.identifiers import visible_text
from patients.queries.exchange import ROW_KEYS
from patients.queries.identity import read_look_alikes, read_namesakes, read_patient_by_mrn
from patients.recording.admit import (
    Admission,
    AlreadyAdmittedError,
    DelayDiffersError,
    IdentityDiffersError,
    admit_patient,
)
from patients.recording.inputs import FormReusedError, NewEntry, Submission
from patients.recording.record import append_act

_NAMESPACE: Final = uuid.UUID("6f1c1c5a-8f0e-4f59-9a3c-2f0b8a1d7e42")
_UNKNOWN_WARD: Final = "Imported"


def _no_warning(_sentence: str) -> None:
    """Ignore a warning."""


@transaction.atomic
def import_course(
    text: str | bytes,
    authors: Sequence[User],
    *,
    ward: str = _UNKNOWN_WARD,
    bed: str = "",
    warn: Callable[[str], object] = _no_warning,
) -> Course:
    """Record a course file entry by entry and return its course; a second import is a replay.

    A file names no authors: ``authors`` take turns by the hour of recording. ``warn`` is called
    with a sentence for each patient of the chart who may be the same person. Raises CourseFileError
    with every fault; then nothing of the file is stored.
    """
    raw = read_json(text)
    document = read_course(raw)
    _check_identity(document)
    _check_clock(document.entries)
    for sentence in _look_alikes(document):
        warn(sentence)
    importer = _Importer(document, raw, authors)
    try:
        return importer.run(ward, bed)
    except IdentityDiffersError as error:
        raise _refused("patient.mrn", f"belongs to {error.patient.name}, who differs") from None
    except DelayDiffersError as error:
        raise _refused("patient.developmental_delay", error.sentence) from None
    except (AlreadyAdmittedError, FormReusedError):
        raise _refused("therapy", "this course is on the chart with other contents") from None


class _Importer:
    """The import of one course file."""

    def __init__(
        self, document: CourseDocument, raw: Mapping[str, Any], authors: Sequence[User]
    ) -> None:
        self.document = document
        self.raw = raw
        self.authors = authors
        infused = document.facts.infused_at.isoformat()
        self.name = f"{visible_text(document.patient.mrn)}|{document.product}|{infused}"
        self.entries = sorted(
            zip(document.entries, raw["entries"], strict=True),
            key=lambda pair: pair[0].recorded_at,
        )

    def run(self, ward: str, bed: str) -> Course:
        known_at = self._known_at()
        start = self._at_start(known_at)
        course = admit_patient(
            self._admission(ward, bed), start, self._submission(known_at, start)
        ).course
        for recorded_at, group in groupby(self.entries, key=lambda pair: pair[0].recorded_at):
            new_entries = [self._new_entry(entry, words) for entry, words in group]
            append_act(course, new_entries, self._submission(recorded_at, new_entries))
        return course

    def _known_at(self) -> datetime:
        """Return when the facts outside the entries count as recorded: just before the entries."""
        if not self.entries:
            return min(self.document.facts.infused_at, timezone.now())
        return self.entries[0][0].recorded_at - ONE_TICK

    def _at_start(self, known_at: datetime) -> list[NewEntry]:
        """Return weight, baseline and risk answers, earlier than entries that may update them."""
        at = min(known_at, self.document.facts.infused_at, *(e.at for e, _ in self.entries))
        facts: list[tuple[EntryKind, dict[str, Any]]] = []
        if self.raw.get("weight_kg") is not None:
            facts.append((EntryKind.WEIGHT, _facts({"weight_kg": self.raw["weight_kg"]})))
        if baseline := _facts(self.raw.get("baseline") or {}):
            facts.append((EntryKind.BASELINE, baseline))
        if risk := _facts(self.document.risk):
            facts.append((EntryKind.RISK, risk))
        return [NewEntry(kind, at, body, id=self._id(f"start {kind}")) for kind, body in facts]

    def _admission(self, ward: str, bed: str) -> Admission:
        patient, facts = self.document.patient, self.document.facts
        return Admission(
            mrn=patient.mrn,
            name=patient.name,
            sex=patient.sex.value,
            product=self.document.product,
            infused_at=facts.infused_at,
            ward=ward,
            bed=bed,
            birth_date=patient.birth_date,
            age_years=None if patient.birth_date is not None else patient.age_years,
            developmental_delay=patient.developmental_delay,
            policy=facts.policy if self.raw.get("policy") else None,
        )

    def _new_entry(self, entry: ChartedEntry, words: Mapping[str, Any]) -> NewEntry:
        replaces = None if entry.replaces is None else self._id(entry.replaces)
        return NewEntry(entry.kind, entry.at, _body(words), replaces, self._id(entry.id))

    def _submission(self, recorded_at: datetime, new_entries: Sequence[NewEntry]) -> Submission:
        contents = json.dumps(
            [(e.kind, e.at.isoformat(), e.body) for e in new_entries], sort_keys=True
        )
        return Submission(
            by=self.authors[recorded_at.hour % len(self.authors)],
            form_id=self._id(f"act {recorded_at.isoformat()}"),
            request_digest=hashlib.sha256(contents.encode()).hexdigest(),
            source=ActSource.IMPORT,
            recorded_at=recorded_at,
        )

    def _id(self, name: str) -> uuid.UUID:
        """Return an id that is the same in each import of the file: a second one is a replay."""
        return uuid.uuid5(_NAMESPACE, f"{self.name}|{name}")


def _look_alikes(document: CourseDocument) -> list[str]:
    """Return a warning for each patient who may be the same person under another number."""
    patient = document.patient
    if read_patient_by_mrn(patient.mrn) is not None:
        return []
    return [
        *(
            f"patient.mrn: looks like MRN {one.mrn} of {one.name}, another record"
            for one in read_look_alikes(patient.mrn)
        ),
        *(
            f"patient.name: {one.name}, MRN {one.mrn}, has this name and birth date"
            for one in read_namesakes(patient.name, patient.birth_date)
        ),
    ]


def _facts(words: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _as_text(value) for key, value in words.items() if value is not None}


def _body(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry's fields without nulls; a null rate stays: it is an unknown rate."""
    return {
        key: _as_text(value)
        for key, value in words.items()
        if key not in ROW_KEYS and (value is not None or key == "rate")
    }


def _as_text(value: Any) -> Any:
    """Return a number as the text that it was written as, without an exponent."""
    return f"{value:f}" if isinstance(value, Decimal) else value


def _check_identity(document: CourseDocument) -> None:
    faults = [
        Fault(place, "required on the chart")
        for place, value in (
            ("patient.mrn", document.patient.mrn),
            ("patient.name", document.patient.name),
            ("therapy.product", document.product),
        )
        if not visible_text(value or "")
    ]
    if document.facts.policies:
        faults.append(Fault("later_policies", "a chart takes later policies from its site alone"))
    if len(visible_text(document.patient.mrn or "")) > LONGEST_MRN:
        faults.append(Fault("patient.mrn", f"longer than {LONGEST_MRN} characters"))
    if faults:
        raise CourseFileError(faults)


def _check_clock(entries: Sequence[ChartedEntry]) -> None:
    """Refuse what was recorded in the future, or where nothing can be recorded just before."""
    latest = timezone.now() + AT_MOST_AHEAD
    faults = [
        Fault(f"entries[{index}].recorded_at", "lies in the future")
        for index, entry in enumerate(entries)
        if entry.recorded_at > latest
    ]
    faults += [
        Fault(f"entries[{index}].recorded_at", f"expected a time after {EARLIEST:%Y-%m-%d}")
        for index, entry in enumerate(entries)
        if entry.recorded_at <= EARLIEST
    ]
    if faults:
        raise CourseFileError(faults)


def _refused(place: str, message: str) -> CourseFileError:
    return CourseFileError([Fault(place, message)])
