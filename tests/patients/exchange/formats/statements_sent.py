"""Statements of one system as a reader makes them, and the context that they come into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from patients.exchange.formats.context import Context, Filing, SystemKind
from patients.exchange.formats.convert import context_after, convert
from patients.exchange.formats.converted import Converted
from patients.exchange.formats.received import Content, Document, Received, Source, Standing

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RECEIVED_AT = NOON + timedelta(hours=6)
NEVER_IN_FORCE = frozenset({"id", "recorded_at", "replaces"})


def context(
    entries: Iterable[Mapping[str, Any]] = (),
    kind: SystemKind = SystemKind.EHR,
    filing: Filing = Filing.FILE,
) -> Context:
    course = {
        "format": "crs-course/1",
        "patient": {"mrn": "4711", "name": "Jana Müller", "birth_date": "1980-06-15"},
        "therapy": {"product": "axi-cel", "infused_at": "2026-03-01T10:00:00+00:00"},
        "weight_kg": "80",
        "entries": list(entries),
    }
    return Context(
        course, "urn:oid:2.999.1.4711", ZoneInfo("UTC"), "ehr-1", kind, {"default": filing}
    )


def received(
    content: Content | None,
    key: str = "a",
    *,
    seconds: int = 0,
    version: str | None = None,
    standing: Standing = Standing.FINAL,
    **more: Any,
) -> Received:
    source = Source(f"entry[{key}].resource", key, version)
    return Received(source, standing, NOON + timedelta(seconds=seconds), content, **more)


def converted(context: Context, *statements: Received) -> Converted:
    return convert(Document(statements), context, RECEIVED_AT)


def after(
    context: Context, messages: Iterable[Iterable[Received]]
) -> tuple[Context, list[Converted]]:
    """Return the context after messages, and what became of each."""
    all_converted = []
    for statements in messages:
        one = converted(context, *statements)
        all_converted.append(one)
        context = context_after(context, one)
    return context, all_converted


def in_force(context: Context) -> list[dict[str, Any]]:
    """Return the entries that count, without ids and times of recording, in order."""
    entries = context.course["entries"]
    gone = {entry.get("replaces") for entry in entries}
    counting = [
        {name: value for name, value in entry.items() if name not in NEVER_IN_FORCE}
        for entry in entries
        if entry["id"] not in gone and entry["kind"] != "retraction"
    ]
    return sorted(
        counting, key=lambda entry: (str(entry["at"]), str(sorted(map(str, entry.items()))))
    )
