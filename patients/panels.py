"""What a page prints: plain values, worded and aged, that templates compare nothing of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from patients.attributed import Proposal
from patients.carried_on import CarriedOn

if TYPE_CHECKING:
    from patients.queries.grades import Held


@dataclass(frozen=True, slots=True)
class Banner:
    """Who it is about; always in sight."""

    course_id: UUID
    name: str
    mrn: str
    birth_date: date | None
    age_text: str
    sex_letter: str
    product: str
    day: int
    infused_at: datetime
    weight_text: str
    weight_at: datetime | None
    baseline_text: str
    ward: str
    bed: str


@dataclass(frozen=True, slots=True)
class CriterionLine:
    """A criterion that is met, with the value it rests on. ``at`` is of the oldest such value."""

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
    """What is not known, and the grade that it could reach."""

    code: str
    could_reach: int
    text: str


@dataclass(frozen=True, slots=True)
class NextChange:
    """What the clock alone will change if nothing more is charted."""

    at: datetime
    grade: int
    at_most: int
    text: str
    direction: str


@dataclass(frozen=True, slots=True)
class StripValue:
    """One of the latest values, in short."""

    key: str
    label: str
    value: str
    unit: str
    at: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class GradeCard:
    """Where the course stands; ``grade`` None: not graded (before infusion, after a death)."""

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
    signature: str


@dataclass(frozen=True, slots=True)
class Superseded:
    """What an entry said before it was corrected, why, by whom and when."""

    old_text: str
    reason: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An entry or a change of grade, in clinical time."""

    key: str
    at: datetime
    kind: str
    text: str
    icon_grade: int | None = None
    grade_before: int | None = None
    author: str = ""
    recorded_at: datetime | None = None
    late_text: str = ""
    corrected: tuple[Superseded, ...] = ()
    retracted: bool = False
    retract_reason: str = ""
    note: str = ""
    attribution: str = "crs"
    attribution_text: str = ""
    attribution_reason: str = ""
    confirmed: tuple[str, ...] = ()
    can_correct: bool = False
    can_retract: bool = False
    entry_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of rows, newest first; ``older`` is the cursor of the next page, empty at the end."""

    rows: list[TimelineRow]
    older: str
    kind: str


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One course on the ward board."""

    course_id: UUID
    name: str
    mrn: str
    ward: str
    bed: str
    product: str
    day: int
    grade: int | None
    at_most: int | None
    maximum: int | None
    next_change: NextChange | None
    last_observation_at: datetime | None
    last_observation_age_text: str


@dataclass(frozen=True, slots=True)
class PreviousValue:
    """The value charted before, shown beside an input and never in it; as the page is ``as_of``."""

    text: str
    at: datetime
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Infusion:
    """A vasopressor that runs, as last charted.

    ``unit``, ``concentration_per_ml`` and ``weight_kg`` are as a form takes them, "" where none.
    """

    drug: str
    label: str
    text: str
    at: datetime
    age_text: str
    rate_text: str
    unit: str
    concentration_per_ml: str
    weight_kg: str


@dataclass(frozen=True, slots=True)
class Bedside:
    """Everything of one course that its page shows beside the timeline and the form.

    ``held`` is what it was read from, for what else the page tells.
    """

    held: Held
    banner: Banner
    card: GradeCard
    previous: Mapping[str, PreviousValue]
    running: list[Infusion]
    carried_on: list[CarriedOn]
    proposed: Mapping[str, Proposal]
