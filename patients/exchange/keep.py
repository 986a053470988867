"""Store a message with what became of it: its row, what is held of it, and its keys."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import Max, QuerySet

from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from grading.engine.times import can_be_charted
from patients.exchange.formats.converted import CONFIRMED, Converted
from patients.exchange.formats.received import Held
from patients.exchange.incoming import CONTRADICTION, Incoming, Outcome, Receipt
from patients.models import (
    Course,
    Decided,
    ExternalSystem,
    HeldDecision,
    HeldItem,
    InboundMessage,
    KeyStanding,
    MessageFormat,
    SourceKey,
    Verdict,
)
from patients.models.exchange import WITHDRAWN
from patients.queries.exchange import open_items_of_keys

_PLACE_AT_MOST: Final = 300
_SENT_AGAIN: Final = "The system sent this again."


@dataclass(slots=True)
class Receiving:
    """A message while it is received."""

    system: ExternalSystem
    incoming: Incoming
    address: str
    digest: str
    control_id: str
    is_recorded: bool
    message_id: uuid.UUID = field(default_factory=uuid.uuid4)


def keep(
    receiving: Receiving,
    same: Sequence[InboundMessage],
    outcome: Outcome,
    course: Course | None,
    received_at: datetime,
) -> Receipt:
    """Store the message with its verdict, and what is held and remembered of it.

    A message that is not accepted for a second time, under the same verdict, is not stored again.
    """
    answer = receiving.incoming.answer(outcome)
    known = next((one for one in same if one.verdict == outcome.verdict), None)
    if known is not None:
        note_call(receiving, known)
        return Receipt(known, answer, is_replay=True)
    converted = outcome.converted or Converted()
    items = _items(receiving, outcome, course, received_at)
    message = InboundMessage.objects.create(
        id=receiving.message_id,
        system=receiving.system,
        control_id=receiving.control_id,
        digest=receiving.digest,
        format=receiving.incoming.format,
        raw=receiving.incoming.raw,
        charset=receiving.incoming.charset,
        received_at=received_at,
        verdict=outcome.verdict,
        reason=outcome.reason,
        answer=answer,
        filed=len(converted.filed) + len(converted.confirmed),
        held=len(items),
        remarks=_remarks(converted),
        course=course,
        address=receiving.address,
    )
    if course is not None:
        _close_items(receiving.system, course, converted, received_at)
        _keep_keys(receiving.system, receiving.message_id, course, converted)
    HeldItem.objects.bulk_create(items)
    note_call(receiving, message)
    return Receipt(message, answer)


def keep_later(message: InboundMessage, course: Course, converted: Converted, at: datetime) -> None:
    """Store items and keys of a message that was received before.

    It follows what was stored of the message then; the message itself stays as it is.
    """
    items, keys = message.held_items.all(), message.keys.all()
    _close_items(message.system, course, converted, at)
    _keep_keys(message.system, message.pk, course, converted, _next_number(keys))
    HeldItem.objects.bulk_create(
        _held_rows(message.pk, converted.held, course, at, _next_number(items))
    )


def _next_number(rows: QuerySet[Any]) -> int:
    last = rows.aggregate(last=Max("number"))["last"]
    return 0 if last is None else last + 1


def close_by_sender(
    system: ExternalSystem, items: Iterable[HeldItem], at: datetime, why: str
) -> None:
    """Close items because their system sent what stands for them."""
    HeldDecision.objects.bulk_create(
        HeldDecision(
            item=item,
            what=Decided.CLOSED,
            by=system.user,
            author_name=system.user.display_name,
            author_role=system.user.role,
            at=at,
            why=why,
        )
        for item in items
    )


def _remarks(converted: Converted) -> list[dict[str, Any]]:
    """Return the remarks as they are stored; ``alone`` are those on what is not charted or held."""
    elsewhere = {one.place for one in converted.filed} | {one.place for one in converted.held}
    return [
        {
            "reason": one.reason,
            "place": one.place,
            "what": one.what,
            "alone": one.place not in elsewhere and one.reason != CONFIRMED,
            **({} if one.at is None else {"at": one.at.isoformat()}),
        }
        for one in converted.remarks
    ]


def _items(
    receiving: Receiving, outcome: Outcome, course: Course | None, received_at: datetime
) -> list[HeldItem]:
    held = () if outcome.converted is None else outcome.converted.held
    refused = outcome.refused
    is_hl7 = receiving.incoming.format is MessageFormat.HL7_V2
    if refused is not None and refused.reason == CONTRADICTION and is_hl7:
        # Swapped monitors and merged records: people must look, whatever the sender does.
        held = (Held(refused.reason, refused.place, refused.words),)
    return _held_rows(receiving.message_id, held, course, received_at)


def _held_rows(
    message_id: uuid.UUID,
    held: Sequence[Held],
    course: Course | None,
    received_at: datetime,
    first: int = 0,
) -> list[HeldItem]:
    return [
        HeldItem(
            message_id=message_id,
            number=number,
            place=one.place[:_PLACE_AT_MOST],
            reason=one.reason,
            what=one.what,
            course=course,
            at=_chartable(one.at),
            key=one.key,
            version=one.version,
            proposal=None if one.proposal is None else proposal_words(one.proposal),
            count=one.count,
            held_at=received_at,
        )
        for number, one in enumerate(held, first)
    ]


def _chartable(at: datetime | None) -> datetime | None:
    """Return the time of an item, None for one that no chart has; ``what`` has it in words."""
    return at if at is not None and can_be_charted(at) else None


def proposal_words(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return a proposed entry as JSON: numbers as the text that they were sent as."""
    return {
        key: f"{value:f}" if isinstance(value, Decimal) else value for key, value in words.items()
    }


def _close_items(
    system: ExternalSystem, course: Course, converted: Converted, at: datetime
) -> None:
    """Close what was held of keys that are charted, retracted or cancelled now, or held again."""
    withdrawn = set(converted.withdrawn_keys)
    again = {one.key for one in converted.held if one.key}
    keys = {*converted.closed_keys, *again} - withdrawn
    for closed, why in ((keys, _SENT_AGAIN), (withdrawn, WITHDRAWN)):
        if closed:
            close_by_sender(system, open_items_of_keys(system, course, sorted(closed)), at, why)


def _keep_keys(
    system: ExternalSystem,
    message_id: uuid.UUID,
    course: Course,
    converted: Converted,
    first: int = 0,
) -> None:
    SourceKey.objects.bulk_create(
        SourceKey(
            system=system,
            course=course,
            message_id=message_id,
            number=number,
            key=one.key,
            version=one.version,
            entry_id=None if one.entry is None else uuid.UUID(one.entry),
            state=KeyStanding(one.state.value),
            statement=None if one.statement is None else dict(one.statement),
            at=_instant(one.statement),
            of_infusion=(one.statement or {}).get("type") == "infusion",
        )
        for number, one in enumerate(converted.keys, first)
    )


def _instant(statement: Mapping[str, Any] | None) -> datetime | None:
    text = (statement or {}).get("at")
    return None if text is None else datetime.fromisoformat(text)


def note_call(receiving: Receiving, message: InboundMessage) -> None:
    """Note in the record that the system wrote; the last statement of the transaction."""
    if receiving.is_recorded:
        return
    record_event(
        EventKind.SYSTEM_WRITE,
        by=receiving.system.user,
        address=receiving.address,
        course_id=message.course_id,
        details={
            "system": receiving.system.name,
            "control id": receiving.control_id,
            "verdict": Verdict(message.verdict).label,
            "reason": message.reason,
            "filed": str(message.filed),
            "held": str(message.held),
        },
    )
