"""A message of another system on its way in, and what became of it: what each format provides."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from patients.exchange.formats.context import Context
from patients.exchange.formats.converted import Converted
from patients.exchange.formats.received import Document, RefusedDocumentError
from patients.models import ExternalSystem, InboundMessage, MessageFormat, Verdict

UNKNOWN_PATIENT: Final = "patient.unknown"
NO_COURSE: Final = "course.none"
CONTRADICTION: Final = "patient.contradiction"
REUSED: Final = "control_id.reused"
STRUCTURE: Final = "structure"
FAILED: Final = "failed"
"""Reason words of refusals that are made here; a format has more of its own."""
_MAY_BE_ACCEPTED_LATER: Final = frozenset({UNKNOWN_PATIENT, NO_COURSE, CONTRADICTION})


def verdict_by_reason(refused: RefusedDocumentError) -> Verdict:
    """Return NOT_ACCEPTED where the same message may be accepted when it comes again."""
    may_later = refused.reason in _MAY_BE_ACCEPTED_LATER
    return Verdict.NOT_ACCEPTED if may_later else Verdict.REJECTED


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a message is about.

    ``mrns`` are the record numbers in the identifier system of the sender, in their order; one
    that a message may be matched by, never a name. ``ward`` and ``bed`` are where the sender
    stands, for one that is set to match by bed.
    """

    mrns: tuple[str, ...] = ()
    ward: str = ""
    bed: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message, before it is stored and answered.

    ``refused`` says why it was not accepted; else ``document`` is what it says and ``converted``
    what becomes of that. ``entries`` are the ids of the new entries.
    """

    verdict: Verdict
    refused: RefusedDocumentError | None = None
    document: Document | None = None
    converted: Converted | None = None
    entries: frozenset[str] = frozenset()

    @property
    def reason(self) -> str:
        """The reason word of a refusal, "" where the message was accepted."""
        return "" if self.refused is None else self.refused.reason


class Incoming(Protocol):
    """A message of one format.

    ``raw`` are its bytes as they came, ``charset`` how they are read, ``control_id`` the sender's
    name of the message: empty, the digest of the bytes stands for it. ``sent_at`` is when the
    sender wrote it, None where it does not say.
    """

    @property
    def format(self) -> MessageFormat: ...
    @property
    def raw(self) -> bytes: ...
    @property
    def charset(self) -> str: ...
    @property
    def control_id(self) -> str: ...
    @property
    def sent_at(self) -> datetime | None: ...

    def subject(self) -> Subject:
        """Return whom the message is about; raise RefusedDocumentError where it cannot be read."""

    def read(self, context: Context, received_at: datetime) -> Document:
        """Return what it says of the course; raise RefusedDocumentError."""

    def verdict_of(self, refused: RefusedDocumentError) -> Verdict:
        """Return NOT_ACCEPTED or REJECTED."""

    def answer(self, outcome: Outcome) -> Mapping[str, Any]:
        """Return what is answered, as JSON; it is stored, and answered again to a repetition."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that was received: its stored row, and what is answered.

    ``is_replay``: it was received before, and nothing is new.
    """

    message: InboundMessage
    answer: Mapping[str, Any]
    is_replay: bool = False


_NAMESPACE: Final = uuid.UUID("2b5a1f0e-6c1d-4d0b-9f4e-8a3c7d52e6b1")


def form_id_of(system: ExternalSystem, control_id: str) -> uuid.UUID:
    """Return the form id of the act that charts a message: the same whenever it comes again."""
    return uuid.uuid5(_NAMESPACE, f"{system.pk}|{control_id}")
