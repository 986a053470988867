"""What a document of another system says, before the rules of filing decide what is charted.

A reader (FHIR, HL7 v2, flowsheet) makes a ``Received`` of each statement of its document;
``convert`` makes entries, held items and remarks of them. Readers know codes, units and grammars;
``convert`` knows keys, sets, duplicates and filing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any


class Standing(Enum):
    """How sure the other system is of a statement."""

    FINAL = "final"
    CORRECTED = "corrected"
    PRELIMINARY = "preliminary"
    UNVALIDATED = "unvalidated"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement stands.

    ``place`` is where in the document (``entry[3].resource``, ``OBX[2]``). ``key`` is its lasting
    name in the other system: the same key again is the same statement. What is both a vital sign
    and oxygen (SpO2 with a flow) makes two statements with a key each: ``Observation/o1`` and
    ``Observation/o1#oxygen``. ``version`` orders versions
    of one key, compared as numbers where both are numbers; None where the system gives none.
    """

    place: str
    key: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A statement that is not charted but shown to people.

    ``reason`` is one of the reason words of the exchange (``unit.unknown``); ``what`` says in plain
    words what was sent, without the patient. ``proposal`` is what one tap would chart: an entry in
    the words of the course file, or None. ``key`` and ``version`` are those of its source, empty
    and None where it has none. ``count`` is how often it occurs, for an item of a flowsheet.
    """

    reason: str
    place: str
    what: str = ""
    proposal: Mapping[str, Any] | None = None
    key: str = ""
    version: str | None = None
    at: datetime | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Remark:
    """What was neither charted nor held, and why (``range.ambiguous``).

    ``at`` is the clinical time of a set of signs that was thinned out.
    """

    reason: str
    place: str
    what: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """Vital signs of one statement, by the field of the course file, as exact text.

    A pressure panel gives its pressures together. ``temperature_f`` stays in Fahrenheit. ``method``
    is how a pressure was taken (``cuff``, ``arterial``), empty where it is not known. ``places``
    are the places of components by field, where a sign has a place of its own. In a retraction a
    value may be empty: the sign alone is known.
    """

    values: Mapping[str, str]
    method: str = ""
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OxygenPart:
    """Device, flow or FiO2 of one statement, or several of them; numbers are exact text.

    ``places`` are the places of components by field. In a retraction a value may be empty.
    """

    device: str | None = None
    flow_l_per_min: str | None = None
    fio2_percent: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WholeEntry:
    """An entry that is complete in itself: ``fields`` of ``kind`` in the words of the course file.

    A laboratory result, a weight, a treatment, a bolus, and every kind that comes by a local code.
    ``thing`` names what the entry is about (``lab:creatinine``): two statements of one thing,
    source and instant contradict each other unless they are equal.
    """

    kind: str
    fields: Mapping[str, Any]
    thing: str


@dataclass(frozen=True, slots=True)
class Infusion:
    """One bag or rate of a drug that runs, in the words of the course file.

    ``fields`` has ``drug`` and ``rate`` (None: not known) with ``unit`` and, for ``ml/h``,
    ``concentration_per_ml``; ``weight_kg`` where the pump was programmed with one. It begins at the
    ``at`` of its statement and runs to ``end``; None: no end was sent. ``is_over``: the system says
    that it no longer runs. ``stop_entry`` is the entry of a course file that the end was written
    from, as our own export says it.
    """

    fields: Mapping[str, Any]
    end: datetime | None
    is_over: bool = False
    stop_entry: Mapping[str, Any] | None = None


Content = Signs | OxygenPart | WholeEntry | Infusion


@dataclass(frozen=True, slots=True)
class Received:
    """One statement of another system: about one patient, at one instant.

    ``content`` is None only for a retraction, which needs no value. ``details`` are parts of the
    statement that are held although the rest is charted (a rate in an unknown unit).
    ``issued`` is when the other system recorded it. ``entry`` is the entry of a course file that
    the statement was written from, where our own export names it; None from all others.
    ``recorded_at`` is when it was charted in a flowsheet; None: when it was received.
    """

    source: Source
    standing: Standing
    at: datetime
    content: Content | None
    details: tuple[Held, ...] = ()
    note: str = ""
    attribution: str | Mapping[str, str] | None = None
    issued: datetime | None = None
    entry: Mapping[str, Any] | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A result that its sender says it will not have: a preliminary one that is held is withdrawn.

    What is charted of it stays. ``at`` is its clinical time, None where none is known.
    """

    source: Source
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader makes of one document (a Bundle, an HL7 v2 message, a flowsheet).

    ``statements`` are in the order of the document. ``held`` and ``remarks`` are what the reader
    itself could not make a statement of. ``cancelled`` stand among the remarks too.
    ``is_table``: a flowsheet, a file that is warned about what an interface holds.
    """

    statements: tuple[Received, ...]
    held: tuple[Held, ...] = ()
    remarks: tuple[Remark, ...] = ()
    cancelled: tuple[Cancelled, ...] = ()
    is_table: bool = False


class RefusedDocumentError(Exception):
    """The whole document is refused and nothing of it is filed.

    ``reason`` is a word (``structure``, ``patient.contradiction``), ``place`` where it stands and
    ``words`` what is wrong, without a value of the patient.
    """

    def __init__(self, reason: str, place: str, words: str) -> None:
        super().__init__(f"{place}: {words}")
        self.reason = reason
        self.place = place
        self.words = words
