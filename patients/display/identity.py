"""The facts of an identity in words, as stored or as in a correction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final

from grading.engine.units import format_number
from grading.engine.vocabulary import Sex
from patients.display.site_times import site_time
from patients.display.text import date_text, date_time_text
from patients.models import Fact

FACTS_OF_PATIENT: Final = {
    "name": Fact.NAME,
    "birth_date": Fact.BIRTH,
    "sex": Fact.SEX,
    "developmental_delay": Fact.DELAY,
    "mrn": Fact.MRN,
}
FACTS_OF_COURSE: Final = {
    "product": Fact.PRODUCT,
    "infused_at": Fact.INFUSION,
    "age_years": Fact.BIRTH,
}


def fact_text(column: str, value: Any, offset_seconds: int | None = None) -> str:
    """Return the value of a column, as stored or as in a correction, in words."""
    if value is None:
        return "not known"
    if column == "sex":
        return Sex(value).label
    if column == "developmental_delay":
        return "yes" if value else "no"
    if column == "birth_date":
        return date_text(date.fromisoformat(value) if isinstance(value, str) else value)
    if column == "age_years":
        return f"{format_number(Decimal(value))} years at the infusion"
    if column == "infused_at":
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        return _infusion_text(at, offset_seconds)
    return str(value)


def _infusion_text(at: datetime, offset_seconds: int | None) -> str:
    """Return the time at the site; where the infusion was elsewhere, the time there too."""
    here = date_time_text(at)
    if offset_seconds is None or site_time(at).utcoffset() == timedelta(seconds=offset_seconds):
        return here
    there = at.astimezone(timezone(timedelta(seconds=offset_seconds)))
    return f"{here} (there {date_text(there)} {there:%H:%M}, {there:%Z})"


def fact_label(column: str) -> str:
    """Return the name of the fact that a column holds: "Birth date"."""
    if column == "age_years":
        return "Age"
    return str({**FACTS_OF_PATIENT, **FACTS_OF_COURSE}[column].label)


def change_texts(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the columns that a correction changed, before and after, in words."""
    return [
        (
            fact_text(column, before[column], before.get("infused_offset_seconds")),
            fact_text(column, after[column], after.get("infused_offset_seconds")),
        )
        for column in after
        if column != "infused_offset_seconds"
    ]
