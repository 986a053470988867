"""What an address asks of the table in the place of the timeline: kind, day, columns, window."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Self
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from patients.display.timeline import (
    AS_TABLE,
    GRADE_CHANGE,
    TABLE_PARAMETERS,
    TIMELINE_KINDS,
    Timeline,
)
from patients.models import EntryKind
from patients.review.flowsheet_form import ALL_ROWS, GRADE_ONLY, FlowsheetForm, FlowsheetQuery

_ROWS_OF: Final[Mapping[str, str]] = {
    "": ALL_ROWS,
    GRADE_CHANGE: GRADE_ONLY,
    EntryKind.VITALS: "vital_signs",
    EntryKind.OXYGEN: "oxygen",
    EntryKind.VASOPRESSOR: "drugs",
    EntryKind.FLUID_BOLUS: "fluids",
    EntryKind.WEIGHT: "fluids",
    EntryKind.LAB: "results",
    EntryKind.TOXICITY: "findings_only",
    EntryKind.SYMPTOM: "findings_only",
    EntryKind.JUDGEMENT: "findings_only",
    EntryKind.TREATMENT: "treatments",
    EntryKind.BLOOD_PRODUCT: "treatments",
    EntryKind.ICE: "neurology",
    EntryKind.CAPD: "neurology",
    EntryKind.CONSCIOUSNESS: "neurology",
    EntryKind.SEIZURE: "neurology",
    EntryKind.NEURO_SIGN: "neurology",
    EntryKind.ADMISSION: "care",
    EntryKind.NOTE: "notes",
    EntryKind.NOT_OBSERVED: "notes",
    EntryKind.BASELINE: "notes",
    EntryKind.RISK: "notes",
    EntryKind.DEATH: "notes",
}
"""The rows of the table for each filter of the timeline; what is missing has no row."""


@dataclass(frozen=True, slots=True)
class TableView:
    """What a page shows of the table: the filters of the timeline, and ``more`` of the columns."""

    kind: str
    day: date | None
    more: Mapping[str, str]

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> Self:
        """Read what ``query`` asks for; a day goes before an end of the window."""
        kind, day = query.get("kind", ""), None
        with suppress(ValueError):
            day = date.fromisoformat(query.get("day", ""))
        more = {name: query[name] for name in TABLE_PARAMETERS if query.get(name)}
        if day is not None:
            more.pop("end", None)
        return cls(kind if kind in dict(TIMELINE_KINDS) else "", day, more)

    @property
    def timeline(self) -> Timeline:
        """The filters, for the head that list and table share."""
        return Timeline([], "", self.kind, self.day)

    @property
    def missing(self) -> str:
        """What the filter asks for that the table has no rows of; "" where it has them."""
        return "" if self.kind in _ROWS_OF else dict(TIMELINE_KINDS)[self.kind]

    def form(self, now: datetime) -> FlowsheetForm:
        """Return the form of the flowsheet that is asked for; a day that is not over ends now."""
        asked = {**self.more, "rows": _ROWS_OF.get(self.kind, GRADE_ONLY)}
        end = self._end_of_day()
        if end is not None and end <= now:
            asked["end"] = end.isoformat()
        return FlowsheetForm(asked, now=now)

    def _end_of_day(self) -> datetime | None:
        if self.day is None:
            return None
        with suppress(OverflowError):
            return timezone.make_aware(datetime.combine(self.day + timedelta(days=1), time.min))
        return None

    def address(self, course_id: uuid.UUID, query: FlowsheetQuery, **changes: Any) -> str:
        """Return the address of the table with ``changes``; a changed end takes the day away."""
        shown: dict[str, Any] = {"rows": None, "known_at": None}
        filters = {"kind": self.kind}
        if self.day is not None and "end" not in changes:
            shown |= {"end": None, "span": None}
            filters["day"] = self.day.isoformat()
        there = reverse("patients:timeline_table", args=[course_id])
        return f"{there}{query.address(**shown | changes)}&{urlencode(filters)}"

    def page_address(self, course_id: uuid.UUID) -> str:
        """Return the address of the bedside page that shows this table."""
        asked = {"view": AS_TABLE, "show": self.kind, "day": self.day or "", **self.more}
        there = reverse("patients:bedside", args=[course_id])
        return f"{there}?{urlencode({name: text for name, text in asked.items() if text})}"
