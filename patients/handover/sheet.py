"""What the handover says, in lines that are few and short enough for one page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from grading.engine.analytes import Analyte
from grading.engine.entries import FluidBolus, Lab, Treatment
from grading.engine.sentences import lab_unit_text
from grading.engine.units import format_number
from grading.engine.vocabulary import RiskQuestion, TreatmentAgent
from patients.display.banner import baseline_text
from patients.display.grade_card import CriterionLine, GradeCard
from patients.display.sign_off import span_text, time_text
from patients.display.site_times import at_site
from patients.display.text import day_text, moment_text, range_text
from patients.models import StatedAbout
from patients.queries.reviews import Run
from patients.queries.status import CourseStatus
from patients.review.instant import AdviceLine
from patients.review.page import runs_of
from patients.summary.answer import hours_text
from patients.summary.facts import EpisodeFacts
from patients.summary.read import ReadSummary
from patients.summary.summary import Part

_WHY: Final = 5
_LAB: Final = 3
_TREATMENTS: Final = 6
_NEXT: Final = 4
_OPEN: Final = 3
_RUNS: Final = 3
_VALUES: Final = 9
_LONGEST: Final = 84
"""Characters of one line: a longer one is cut, and the full course has it."""


class WhyLine(NamedTuple):
    """A reason of the grade: its number, what was found, and who charted it when."""

    grade: str
    text: str
    source: str


class Line(NamedTuple):
    """A name and what belongs to it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of a handover. ``grade`` is "–" where it is not known, with why in ``headline``.

    ``could_be`` is a sentence about the bound; lists end with how many lines were left out.
    """

    grade: str
    bound: str
    headline: str
    could_be: str
    highest: str
    scales: Sequence[str]
    values: Sequence[Line]
    background: Sequence[Line]
    why: Sequence[WhyLine]
    results: Sequence[Line]
    treatments: Sequence[Line]
    next: Sequence[Line]
    open: Sequence[str]
    signed: str


def build_sheet(
    read: ReadSummary,
    facts: EpisodeFacts,
    status: CourseStatus,
    card: GradeCard,
    advice: Sequence[AdviceLine],
    scales: Sequence[str],
) -> Sheet:
    """Build the handover of what was read; nothing in it is longer than its place.

    ``facts`` are those of the whole course, ``scales`` what ASTCT and ICANS say, in a line each.
    """
    at = status.current.at
    return Sheet(
        grade="–" if card.shown_grade is None else str(card.shown_grade),
        bound=_bound(card),
        headline=_headline(card),
        could_be=_could_be(card),
        highest=_highest(read),
        scales=[short(one) for one in scales],
        values=_values(card, at),
        background=list(_background(read, status, facts)),
        why=_why(card, at),
        results=list(_results(read)),
        treatments=_cut(
            [*_treatments(read, facts)], _TREATMENTS, Line("and more", "in the full course")
        ),
        next=list(_next(card, advice)),
        open=list(_open(read, card)),
        signed=_signed(read),
    )


def short(text: str, longest: int = _LONGEST) -> str:
    """Return ``text`` cut to its place, with "…" where something is left out."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _cut(lines: list[Line], most: int, more: Line) -> list[Line]:
    return lines if len(lines) <= most else [*lines[: most - 1], more]


def _values(card: GradeCard, now: datetime) -> list[Line]:
    """Return the latest values; where they are too many, oxygen and what runs stay."""
    shown = card.strip
    if len(shown) > _VALUES:
        running = [one for one in shown if one.is_long][: _VALUES - 1]
        signs = [one for one in shown if not one.is_long]
        shown = [*signs[: _VALUES - 1 - len(running)], *running]
    lines = [
        Line(one.label, f"{one.value} {one.unit}".strip() + f", {_clock(one.at, now)}")
        for one in shown
    ]
    left = len(card.strip) - len(shown)
    return [*lines, Line(f"and {left} more", "on the bedside page")] if left else lines


def _clock(at: datetime, now: datetime) -> str:
    return time_text(at) if day_text(at, now) else at_site(at).clock


def _bound(card: GradeCard) -> str:
    if card.at_most is None or card.at_most <= (card.grade or 0):
        return ""
    return f"could be {card.at_most}"


def _headline(card: GradeCard) -> str:
    if card.grade is None:
        return "Not graded."
    if card.shown_grade is None:
        return "Not assessed: " + ", ".join(f"no {one}" for one in card.missing) + " charted."
    since = "" if card.since is None else f" since {moment_text(card.since)}"
    return f"Grade {card.grade}{since}."


