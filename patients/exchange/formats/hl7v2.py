"""HL7 v2 results (ORU^R01, versions 2.3 to 2.8): messages to statements and answers.

``parse_message`` and ``hl7_patient`` read the envelope, ``hl7_results.read_results`` the
statements, ``answer_to`` writes the answer. ``read_messages`` does it all for a file.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import datetime

from patients.exchange.formats.context import Context
from patients.exchange.formats.hl7_answers import answer_to
from patients.exchange.formats.hl7_message import (
    Fault,
    FaultyMessageError,
    Message,
    parse_message,
    split_messages,
)
from patients.exchange.formats.hl7_patient import require_patient
from patients.exchange.formats.hl7_results import read_results
from patients.exchange.formats.hl7_tables import DUPLICATE_KEY, AnswerCode
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.formats.received import Document, Held, RefusedDocumentError

CONTRADICTION = "patient.contradiction"


@dataclass(frozen=True, slots=True)
class MessageRead:
    """One message of a file, what is answered, and what it says.

    ``document`` is None where nothing of the message is to be filed: it is refused, or came before
    and is answered as then (``is_replay``). Of a patient who contradicts the chart it has that as
    its one held item.
    """

    message: Message
    code: AnswerCode
    answer: bytes
    document: Document | None
    fault: Fault | None = None
    is_replay: bool = False


def read_messages(
    raw: bytes,
    context: Context,
    now: datetime,
    seen: MutableMapping[str, str] | None = None,
) -> tuple[MessageRead, ...]:
    """Read the messages of a file, framed or one after another, as of one system and patient.

    ``seen`` has digests by control id of the messages that came before and gets those of this
    file: hand the same one on for each file of a system. Raises ``RefusedDocumentError`` where no
    message is in the file.
    """
    frames, ignored = split_messages(raw)
    if not frames:
        raise RefusedDocumentError("structure", "file", f"no message in {ignored} bytes")
    before = {} if seen is None else seen
    return tuple(_read(frame, context, now, before) for frame in frames)


def fault_by_control_id(message: Message, digest_before: str | None) -> Fault | None:
    """Return the fault of a message whose control id was used before for other bytes."""
    if digest_before is None or digest_before == message.digest:
        return None
    words = "the control id was used before with other contents"
    return Fault(AnswerCode.REJECTED, DUPLICATE_KEY, "control_id.reused", "MSH-10", words)


def held_for(fault: Fault) -> Iterator[Held]:
    """Give the held item of a message that is not accepted, where people must look at it."""
    if fault.reason == CONTRADICTION:
        yield Held(CONTRADICTION, fault.location, fault.words)


def _read(
    frame: Frame, context: Context, now: datetime, seen: MutableMapping[str, str]
) -> MessageRead:
    message = parse_message(frame)
    control_id = message.control_id
    fault = message.fault or fault_by_control_id(message, seen.get(control_id))
    is_replay = fault is None and control_id in seen
    if control_id:
        seen.setdefault(control_id, message.digest)
    if fault is None:
        try:
            require_patient(message, context.mrn_system, context.course.get("patient", {}))
        except FaultyMessageError as error:
            fault = error.fault
    answer = answer_to(message, fault, now)
    if fault is not None:
        items = () if is_replay else tuple(held_for(fault))
        document = Document((), items) if items else None
        return MessageRead(message, fault.answer, answer, document, fault, is_replay)
    document = None if is_replay else read_results(message, context)
    return MessageRead(message, AnswerCode.ACCEPTED, answer, document, None, is_replay)
