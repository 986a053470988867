"""The patient of an HL7 v2 message: record numbers, and what contradicts the chart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from patients.exchange.formats.hl7_message import Fault, FaultyMessageError, Message, Segment
from patients.exchange.formats.hl7_tables import (
    MEDICAL_RECORD_NUMBER,
    NAMES_OF_BEFORE,
    REQUIRED,
    UNKNOWN_KEY,
    AnswerCode,
)
from patients.exchange.formats.names import is_name_of

_OID: Final = "urn:oid:"


def record_numbers(message: Message, mrn_system: str) -> tuple[str, ...]:
    """Return the medical record numbers that every PID of the message has, in their order.

    They are the repetitions of PID-3 of type MR (HL7 table 0203), or whose assigning authority's
    universal id is that of ``mrn_system``, a URI. Raises ``FaultyMessageError`` where there is
    none: 101 where PID-3 is empty, else 204.
    """
    found: tuple[str, ...] | None = None
    for segment in message.named("PID"):
        numbers = _numbers(segment, mrn_system)
        found = numbers if found is None else tuple(one for one in found if one in numbers)
    if found is None:
        raise FaultyMessageError(_missing("PID-3", "the message has no patient"))
    if not found:
        raise FaultyMessageError(_unknown("the segments PID name more than one patient"))
    return found


def bed(message: Message) -> tuple[str, str] | None:
    """Return point of care and bed of PV1-3, where the message names no patient but a bed."""
    if any(segment.raw(3) for segment in message.named("PID")):
        return None
    for segment in message.named("PV1"):
        place = (segment.component(3, 1), segment.component(3, 3))
        if all(place):
            return place
    return None


def require_patient(message: Message, mrn_system: str, patient: Mapping[str, Any]) -> None:
    """Raise ``FaultyMessageError`` unless the message is about ``patient`` of a course file."""
    if str(patient.get("mrn", "")) not in record_numbers(message, mrn_system):
        raise FaultyMessageError(unknown_patient())
    require_no_contradiction(message, patient)


def require_no_contradiction(message: Message, patient: Mapping[str, Any]) -> None:
    """Raise ``FaultyMessageError`` where a name or birth date is not that of ``patient``.

    What either side lacks contradicts nothing.
    """
    for segment in message.named("PID"):
        if not is_name_of(_family_name(segment), str(patient.get("name") or "")):
            raise FaultyMessageError(_contradiction("PID-5", "family name"))
        sent = re.sub(r"[^0-9]", "", segment.component(7))[:8]
        charted = str(patient.get("birth_date") or "").replace("-", "")
        if sent and charted and not charted.startswith(sent):
            raise FaultyMessageError(_contradiction("PID-7", "birth date"))


def unknown_patient() -> Fault:
    """Return the fault of a message about a patient who has no open course here."""
    return _unknown("no open course has this record number")


def _numbers(segment: Segment, mrn_system: str) -> tuple[str, ...]:
    if not segment.plain(segment.raw(3)):
        raise FaultyMessageError(_missing("PID-3", "the patient has no record number"))
    authorities = {mrn_system, mrn_system.removeprefix(_OID)} - {""}
    found: dict[str, None] = {}
    is_empty = True
    for repetition in segment.repetitions(3):
        raw_parts = repetition.split(segment.separators.component) + [""] * 5
        number, kind = segment.plain(raw_parts[0]), segment.plain(raw_parts[4])
        universal_id = [*segment.subcomponents(raw_parts[3]), ""][1]
        is_empty = is_empty and not number
        if number and (kind == MEDICAL_RECORD_NUMBER or universal_id in authorities):
            found[number] = None
    if is_empty:
        raise FaultyMessageError(_missing("PID-3", "the patient has no record number"))
    if not found:
        raise FaultyMessageError(_unknown("no identifier is a medical record number (MR)"))
    return tuple(found)


def _family_name(segment: Segment) -> str:
    """Return PID-5.1.1 of the first name that is not a former one."""
    for repetition in segment.repetitions(5):
        raw_parts = repetition.split(segment.separators.component) + [""] * 7
        if segment.plain(raw_parts[6]) not in NAMES_OF_BEFORE:
            return segment.subcomponents(raw_parts[0])[0]
    return ""


def _missing(location: str, words: str) -> Fault:
    return Fault(AnswerCode.ERROR, REQUIRED, "patient.missing", location, words)


def _unknown(words: str) -> Fault:
    return Fault(AnswerCode.ERROR, UNKNOWN_KEY, "patient.unknown", "PID-3", words)


def _contradiction(location: str, what: str) -> Fault:
    words = f"{what} and chart contradict each other"
    return Fault(AnswerCode.ERROR, UNKNOWN_KEY, "patient.contradiction", location, words)
