"""Receive one HL7 v2 message, by whatever road it came, and say what is answered."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from patients.exchange.file import receive
from patients.exchange.formats.hl7_tables import AnswerCode
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.hl7_incoming import CODE, Hl7Message
from patients.models import ExternalSystem


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one message: AA, AE or AR, the answer, and the course that it is about.

    ``answer`` is None where the sender wants none. ``summary`` says in plain words what became of
    it, without anything of the patient.
    """

    code: AnswerCode
    answer: bytes | None
    course_id: UUID | None
    summary: str


def receive_frame(system: ExternalSystem, frame: Frame, *, address: str = "") -> Answered:
    """Receive one message; what is returned is committed.

    Raises OperationalError or InterfaceError where the database does not answer: the sender is then
    not answered either, and sends again.
    """
    message = Hl7Message(system, frame, timezone.now())
    receipt = receive(system, message, address=address)
    answer = None if message.wants_no_answer else message.bytes_of(receipt)
    row = receipt.message
    summary = row.reason or f"{row.filed} filed, {row.held} held, {len(row.remarks)} remarks"
    if receipt.is_replay:
        summary = f"came before: {summary}"
    return Answered(AnswerCode(receipt.answer[CODE]), answer, row.course_id, summary)
