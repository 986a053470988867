"""What scales other than Lee's show at an instant: grades, criteria, and what is not known.

None of them is the grade: Lee's alone drives advice, history and sign-off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine.entries import Capd, Ice
from grading.engine.periods import Criterion, Explained, Period, Unknown
from grading.engine.sentences import inside_a_sentence
from grading.engine.status import CurrentStatus
from grading.engine.vocabulary import TreatmentAgent
from grading.systems import HEADLINE
from patients.display.assessment import missing_for_grade_0, never_assessed
from patients.display.ice_due import IceDue
from patients.display.reasons import Clause, clause_of
from patients.display.scale_text import capd_text, ice_score_text
from patients.display.text import age_text, clock_text, duration_text
from patients.queries.grades import EntryAuthor
from patients.queries.scales import ICANS, CourseScales, ScaleAnswer, ScalePeriod

NOT_ASSESSED: Final = "not assessed"
NOT_GRADED: Final = "not graded"
_BY_A_ROUND: Final = frozenset({"icans.ice", "icans.capd"})


class EvidenceLink(NamedTuple):
    """An entry that a criterion rests on: its id, clinical time and author."""

    entry_id: str
    at: datetime
    author: str


class ScaleReason(NamedTuple):
    """One line of a scale: what is met, not known (``answer``), or withheld."""

    answer: str
    grade: int
    clause: Clause
    uncertain: bool = False
    sources: tuple[EvidenceLink, ...] = ()
    citation: str = ""


class LastAssessment(NamedTuple):
    """The latest ICE or CAPD of the patient's tool: what it gave, when and by whom."""

    text: str
    at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class ScaleShown:
    """A scale at the instant ``now``.

    ``grade`` None is not graded, before the infusion and after an end that the scale does not
    grade; a grade 0 that is not ``assessed`` is not shown as one. ``withheld`` is the highest grade
    that counts for nothing while there is no fever. ``question`` says what a round would answer
    where ICANS could be higher. ``next_text`` is what the clock alone will change, and
    ``next_grade_text`` the change of grade in it, short: "3 at 14:20".
    """

    key: str
    title: str
    short: str
    grade: int | None
    at_most: int | None
    assessed: bool
    withheld: int | None
    question: str
    next_text: str
    next_grade_text: str
    next_at: datetime | None
    age: str
    unverified: tuple[str, ...]
    reasons: tuple[ScaleReason, ...] = ()
    waived: str = ""
    last_round: LastAssessment | None = None
    due: str = ""

    @property
    def could_be(self) -> int | None:
        """The higher grade that is possible; None where nothing unknown could raise it."""
        grade, at_most = self.grade, self.at_most
        return at_most if grade is not None and at_most is not None and at_most > grade else None

    @property
    def number(self) -> str:
        """The grade as a number; "–" where there is none or it was not assessed."""
        return "–" if self.grade is None or not self.assessed else str(self.grade)

    @property
    def known(self) -> str:
        """The grade in words: "2", "not assessed", "not graded"."""
        if self.grade is None:
            return NOT_GRADED
        return str(self.grade) if self.assessed else NOT_ASSESSED

    @property
    def more(self) -> str:
        """What follows the grade: ", could be 4: not assessed", ", 2 withheld", ", 14 h old"."""
        words = ""
        if self.could_be is not None:
            words = f", could be {self.could_be}"
            if self.question and self.assessed:
                words += f": {self.question}"
        elif self.withheld is not None:
            words = f", {self.withheld} withheld"
        return f"{words}{self.age}"

    @property
    def note(self) -> str:
        """What stands below the number: "sure", "could be 3", "withheld: no fever"."""
        if self.grade is None:
            return NOT_GRADED
        parts = [] if self.assessed else [NOT_ASSESSED]
        if self.withheld is not None:
            parts.append("withheld: no fever")
        if self.could_be is not None:
            parts.append(f"could be {self.could_be}")
        if self.question and self.assessed:
            parts.append(self.question)
        if self.last_round is not None and self.assessed:
            parts.append(self.last_round.text)
        return "; ".join(parts) or "sure"


