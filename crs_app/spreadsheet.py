"""Lines of a CSV file, of which no cell is run as a formula."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from grading.engine.times import in_zone

_STARTS_A_FORMULA: Final = frozenset("=+-@")
_LOOKALIKES: Final = dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2796", "-") | {
    "\u2795": "+", "\ua78a": "=", "\u30a0": "=", "\u2550": "=",
}  # fmt: skip
"""Signs that look like those of a formula and do not become them in NFKC."""
_CONTROLS: Final = ("\t", "\r", "\n")
_NEXT_CELL: Final = re.compile(r"(?<=[^;\t\r\n])([;\t\r\n]+)")
"""Signs within a text after which a spreadsheet may begin another cell.

Where numbers have a decimal comma, Excel reads lines with a comma as one cell and parts them at
semicolons; the quotes around a text do not hold then, and line ends in it end the row.
"""
BYTE_ORDER_MARK: Final = "\ufeff"
"""First in a file that people open in Excel, which takes it for no UTF-8 otherwise."""


def csv_line(cells: Iterable[Any]) -> str:
    """Return a line of a CSV file; no cell of it is run as a formula."""
    line = io.StringIO()
    csv.writer(line).writerow([as_spreadsheet_text(str(cell)) for cell in cells])
    return line.getvalue()


def csv_time(instant: datetime | None) -> str:
    """Return a time at the site, with its offset, as every CSV file writes it; "" for None."""
    if instant is None:
        return ""
    return in_zone(instant, timezone.get_default_timezone()).isoformat(timespec="seconds")


def as_spreadsheet_text(cell: str) -> str:
    """Return ``cell`` with an apostrophe before what a spreadsheet would run as a formula.

    Spreadsheets pass over what is not seen, and read full-width and other forms of a sign as the
    sign itself.
    """
    begin, *others = _NEXT_CELL.split(cell)
    begin = f"'{begin}" if cell[:1] in _CONTROLS else _as_text(begin)
    parted = zip(others[::2], others[1::2], strict=True)
    return begin + "".join(f"{sign}{_as_text(part)}" for sign, part in parted)


def _as_text(part: str) -> str:
    """Return a part that may be a cell, with an apostrophe before a formula."""
    first = next((letter for letter in part if _is_seen(letter)), "")
    signs = unicodedata.normalize("NFKC", first) + _LOOKALIKES.get(first, "")
    return f"'{part}" if _STARTS_A_FORMULA.intersection(signs) else part


def _is_seen(letter: str) -> bool:
    """Return whether ``letter`` is no blank, control or format character, and no mark alone."""
    return not letter.isspace() and unicodedata.category(letter)[0] not in "CM"
