"""What an address asks of a flowsheet: its window, columns, rows, order and known moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from django import forms
from django.utils import timezone

from grading.engine.times import can_be_charted
from patients.display.text import date_time_text
from patients.forms.base import BedsideForm
from patients.review.flowsheet_columns import (
    HOUR,
    boundary_at,
    boundary_from,
    next_boundary,
)
from patients.review.instants import BadInstantError, parse_instant

BY_ENTRY: Final = "entry"
NEWEST_FIRST: Final = "first"
NEWEST_LAST: Final = "last"
ALL_ROWS: Final = "all"
GRADE_ONLY: Final = "grade"
BINS: Final = ((BY_ENTRY, "Each time"), ("1", "1 h"), ("4", "4 h"), ("12", "12 h"))
ORDERS: Final = ((NEWEST_LAST, "Newest right"), (NEWEST_FIRST, "Newest left"))
ROWS: Final = (
    (ALL_ROWS, "All rows"),
    ("vital_signs", "Vital signs"),
    ("oxygen_and_drugs", "Oxygen and drugs"),
    ("results", "Results"),
    ("findings", "Findings and notes"),
    ("oxygen", "Oxygen"),
    ("drugs", "Vasopressors"),
    ("fluids", "Fluids and weight"),
    ("neurology", "Consciousness and neurology"),
    ("findings_only", "Findings"),
    ("treatments", "Treatments"),
    ("care", "Place of care"),
    ("notes", "Notes"),
    (GRADE_ONLY, "Grade only"),
)
_SPAN_H: Final = {BY_ENTRY: 24, "1": 24, "4": 72, "12": 120}
"""Hours of a window for which no other span is asked."""
_DEFAULT_BIN: Final = "1"
_OF_WINDOW: Final = frozenset({"from", "to", "end", "span"})
_LONGEST_H: Final = 31 * 24
MOST_COLUMNS: Final = 200


class InstantField(forms.CharField):
    """A time of an address: ISO 8601 with its offset, or without one the time at the site."""

    def __init__(self, label: str) -> None:
        super().__init__(required=False, max_length=40, label=label)

    def clean(self, value: Any) -> datetime | None:
        typed: str = super().clean(value)
        if not typed:
            return None
        try:
            return parse_instant(typed, needs_offset=False)
        except BadInstantError as error:
            also = " Add its offset, like +01:00." if error.offered else ""
            raise forms.ValidationError(f"{error}{also}") from None


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a flowsheet shows, from the start of a column to the end of one."""

    start: datetime
    end: datetime

    @property
    def hours(self) -> int:
        return round((self.end - self.start) / HOUR)


@dataclass(frozen=True, slots=True)
class FlowsheetQuery:
    """What is asked of a flowsheet; ``pinned`` says that the address names the window.

    A window that is not pinned ends with the column of now.
    """

    now: datetime
    known_at: datetime | None
    bin: str
    order: str
    rows: str
    window: Window
    pinned: bool

    @property
    def instant(self) -> datetime:
        """Up to when facts are known."""
        return self.known_at or self.now

    @property
    def is_by_entry(self) -> bool:
        return self.bin == BY_ENTRY

    @property
    def bin_hours(self) -> int:
        return _bin_hours(self.bin)

    @property
    def latest_end(self) -> datetime:
        return next_boundary(self.instant, self.bin_hours)

    def address(self, **changes: Any) -> str:
        """Return the query of the address of this page with ``changes``; None leaves one out."""
        asked: dict[str, Any] = {
            "end": self.window.end if self.pinned else None,
            "span": self.window.hours if self.pinned else None,
            "bin": self.bin,
            "order": self.order,
            "rows": self.rows,
            "known_at": self.known_at,
        } | changes
        pairs = [
            (name, timezone.localtime(value).isoformat() if isinstance(value, datetime) else value)
            for name, value in asked.items()
            if value is not None
        ]
        return f"?{urlencode(pairs)}"