def _could_be(card: GradeCard) -> str:
    if card.grade is None:
        return ""
    if not _bound(card):
        return "" if card.shown_grade is None else "Nothing unknown could make it higher."
    reasons = [one.text for one in card.unknown if one.could_reach > (card.grade or 0)]
    return short(f"Could be {card.at_most}: {'; '.join(reasons[:2])}.", 120)


def _highest(read: ReadSummary) -> str:
    """Return the highest grade and when, up to the moment of the page."""
    until = read.chart.until
    begun = [one for one in read.chart.periods if one.start <= until]
    runs = runs_of(begun)
    highest = max((run.grade for run in runs), default=0)
    if not highest:
        return ""
    of_it = [run for run in runs if run.grade == highest]
    spans = "; ".join(_run_text(run, read) for run in of_it[-_RUNS:])
    earlier = "earlier too; " if len(of_it) > _RUNS else ""
    return f"Highest: {highest} ({earlier}{spans})."


def _run_text(run: Run, read: ReadSummary) -> str:
    if run.end is None or run.end > read.chart.until:
        return f"{moment_text(run.start)} – {_last_moment(read)}"
    return range_text(run.start, run.end)


def _last_moment(read: ReadSummary) -> str:
    """Return the name of the moment up to which the handover goes."""
    return "now" if read.known.closing is None else "end of course"


def _background(read: ReadSummary, status: CourseStatus, facts: EpisodeFacts) -> Iterable[Line]:
    course, at = read.known.course, status.current.at
    day = f"day {day_text(course.infused_at, at)}"
    day = f"today {day}" if read.known.closing is None else f"{day} at end of course"
    yield Line(short(course.product, 40), f"on {moment_text(course.infused_at)}, {day}")
    yield from _baseline(status)
    answers = {one: _risk(read, one) for one in RiskQuestion}
    for question, answer in answers.items():
        yield Line(question.label, answer)
    fever = facts.first_fever
    yield Line("first fever", "none charted" if fever is None else moment_text(fever.at))
    home = read.summary.answer("crs.fever.home") if read.summary.has_begun else None
    if home is not None:
        yield Line("fever at home", short(home.text.lower(), 40))


def _baseline(status: CourseStatus) -> Iterable[Line]:
    baseline = status.baseline
    yield Line("baseline BP", baseline_text(baseline))
    if baseline.creatinine_mg_dl is not None:
        yield Line("creatinine", f"{format_number(baseline.creatinine_mg_dl)} mg/dL")


def _risk(read: ReadSummary, question: RiskQuestion) -> str:
    for entry in reversed(read.chart.entries):
        answer = getattr(entry, question.value, None)
        if answer is not None and entry.at <= read.chart.until:
            return "yes" if answer else "no"
    return "not known"


def _why(card: GradeCard, now: datetime) -> list[WhyLine]:
    lines = [_criterion(line, now) for line in card.criteria]
    lines += [WhyLine(f"?{one.could_reach}", short(one.text), "not known") for one in card.unknown]
    if len(lines) <= _WHY:
        return lines
    left = len(lines) - _WHY + 1
    return [*lines[: _WHY - 1], WhyLine("", f"and {left} more in the full course", "")]


def _criterion(line: CriterionLine, now: datetime) -> WhyLine:
    source = ""
    if line.at is not None:
        source = f"{_clock(line.at, now)}, {short(line.author, 24)}"
    text = f"{line.clause.lead}{line.clause.rest}"
    return WhyLine(str(line.grade), short(text), source)


def _results(read: ReadSummary) -> Iterable[Line]:
    for analyte in (Analyte.CRP, Analyte.FERRITIN):
        found = [
            one
            for one in read.chart.entries
            if isinstance(one, Lab) and one.analyte is analyte and one.at <= read.chart.until
        ][-_LAB:]
        if found:
            values = _joined(found)
            yield Line(analyte.label, f"{values}, last {moment_text(found[-1].at)}")


def _joined(results: Sequence[Lab]) -> str:
    """Return results of one analyte in their order; each with its unit where they differ."""
    numbers = [f"{one.comparator or ''}{format_number(one.value)}" for one in results]
    units = [lab_unit_text(one.unit) for one in results]
    if len(set(units)) == 1:
        return f"{' → '.join(numbers)} {units[0]}"
    return " → ".join(f"{number} {unit}" for number, unit in zip(numbers, units, strict=True))


