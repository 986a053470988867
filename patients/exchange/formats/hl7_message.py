"""HL7 v2 messages: bytes to segments, and what of the header decides whether they are read.

The message is split by hand: the parser of PyPI ``hl7`` takes seconds and hundreds of megabytes
for a message of 1 MB, and its unescaping writes what it cannot read to the log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from grading.plain_text import disallowed_character
from patients.exchange.formats.hl7_tables import (
    CHARSETS,
    DATA_TYPE,
    DEFAULT_CODEC,
    EVENT,
    MESSAGE_TYPE,
    PROCESSING_ID,
    PRODUCTION,
    REQUIRED,
    SEQUENCE,
    TABLE_VALUE,
    TOO_LONG,
    VERSION,
    VERSIONS,
    AnswerCode,
    ErrorCode,
)
from patients.exchange.formats.hl7_values import NULL, Separators
from patients.exchange.formats.mllp_frames import LONGEST_MESSAGE, START, Frame, FrameSplitter
from patients.exchange.formats.received import RefusedDocumentError

LONGEST_CONTROL_ID: Final = 199
"""MSH-10 (HL7 v2.7 and later; earlier versions allow 20)."""
_ENVELOPES: Final = (b"FHS", b"BHS", b"BTS", b"FTS")
"""Segments around the messages of a batch file; they do not name a patient."""
_USUAL_HEADER: Final = "MSH|^~\\&"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message is not accepted.

    ``reason`` is a reason word of the exchange, ``location`` where it stands (``PID-3``) and
    ``words`` what is wrong, without anything of the patient.
    """

    answer: AnswerCode
    error: ErrorCode
    reason: str
    location: str
    words: str


class FaultyMessageError(RefusedDocumentError):
    """A message that is not accepted; ``fault`` says how it is answered."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason, fault.location, fault.words)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; fields and components are numbered from 1, as in the standard."""

    name: str
    fields: tuple[str, ...]
    separators: Separators
    decoded: Callable[[bytes], str]

    def raw(self, field: int) -> str:
        """Return a field as it was sent; empty where the segment is shorter."""
        return self.fields[field] if field < len(self.fields) else ""

    def repetitions(self, field: int) -> list[str]:
        """Return the repetitions of a field as they were sent."""
        return _split(self.raw(field), self.separators.repetition)

    def components(self, repetition: str) -> list[str]:
        """Return the components of one repetition, unescaped; a null is empty."""
        return [self.plain(part) for part in _split(repetition, self.separators.component)]

    def subcomponents(self, component: str) -> list[str]:
        """Return the subcomponents of one component as it was sent, unescaped."""
        return [self.plain(part) for part in _split(component, self.separators.subcomponent)]

    def plain(self, text: str) -> str:
        """Return a part of a field unescaped and without blanks around it; a null is empty."""
        return "" if text == NULL else self.separators.unescaped(text, self.decoded).strip(" ")

    def component(self, field: int, number: int = 1) -> str:
        """Return one component of the first repetition of a field, unescaped."""
        parts = self.components(self.repetitions(field)[0])
        return parts[number - 1] if number <= len(parts) else ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message in segments; with a ``fault``, as much of its header as can be read."""

    header: Segment
    segments: tuple[Segment, ...]
    digest: str
    codec: str
    fault: Fault | None = None

    @property
    def control_id(self) -> str:
        """The sender's name of the message (MSH-10), as it was sent; a null and blanks are none."""
        sent = self.header.raw(10)
        return "" if sent.strip(" ") in ("", NULL) else sent

    def named(self, name: str) -> Iterator[Segment]:
        """Give the segments of one name in their order."""
        return (segment for segment in self.segments if segment.name == name)


def is_hl7(raw: bytes) -> bool:
    """Return whether a file begins as one of HL7 v2: a message, a frame, or a batch of messages."""
    beginning = raw.removeprefix(_BYTE_ORDER_MARK).lstrip(b"\r\n")
    return beginning.startswith((b"MSH", START, *_ENVELOPES))


def split_messages(raw: bytes) -> tuple[list[Frame], int]:
    """Return the messages of a file and how many of its bytes are part of none.

    The file holds frames, or messages one after another; each segment ends with CR, LF or both.
    """
    raw = raw.removeprefix(_BYTE_ORDER_MARK)
    start, header = raw.find(START), raw.find(b"MSH")
    if start >= 0 and (header < 0 or start < header):
        splitter = FrameSplitter()
        frames = splitter.feed(raw)
        splitter.close()
        return frames, splitter.ignored
    found: list[list[bytes]] = []
    ignored = 0
    for line in _lines(raw):
        if line.startswith(b"MSH"):
            found.append([line])
        elif found and not line.startswith(_ENVELOPES):
            found[-1].append(line)
        else:
            ignored += 0 if line.startswith(_ENVELOPES) else len(line)
    return [Frame(b"\r".join(lines)) for lines in found], ignored


def parse_message(frame: Frame, codec: str = DEFAULT_CODEC) -> Message:
    """Return the message in segments; no bytes raise, for what is wrong stands in its ``fault``.

    ``codec`` is the system's, for messages without MSH-18.
    """
    raw = frame.message
    digest = hashlib.sha256(raw).hexdigest()
    lines = _lines(raw.removeprefix(_BYTE_ORDER_MARK))
    first = lines[0] if lines else b""
    header = _header_of_ascii(first)
    try:
        if frame.is_too_long or len(raw) > LONGEST_MESSAGE:
            raise _unreadable(TOO_LONG, "", f"longer than {LONGEST_MESSAGE} bytes")
        _require_separators(first)
        codec = _codec(header, codec)
        text = _decode(b"\r".join(lines), codec)
    except FaultyMessageError as error:
        return Message(header, (header,), digest, "ascii", error.fault)
    segments = tuple(_segments(text, header.separators, codec))
    return Message(segments[0], segments, digest, codec, _fault_of(segments))


