"""What becomes of a document of another system: new entries, what is held, keys to remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from patients.exchange.formats.context import KnownKey
from patients.exchange.formats.received import Held, Remark

CONFIRMED: Final = "confirmed"
"""Reason word of the remark on a statement that people charted with the same value."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A statement that is charted: where it stands, its key, and the entry that it is part of.

    ``entry`` is the id of a new entry, or of one charted before that needs no change. For a
    retraction it is the id of the entry that takes the place of the old one.
    """

    place: str
    key: str
    entry: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A statement with the value that people charted in the same minute: no second entry."""

    key: str
    entry: str


@dataclass(frozen=True, slots=True)
class Converted:
    """What ``convert`` makes of one document.

    ``entries`` are new entries in the words of the course file, with ids of their own (UUIDs),
    corrections (``replaces``) and retractions too, in the order in which they are recorded.
    Every statement of the document is counted once: it is in ``filed``, or at least one of ``held``
    has its place, or one of ``remarks`` has. A detail of a charted statement that cannot be charted
    is held too, and what is unusual in it is a remark.

    ``keys`` are to be remembered, in this order, with the message; they come back as
    ``Context.known``. ``closed_keys`` are the keys of which what was held before is closed: it is
    charted now, or retracted. ``withdrawn_keys`` are those of them that were held alone, and that
    their sender cancelled or retracted.
    """

    entries: tuple[Mapping[str, Any], ...] = ()
    filed: tuple[Filed, ...] = ()
    held: tuple[Held, ...] = ()
    remarks: tuple[Remark, ...] = ()
    keys: tuple[KnownKey, ...] = ()
    closed_keys: tuple[str, ...] = ()
    withdrawn_keys: tuple[str, ...] = ()
    confirmed: tuple[Confirmed, ...] = ()
