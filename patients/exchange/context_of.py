"""The context that a converter needs, out of the rows of a system and of a course."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from patients.exchange.exported import exported
from patients.exchange.formats.context import (
    Context,
    Filing,
    KeyState,
    KnownKey,
    LocalCode,
    SystemKind,
)
from patients.exchange.register import DEFAULT
from patients.models import Course, EntryKind, ExternalSystem
from patients.models.exchange import LocalCode as LocalCodeRow
from patients.models.exchange import SourceKey
from patients.queries.exchange import (
    read_known_keys,
    read_local_codes,
    read_own_entries,
    read_to_convert,
)


def context_of(
    system: ExternalSystem,
    course: Course,
    at: datetime,
    *,
    mrn: str | None = None,
    is_by_bed: bool = False,
) -> Context:
    """Return the context of a locked course at ``at``.

    ``mrn`` is the record number as the message writes it, which a chart may write otherwise.
    ``is_by_bed``: the message names no patient, and what it says is proposed, never charted.
    """
    document = exported(read_to_convert(course, at)).document
    if mrn is not None:
        document["patient"]["mrn"] = mrn
    return Context(
        course=document,
        mrn_system=system.mrn_system,
        timezone=ZoneInfo(system.timezone),
        system=system.name,
        kind=SystemKind(system.kind),
        filing={DEFAULT: Filing.PROPOSE} if is_by_bed else filing_of(system, course),
        local_codes=[_local_code(row) for row in read_local_codes(system, at)],
        known=[_known(row) for row in read_known_keys(system, course)],
        own_entries=read_own_entries(system, course),
    )


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


def _known(row: SourceKey) -> KnownKey:
    return KnownKey(
        row.key,
        row.version,
        None if row.entry_id is None else str(row.entry_id),
        KeyState(row.state),
        row.statement,
    )
