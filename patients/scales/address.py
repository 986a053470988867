"""The address of the page of the scales: the instant, what was known, and what to compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from grading.systems import HEADLINE
from patients.queries.scales import SCALES
from patients.review.address import BadAddressError, Instants, parse_instants

COLUMNS: Final = {HEADLINE.key: HEADLINE.name, **{scale.key: scale.title for scale in SCALES}}
"""The scales that can be compared with one another, in the order of display."""


@dataclass(frozen=True, slots=True)
class ScalesAddress:
    """What the page shows.

    ``is_now``: now, by what is known now; ``is_known_now``: by what is known now, of any instant.
    ``papers``: the scales of papers too. ``compare`` has the keys of two scales.
    """

    instants: Instants
    is_now: bool
    is_known_now: bool
    papers: bool
    compare: tuple[str, str] | None

    @property
    def of_then(self) -> dict[str, str]:
        """The parts of the address that say of when the page is; empty for now."""
        parts = {} if self.is_now else {"at": self.instants.at.isoformat()}
        if not self.is_known_now:
            parts["known_at"] = self.instants.known_at.isoformat()
        return parts

    def query(self, **more: str) -> str:
        """Return the query of the same instant with ``more``."""
        return urlencode({**self.of_then, **more})


def parse_scales_address(query: Mapping[str, str], now: datetime) -> ScalesAddress:
    """Return what ``query`` asks for; raises BadAddressError for what the page cannot show."""
    compare = None
    if "one" in query or "other" in query:
        compare = (_scale("one", query), _scale("other", query))
    asked = {name: query[name] for name in ("at", "known_at") if name in query}
    instants = parse_instants(asked, now)
    if "at" not in asked:
        instants = Instants(instants.known_at, instants.known_at)
    return ScalesAddress(
        instants,
        is_now=not asked,
        is_known_now="known_at" not in asked,
        papers=compare is not None or query.get("papers") == "yes",
        compare=compare,
    )


def _scale(field: str, query: Mapping[str, str]) -> str:
    key = query.get(field, "")
    if key not in COLUMNS:
        raise BadAddressError(field, f"expected one of {', '.join(COLUMNS)}")
    return key
