"""The rows of one patient in a flowsheet, as a message of a system."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from patients.exchange.formats.context import Context
from patients.exchange.formats.flowsheet import read_flowsheet
from patients.exchange.formats.flowsheet_bags import Overlap
from patients.exchange.formats.flowsheet_map import FlowsheetMap, plain_text
from patients.exchange.formats.flowsheet_rows import map_of
from patients.exchange.formats.received import Document, RefusedDocumentError
from patients.exchange.incoming import (
    STRUCTURE,
    Outcome,
    Subject,
    verdict_by_reason,
)
from patients.models import MessageFormat, Verdict


@dataclass(frozen=True)
class FlowsheetMessage:
    """The header and the rows of one patient, with the map by which they are read."""

    raw: bytes
    patient: str
    maps: Sequence[FlowsheetMap]
    overlap: Overlap

    format = MessageFormat.FLOWSHEET
    charset = "utf-8"
    control_id = ""
    sent_at: datetime | None = None

    def subject(self) -> Subject:
        return Subject((self.patient,))

    def read(self, context: Context, received_at: datetime) -> Document:
        lines = io.StringIO(self.raw.decode(), newline="")
        return read_flowsheet(lines, self.maps, context, self.overlap)

    def verdict_of(self, refused: RefusedDocumentError) -> Verdict:
        return verdict_by_reason(refused)

    def answer(self, outcome: Outcome) -> Mapping[str, Any]:
        """Return why the rows were refused; of rows that were taken there is nothing to answer."""
        refused = outcome.refused
        if refused is None:
            return {}
        return {"reason": refused.reason, "place": refused.place, "words": refused.words}


def flowsheet_messages(
    lines: Iterable[str], maps: Sequence[FlowsheetMap], overlap: Overlap
) -> list[FlowsheetMessage]:
    """Return the rows of each patient of a table as a message, in the order of the patients.

    Raises RefusedDocumentError where it is no table. Each message has the header, so that it can be
    read again by itself; ``row 2`` is the first row of its patient.
    """
    reader = csv.reader(lines, strict=True)
    rows: dict[str, list[list[str]]] = defaultdict(list)
    try:
        header = [plain_text(name) for name in next(reader, [])]
        chosen = map_of(header, maps)
        place = header.index(chosen.columns.get("patient_id", "patient_id"))
        for cells in reader:
            if any(cells):
                rows[plain_text(cells[place]) if place < len(cells) else ""].append(cells)
    except (csv.Error, UnicodeError) as error:
        raise RefusedDocumentError(STRUCTURE, "document", f"no CSV in UTF-8: {error}") from None
    return [
        FlowsheetMessage(_table([header, *of_one]), patient, maps, overlap)
        for patient, of_one in rows.items()
    ]


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()
