"""The only door by which what another system sent comes onto the chart.

A message, what it charts, what is held of it and the keys to remember are stored in one
transaction, which holds the lock of the course. A message is kept whatever becomes of it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import DataError, InterfaceError, OperationalError, transaction

from patients.exchange.before_the_mark import file_before_the_mark
from patients.exchange.chart_message import ActOf, chart
from patients.exchange.context_of import context_of, with_known_keys
from patients.exchange.entry_names import named_for
from patients.exchange.formats.context import Context
from patients.exchange.formats.convert import convert
from patients.exchange.formats.received import Document, RefusedDocumentError
from patients.exchange.incoming import (
    FAILED,
    NO_COURSE,
    REUSED,
    STRUCTURE,
    UNKNOWN_PATIENT,
    Incoming,
    Outcome,
    Receipt,
    Subject,
    form_id_of,
)
from patients.exchange.keep import Receiving, keep, note_call
from patients.exchange.thinning import thinned
from patients.models import (
    Course,
    ExternalSystem,
    InboundMessage,
    MessageFormat,
    Verdict,
)
from patients.queries.exchange import (
    lock_control_id,
    read_course_in_bed,
    read_messages_of,
    read_open_course,
    read_patient_of,
)
from patients.queries.identity import read_clock
from patients.recording.lock import course_queue, lock_course

_LOG: Final = logging.getLogger(__name__)
_KEY_AT_MOST: Final = 500
_VERSION_AT_MOST: Final = 200
_CONTROL_ID_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class _Place:
    """The course that a message is about; ``mrn`` as it was sent, None where it came by the bed."""

    course: Course | None = None
    mrn: str | None = None
    refused: RefusedDocumentError | None = None


def receive(
    system: ExternalSystem, incoming: Incoming, *, address: str = "", is_recorded: bool = False
) -> Receipt:
    """Receive a message: chart, hold and remember what it says, and say what is answered.

    The same message again (control id and bytes) is answered as before, once it was accepted or
    rejected; one that was not accepted, or failed here, is tried again. Other bytes under a control
    id that was used are rejected. ``address`` is where it came from; ``is_recorded``: the door by
    which it came records each call itself. Raises OperationalError or InterfaceError where the
    database does not answer: then nothing is stored, and the sender must send again. Call it
    outside a transaction: what it returns is committed.
    """
    digest = hashlib.sha256(incoming.raw).hexdigest()
    control_id = incoming.control_id or digest
    if len(control_id) > _CONTROL_ID_AT_MOST or "\0" in control_id:  # no column can hold it
        control_id = f"sha256 {hashlib.sha256(control_id.encode()).hexdigest()}"
    receiving = Receiving(system, incoming, address, digest, control_id, is_recorded)
    place = _place_of(system, incoming)
    try:
        with _queue(place.course), transaction.atomic(durable=True):
            return _receive(receiving, place)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if isinstance(error, DataError):
            words = "a character or a number that cannot be stored"
            refused = RefusedDocumentError(STRUCTURE, "message", words)
        else:
            _LOG.exception("A message of another system failed")
            words = "a fault of this system; send it again later"
            refused = RefusedDocumentError(FAILED, "message", words)
        with transaction.atomic(durable=True):
            return _keep_refused(receiving, refused)


def _queue(course: Course | None) -> AbstractContextManager[Any]:
    return nullcontext() if course is None else course_queue(course.pk)


def _place_of(system: ExternalSystem, incoming: Incoming) -> _Place:
    """Find the open course of the patient, or say why there is none."""
    try:
        subject = incoming.subject()
    except RefusedDocumentError as refused:
        return _Place(refused=refused)
    if not subject.mrns:
        return _place_by_bed(system, subject)
    found = read_patient_of(subject.mrns)
    if found is None:
        return _Place(refused=_no_patient("no such patient is on the chart"))
    patient, mrn = found
    course = read_open_course(patient)
    if course is None:
        words = "the patient has no open course"
        return _Place(refused=RefusedDocumentError(NO_COURSE, "patient", words))
    return _Place(course, mrn)


def _place_by_bed(system: ExternalSystem, subject: Subject) -> _Place:
    if not system.matches_by_bed:
        return _Place(refused=_no_patient("no record number of the identifier system"))
    course = read_course_in_bed(subject.ward, subject.bed)
    if course is None:
        return _Place(refused=_no_patient("no open course is in this bed"))
    return _Place(course)


def _no_patient(words: str) -> RefusedDocumentError:
    return RefusedDocumentError(UNKNOWN_PATIENT, "patient", words)


def _receive(receiving: Receiving, place: _Place) -> Receipt:
    system = receiving.system
    lock_control_id(system, receiving.control_id)
    before = read_messages_of(system, receiving.control_id)
    same = [one for one in before if one.digest == receiving.digest]
    final = {Verdict.ACCEPTED, Verdict.REJECTED}
    if (answered := next((one for one in same if one.verdict in final), None)) is not None:
        note_call(receiving, answered)
        return Receipt(answered, answered.answer, is_replay=True)
    if before and not same:
        words = "this control id was used before for other contents"
        reused = RefusedDocumentError(REUSED, "message", words)
        outcome = Outcome(Verdict.REJECTED, refused=reused)
        return keep(receiving, same, outcome, None, read_clock())
    return _decide(receiving, same, place)


def _decide(receiving: Receiving, same: Sequence[InboundMessage], place: _Place) -> Receipt:
    incoming, course, refused = receiving.incoming, place.course, place.refused
    if course is not None and lock_course(course) is not None:
        refused = RefusedDocumentError(NO_COURSE, "patient", "the course was closed")
    received_at = read_clock()
    if course is None or refused is not None:
        reason = refused or _no_patient("no such patient is on the chart")
        outcome = Outcome(incoming.verdict_of(reason), refused=reason)
        return keep(receiving, same, outcome, None, received_at)
    try:
        document, context = _read(receiving, course, place.mrn, received_at)
    except RefusedDocumentError as error:
        outcome = Outcome(incoming.verdict_of(error), refused=error)
        return keep(receiving, same, outcome, course, received_at)
    converted = named_for(course, convert(document, context, received_at))
    if converted.entries:
        form_id = form_id_of(receiving.system, receiving.control_id)
        chart(
            course,
            document,
            converted,
            ActOf(
                receiving.system,
                receiving.message_id,
                receiving.digest,
                form_id,
                incoming.sent_at,
            ),
        )
    ids = frozenset(str(entry["id"]) for entry in converted.entries)
    outcome = Outcome(Verdict.ACCEPTED, document=document, converted=converted, entries=ids)
    return keep(receiving, same, outcome, course, received_at)


def _read(
    receiving: Receiving, course: Course, mrn: str | None, received_at: datetime
) -> tuple[Document, Context]:
    """Read the message on the locked course, thinned, and return it with the context it needs.

    It is read again where what is filed before it, or what is known of its keys, changes how it is
    read. Raises RefusedDocumentError.
    """
    system, incoming = receiving.system, receiving.incoming
    context = context_of(system, course, received_at, mrn=mrn, is_by_bed=mrn is None)
    document = incoming.read(context, received_at)
    _check_keys(document)
    if file_before_the_mark(system, course, document, received_at):
        context = context_of(system, course, received_at, mrn=mrn, is_by_bed=mrn is None)
        document = incoming.read(context, received_at)
    context = with_known_keys(context, system, course, document)
    if context.known:
        document = incoming.read(context, received_at)
    may_wait = incoming.format is not MessageFormat.FLOWSHEET
    return thinned(document, context, system, course, may_wait=may_wait), context


def _check_keys(document: Document) -> None:
    """Refuse a document with a key that is too long to be remembered."""
    for one in document.statements:
        key, version = one.source.key, one.source.version or ""
        if len(key) > _KEY_AT_MOST or len(version) > _VERSION_AT_MOST:
            words = f"an identifier of more than {_KEY_AT_MOST} characters"
            raise RefusedDocumentError(STRUCTURE, one.source.place, words)


def _keep_refused(receiving: Receiving, refused: RefusedDocumentError) -> Receipt:
    """Keep a message that a fault stopped; nothing of it is charted."""
    lock_control_id(receiving.system, receiving.control_id)
    before = read_messages_of(receiving.system, receiving.control_id)
    same = [one for one in before if one.digest == receiving.digest]
    verdict = Verdict.FAILED if refused.reason == FAILED else Verdict.REJECTED
    outcome = Outcome(verdict, refused=refused)
    return keep(receiving, same, outcome, None, read_clock())
