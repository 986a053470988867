"""The grade card: the grade now, why, what time alone will change, and what is stale."""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from grading.course_result import PEAK_WINDOW
from grading.engine import entries
from grading.engine.analytes import Analyte
from grading.engine.periods import results_last
from grading.engine.vocabulary import VITAL_SIGN
from patients.display.assessment import grade_words, missing_for_grade_0, missing_text
from patients.display.ice_due import IceDue
from patients.display.next_change import GradeAt, NextChange, next_change
from patients.display.reasons import Clause, clause_of
from patients.display.signature import signature_of
from patients.display.text import (
    age_text,
    clock_behind_text,
    day_of,
    entry_text,
    key_label,
    pressure_text,
    vital_sign_number,
)
from patients.display.value_strip import StripValue, strip_of, values_before
from patients.queries.grades import EntryAuthor, GradeHistory, GradeInterval


class Source(NamedTuple):
    """An entry that a criterion rests on; ``what`` names it where there are several.

    ``age`` is written where the entry is so old that it must be checked, "" otherwise.
    """

    what: str
    at: datetime
    author: str
    age: str

    @property
    def stale(self) -> bool:
        """Whether the entry is so old that it must be checked."""
        return self.age != ""


class CriterionLine(NamedTuple):
    """A criterion that is met, with the entries that it rests on, the latest first."""

    code: str
    grade: int
    text: str
    clause: Clause
    uncertain: bool
    sources: tuple[Source, ...]
    citation: str

    @property
    def at(self) -> datetime | None:
        """The time of the latest entry."""
        return self.sources[0].at if self.sources else None

    @property
    def author(self) -> str:
        return ", ".join(dict.fromkeys(source.author for source in self.sources))

    @property
    def stale(self) -> bool:
        """Whether one of the entries is so old that it must be checked."""
        return any(source.stale for source in self.sources)


class UnknownLine(NamedTuple):
    """Something that is not known, and the grade that it could reach."""

    code: str
    could_reach: int
    text: str


class Reason(NamedTuple):
    """One line of why: a criterion that is met, or something not known (``answer``)."""

    answer: str
    grade: int
    clause: Clause
    uncertain: bool = False
    sources: tuple[Source, ...] = ()

    @property
    def sources_to_check(self) -> list[str]:
        """The names of those sources that are so old that they must be checked."""
        return [source.what for source in self.sources if source.stale]


