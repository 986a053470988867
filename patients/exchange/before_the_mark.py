"""Chart or propose the last set of signs that a monitor sent before a mark of the clock.

It was thinned out when it came, for nobody knew then that it was the last of its span of time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import transaction

from crs_app.record.models import EventKind
from crs_app.record.write import record_event
from patients.exchange.chart_message import ActOf, chart
from patients.exchange.context_of import context_of, with_known_keys
from patients.exchange.entry_names import named_for
from patients.exchange.formats.convert import convert
from patients.exchange.formats.received import Document, RefusedDocumentError
from patients.exchange.incoming import form_id_of
from patients.exchange.keep import close_by_sender, keep_later
from patients.exchange.stored_message import incoming_of
from patients.exchange.thinning import is_thinned, span_of
from patients.models import Course, ExternalSystem, HeldItem, InboundMessage, SourceKey
from patients.models.charted_times import ONE_TICK
from patients.queries.courses import read_course_by_orm
from patients.queries.exchange import (
    ThinnedRow,
    courses_silent_since,
    open_items,
    read_patient_of,
    read_signs_within,
    read_thinned,
)
from patients.queries.identity import read_clock
from patients.recording.lock import course_queue, lock_course

_MESSAGES_AT_LEAST: Final = 60
_LAST_BEFORE: Final = "the last set before a mark of the clock"
_LATER_SET: Final = "The system sent a later set before the mark of the clock."


def file_before_the_mark(
    system: ExternalSystem, course: Course, document: Document, at: datetime
) -> bool:
    """Chart or propose the last set of the span before those of ``document``; return whether.

    The course is locked. A set that is the last but one of what counts is charted already; then
    nothing is left to do. What was shown until the mark is closed.
    """
    if not document.statements or not is_thinned(system):
        return False
    start, _ = span_of(system, max(one.at for one in document.statements))
    return _file_last_before(system, course, start, at)


def file_of_silent(system: ExternalSystem, now: datetime) -> int:
    """Chart or propose the last sets before the mark of patients of whom nothing came since.

    Returns of how many patients. Ask once after each mark, outside a transaction.
    """
    if not is_thinned(system):
        return 0
    start, end = span_of(system, now)
    filed = 0
    for course_id in courses_silent_since(system, start, start - 2 * (end - start)):
        with course_queue(course_id), transaction.atomic(durable=True):
            course = read_course_by_orm(course_id)
            is_open = lock_course(course) is None
            if is_open and _file_last_before(system, course, start, read_clock()):
                filed += 1
                record_event(
                    EventKind.SYSTEM_WRITE,
                    by=system.user,
                    course_id=course_id,
                    details={"system": system.name, "reason": _LAST_BEFORE},
                )
    return filed


def _file_last_before(
    system: ExternalSystem, course: Course, start: datetime, at: datetime
) -> bool:
    rows = read_thinned(system, course, max(2 * (system.thinning_minutes or 0), _MESSAGES_AT_LEAST))
    waiting = [row for row in rows if row.is_alone and row.at < start]
    if not waiting:
        return False
    last = max(row.at for row in waiting)
    of_span, end = span_of(system, last)
    places = {(row.message, row.place) for row in waiting if row.at == last}
    is_filed = SourceKey.objects.filter(message__in={one for one, _ in places}, at=last).exists()
    if is_filed or read_signs_within(system, course, last + ONE_TICK, end):
        return False
    messages = InboundMessage.objects.select_related("system__user").in_bulk(
        {message for message, _ in places}
    )
    for message in messages.values():
        _file(message, course, {place for one, place in places if one == message.pk}, at)
    shown = (row for row in rows if not row.is_alone and of_span <= row.at < last)
    close_by_sender(system, _items(course, shown), at, _LATER_SET)
    return True


def _file(message: InboundMessage, course: Course, places: set[str], at: datetime) -> None:
    """Chart, hold and remember the statements of a message that stand at ``places``."""
    system, incoming = message.system, incoming_of(message, at)
    try:
        found = read_patient_of(incoming.subject().mrns)
        mrn = None if found is None else found[1]
        context = context_of(system, course, at, mrn=mrn, is_by_bed=mrn is None)
        document = incoming.read(context, at)
    except RefusedDocumentError:
        return  # the name on the chart was corrected since: the message stays, with its remark
    document = replace(
        document,
        statements=tuple(one for one in document.statements if one.source.place in places),
        held=(),
        remarks=(),
        cancelled=(),
    )
    context = with_known_keys(context, system, course, document)
    converted = named_for(course, convert(document, context, at))
    if converted.entries:
        form_id = form_id_of(system, f"{message.control_id} before the mark")
        chart(
            course,
            document,
            converted,
            ActOf(system, message.pk, message.digest, form_id, incoming.sent_at),
        )
    keep_later(message, course, converted, at)


def _items(course: Course, shown: Iterable[ThinnedRow]) -> list[HeldItem]:
    """Read the items that stand at the places of ``shown`` and that nobody has decided."""
    places: set[tuple[uuid.UUID, str]] = {(row.message, row.place) for row in shown}
    if not places:
        return []
    items = open_items(course).filter(message__in={message for message, _ in places})
    return [one for one in items if (one.message_id, one.place) in places]
