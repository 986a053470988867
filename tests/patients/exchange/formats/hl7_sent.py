"""HL7 v2 messages as a laboratory and a monitor send them, and the context they come into."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from patients.exchange.formats.context import Context, Filing, LocalCode, SystemKind
from patients.exchange.formats.hl7v2 import MessageRead, read_messages
from patients.exchange.formats.received import Document, Held, Received, Remark

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PID = "PID|1||4711^^^KH&2.999.1.4711&ISO^MR||Müller^Jana||19800615|F"
OBR = "OBR|1|P1|F1|24323-8^Panel^LN|||202603021000"


def context(
    kind: SystemKind = SystemKind.LABORATORY,
    *,
    name: str | None = "Jana Müller",
    birth_date: str | None = "1980-06-15",
    mrn_system: str = "urn:oid:2.999.1.4711",
    local_codes: Sequence[LocalCode] = (),
) -> Context:
    return Context(
        course={"patient": {"mrn": "4711", "name": name, "birth_date": birth_date}, "entries": []},
        mrn_system=mrn_system,
        timezone=ZoneInfo("Europe/Berlin"),
        system="lab-1",
        kind=kind,
        filing={"default": Filing.FILE},
        local_codes=local_codes,
    )


def header(
    *, kind: str = "ORU^R01", control_id: str = "A1", processing: str = "P",
    version: str = "2.5.1", charset: str = "",
) -> str:  # fmt: skip
    return (
        f"MSH|^~\\&|LAB|KH|CRS|WARD|20260302101500||{kind}|{control_id}|{processing}|{version}"
        f"||||||{charset}"
    )


def message(*segments: str, msh: str | None = None) -> bytes:
    return "".join(f"{segment}\r" for segment in (msh or header(), *segments)).encode()


def one(raw: bytes, into: Context | None = None) -> MessageRead:
    (read,) = read_messages(raw, into or context(), NOW)
    return read


def document(*segments: str, into: Context | None = None) -> Document:
    read = one(message(PID, *segments), into)
    assert read.document is not None, read.fault
    return read.document


def result(obx: str, *more: str, into: Context | None = None) -> Received | Held | Remark:
    """Return the one thing that a message with this OBX says."""
    read = document(OBR, obx, *more, into=into)
    (found,) = (*read.statements, *read.held, *read.remarks)
    return found
