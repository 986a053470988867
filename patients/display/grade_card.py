"""The grade card: the grade now, why, what time alone will change, and what is stale."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from grading.engine import entries
from grading.engine.analytes import Analyte
from grading.engine.vocabulary import VITAL_SIGN
from patients.display.signature import signature_of
from patients.display.text import (
    clock_behind_text,
    clock_text,
    day_of,
    entry_text,
    key_label,
    short_value,
    vital_sign_number,
)
from patients.queries.grades import PEAK_WINDOW, EntryAuthor, GradeInterval


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """A criterion that is met; ``at`` and ``author`` are of the entries that it rests on.

    ``at`` is the time of the oldest of them; ``stale`` says that one of them is stale.
    """

    code: str
    grade: int
    text: str
    uncertain: bool
    at: datetime | None
    author: str
    stale: bool
    citation: str


@dataclass(frozen=True, slots=True)
class UnknownLine:
    """Something that is not known, and the grade that it could reach."""

    code: str
    could_reach: int
    text: str


@dataclass(frozen=True, slots=True)
class NextChange:
    """Change of the grade that comes with time alone, if nothing more is charted.

    ``direction`` is "up", "down" or "same".
    """

    at: datetime
    grade: int
    at_most: int
    text: str
    direction: str


@dataclass(frozen=True, slots=True)
class StripValue:
    """One of the latest values, as the strip below the grade shows it."""

    key: str
    label: str
    value: str
    unit: str
    at: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class GradeCard:
    """Current status of a course; ``grade`` None: not graded (before infusion, after a death).

    ``signature`` changes when anything but an age changes.
    """

    course_id: UUID
    as_of: datetime
    grade: int | None
    at_most: int | None
    since: datetime | None
    peak_24h: int | None
    maximum: int | None
    maximum_at: datetime | None
    criteria: list[CriterionLine]
    unknown: list[UnknownLine]
    upcoming: list[NextChange]
    excluded: list[str]
    strip: list[StripValue]
    never_charted: list[str]
    ended: bool
    clock_behind: str
    signature: str


_EXPECTED: Final = {
    "temperature_c": "temperature",
    "systolic_mmhg": "blood pressure",
    "heart_rate": "heart rate",
    "respiratory_rate": "respiratory rate",
    "spo2_percent": "SpO₂",
    "oxygen": "oxygen",
    "weight": "weight",
    f"lab.{Analyte.CRP}": "CRP",
    f"lab.{Analyte.CREATININE}": "creatinine",
    f"lab.{Analyte.BILIRUBIN}": "bilirubin",
    f"lab.{Analyte.ALT}": "ALT",
    f"lab.{Analyte.AST}": "AST",
    f"lab.{Analyte.FIBRINOGEN}": "fibrinogen",
}
_STRIP: Final = (
    "systolic_mmhg",
    "temperature_c",
    "spo2_percent",
    "heart_rate",
    "respiratory_rate",
    f"lab.{Analyte.CRP}",
    f"lab.{Analyte.FERRITIN}",
)


def grade_card(
    course_id: uuid.UUID,
    status: Any,
    intervals: Sequence[GradeInterval],
    authors: Mapping[str, EntryAuthor],
) -> GradeCard:
    """Build the card of a course from its current status.

    ``intervals`` are the stored grades up to now, in order; ``authors`` those of the evidence, by
    entry id.
    """
    now: datetime = status.at
    maximum = max((interval.grade for interval in intervals), default=None)
    shown_on_card = {
        "grade": status.grade,
        "at_most": status.at_most,
        "since": _since(intervals, status.grade),
        "peak_24h": _peak(intervals, now),
        "maximum": maximum,
        "maximum_at": next((s.start for s in intervals if s.grade == maximum), None),
        "criteria": [_criterion(item, status, authors) for item in status.criteria],
        "unknown": [UnknownLine(u.code, u.could_reach, u.why) for u in status.unknown],
        "upcoming": list(_upcoming(status)),
        "excluded": [_excluded(item.what, status.latest[item.what]) for item in status.excluded],
        "strip": list(_strip(status)),
        "never_charted": _never_charted(status),
        "ended": status.ended,
        "clock_behind": clock_behind_text(now),
    }
    return GradeCard(
        course_id=course_id,
        as_of=now,
        signature=signature_of(day_of(now), sorted(_without_ages(shown_on_card).items())),
        **shown_on_card,
    )


def _since(intervals: Sequence[GradeInterval], grade: int | None) -> datetime | None:
    """Return since when the grade has had this value, whatever else changed meanwhile."""
    since = None
    for interval in reversed(intervals):
        if interval.grade != grade:
            break
        since = interval.start
    return since


def _peak(intervals: Sequence[GradeInterval], now: datetime) -> int | None:
    begin = now - PEAK_WINDOW
    return max((s.grade for s in intervals if s.end is None or s.end > begin), default=None)


def _criterion(item: Any, status: Any, authors: Mapping[str, EntryAuthor]) -> CriterionLine:
    known = [authors[entry_id] for entry_id in item.evidence if entry_id in authors]
    oldest = min(known, key=lambda author: author.at, default=None)
    stale = any(
        key in status.stale and entry.id in item.evidence for key, entry in status.latest.items()
    )
    return CriterionLine(
        code=item.code,
        grade=item.grade,
        text=item.explanation,
        uncertain=item.uncertain,
        at=oldest.at if oldest else None,
        author=", ".join(dict.fromkeys(author.name for author in known)),
        stale=stale,
        citation=str(item.citation),
    )


def _upcoming(status: Any) -> Iterable[NextChange]:
    grade, at_most = status.grade, status.at_most
    met = {item.code for item in status.criteria}
    for period in status.upcoming:
        yield next_change(
            period.start,
            (grade, at_most),
            (period.grade, period.at_most),
            [(c.code, c.explanation) for c in period.criteria if c.code not in met],
            [u.why for u in period.unknown],
            status.at,
        )
        grade, at_most = period.grade, period.at_most
        met = {item.code for item in period.criteria}


def next_change(
    at: datetime,
    was: tuple[int | None, int | None],
    becomes: tuple[int, int],
    newly_met: Sequence[tuple[str, str]],
    unknown: Sequence[str],
    now: datetime,
) -> NextChange:
    """Describe a change by time alone, from grade and bound ``was`` to ``becomes``.

    ``newly_met`` are the criteria that are met only then, as (code, explanation); ``unknown`` says
    what is not known then.
    """
    grade, at_most = becomes
    before = (was[0] or 0, was[1] or 0)
    direction = "up" if becomes > before else "down" if becomes < before else "same"
    bound = f", could be {at_most}" if at_most > grade else ""
    why = newly_met[0][1] if newly_met else unknown[0] if at_most > grade and unknown else ""
    because = f" ({why})" if why else ""
    text = f"Grade {grade}{bound} at {clock_text(at, now)} if nothing changes{because}"
    return NextChange(at, grade, at_most, text, direction)


def _excluded(key: str, entry: entries.Entry) -> str:
    if isinstance(entry, entries.Vitals) and key in VITAL_SIGN:
        text = f"{key_label(key)} {vital_sign_number(key, entry, 1)} {VITAL_SIGN[key].unit}"
    else:
        text = entry_text(entry)
    return f"{text}: another cause, not counted"


def _strip(status: Any) -> Iterable[StripValue]:
    for key in _STRIP:
        entry = status.latest.get(key)
        if entry is not None:
            label, value, unit = short_value(key, entry)
            yield StripValue(
                key=key,
                label=label,
                value=value,
                unit=unit,
                at=entry.at,
                stale=key in status.stale,
            )


def _never_charted(status: Any) -> list[str]:
    return [
        label
        for key, label in _EXPECTED.items()
        if key not in status.latest
        and not (key == "weight" and status.weight_kg is not None)
        and not (key == "systolic_mmhg" and "mean_arterial_pressure_mmhg" in status.latest)
    ]


def _without_ages(shown_on_card: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the card shows but for its ages, which change each minute.

    The signature covers it together with the date: a time of day shows its date on another day.
    """
    lasting = dict(shown_on_card)
    lasting["criteria"] = [
        (c.code, c.at, c.author, c.stale, c.uncertain) for c in shown_on_card["criteria"]
    ]
    lasting["unknown"] = [u.code for u in shown_on_card["unknown"]]
    lasting["upcoming"] = [(n.at, n.grade, n.at_most) for n in shown_on_card["upcoming"]]
    lasting["strip"] = [(s.key, s.value, s.at, s.stale) for s in shown_on_card["strip"]]
    return lasting
