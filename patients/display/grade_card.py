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
from patients.display.reasons import Clause, clause_of
from patients.display.signature import signature_of
from patients.display.text import (
    clock_behind_text,
    clock_text,
    day_of,
    entry_text,
    key_label,
    pressure_text,
    vital_sign_number,
)
from patients.display.value_strip import StripValue, strip_of, values_before
from patients.queries.grades import PEAK_WINDOW, EntryAuthor, GradeInterval


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """A criterion that is met; ``at`` and ``author`` are of the entries that it rests on.

    ``at`` is the time of the oldest of them; ``stale`` says that one of them is stale.
    """

    code: str
    grade: int
    text: str
    clause: Clause
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
class Reason:
    """One line of why: a criterion that is met, or something not known (``answer``)."""

    answer: str
    grade: int
    clause: Clause
    uncertain: bool = False
    at: datetime | None = None
    author: str = ""
    stale: bool = False


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

    @property
    def reasons(self) -> list[Reason]:
        """Every reason, those that decide grade and bound first, then the highest grade first."""
        met = [
            Reason("met", c.grade, c.clause, c.uncertain, c.at, c.author, c.stale)
            for c in self.criteria
        ]
        unknown = [
            Reason("unknown", u.could_reach, clause_of(u.code, {}, u.text)) for u in self.unknown
        ]
        if self.grade is None or self.at_most is None or self.at_most <= self.grade:
            return [*met, *unknown]
        bound = next((u for u in unknown if u.grade == self.at_most), None)
        others = [*met[1:], *(u for u in unknown if u is not bound)]
        return [*met[:1], *([] if bound is None else [bound]), *others]

    @property
    def deciding(self) -> list[Reason]:
        """The reasons that are always in sight."""
        return self.reasons[:_FIRST_REASONS]

    @property
    def further(self) -> list[Reason]:
        """The reasons that are one tap away."""
        return self.reasons[_FIRST_REASONS:]

    @property
    def further_label(self) -> str:
        """The words that open what is one tap away."""
        count = len(self.further)
        return f"{count} more reason{'' if count == 1 else 's'}" if count else "More about this"

    @property
    def next_changes(self) -> list[NextChange]:
        """The next change by the clock, and the first rise where that is another."""
        changes = [change for change in self.upcoming if change.direction != "same"]
        rise = next((change for change in changes if change.direction == "up"), None)
        return changes[:1] + ([rise] if rise is not None and rise not in changes[:1] else [])

    @property
    def later_changes(self) -> list[NextChange]:
        """The changes by the clock that are one tap away."""
        shown = self.next_changes
        return [c for c in self.upcoming if c.direction != "same" and c not in shown]


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
_HIGH_DOSE: Final = "vasopressor.high_dose"
_FIRST_REASONS: Final = 2
"""How many reasons the card shows before "more reasons" is opened."""


def grade_card(
    course_id: uuid.UUID,
    status: Any,
    intervals: Sequence[GradeInterval],
    authors: Mapping[str, EntryAuthor],
    *,
    recent: Iterable[entries.Entry] = (),
    age_years: int | None = None,
) -> GradeCard:
    """Build the card of a course from its current status.

    ``intervals`` are the stored grades up to now, in order; ``authors`` those of the evidence, by
    entry id. The strip compares with ``recent``, and with what is usual at ``age_years``.
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
        "excluded": _excluded(status),
        "strip": strip_of(status, values_before(status.latest, recent), age_years),
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
        clause=clause_of(item.code, item.params, item.explanation),
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
    text = f"Grade {grade}{bound} at {clock_text(at, now)} "
    if newly_met and newly_met[0][0] == _HIGH_DOSE:
        text += "if the vasopressor dose stays as high (3-hour rule)"
    else:
        text += "if nothing changes" + (f" ({why})" if why else "")
    return NextChange(at, grade, at_most, text, direction)


def _excluded(status: Any) -> list[str]:
    """Return the findings of another cause; a pressure once, with both of its numbers."""
    texts = []
    whats = {item.what for item in status.excluded}
    for item in status.excluded:
        key, entry = item.what, status.latest[item.what]
        if not isinstance(entry, entries.Vitals) or key not in VITAL_SIGN:
            texts.append(entry_text(entry))
        elif key == "systolic_mmhg" and "diastolic_mmhg" in whats:
            texts.append(f"BP {pressure_text(entry)} mmHg")
        elif key != "diastolic_mmhg" or "systolic_mmhg" not in whats:
            number = vital_sign_number(key, entry, 1)
            texts.append(f"{key_label(key)} {number} {VITAL_SIGN[key].unit}")
    return texts


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
    lasting["strip"] = [
        (s.key, s.value, s.unit, s.at, s.stale, s.trend, s.abnormal) for s in shown_on_card["strip"]
    ]
    return lasting