def scale_shown(
    answer: ScaleAnswer,
    status: CurrentStatus,
    due: IceDue | None,
    *,
    authors: Mapping[str, EntryAuthor] | None = None,
    closed: bool = False,
    tool: str = Ice.kind,
) -> ScaleShown:
    """Return what a scale shows at the instant of ``status``.

    ``authors`` are those of its evidence; without them it has no reasons. ``tool`` is how ICANS is
    assessed in this patient, and ``due`` when that is due.
    """
    shown, scale = answer.shown, answer.scale
    last = _last_round(status, tool) if scale.key == ICANS else None
    following = None if closed else next_period(answer)
    changes_grade = following is not None and following.grade != answer.grade
    return ScaleShown(
        key=scale.key,
        title=scale.title,
        short=scale.short,
        grade=answer.grade,
        at_most=answer.at_most,
        assessed=is_assessed(answer, status, tool),
        withheld=max((one.grade for one in shown.withheld), default=None) if shown else None,
        question=_question(answer, last),
        next_text=_next_text(scale.short, following, status.at),
        next_grade_text=grade_at_text(following, status.at) if changes_grade else "",
        next_at=None if following is None else following.start,
        age=_age(answer, last, due, status.at, closed=closed),
        unverified=scale.unverified,
        reasons=() if authors is None else tuple(_reasons(shown, authors)),
        waived=_waived(answer.waived_by, status.at),
        last_round=None if last is None else _round_text(last, authors or {}, status.at),
        due="" if due is None or scale.key != ICANS else due.text,
    )


def is_assessed(answer: ScaleAnswer, status: CurrentStatus, tool: str) -> bool:
    """Return whether the grade is known: above 0, or 0 after what it needs was charted.

    For ICANS that is a round that could be done, by the patient's ``tool``.
    """
    if answer.grade != 0:
        return True
    if answer.scale.key == ICANS:
        last = _last_round(status, tool)
        return last is not None and last.performed
    return not never_assessed(status.latest)


def _last_round(status: CurrentStatus, tool: str) -> Ice | Capd | None:
    entry = status.latest.get(tool)
    return entry if isinstance(entry, Ice | Capd) else None


def _question(answer: ScaleAnswer, last: Ice | Capd | None) -> str:
    """Return what of a round is open where ICANS could be higher for that; "" else."""
    shown = answer.shown
    if shown is None or answer.scale.key != ICANS:
        return ""
    open_codes = {one.code for one in shown.unknown if one.could_reach == shown.at_most}
    if "icans.not_assessed" in open_codes:
        return NOT_ASSESSED
    if open_codes & _BY_A_ROUND and last is not None:
        return "not all asked" if last.performed else "not done"
    return ""


def _age(
    answer: ScaleAnswer,
    last: Ice | Capd | None,
    due: IceDue | None,
    now: datetime,
    *,
    closed: bool,
) -> str:
    """Return when ICANS was assessed: " at 08:00", and its age once the next round is due."""
    if closed:
        return " at the end"
    if last is None or not last.performed or answer.grade is None:
        return ""
    criteria = answer.shown.criteria if answer.shown else ()
    by_round = not criteria or criteria[0].code in _BY_A_ROUND
    if due is not None and due.is_due:
        what = "" if by_round else f"{last.kind.upper()} "
        return f", {what}{duration_text(now - last.at)} old"
    return f" at {clock_text(last.at, now)}" if by_round else ""


def next_period(answer: ScaleAnswer) -> ScalePeriod | None:
    """Return the first period of another grade or bound that the clock alone will bring."""
    current = answer.current
    if current is None:
        return None
    for period in answer.projected:
        if (period.grade, period.at_most) != (current.grade, current.at_most):
            return period
    return None


def grade_at_text(period: Period | ScalePeriod | None, now: datetime) -> str:
    """Return when a period comes, and its grade: "3 at 14:20"."""
    return "" if period is None else f"{period.grade} at {clock_text(period.start, now)}"


def _next_text(short: str, period: Period | ScalePeriod | None, now: datetime) -> str:
    if period is None:
        return ""
    bound = f", could be {period.at_most}" if period.at_most > period.grade else ""
    at = clock_text(period.start, now)
    return f"{short} {period.grade}{bound} at {at} if nothing changes"


