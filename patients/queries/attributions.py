"""Read what was last attributed to another cause than CRS, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from grading.engine.entries import Entry as ChartedEntry
from grading.engine.entries import Vitals
from grading.engine.vocabulary import Attribution
from patients.models import REASON, Entry


@dataclass(frozen=True, slots=True)
class AttributionProposal:
    """Attribution of the last entry about a thing, where it was not CRS, with the reason typed."""

    attribution: Attribution
    reason: str
    at: datetime


def read_latest_attributions(latest: Mapping[str, ChartedEntry]) -> dict[str, AttributionProposal]:
    """Return what was last attributed to another cause or is uncertain, by what it is about.

    ``latest`` are the latest entries of a status, by what they are about. Their reasons are read
    where there is such an entry.
    """
    found = {
        key: (entry, attribution)
        for key, entry in latest.items()
        if (attribution := _attribution_of(key, entry)) is not Attribution.CRS
    }
    if not found:
        return {}
    ids = {entry.id for entry, _ in found.values()}
    rows = Entry.objects.filter(pk__in=ids).values_list("pk", f"act__answers__{REASON}")
    reasons = {str(pk): reason or "" for pk, reason in rows}
    return {
        key: AttributionProposal(attribution, reasons.get(entry.id, ""), entry.at)
        for key, (entry, attribution) in found.items()
    }


def _attribution_of(key: str, entry: ChartedEntry) -> Attribution:
    return entry.attribution_of(key) if isinstance(entry, Vitals) else entry.attribution