def _treatments(read: ReadSummary, facts: EpisodeFacts) -> Iterable[Line]:
    yield _drug(facts, "Tocilizumab", (TreatmentAgent.TOCILIZUMAB,))
    yield _drug(
        facts,
        "Corticosteroids",
        (
            TreatmentAgent.METHYLPREDNISOLONE,
            TreatmentAgent.DEXAMETHASONE,
            TreatmentAgent.HYDROCORTISONE,
        ),
    )
    yield from _vasopressors(facts, _last_moment(read))
    boluses = [one for one in facts.boluses.doses if isinstance(one, FluidBolus)]
    if boluses:
        volume = format_number(sum(one.volume_ml for one in boluses))
        last = moment_text(boluses[-1].at)
        yield Line("Fluid boluses", f"{len(boluses)}, {volume} mL in all, last {last}")
    antibiotics = facts.treatments[TreatmentAgent.ANTIBIOTICS].doses
    if antibiotics:
        yield Line("Antibiotics", f"first charted {moment_text(antibiotics[0].at)}")
    for agent in (
        TreatmentAgent.SILTUXIMAB,
        TreatmentAgent.ANAKINRA,
        TreatmentAgent.ETANERCEPT,
        TreatmentAgent.INFLIXIMAB,
    ):
        if facts.treatments[agent].doses:
            yield _drug(facts, agent.label, (agent,))


def _vasopressors(facts: EpisodeFacts, last_moment: str) -> Iterable[Line]:
    found = facts.vasopressors
    if not found.spans:
        yield Line("Vasopressors", "none charted")
        return
    drugs = ", ".join(drug.label for drug in found.by_drug)
    going_on = last_moment if found.runs_on else moment_text(found.spans[-1].end)
    least = "" if found.is_complete else "at least "
    highest = f", highest {least}{format_number(found.highest)} mcg/min" if found.highest else ""
    span = f"{moment_text(found.spans[0].start)} – {going_on}, {hours_text(found.time)}"
    yield Line("Vasopressors", short(f"{drugs}: {span}{highest}", 120))


def _drug(facts: EpisodeFacts, name: str, agents: Iterable[TreatmentAgent]) -> Line:
    found = [one for agent in agents for one in facts.treatments[agent].doses]
    doses = sorted((one for one in found if isinstance(one, Treatment)), key=lambda one: one.at)
    if not doses:
        return Line(name, "none charted")
    last = doses[-1]
    dose = "dose not charted" if last.dose_mg is None else f"{format_number(last.dose_mg)} mg"
    agent = "" if last.agent.label == name else f"{last.agent.label} "
    count = "" if len(doses) == 1 else f", {len(doses)} doses in all"
    return Line(name, f"{agent}{dose}, {moment_text(last.at)}{count}")


def _next(card: GradeCard, advice: Sequence[AdviceLine]) -> Iterable[Line]:
    changes = [short(one.text) for one in card.next_changes]
    yield Line("By the clock", changes[0] if changes else "no grade change if nothing changes")
    still = [one for one in advice if one.is_open]
    for one in still[:_NEXT]:
        yield Line("Advice", short(one.summary))
    if len(still) > _NEXT:
        yield Line("Advice", f"and {len(still) - _NEXT} more on the bedside page")


def _open(read: ReadSummary, card: GradeCard) -> Iterable[str]:
    waiting = [one for one in read.reviewed if one.waits]
    lines = [
        f"{span_text(one.start, one.end, is_open=one.is_open)}: {one.state.words}"
        for one in waiting
    ]
    lines += [f"not known: {short(one.text)}" for one in card.unknown]
    if read.summary.part is Part.TO_DAY_100 and not any(
        one.about == StatedAbout.FEVER_AT_HOME for one in read.statements
    ):
        lines.append("fever at home: nobody has stated it")
    yield from lines[:_OPEN]
    if len(lines) > _OPEN:
        yield f"and {len(lines) - _OPEN} more on the review page"


def _signed(read: ReadSummary) -> str:
    """Return the sign-off state of the period in force, and how many others wait."""
    if not read.reviewed:
        return "not signed"
    last = read.reviewed[-1]
    by = "" if last.sign_off is None else f" by {last.sign_off.author_name}"
    waiting = sum(one.waits for one in read.reviewed)
    more = f"; {waiting} waiting for review" if waiting else ""
    return f"present period {last.state.words}{by}{more}"
