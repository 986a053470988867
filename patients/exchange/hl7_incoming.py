"""An HL7 v2 message on its way in, by whatever road it came: a connection, HTTP or a file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from grading.plain_text import without_controls
from patients.exchange.formats.context import Context
from patients.exchange.formats.hl7_answers import answer_to
from patients.exchange.formats.hl7_message import Fault, FaultyMessageError, parse_message
from patients.exchange.formats.hl7_patient import (
    bed,
    record_numbers,
    require_no_contradiction,
    require_patient,
)
from patients.exchange.formats.hl7_results import read_results
from patients.exchange.formats.hl7_tables import (
    APPLICATION,
    DUPLICATE_KEY,
    EVENT,
    MESSAGE_TYPE,
    UNKNOWN_KEY,
    AnswerCode,
    ErrorCode,
)
from patients.exchange.formats.hl7_values import UnreadTimeError, instant
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.formats.received import Document, RefusedDocumentError
from patients.exchange.incoming import (
    FAILED,
    NO_COURSE,
    REUSED,
    STRUCTURE,
    UNKNOWN_PATIENT,
    Outcome,
    Receipt,
    Subject,
)
from patients.models import ExternalSystem, MessageFormat, Verdict

ANSWER: Final = "answer"
CODE: Final = "code"
"""Keys of the stored answer: its text, and AA, AE or AR."""
_NEVER: Final = "NE"
"""HL7 table 0155 (MSH-15): the sender wants no answer."""
_OTHER_TYPES: Final = frozenset({MESSAGE_TYPE, EVENT})
_REFUSED_HERE: Final[Mapping[str, tuple[AnswerCode, ErrorCode, str]]] = {
    UNKNOWN_PATIENT: (AnswerCode.ERROR, UNKNOWN_KEY, "PID-3"),
    NO_COURSE: (AnswerCode.ERROR, UNKNOWN_KEY, "PID-3"),
    REUSED: (AnswerCode.REJECTED, DUPLICATE_KEY, "MSH-10"),
    STRUCTURE: (AnswerCode.REJECTED, APPLICATION, ""),
    FAILED: (AnswerCode.ERROR, APPLICATION, ""),
}
"""How a refusal that knows nothing of HL7 is answered: code, row of table 0357, place."""


class Hl7Message:
    """One message of a system, as ``patients.exchange.file.receive`` takes it."""

    format = MessageFormat.HL7_V2

    def __init__(self, system: ExternalSystem, frame: Frame, received_at: datetime) -> None:
        self.raw = frame.message
        self._system = system
        self._message = parse_message(frame, system.charset)
        self._received_at = received_at

    @property
    def charset(self) -> str:
        """The codec by which the bytes are read."""
        return self._message.codec

    @property
    def control_id(self) -> str:
        """MSH-10; empty where there is none."""
        return without_controls(self._message.control_id)

    @property
    def sent_at(self) -> datetime | None:
        """MSH-7, None where it names no instant."""
        try:
            return instant(self._message.header.component(7), ZoneInfo(self._system.timezone))
        except UnreadTimeError:
            return None

    @property
    def wants_no_answer(self) -> bool:
        """Whether MSH-15 asks for none, and the system is set so that this is obeyed."""
        return self._system.obeys_no_answer and self._message.header.component(15) == _NEVER

    def subject(self) -> Subject:
        """Return record numbers, or ward and bed of a message that names no patient."""
        if self._message.fault is not None:
            raise FaultyMessageError(self._message.fault)
        place = bed(self._message) if self._system.matches_by_bed else None
        if place is not None:
            return Subject(ward=place[0], bed=place[1])
        return Subject(mrns=record_numbers(self._message, self._system.mrn_system))

    def read(self, context: Context, received_at: datetime) -> Document:
        """Return what the results say; raise where name or birth date contradict the chart."""
        del received_at
        patient = context.course["patient"]
        if self.subject().mrns:
            require_patient(self._message, context.mrn_system, patient)
        else:
            require_no_contradiction(self._message, patient)
        return read_results(self._message, context)

    def verdict_of(self, refused: RefusedDocumentError) -> Verdict:
        """Return REJECTED for what is answered AR, whatever is answered to other types."""
        if refused.reason == FAILED:
            return Verdict.FAILED
        is_rejected = _fault_of(refused).answer is AnswerCode.REJECTED
        return Verdict.REJECTED if is_rejected else Verdict.NOT_ACCEPTED

    def answer(self, outcome: Outcome) -> Mapping[str, Any]:
        """Return code and text of the answer."""
        fault = None if outcome.refused is None else _fault_of(outcome.refused)
        if fault is not None and self._system.accepts_other_types and fault.error in _OTHER_TYPES:
            fault = None
        code = AnswerCode.ACCEPTED if fault is None else fault.answer
        text = answer_to(self._message, fault, self._received_at).decode(self._message.codec)
        return {CODE: code.value, ANSWER: text}

    def bytes_of(self, receipt: Receipt) -> bytes:
        """Return the answer of a receipt in the charset of the message."""
        return str(receipt.answer[ANSWER]).encode(self._message.codec, "replace")


def _fault_of(refused: RefusedDocumentError) -> Fault:
    if isinstance(refused, FaultyMessageError):
        return refused.fault
    answer, error, location = _REFUSED_HERE.get(
        refused.reason, (AnswerCode.REJECTED, APPLICATION, "")
    )
    return Fault(answer, error, refused.reason, location, refused.words)
