"""What is collected while a FHIR document is read, and what every statement of it begins with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from patients.exchange.formats.exact_json import write_json
from patients.exchange.formats.fhir_bundle import version_of
from patients.exchange.formats.fhir_tree import Tree, invalid, moment, objects, text
from patients.exchange.formats.received import (
    Cancelled,
    Content,
    Document,
    Held,
    Received,
    Remark,
    Source,
    Standing,
)
from patients.exchange.formats.unreadable import UnreadableError


@dataclass(frozen=True, slots=True)
class Head:
    """Where a statement stands, its lasting name, and how sure it is.

    ``standing`` None: it was cancelled or not done.
    """

    place: str
    key: str
    version: str | None
    standing: Standing | None
    issued: datetime | None = None

    @property
    def is_retracted(self) -> bool:
        return self.standing is Standing.RETRACTED


def head_of(node: Tree, place: str, standings: Mapping[str, Standing | None]) -> Head:
    """Return the head of a resource; raises ``invalid`` for no status, or one that R4 has not."""
    status = text(node, "status")
    if status not in standings:
        raise invalid("it has no status of FHIR R4")
    return Head(
        place, key_of(node), version_of(node) or None, standings[status], moment_or_none(node)
    )


def moment_or_none(node: Tree) -> datetime | None:
    """Return when a resource was issued; a date alone, which no instant is, is left out."""
    try:
        return moment(node, "issued")
    except UnreadableError as error:
        if error.reason == "invalid":
            raise
        return None


def key_of(node: Tree) -> str:
    """Return the lasting name of a resource in the other system.

    Its first identifier with a system, else its type and id; without both what it says is its name,
    so that the same resource sent again is the same.
    """
    for identifier in objects(node, "identifier"):
        system, value = text(identifier, "system"), text(identifier, "value")
        if system and value:
            return f"{system}|{value}"
    kind, resource_id = text(node, "resourceType"), text(node, "id")
    if resource_id:
        return f"{kind}/{resource_id}"
    content = write_json({key: value for key, value in node.items() if key != "meta"})
    return f"{kind}/sha256:{hashlib.sha256(content.encode()).hexdigest()}"


@dataclass(slots=True)
class Results:
    """Statements, held items and remarks of a document, in its order."""

    statements: list[Received] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    cancelled: list[Cancelled] = field(default_factory=list)

    def document(self) -> Document:
        return Document(
            tuple(self.statements),
            tuple(self.held),
            tuple(self.remarks),
            tuple(self.cancelled),
        )

    def hold(
        self, error: UnreadableError, place: str, head: Head | None = None,
        at: datetime | None = None,
    ) -> None:  # fmt: skip
        """Collect what cannot be charted. Of a preliminary statement that is reason enough."""
        reason = error.reason
        is_preliminary = head is not None and head.standing is Standing.PRELIMINARY
        if is_preliminary and reason.partition(".")[0] in ("value", "unit", "time", "comparator"):
            reason = "status.preliminary"
        key, version = ("", None) if head is None else (head.key, head.version)
        self.held.append(
            Held(reason, place, error.what, error.proposal, key=key, version=version, at=at)
        )

    def remark(self, reason: str, place: str, what: str = "") -> None:
        self.remarks.append(Remark(reason, place, what))

    def state(
        self, head: Head, at: datetime, content: Content | None, *, suffix: str = "",
        place: str = "", details: tuple[Held, ...] = (), note: str = "",
        attribution: str | Mapping[str, str] | None = None, entry: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Collect a statement; ``suffix`` tells apart two that one resource makes."""
        assert head.standing is not None  # noqa: S101
        self.statements.append(
            Received(
                Source(place or head.place, head.key + suffix, head.version),
                head.standing,
                at,
                content,
                details if head.standing is not Standing.PRELIMINARY else (),
                note,
                attribution or None,
                head.issued,
                entry,
            )
        )


def detail(error: UnreadableError, place: str, at: datetime | None = None) -> Held:
    """Return a part of a charted statement that is held."""
    return Held(error.reason, place, error.what, error.proposal, at=at)