def _unreadable(error: ErrorCode, location: str, words: str) -> FaultyMessageError:
    return FaultyMessageError(Fault(AnswerCode.REJECTED, error, "structure", location, words))


def _lines(raw: bytes) -> list[bytes]:
    return [line for line in re.split(rb"[\r\n]+", raw) if line.strip(b" \t\x00\x1a")]


def _split(text: str, separator: str) -> list[str]:
    return text.split(separator) if separator else [text]


def _separators(header: str) -> Separators:
    """Return what MSH-1 and MSH-2 say; the usual ones stand for those that are not there."""
    if len(header) < 4:
        return Separators()
    # One more than the five that are used: MSH-2 may have the truncation character of v2.7.
    encoding = header[4:].split(header[3], 1)[0][:4]
    usual = "^~\\&"
    return Separators(header[3], *(encoding + usual[len(encoding) :]))


def _works(separators: Separators) -> bool:
    """Say whether the separators can take a message apart: five marks that differ."""
    used = (
        separators.field + separators.component + separators.repetition
        + separators.escape + separators.subcomponent
    )  # fmt: skip
    return len(set(used)) == len(used) and all(
        "!" <= mark <= "~" and not mark.isalnum() for mark in used
    )


def _require_separators(line: bytes) -> None:
    """Raise ``FaultyMessageError`` unless ``line`` begins a message whose separators can work."""
    if not line.startswith(b"MSH"):
        raise _unreadable(SEQUENCE, "MSH", "the message does not begin with MSH")
    if len(line) < 8 or not _works(_separators(line.decode("latin-1"))):
        raise _unreadable(DATA_TYPE, "MSH-2", "MSH-1 and MSH-2 are no separators")


def _header_of_ascii(line: bytes) -> Segment:
    """Return as much of MSH as its ASCII characters say, for an answer to what cannot be read."""
    text = re.sub(r"[^ -~]", "", line[:2_000].decode("ascii", "ignore"))
    if not text.startswith("MSH") or len(text) < 8:
        text = _USUAL_HEADER
    elif not _works(_separators(text)):
        fields = [] if text[3].isalnum() else text.replace("|", text[3]).split(text[3])[2:]
        text = "|".join((_USUAL_HEADER, *fields))
    return next(_segments(text, _separators(text), "ascii"))


def _codec(header: Segment, codec: str) -> str:
    word = header.plain(header.repetitions(18)[0])
    if not word:
        return codec
    if word not in CHARSETS:
        known = ", ".join(CHARSETS)
        raise _unreadable(TABLE_VALUE, "MSH-18", f"charset is none of {known}")
    return CHARSETS[word]


def _decode(raw: bytes, codec: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        words = f"byte {error.start + 1} is no {codec} text"
        raise _unreadable(DATA_TYPE, "MSH-18", words) from error
    except (LookupError, ValueError) as error:  # a codec that is none of text
        words = "the charset of the system reads no text"
        raise _unreadable(DATA_TYPE, "MSH-18", words) from error


def _segments(text: str, separators: Separators, codec: str) -> Iterator[Segment]:
    def decoded(sequence: bytes) -> str:
        return sequence.decode(codec)

    for line in text.split("\r"):
        fields = line.split(separators.field)
        if fields[0] == "MSH":  # MSH-1 is the separator itself
            fields.insert(1, separators.field)
        yield Segment(fields[0].strip(), tuple(fields), separators, decoded)


def _fault_of(segments: tuple[Segment, ...]) -> Fault | None:
    """Return why the header forbids that the message is read, None where it does not."""
    header = segments[0]
    kind, event = header.component(9), header.component(9, 2)
    control_id = header.raw(10)
    faults = (
        (
            any(segment.name == "MSH" for segment in segments[1:]),
            SEQUENCE, "structure", "MSH", "one message has one MSH segment",
        ),
        (
            disallowed_character(control_id) is not None,
            DATA_TYPE, "structure", "MSH-10", "the control id has control characters",
        ),
        (
            len(control_id) > LONGEST_CONTROL_ID,
            TOO_LONG, "structure", "MSH-10", f"longer than {LONGEST_CONTROL_ID} characters",
        ),
        (kind != "ORU", MESSAGE_TYPE, "type.unsupported", "MSH-9.1", "only ORU^R01 is read"),
        (event != "R01", EVENT, "type.unsupported", "MSH-9.2", "only ORU^R01 is read"),
        (
            header.component(11) != PRODUCTION,
            PROCESSING_ID, "processing.unsupported", "MSH-11", "only production (P) is read",
        ),
        (
            VERSIONS.fullmatch(header.component(12)) is None,
            VERSION, "version.unsupported", "MSH-12", "versions 2.3 to 2.8 are read",
        ),
    )  # fmt: skip
    for is_so, error, reason, location, words in faults:
        if is_so:
            return Fault(AnswerCode.REJECTED, error, reason, location, words)
    if control_id.strip(" ") in ("", NULL):
        words = "the message has no control id"
        return Fault(AnswerCode.ERROR, REQUIRED, "structure", "MSH-10", words)
    return None