@dataclass(frozen=True, slots=True)
class GradeCard:
    """Current status of a course; ``grade`` None: not graded (before infusion, after a death).

    ``reasons`` are all of them, those that decide grade and bound first, then the highest grade
    first. ``missing`` is what must be charted before a grade 0 can be shown: ``shown_grade`` is
    None until then. ``ice_due`` says that ICE or CAPD is due, else "". ``signature`` changes when
    anything but an age changes.
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
    reasons: list[Reason]
    upcoming: list[NextChange]
    excluded: list[str]
    strip: list[StripValue]
    never_charted: list[str]
    ended: bool
    clock_behind: str
    missing: tuple[str, ...]
    closed: bool
    ice_due: str
    signature: str

    @property
    def title(self) -> str:
        return "Grade at end" if self.closed else "CRS grade now"

    @property
    def shown_grade(self) -> int | None:
        """The grade as pages write it: None where there is none, or 0 was not assessed."""
        return None if self.missing else self.grade

    @property
    def not_assessed_text(self) -> str:
        """What must be charted first, as a sentence; "" where the grade was assessed."""
        return missing_text(self.missing) if self.missing else ""

    @property
    def grade_words(self) -> str:
        """The grade as it is read out: "grade 2", "not assessed", "not graded"."""
        return grade_words(self.grade, assessed=not self.missing)

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
_FIRST_REASONS: Final = 2
"""How many reasons the card shows before "more reasons" is opened."""


def grade_card(
    course_id: uuid.UUID,
    status: Any,
    history: GradeHistory,
    *,
    closed: bool = False,
    age_years: int | None = None,
    ice_due: IceDue | None = None,
) -> GradeCard:
    """Build the card of a course from its current status and its grades up to then.

    ``history`` has the authors of the evidence. ``closed``: the course is closed, and ``status`` is
    that of its end. The strip of values marks what is unusual at ``age_years``; None: in adults.
    """
    now: datetime = status.at
    intervals = history.grades
    missing = missing_for_grade_0(status)
    maximum = max((interval.grade for interval in intervals), default=None)
    if missing and maximum == 0:
        maximum = None
    shown_on_card = {
        "grade": status.grade,
        "at_most": status.at_most,
        "since": _since(intervals, status.grade, history.assessed_since),
        "peak_24h": _peak(intervals, now),
        "maximum": maximum,
        "maximum_at": next((s.start for s in intervals if s.grade == maximum), None),
        "criteria": _criteria(status, history.authors, closed=closed),
        "unknown": [
            UnknownLine(u.code, u.could_reach, u.why) for u in results_last(status.unknown)
        ],
        "upcoming": [] if closed else list(_upcoming(status)),
        "excluded": _excluded(status),
        "strip": strip_of(status, values_before(status.latest, history.recent), age_years),
        "never_charted": never_charted(status),
        "ended": status.ended,
        "clock_behind": clock_behind_text(now),
        "missing": missing,
        "closed": closed,
        "ice_due": ice_due.text if ice_due is not None and ice_due.is_due and not closed else "",
    }
    return GradeCard(
        course_id=course_id,
        as_of=now,
        reasons=_reasons(shown_on_card),
        signature=signature_of(day_of(now), sorted(_without_ages(shown_on_card).items())),
        **shown_on_card,
    )


def _reasons(shown_on_card: Mapping[str, Any]) -> list[Reason]:
    """Return every reason, those that decide grade and bound first, then the highest grade."""
    met = [
        Reason("met", c.grade, c.clause, c.uncertain, c.sources) for c in shown_on_card["criteria"]
    ]
    unknown = [
        Reason("unknown", u.could_reach, clause_of(u.code, {}, u.text))
        for u in shown_on_card["unknown"]
    ]
    grade, at_most = shown_on_card["grade"], shown_on_card["at_most"]
    if grade is None or at_most is None or at_most <= grade:
        return [*met, *unknown]
    bound = next((u for u in unknown if u.grade == at_most), None)
    others = [*met[1:], *(u for u in unknown if u is not bound)]
    return [*met[:1], *([] if bound is None else [bound]), *others]


def _since(
    intervals: Sequence[GradeInterval], grade: int | None, assessed_since: datetime | None
) -> datetime | None:
    """Return since when the grade has had this value; a grade 0 not before it was assessed."""
    since = None
    for interval in reversed(intervals):
        if interval.grade != grade:
            break
        since = interval.start
    if since is None or grade != 0 or assessed_since is None:
        return since
    return max(since, assessed_since)


def _peak(intervals: Sequence[GradeInterval], now: datetime) -> int | None:
    begin = now - PEAK_WINDOW
    return max((s.grade for s in intervals if s.end is None or s.end > begin), default=None)


def _criteria(
    status: Any, authors: Mapping[str, EntryAuthor], *, closed: bool
) -> list[CriterionLine]:
    latest = {entry.id: (key, entry) for key, entry in status.latest.items()}
    to_check = set() if closed else {status.latest[key].id for key in status.stale}
    return [
        CriterionLine(
            code=item.code,
            grade=item.grade,
            text=item.explanation,
            clause=clause_of(item.code, item.params, item.explanation),
            uncertain=item.uncertain,
            sources=_sources(item.evidence, latest, authors, to_check, status.at),
            citation=str(item.citation),
        )
        for item in status.criteria
    ]


def _sources(
    evidence: Iterable[str],
    latest: Mapping[str, tuple[str, entries.Entry]],
    authors: Mapping[str, EntryAuthor],
    to_check: Container[str],
    now: datetime,
) -> tuple[Source, ...]:
    """Return the entries behind a criterion that still hold, each with its own time and author.

    Where none of them is among the ``latest`` about a thing, as for a bolus, all are returned.
    """
    known = [pk for pk in evidence if pk in authors]
    shown = [pk for pk in known if pk in latest] or known
    several = len(shown) > 1
    sources = [
        Source(
            what=_what(*latest[pk]) if several and pk in latest else "",
            at=authors[pk].at,
            author=authors[pk].name,
            age=age_text(authors[pk].at, now) if pk in to_check else "",
        )
        for pk in shown
    ]
    return tuple(sorted(sources, key=lambda source: source.at, reverse=True))


def _what(key: str, entry: entries.Entry) -> str:
    return "vital signs" if isinstance(entry, entries.Vitals) else key_label(key)


def _upcoming(status: Any) -> Iterable[NextChange]:
    before = GradeAt(status.grade or 0, status.at_most or 0, _findings_of(status))
    for period in status.upcoming:
        after = GradeAt(period.grade, period.at_most, _findings_of(period))
        yield next_change(period.start, before, after, status.at)
        before = after


def _findings_of(found: Any) -> dict[str, Any]:
    """Return criteria and unknowns as they are stored with a period."""
    return {
        "criteria": [item.as_json() for item in found.criteria],
        "unknown": [item.as_json() for item in found.unknown],
    }


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


def never_charted(status: Any) -> list[str]:
    """Return the names of the usual values that were not charted since the infusion."""
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
        (c.code, c.uncertain, *((s.what, s.at, s.author, s.stale) for s in c.sources))
        for c in shown_on_card["criteria"]
    ]
    lasting["unknown"] = [u.code for u in shown_on_card["unknown"]]
    lasting["upcoming"] = [(n.at, n.grade, n.at_most) for n in shown_on_card["upcoming"]]
    lasting["strip"] = [
        (s.key, s.value, s.unit, s.at, s.stale, s.trend, s.abnormal) for s in shown_on_card["strip"]
    ]
    return lasting
