"""Whether the record is as it was written: each hash again, each chain against its head."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from crs_app.record.models import MAIN_CHAIN, Chain, Event, EventKind
from crs_app.record.write import canonical

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_AT_ONCE: Final = 2000


@dataclass(frozen=True, slots=True)
class Head:
    """The last event of a chain."""

    chain: UUID
    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.chain} {self.number} {self.hash.hex()}"


def read_heads(text: str) -> Iterator[Head]:
    """Return the heads that were printed as ``text``; raise ValueError where a line is none."""
    for line in filter(None, map(str.split, text.splitlines())):
        chain, number, digest = line
        yield Head(UUID(chain), int(number), bytes.fromhex(digest))


@contextmanager
def at_one_moment() -> Iterator[None]:
    """Read as the record is now, whatever is written meanwhile."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def heads() -> Iterator[Head]:
    """Return the stored head of every chain, the main one first."""
    for row in Chain.objects.defer("at").order_by("chain").iterator(_AT_ONCE):
        yield Head(row.chain, row.number, bytes(row.hash))


def faults(kept: tuple[Head, ...] = ()) -> Iterator[str]:
    """Say in a sentence each what is wrong with the record; nothing where it is whole.

    ``kept`` are heads that were printed before and kept elsewhere: each must still stand.
    """
    stored = {head.chain: head for head in heads()}
    named = set(
        Event.objects.filter(chain=MAIN_CHAIN, kind=EventKind.CHAIN_STARTED).values_list(
            "course_id", flat=True
        )
    )
    if MAIN_CHAIN not in stored:
        yield "The main chain has no head: the record was removed, or never started."
    for chain in sorted(named - set(stored), key=str):
        yield f"Chain {chain} is missing as a whole: the main chain names it."
    for chain in sorted(set(stored) - named - {MAIN_CHAIN}, key=str):
        yield f"Chain {chain} is not named by the main chain."
    walked, misdated = set(), _misdated()
    events = Event.objects.order_by("chain", "number", "at").iterator(_AT_ONCE)
    for chain, links in groupby(events, attrgetter("chain")):
        walked.add(chain)
        earlier = [head for head in kept if head.chain == chain]
        if fault := _first_fault(chain, links, stored.get(chain), earlier):
            yield fault
        elif chain in misdated:
            yield f"Chain {chain}: its head has another time than its last event."
    for chain in sorted({*stored, *(head.chain for head in kept)} - walked, key=str):
        yield f"Chain {chain} has no events."


def _misdated() -> set[UUID]:
    """Return the chains whose head has another time than its event: no later one is earlier."""
    its_event = Event.objects.filter(
        chain=OuterRef("chain"), number=OuterRef("number"), at=OuterRef("at")
    )
    return set(Chain.objects.exclude(Exists(its_event)).values_list("chain", flat=True))


def _first_fault(
    chain: UUID, events: Iterator[Event], head: Head | None, kept: list[Head]
) -> str | None:
    """Walk one chain to its first fault; where there is none, compare its end and kept heads."""
    last = Head(chain, 0, b"")
    missed = {each.number: each.hash for each in kept}
    for event in events:
        if event.number != last.number + 1:
            return (
                f"Chain {chain}: after event {last.number} comes {event.number}: "
                "events are missing, or stand twice."
            )
        if bytes(event.hash) != _hash_of(event, last.hash):
            return f"Chain {chain}: event {event.number} was changed, or moved."
        last = Head(chain, event.number, bytes(event.hash))
        if missed.pop(event.number, last.hash) != last.hash:
            return f"Chain {chain}: event {event.number} is not the one that was kept."
    if missed:
        return f"Chain {chain}: event {min(missed)}, which was kept, is missing."
    return None if head == last else _fault_of_end(head, last)


def _fault_of_end(head: Head | None, last: Head) -> str:
    if head is None:
        return f"Chain {last.chain} has events and no head."
    if head.number == last.number:
        return f"Chain {last.chain}: its head does not fit its last event, {last.number}."
    return f"Chain {last.chain} ends at event {last.number}, its head says {head.number}."


def _hash_of(event: Event, before: bytes) -> bytes:
    microseconds = (event.at - _EPOCH) // timedelta(microseconds=1)
    row = canonical(
        event.kind, event.by_id, event.by_name, event.by_role, event.address, event.course_id,
        event.purpose, event.details,
    )  # fmt: skip
    text = f"{event.chain} {event.number} {microseconds} {row}"
    return hashlib.sha256(before + text.encode()).digest()
