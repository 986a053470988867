"""What is configured of another system and already charted of the patient, for the converter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

ALTERNATIVES: Final = "alternatives"
HELD_AS: Final = "held"
"""Keys of what is stored of a key: the values that differed, and what its reader held."""


class SystemKind(Enum):
    """What another system is; the words are those of ``patients.models.SystemKind``."""

    EHR = "ehr"
    MONITOR = "monitor"
    LABORATORY = "laboratory"
    PUMP = "pump"

    @property
    def is_device(self) -> bool:
        """Whether it sends what no person has looked at yet."""
        return self in (SystemKind.MONITOR, SystemKind.PUMP)


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


class KeyState(Enum):
    """What became of a statement: a key may have been in several states, one after another.

    ``WAITING`` is not charted but still part of a set or an infusion, and charted where a later
    message makes that possible (a flow whose device comes 20 s later). ``ASIDE`` is held and left
    to people, or equal to what people charted. ``RETRACTED`` was taken back, perhaps before it
    came.
    """

    CHARTED = "charted"
    WAITING = "waiting"
    ASIDE = "aside"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key of the other system as it came in one message.

    ``entry`` is the id of the entry that it is charted in, None where it is in none. ``statement``
    is what was stated, as JSON that ``convert`` wrote and reads; None where only key and entry are
    known. Every message with a key adds one of these; in order, the last one holds.
    """

    key: str
    version: str | None
    entry: str | None
    state: KeyState = KeyState.CHARTED
    statement: Mapping[str, Any] | None = None

    @property
    def of_held(self) -> dict[str, Any]:
        """By what the next message recognizes what was held of the key in this one."""
        stored = self.statement or {}
        return {name: stored[name] for name in (ALTERNATIVES, HELD_AS) if name in stored}


@dataclass(frozen=True, slots=True)
class Tapped:
    """What people charted from items of the inbox under their own name.

    ``entries`` are all that they charted in these acts, ``entry`` the last of them. ``is_alone``:
    it is all that they charted, and from this key alone. ``is_of_one_key``: all of it is, such as
    the rate and the stop of an infusion.
    """

    entry: str
    is_alone: bool
    entries: tuple[str, ...] = ()
    is_of_one_key: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """A system and an open course.

    ``course`` is the course file of the open course, with its entries. ``mrn_system`` is the
    identifier system of its MRN. ``filing`` has ``default`` and may have kinds of entries.
    ``known`` are the keys of this system in the order in which they came. ``own_entries`` are ids
    of further entries that came from it (the end of an infusion has no key); all other entries of
    the course are people's. ``tapped`` has by key what people charted from the inbox, where
    a retraction or a correction may be about it.
    """

    course: Mapping[str, Any]
    mrn_system: str
    timezone: ZoneInfo
    system: str
    kind: SystemKind
    filing: Mapping[str, Filing]
    local_codes: Sequence[LocalCode] = ()
    known: Sequence[KnownKey] = field(default_factory=tuple)
    own_entries: frozenset[str] = frozenset()
    tapped: Mapping[str, Tapped] = field(default_factory=dict)
