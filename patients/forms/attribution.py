"""Attribution (CRS, other, uncertain): fields for it, and proposals from the last entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from django import forms

from grading.engine.entries import Entry, Vitals
from grading.engine.vocabulary import Attribution
from patients.forms.fields import choices_of, set_error_messages
from patients.models import REASON
from patients.models import Entry as EntryRow

_AS_ALL: Final = "as all"


@dataclass(frozen=True, slots=True)
class AttributionProposal:
    """That the last entry about a thing was not plainly due to CRS, and why."""

    attribution: Attribution
    reason: str
    at: datetime


def latest_attributions(latest: Mapping[str, Entry]) -> dict[str, AttributionProposal]:
    """What was last ascribed to something else, or is uncertain, by the thing it is about."""
    found = {
        key: (entry, attribution)
        for key, entry in latest.items()
        if (attribution := _attribution_of(key, entry)) is not Attribution.CRS
    }
    if not found:
        return {}
    ids = {entry.id for entry, _ in found.values()}
    rows = EntryRow.objects.filter(pk__in=ids).values_list("pk", f"act__answers__{REASON}")
    reasons = {str(pk): reason or "" for pk, reason in rows}
    return {
        key: AttributionProposal(attribution, reasons.get(entry.id, ""), entry.at)
        for key, (entry, attribution) in found.items()
    }


def _attribution_of(key: str, entry: Entry) -> Attribution:
    return entry.attribution_of(key) if isinstance(entry, Vitals) else entry.attribution


def attribution_field_name(part: str) -> str:
    """The field that says what one part of a form is due to."""
    return f"attribution_{part}"


@cache
def attribution_fields(parts: Sequence[tuple[str, str]]) -> Mapping[str, forms.Field]:
    """A field for each part, by its name; made once and shared by all forms, which change none."""
    made: dict[str, forms.Field] = {
        attribution_field_name(key): forms.ChoiceField(
            label=f"{label} due to", choices=choices_of(Attribution, _AS_ALL), required=False
        )
        for key, label in parts
    }
    set_error_messages(made)
    return made


def attribution_by_part(
    whole: Attribution, said: Mapping[str, Any], charted: Iterable[str]
) -> dict[str, Attribution]:
    """What each charted part is due to: its own answer, else that of the whole."""
    return {
        part: Attribution(own) if (own := said.get(attribution_field_name(part))) else whole
        for part in charted
    }
