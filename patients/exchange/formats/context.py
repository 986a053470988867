"""What is configured of another system and already charted of the patient, for the converter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo


class SystemKind(Enum):
    EHR = "ehr"
    MONITOR = "monitor"
    LABORATORY = "laboratory"
    PUMP = "pump"


class Filing(Enum):
    """Whether what a system sends is charted at once, or proposed to people."""

    FILE = "file"
    PROPOSE = "propose"


@dataclass(frozen=True, slots=True)
class LocalCode:
    """A code of one hospital and what it means: an analyte, a vital sign or a drug."""

    system: str
    code: str
    analyte: str = ""
    sign: str = ""
    drug: str = ""


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of the other system that came before.

    ``entry`` is the id of the entry that it is charted in; None: it was retracted before it came,
    or it is held.
    """

    key: str
    version: str | None
    entry: str | None


@dataclass(frozen=True, slots=True)
class Context:
    """A system and an open course.

    ``course`` is the course file of the open course, with its entries. ``mrn_system`` is the
    identifier system of its MRN. ``filing`` has ``default`` and may have kinds of entries.
    ``known`` are the keys of this system; all other entries of the course are people's.
    """

    course: Mapping[str, Any]
    mrn_system: str
    timezone: ZoneInfo
    system: str
    kind: SystemKind
    filing: Mapping[str, Filing]
    local_codes: Sequence[LocalCode] = ()
    known: Sequence[KnownKey] = field(default_factory=tuple)
