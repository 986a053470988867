"""Say what a code of one hospital means, and what that makes of the items that are held.

A new row is never filed by itself: what was held becomes a proposal, which a person charts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

from crs_app.accounts.models import User
from crs_app.accounts.permissions import check_can_manage_systems
from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.exchange.context_of import context_of
from patients.exchange.formats.context import Context, Filing
from patients.exchange.formats.context import LocalCode as CodeOfContext
from patients.exchange.formats.convert import convert
from patients.exchange.formats.received import Held, RefusedDocumentError
from patients.exchange.inbox_cards import segment_of
from patients.exchange.keep import proposal_words
from patients.exchange.register import DEFAULT
from patients.exchange.stored_message import incoming_of
from patients.models import (
    Course,
    Decided,
    ExternalSystem,
    HeldDecision,
    HeldItem,
    InboundMessage,
    LocalCode,
    MessageFormat,
)
from patients.queries.courses import read_course
from patients.queries.exchange import open_items, read_patient_of
from patients.queries.identity import read_clock
from patients.recording.inputs import ConflictError
from patients.recording.lock import lock_course

UNKNOWN_CODE: Final = "code.unknown"
MESSAGES_AT_MOST: Final = 1_000
"""Messages of which held items are read again, the newest; older ones wait for a person."""


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code and what it is to mean; ``about`` and ``means`` are empty: nothing any more."""

    coding_system: str
    code: str
    text: str
    unit: str
    about: str
    means: str


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """An item that is held, and what it is held as once its code is known."""

    item: HeldItem
    held: Held


@dataclass(frozen=True, slots=True)
class Effects:
    """What a new code makes of the items that are held.

    ``proposed`` would be proposals; ``still_held`` are known then and held for another reason, by
    the reason word; ``patients`` counts whom the proposals are about.
    """

    proposed: int
    patients: int
    still_held: Mapping[str, int]


class MappedMeanwhileError(ConflictError):
    """Another administrator has mapped the code since the page was shown."""

    def __init__(self, row: LocalCode) -> None:
        super().__init__(
            f"{row.by.display_name} has said what {row.code} means since this page was opened. "
            "Look at the list before you change it."
        )


def effects_of(system: ExternalSystem, new: NewCode) -> Effects:
    """Return what ``new`` would make of what is held; nothing is stored."""
    again = [
        one
        for course_id, items in _items_by_course(system).items()
        for one in _read_again(system, read_course(course_id), items, new)
    ]
    proposed = [one for one in again if one.held.proposal is not None]
    reasons: dict[str, int] = defaultdict(int)
    for one in again:
        if one.held.proposal is None:
            reasons[one.held.reason] += 1
    courses = {one.item.course_id for one in proposed}
    return Effects(len(proposed), len(courses), dict(reasons))


@transaction.atomic
def add_code(system: ExternalSystem, new: NewCode, by: User, seen: int) -> Effects:
    """Store what a code means from now on, and propose what is held of it.

    ``seen`` is the key of the last row about this code that the page showed, 0 for none. The same
    again, as by a second tap, changes nothing. Raises MappedMeanwhileError.
    """
    check_can_manage_systems(by)
    ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
    before = last_row(system, new.coding_system, new.code)
    if before is not None and before.pk != seen:
        if before.by_id == by.pk and _states(before, new):
            return Effects(0, 0, {})
        raise MappedMeanwhileError(before)
    now = read_clock()
    LocalCode.objects.create(
        system=system,
        coding_system=new.coding_system,
        code=new.code,
        text=new.text,
        unit=new.unit,
        about=new.about,
        means=new.means,
        by=by,
        at=now,
        valid_from=now,
    )
    effects = _propose(system, new, by, now) if new.means else Effects(0, 0, {})
    record_event(
        EventKind.SYSTEM_CHANGED,
        by=by,
        details={
            "system": system.name,
            "code": new.code,
            "means": new.means or "nothing",
            "proposed": str(effects.proposed),
        },
    )
    return effects


def _states(row: LocalCode, new: NewCode) -> bool:
    """Return whether a row is what ``new`` would add."""
    stored = (row.text, row.unit, row.about, row.means)
    return stored == (new.text, new.unit, new.about, new.means)


def last_row(system: ExternalSystem, coding_system: str, code: str) -> LocalCode | None:
    """Read the last row about a code of a system."""
    rows = LocalCode.objects.filter(system=system, coding_system=coding_system, code=code)
    return rows.select_related("by").order_by("-pk").first()


