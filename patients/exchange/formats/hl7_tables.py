"""Tables of HL7 v2 that the reader and its answers use, as HL7 v2.9 publishes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from patients.exchange.formats.received import Standing


class AnswerCode(Enum):
    """HL7 table 0008, original mode: what an answer says in MSA-1."""

    ACCEPTED = "AA"
    ERROR = "AE"
    REJECTED = "AR"


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A row of HL7 table 0357, for ERR-3."""

    number: str
    text: str


SEQUENCE: Final = ErrorCode("100", "Segment sequence error")
REQUIRED: Final = ErrorCode("101", "Required field missing")
DATA_TYPE: Final = ErrorCode("102", "Data type error")
TABLE_VALUE: Final = ErrorCode("103", "Table value not found")
TOO_LONG: Final = ErrorCode("104", "Value too long")
MESSAGE_TYPE: Final = ErrorCode("200", "Unsupported message type")
EVENT: Final = ErrorCode("201", "Unsupported event code")
PROCESSING_ID: Final = ErrorCode("202", "Unsupported processing id")
VERSION: Final = ErrorCode("203", "Unsupported version id")
UNKNOWN_KEY: Final = ErrorCode("204", "Unknown key identifier")
DUPLICATE_KEY: Final = ErrorCode("205", "Duplicate key identifier")

APPLICATION: Final = ErrorCode("207", "Application error")

DEFAULT_CODEC: Final = "utf-8"
"""The charset of messages without MSH-18, unless the system has another."""
CHARSETS: Final = {"UNICODE UTF-8": "utf-8", "8859/1": "iso-8859-1", "ASCII": "ascii"}
"""Words of HL7 table 0211 (MSH-18) that are read, with the codec of each."""

VERSIONS: Final = re.compile(r"2\.[3-8](\.[0-9])?")
"""MSH-12, HL7 table 0104: 2.3 to 2.8.x."""
PRODUCTION: Final = "P"
"""MSH-11, HL7 table 0103: the only processing id whose results reach a chart."""

RESULT_STATUSES: Final = {
    "F": Standing.FINAL,
    "V": Standing.FINAL,  # verified
    "U": Standing.FINAL,  # turned to final without being sent again
    "C": Standing.CORRECTED,
    "A": Standing.CORRECTED,  # amended
    "B": Standing.CORRECTED,  # appended
    "P": Standing.PRELIMINARY,
    "S": Standing.PRELIMINARY,  # partial
    "R": Standing.PRELIMINARY,  # entered, not verified
    "D": Standing.RETRACTED,  # deletes the result
    "W": Standing.RETRACTED,  # posted as wrong, as for another patient
}
"""HL7 table 0085 (OBX-11). Before approval by people, a device's P, S and R are unvalidated."""
NO_RESULT: Final = {
    "X": "cannot be obtained",
    "N": "not asked for",
    "O": "order detail alone",
    "I": "specimen in the laboratory",
}
"""HL7 table 0085: words that say that there is no result."""
CANCELLED: Final = "X"
"""HL7 table 0085: there will be no result, so that a preliminary one no longer stands."""
WITHOUT_ITS_VALUE: Final = "U"
"""HL7 table 0085: a preliminary result became final and is, as a rule, not sent again."""
WRONG: Final = "W"
"""HL7 table 0085: was sent in error, as to the wrong patient."""

MEDICAL_RECORD_NUMBER: Final = "MR"
"""HL7 table 0203 (PID-3.5)."""
NAMES_OF_BEFORE: Final = frozenset({"M", "B"})
"""HL7 table 0200 (PID-5.7): maiden name, name at birth. They need not be the chart's name."""
