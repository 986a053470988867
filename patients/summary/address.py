"""The address of a summary: the reporting period, the form that is filled in, the time known at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from grading.plain_text import disallowed_character
from patients.review.address import KNOWN_AT, BadAddressError, parse_address
from patients.summary.summary import Part

LONGEST_FORM: Final = 60
_PARTS: Final = {part.key: part for part in Part}


@dataclass(frozen=True, slots=True)
class SummaryAddress:
    """What a summary shows; a link with it shows the same.

    ``form`` is the form and revision that the reader fills in, as it was typed. ``refused`` is why
    the time known at that was typed cannot be shown: the page is then that of now.
    """

    part: Part
    form: str
    known_at: datetime
    is_now: bool
    refused: BadAddressError | None = None

    def query(self, **changes: str | None) -> str:
        """Return the query of this address with ``changes``; None leaves a part out."""
        parts: dict[str, str | None] = {
            "part": self.part.key,
            "form": self.form or None,
            "known_at": None if self.is_now else self.known_at.isoformat(),
            **changes,
        }
        return urlencode({key: value for key, value in parts.items() if value is not None})


def parse_summary_address(query: Mapping[str, str], now: datetime) -> SummaryAddress:
    """Return the address of ``query``; raises BadAddressError for a part that it cannot have."""
    part = query.get("part", Part.TO_DAY_100.key)
    if part not in _PARTS:
        raise BadAddressError("part", f"expected one of {', '.join(_PARTS)}")
    form = " ".join(query.get("form", "").split())
    if len(form) > LONGEST_FORM or disallowed_character(form) is not None:
        raise BadAddressError("form", f"expected at most {LONGEST_FORM} printed characters")
    times = {name: value for name, value in query.items() if name in KNOWN_AT}
    try:
        read, refused = parse_address(times, now), None
    except BadAddressError as error:
        if "known_date" not in times:
            raise
        read, refused = parse_address({}, now), error
    return SummaryAddress(_PARTS[part], form, read.instants.known_at, read.is_now, refused)
