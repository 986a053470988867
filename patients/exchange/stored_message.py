"""Read a stored message again, as it came in."""

from __future__ import annotations

from datetime import datetime

from patients.exchange.fhir_message import fhir_message
from patients.exchange.formats.mllp_frames import Frame
from patients.exchange.hl7_incoming import Hl7Message
from patients.exchange.incoming import Incoming
from patients.models import InboundMessage, MessageFormat


def incoming_of(message: InboundMessage, now: datetime) -> Incoming:
    """Return a stored message as it came in; not one of a flowsheet, whose map is not stored."""
    raw, system = bytes(message.raw), message.system
    if message.format == MessageFormat.FHIR:
        return fhir_message(raw, system.mrn_system)
    return Hl7Message(system, Frame(raw), now)
