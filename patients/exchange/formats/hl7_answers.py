"""Answers to HL7 v2 messages: MSH, MSA and, where one is not accepted, ERR (HL7 v2.9, 2.9.2).

They hold nothing of a patient.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from patients.exchange.formats.hl7_message import Fault, Message
from patients.exchange.formats.hl7_tables import VERSIONS, AnswerCode

_USUAL_VERSION = "2.5.1"


def answer_to(message: Message, fault: Fault | None, now: datetime) -> bytes:
    """Return the answer to ``message`` in its own separators and charset; no ``fault``: AA.

    The answer to the same message at the same time is the same text. A NUL that stands in what is
    repeated from the message is left out: no text of HL7 has one, and none can be stored.
    """
    code = AnswerCode.ACCEPTED if fault is None else fault.answer
    header = message.header
    field = header.separators.field
    segments = [
        _header(message, now),
        field.join(("MSA", code.value, header.raw(10))),
    ]
    if fault is not None:
        segments.append(_error(message, fault))
    text = "".join(f"{segment}\r" for segment in segments).replace("\0", "")
    return text.encode(message.codec, "replace")


def _header(message: Message, now: datetime) -> str:
    header = message.header
    separators = header.separators
    version = header.component(12)
    if VERSIONS.fullmatch(version) is None:
        version = _USUAL_VERSION
    event = header.component(9, 2)
    kind = ["ACK", event, "ACK"] if re.fullmatch(r"[A-Z][0-9A-Z]{2}", event) else ["ACK"]
    fields = (
        separators.component + separators.repetition + separators.escape
        + separators.subcomponent,
        header.raw(5), header.raw(6), header.raw(3), header.raw(4),
        now.strftime("%Y%m%d%H%M%S%z"),
        "",
        separators.component.join(kind),
        hashlib.sha256(f"answer to {message.digest}".encode()).hexdigest()[:20],
        header.raw(11) or "P",
        version,
        "", "", "", "", "",
        header.raw(18),
    )  # fmt: skip
    return separators.field.join(("MSH", *fields)).rstrip(separators.field)


def _error(message: Message, fault: Fault) -> str:
    separators = message.header.separators
    join = separators.component.join
    segment, _, place = fault.location.partition("-")
    field, _, component = place.partition(".")
    location = [segment, "1", field, "1", component] if field else [segment]
    error = fault.error
    fields = (
        "",
        join(location).rstrip(separators.component),
        join((error.number, error.text, "HL70357")),
        "E",
        "",
        "",
        "",
        _escaped(fault.words, message),
    )
    return separators.field.join(("ERR", *fields))


def _escaped(words: str, message: Message) -> str:
    """Return our own words with the separators of the message escaped."""
    separators = message.header.separators
    names = {
        separators.field: "F", separators.component: "S", separators.repetition: "R",
        separators.subcomponent: "T", separators.escape: "E",
    }  # fmt: skip
    escape = separators.escape
    return "".join(f"{escape}{names[c]}{escape}" if c in names else c for c in words)
