"""The context that a converter needs, out of the rows of a system and of a course."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from grading.course_file import FORMAT_2
from patients.exchange.exported import plain_number
from patients.exchange.formats.context import (
    Context,
    Filing,
    KeyState,
    KnownKey,
    LocalCode,
    SystemKind,
    Tapped,
)
from patients.exchange.formats.received import Document, Standing
from patients.exchange.register import DEFAULT
from patients.models import Course, EntryKind, ExternalSystem
from patients.models.local_codes import LocalCode as LocalCodeRow
from patients.queries.exchange import (
    KnownKeyRow,
    read_entries_in_words,
    read_known_keys,
    read_local_codes,
    read_own_entries,
    read_tapped,
)

_OXYGEN: Final = "#oxygen"
"""Ends the second key of what is both a vital sign and oxygen (``received.Source``)."""


def context_of(
    system: ExternalSystem,
    course: Course,
    at: datetime,
    *,
    mrn: str | None = None,
    is_by_bed: bool = False,
) -> Context:
    """Return the context of a locked course at ``at``, without the keys that came before.

    Which of these a document can touch is known once it was read (``with_known_keys``).
    ``mrn`` is the record number as the message writes it, which a chart may write otherwise.
    ``is_by_bed``: the message names no patient, and what it says is proposed, never charted.
    """
    return Context(
        course=_document(course, mrn),
        mrn_system=system.mrn_system,
        timezone=ZoneInfo(system.timezone),
        system=system.name,
        kind=SystemKind(system.kind),
        filing={DEFAULT: Filing.PROPOSE} if is_by_bed else filing_of(system, course),
        local_codes=[_local_code(row) for row in read_local_codes(system, at)],
        own_entries=read_own_entries(system, course),
    )


def with_known_keys(
    context: Context, system: ExternalSystem, course: Course, document: Document
) -> Context:
    """Return the context with what came before and ``document`` can touch."""
    keys = [one.source.key for one in document.statements]
    keys += [one.key for one in document.held if one.key]
    with_parts = {one for key in keys for one in (key, f"{key}{_OXYGEN}")}
    with_parts |= {key.removesuffix(_OXYGEN) for key in keys}
    instants = [one.at for one in document.statements]
    instants += [one.at for one in document.held if one.at is not None]
    rows = read_known_keys(system, course, with_parts, instants)
    taken_back = {
        one.source.key for one in document.statements if one.standing is Standing.RETRACTED
    }
    tapped = read_tapped(system, course, taken_back) if taken_back else ()
    taps = Counter(row.key for row in tapped)
    return replace(
        context,
        known=[_known(row) for row in rows],
        tapped={
            row.key: Tapped(row.entries[-1], len(row.entries) == row.keys == taps[row.key] == 1)
            for row in tapped
        },
    )


def _document(course: Course, mrn: str | None) -> dict[str, Any]:
    """Return the course file without its policy and grades, which no other system changes."""
    patient = course.patient
    facts: dict[str, Any] = {"mrn": mrn or patient.mrn, "name": patient.name, "sex": patient.sex}
    if patient.birth_date is not None:
        facts["birth_date"] = patient.birth_date.isoformat()
    elif course.age_years is not None:
        facts["age_years"] = plain_number(course.age_years)
    return {
        "format": FORMAT_2,
        "patient": facts,
        "therapy": {"product": course.product, "infused_at": course.infused_there.isoformat()},
        "entries": read_entries_in_words(course),
    }


def filing_of(system: ExternalSystem, course: Course) -> Mapping[str, Filing]:
    """Return what a system's statements become on the ward of a course, by kind of entry."""
    words: Mapping[str, Any] = system.filing_of_wards.get(str(course.on_ward_id), system.filing)
    filing = {kind: Filing(word) for kind, word in words.items()}
    if system.may_chart_kinds:
        for kind in set(EntryKind.values) - set(system.may_chart_kinds):
            filing[kind] = Filing.PROPOSE
    return filing


def _local_code(row: LocalCodeRow) -> LocalCode:
    return LocalCode(row.coding_system, row.code, **{row.about: row.means})


def _known(row: KnownKeyRow) -> KnownKey:
    return KnownKey(row.key, row.version, row.entry, KeyState(row.state), row.statement)
