"""Chart what a message of another system says: one act, whose author is the system."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from patients.exchange.formats.converted import Converted
from patients.exchange.formats.received import Document
from patients.models import ActSource, ChartingAct, Course, ExternalSystem
from patients.queries.exchange import ROW_KEYS
from patients.recording.inputs import NewEntry, Submission
from patients.recording.record import append_act

ISSUED: Final = "issued"
SENT_AT: Final = "sent_at"
"""Keys of the answers of an act: when the sender recorded each entry, and sent the message."""


@dataclass(frozen=True, slots=True)
class ActOf:
    """What an act of a system is known by: the message that it charts and its form id."""

    system: ExternalSystem
    message_id: uuid.UUID
    digest: str
    form_id: uuid.UUID
    sent_at: datetime | None


def chart(course: Course, document: Document, converted: Converted, of: ActOf) -> ChartingAct:
    """Record the entries as one act of the system, with the times of the sender."""
    issued_at = {
        one.source.place: one.issued.isoformat()
        for one in document.statements
        if one.issued is not None
    }
    issued = {
        filed.entry: issued_at[filed.place] for filed in converted.filed if filed.place in issued_at
    }
    answers: dict[str, Any] = {ISSUED: issued} if issued else {}
    if of.sent_at is not None:
        answers[SENT_AT] = of.sent_at.isoformat()
    submission = Submission(
        by=of.system.user,
        form_id=of.form_id,
        request_digest=of.digest,
        answers=answers,
        source=ActSource.INTERFACE,
        message_id=of.message_id,
    )
    return append_act(course, [_new_entry(one) for one in converted.entries], submission).act


def _new_entry(words: Mapping[str, Any]) -> NewEntry:
    replaces = words.get("replaces")
    return NewEntry(
        kind=str(words["kind"]),
        at=datetime.fromisoformat(str(words["at"])),
        body=body_of(words),
        replaces=None if replaces is None else uuid.UUID(str(replaces)),
        id=uuid.UUID(str(words["id"])),
    )


def body_of(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row keeps of an entry of a course file; a null rate is an unknown rate."""
    return {
        key: f"{value:f}" if isinstance(value, Decimal) else value
        for key, value in words.items()
        if key not in ROW_KEYS and (value is not None or key == "rate")
    }
