"""The context that a converter needs, out of the rows of a system and of a course."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
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
    TappedRow,
    read_entries_in_words,
    read_known_keys,
    read_local_codes,
    read_own_entries,
    read_tapped,
)

_OXYGEN: Final = "#oxygen"
"""Ends the second key of what is both a vital sign and oxygen (``received.Source``)."""
_WERE_HELD: Final = frozenset({KeyState.ASIDE.value, KeyState.WAITING.value})
"""States of keys of which people may have charted what was held."""


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
    keys += [one.source.key for one in document.cancelled]
    with_parts = {one for key in keys for one in (key, f"{key}{_OXYGEN}")}
    with_parts |= {key.removesuffix(_OXYGEN) for key in keys}
    instants = [one.at for one in document.statements]
    instants += [one.at for one in document.held if one.at is not None]
    instants += [one.at for one in document.cancelled if one.at is not None]
    rows = read_known_keys(system, course, with_parts, instants)
    taken_back = {
        one.source.key for one in document.statements if one.standing is Standing.RETRACTED
    }
    were_held = {row.key for row in rows if row.key in with_parts and row.state in _WERE_HELD}
    asked = taken_back | were_held
    tapped = read_tapped(system, course, asked) if asked else ()
    return replace(
        context,
        known=[_known(row) for row in rows],
        tapped=_tapped(tapped, context.course["entries"]),
    )


def _tapped(rows: Iterable[TappedRow], entries: Iterable[Mapping[str, Any]]) -> dict[str, Tapped]:
    """Return by key what people charted of it; a tap on its correction is about the same entry."""
    replaces = {str(one["id"]): str(one["replaces"]) for one in entries if one.get("replaces")}
    by_key: dict[str, list[TappedRow]] = defaultdict(list)
    for row in rows:
        by_key[row.key].append(row)
    found = {}
    for key, taps in by_key.items():
        charted = [entry for row in taps for entry in row.entries]
        are_alone = all(len(row.entries) == row.keys == 1 for row in taps)
        is_chain = all(replaces.get(after) == before for before, after in pairwise(charted))
        is_of_one_key = all(row.keys == 1 for row in taps)
        found[key] = Tapped(charted[-1], are_alone and is_chain, tuple(charted), is_of_one_key)
    return found


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