def current_codes(system: ExternalSystem) -> list[LocalCode]:
    """Read the last row of each code of a system, in order of codes; also of those that mean
    nothing any more."""
    rows = LocalCode.objects.filter(system=system).select_related("by")
    return list(rows.order_by("code", "coding_system", "-pk").distinct("code", "coding_system"))


def count_codes(system: ExternalSystem) -> int:
    """Count every row about a code of a system, also those that a later row replaces."""
    return LocalCode.objects.filter(system=system).count()


def segments_with_unknown_codes(system: ExternalSystem) -> list[str]:
    """Return the segments of HL7 v2 of which the code is not known, of the newest messages."""
    items = open_items().filter(message__system=system, reason=UNKNOWN_CODE)
    items = items.filter(message__format=MessageFormat.HL7_V2).select_related("message")
    return [segment_of(item) for item in items.order_by("-held_at")[:MESSAGES_AT_MOST]]


def _propose(system: ExternalSystem, new: NewCode, by: User, now: datetime) -> Effects:
    proposed = 0
    patients = set()
    reasons: dict[str, int] = defaultdict(int)
    for course_id in sorted(_items_by_course(system), key=str):
        course = read_course(course_id)
        lock_course(course)
        items = _items_by_course(system, course).get(course_id, [])
        for one in _read_again(system, course, items, new):
            _replace(one, by, now)
            if one.held.proposal is None:
                reasons[one.held.reason] += 1
                continue
            proposed += 1
            patients.add(course_id)
    return Effects(proposed, len(patients), dict(reasons))


def _replace(one: ReadAgain, by: User, now: datetime) -> None:
    """Store that the code of an item was mapped, and the item that it is now."""
    item, held = one.item, one.held
    HeldDecision.objects.create(
        item=item,
        what=Decided.MAPPED,
        by=by,
        author_name=by.display_name,
        author_role=by.role,
        at=now,
    )
    last = HeldItem.objects.filter(message=item.message_id).aggregate(last=Max("number"))["last"]
    HeldItem.objects.create(
        message_id=item.message_id,
        number=last + 1,
        place=item.place,
        reason=held.reason,
        what=held.what or item.what,
        course_id=item.course_id,
        at=held.at or item.at,
        key=held.key or item.key,
        version=held.version if held.key else item.version,
        proposal=None if held.proposal is None else proposal_words(held.proposal),
        count=item.count,
        held_at=now,
        follows=item,
    )


def _items_by_course(
    system: ExternalSystem, course: Course | None = None
) -> dict[Any, list[HeldItem]]:
    """Read the items of a system with an unknown code on open courses, by course."""
    items = open_items(course).filter(
        message__system=system, reason=UNKNOWN_CODE, course__ended_at=None, course__isnull=False
    )
    found: dict[Any, list[HeldItem]] = defaultdict(list)
    for item in items.select_related("message").order_by("-message__received_at", "number"):
        found[item.course_id].append(item)
    return found


def _read_again(
    system: ExternalSystem, course: Course, items: Sequence[HeldItem], new: NewCode
) -> Iterator[ReadAgain]:
    """Read the messages of items again with the code known; yield the items that change by it.

    Everything is read as a proposal, and by nothing that is known of keys: what was charted of the
    message stays as it is.
    """
    now = read_clock()
    context = context_of(system, course, now)
    known = CodeOfContext(new.coding_system, new.code, **{new.about: new.means})
    others = [
        one
        for one in context.local_codes
        if (one.system, one.code) != (new.coding_system, new.code)
    ]
    context = replace(
        context, filing={DEFAULT: Filing.PROPOSE}, known=(), local_codes=[*others, known]
    )
    for message, of_message in _by_message(items):
        held = _held_of(message, context, now)
        for item in of_message:
            found = held.get(item.place)
            if found is not None and found.reason != UNKNOWN_CODE:
                yield ReadAgain(item, found)


def _by_message(
    items: Iterable[HeldItem],
) -> Iterator[tuple[InboundMessage, list[HeldItem]]]:
    found: dict[Any, list[HeldItem]] = defaultdict(list)
    for item in items:
        found[item.message_id].append(item)
    for together in list(found.values())[:MESSAGES_AT_MOST]:
        yield together[0].message, together


def _held_of(message: InboundMessage, context: Context, now: datetime) -> dict[str, Held]:
    """Return what a message is held as when it is read again, by place; {} where it is refused."""
    incoming = incoming_of(message, now)
    try:
        found = read_patient_of(incoming.subject().mrns)
        if found is not None:
            patient = {**context.course["patient"], "mrn": found[1]}
            context = replace(context, course={**context.course, "patient": patient})
        converted = convert(incoming.read(context, now), context, now)
    except RefusedDocumentError:
        return {}
    return {one.place: one for one in converted.held}