def _reasons(
    shown: ScalePeriod | None, authors: Mapping[str, EntryAuthor]
) -> Iterable[ScaleReason]:
    """Yield what is met and withheld, then what is not known, each with the highest first."""
    if shown is None:
        return
    yield from criterion_lines(shown.criteria, authors)
    yield from criterion_lines(shown.withheld, authors, "withheld")
    yield from unknown_lines(shown.unknown, authors)


def criterion_lines(
    criteria: Iterable[Criterion], authors: Mapping[str, EntryAuthor], answer: str = "met"
) -> Iterable[ScaleReason]:
    """Yield criteria as lines, with the entries that they rest on."""
    for one in criteria:
        clause = clause_of(one.code, one.params, one.explanation)
        sources = evidence_links(one.evidence, authors)
        yield ScaleReason(answer, one.grade, clause, one.uncertain, sources, str(one.citation))


def unknown_lines(
    unknown: Iterable[Unknown], authors: Mapping[str, EntryAuthor]
) -> Iterable[ScaleReason]:
    """Yield what is not known as lines, with the entries that leave it open."""
    for one in unknown:
        clause = clause_of(one.code, {}, one.why)
        sources = evidence_links(one.evidence, authors)
        yield ScaleReason("unknown", one.could_reach, clause, sources=sources)


def evidence_links(
    ids: Iterable[str], authors: Mapping[str, EntryAuthor]
) -> tuple[EvidenceLink, ...]:
    """Return the entries of ``ids`` with time and author, the latest first."""
    links = [EvidenceLink(pk, authors[pk].at, authors[pk].name) for pk in ids if pk in authors]
    return tuple(sorted(links, key=lambda link: link.at, reverse=True))


def _round_text(
    entry: Ice | Capd, authors: Mapping[str, EntryAuthor], now: datetime
) -> LastAssessment:
    text = f"ICE {ice_score_text(entry)}" if isinstance(entry, Ice) else capd_text(entry)
    author = authors[entry.id].name if entry.id in authors else ""
    return LastAssessment(f"{text} at {clock_text(entry.at, now)}", entry.at, author)


def _waived(waived_by: Explained | None, now: datetime) -> str:
    """Return which treatment waives the fever, and how long ago that was."""
    if waived_by is None:
        return ""
    agent = inside_a_sentence(TreatmentAgent(waived_by.params["agent"]).label)
    return f"fever waived: {agent} {_ago(datetime.fromisoformat(waived_by.params['at']), now)}"


_DAYS_FROM: Final = 2


def _ago(at: datetime, now: datetime) -> str:
    days = (now - at).days
    return f"{days} days ago" if days >= _DAYS_FROM else age_text(at, now)


def headline_shown(
    status: CurrentStatus, authors: Mapping[str, EntryAuthor], *, closed: bool = False
) -> ScaleShown:
    """Return what Lee's grade shows at the instant of ``status``, in the form of the others."""
    ahead = () if closed else status.upcoming
    was = (status.grade, status.at_most)
    following = next((one for one in ahead if (one.grade, one.at_most) != was), None)
    changes_grade = following is not None and following.grade != status.grade
    return ScaleShown(
        key=HEADLINE.key,
        title=HEADLINE.name,
        short="Lee",
        grade=status.grade,
        at_most=status.at_most,
        assessed=not missing_for_grade_0(status),
        withheld=None,
        question="",
        next_text=_next_text("Lee", following, status.at),
        next_grade_text=grade_at_text(following, status.at) if changes_grade else "",
        next_at=None if following is None else following.start,
        age="",
        unverified=(),
        reasons=(
            *criterion_lines(status.criteria, authors),
            *unknown_lines(status.unknown, authors),
        ),
    )


def evidence_of(scales: CourseScales, status: CurrentStatus) -> set[str]:
    """Return the ids of every entry that the page of the scales names."""
    found: list[Criterion | Unknown] = [*status.criteria, *status.unknown]
    for answer in scales.answers:
        if (shown := answer.shown) is not None:
            found += [*shown.criteria, *shown.withheld, *shown.unknown]
    ids = {pk for one in found for pk in one.evidence}
    rounds = (status.latest.get(key) for key in (Ice.kind, Capd.kind))
    return ids | {entry.id for entry in rounds if entry is not None}