class FlowsheetForm(BedsideForm):
    """The parameters of an address.

    A window is named by ``from`` and ``to``, or by its ``end`` and its ``span`` in hours; without
    either it ends with the column of now. A parameter that is wrong has its default, and a message.
    """

    generated_fields: ClassVar[Mapping[str, forms.Field]] = {
        "from": InstantField("From"),
        "to": InstantField("To"),
    }

    end = InstantField("Until")
    span = forms.IntegerField(
        required=False, min_value=1, max_value=_LONGEST_H, label="Hours of the window"
    )
    bin = forms.ChoiceField(required=False, choices=BINS, label="Width of columns")
    order = forms.ChoiceField(required=False, choices=ORDERS, label="Order of columns")
    rows = forms.ChoiceField(required=False, choices=ROWS, label="Rows")
    known_at = InstantField("Known at")

    def __init__(self, data: Mapping[str, Any], *, now: datetime) -> None:
        super().__init__(data)
        self.now = now

    def clean_known_at(self) -> datetime | None:
        known_at: datetime | None = self.cleaned_data["known_at"]
        if known_at is not None and known_at > self.now:
            latest = date_time_text(self.now)
            raise forms.ValidationError(f"That time has not come. Latest: {latest}.")
        return known_at

    def clean(self) -> dict[str, Any]:
        named = {name for name in _OF_WINDOW if self.cleaned_data.get(name)}
        pair = named & {"from", "to"}
        if pair and named - pair:
            self.add_error("end", "Give “from” and “to”, or “end” and “span”, not both.")
        elif len(pair) == 1:
            missing = "to" if pair == {"from"} else "from"
            if missing not in self.errors:
                self.add_error(missing, f"Give “{missing}” too.")
        elif named and not self.errors.keys() & _OF_WINDOW:
            self._check_window("to" if pair else "end")
        return self.cleaned_data

    def _check_window(self, field: str) -> None:
        window, hours = self._window_asked(), _bin_hours(self._bin)
        if window.end > next_boundary(self.now, hours):
            self.add_error(field, "The window ends in the future: that time has not come.")
        elif window.start >= window.end:
            self.add_error(field, "The window ends before it begins: “to” must be after “from”.")
        elif window.hours > _LONGEST_H + hours:
            self.add_error(field, f"The window is longer than {_LONGEST_H // 24} days.")
        elif not can_be_charted(window.start):
            self.add_error(
                field, f"No chart has a time in the year {window.start.year}. Check the date."
            )
        elif self._bin != BY_ENTRY and window.hours / hours > MOST_COLUMNS:
            self.add_error(field, f"More than {MOST_COLUMNS} columns: choose wider ones.")

    @property
    def query(self) -> FlowsheetQuery:
        """What is asked; the default for what is not, or is wrong."""
        data = self.cleaned_data
        pinned = any(data.get(name) for name in _OF_WINDOW)
        pinned = pinned and not self.errors.keys() & _OF_WINDOW
        return FlowsheetQuery(
            now=self.now,
            known_at=data.get("known_at"),
            bin=self._bin,
            order=data.get("order") or NEWEST_LAST,
            rows=data.get("rows") or ALL_ROWS,
            window=self._window_asked() if pinned else self._latest_window(),
            pinned=pinned,
        )

    @property
    def _bin(self) -> str:
        return self.cleaned_data.get("bin") or _DEFAULT_BIN

    def _window_asked(self) -> Window:
        data, hours = self.cleaned_data, _bin_hours(self._bin)
        if data.get("from") is not None:
            return Window(boundary_at(data["from"], hours), boundary_from(data["to"], hours))
        if data.get("end") is None:
            return self._latest_window()
        return self._window_until(boundary_from(data["end"], hours))

    def _latest_window(self) -> Window:
        instant = self.cleaned_data.get("known_at") or self.now
        return self._window_until(next_boundary(instant, _bin_hours(self._bin)))

    def _window_until(self, end: datetime) -> Window:
        span = self.cleaned_data.get("span") or _SPAN_H[self._bin]
        return Window(boundary_at(end - span * HOUR, _bin_hours(self._bin)), end)


def _bin_hours(bin_key: str) -> int:
    """Return the hours of a column; by entries, the window has whole hours."""
    return 1 if bin_key == BY_ENTRY else int(bin_key)
