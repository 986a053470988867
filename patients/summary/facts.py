"""The facts of an episode in one span of time: from the entries and the grade periods of a course.

Plain Python, without words, request or SQL: the page, exports and print call ``episode_facts``.
Times and amounts are exact; nothing is graded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from grading.engine.analytes import Analyte
from grading.engine.entries import Death, Entry, FluidBolus, Lab, Treatment, Vitals
from grading.engine.trace import Trace
from grading.engine.units import Number, at_least
from grading.engine.vocabulary import TreatmentAgent
from patients.queries.grades import GradePeriodRow
from patients.queries.scales import CourseScales
from patients.summary.scale_facts import ScaleCourse, ScaleFacts, scale_facts
from patients.summary.spans import Span, Window, within
from patients.summary.support import (
    OxygenFacts,
    VasopressorFacts,
    VentilationFacts,
    oxygen_facts,
    vasopressor_facts,
    ventilation_facts,
)

HIGHEST_TIMED_GRADE: Final = 4
"""Grade 5 is death, which has a time and no length."""
_SEVERE: Final = 3
_ORGAN_TOXICITY: Final = "organ_toxicity."


@dataclass(frozen=True, slots=True)
class SummaryChart:
    """What is known of a course up to ``until``: entries in force in order, periods, values.

    ``assessed_since`` is from when on a grade 0 is known; None: never. Calendar days are those of
    ``zone``. ``is_closed``: nothing more is charted. ``scales`` are ASTCT and ICANS,
    ``scales_at_end`` what they show at the end.
    """

    infused_at: datetime
    entries: Sequence[Entry]
    periods: Sequence[GradePeriodRow]
    trace: Trace
    until: datetime
    assessed_since: datetime | None
    zone: tzinfo
    is_closed: bool = False
    scales: Sequence[ScaleCourse] = ()
    scales_at_end: CourseScales | None = None


class Met(NamedTuple):
    """A criterion that is met, with the ids of its entries."""

    code: str
    grade: int
    explanation: str
    evidence: tuple[str, ...]
    is_uncertain: bool


class Reading(NamedTuple):
    """A value, and when it was measured."""

    at: datetime
    entry_id: str
    value: Number


class Finding(NamedTuple):
    """The start of something by the grade periods; ``continues``: it began before the span."""

    at: datetime
    grade: int
    criteria: tuple[Met, ...]
    continues: bool = False

    @property
    def evidence(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for met in self.criteria for one in met.evidence))

    @property
    def is_uncertain(self) -> bool:
        """Whether every criterion rests on findings whose cause is uncertain."""
        return bool(self.criteria) and all(met.is_uncertain for met in self.criteria)


class NotRuledOut(NamedTuple):
    """A grade above the highest known one that something unknown could have reached, and when."""

    grade: int
    spans: tuple[Span, ...]


class Present(NamedTuple):
    """Grade and bound at the end of the span; ``quiet_since`` is from when on no criterion is met.

    ``quiet_since`` is None where one is met, or the grade is not known.
    """

    grade: int
    at_most: int
    criteria: tuple[Met, ...]
    quiet_since: datetime | None


class Doses(NamedTuple):
    """The entries of one treatment: given in the span, before the infusion, for another cause."""

    doses: tuple[Entry, ...]
    before_infusion: tuple[Entry, ...]
    for_other_cause: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """The facts of one reporting span, ``window``; ``looked_at`` is the part that is known of.

    ``looked_at`` None: the span has not begun. ``grades`` is the time at each of the grades 0 to 4,
    ``not_assessed`` that at a grade 0 which nobody could know. ``first_certain`` is the first
    finding attributed to CRS beyond doubt.
    """

    window: Span
    looked_at: Window | None
    entry_ids: tuple[str, ...]
    assessed_since: datetime | None
    onset: Finding | None
    first_certain: Finding | None
    first_fever: Reading | None
    fever_of_other_cause: Reading | None
    fever_threshold_c: Number | None
    highest_temperature: Reading | None
    peak: Finding | None
    not_ruled_out: NotRuledOut | None
    grades: Mapping[int, timedelta]
    not_assessed: timedelta
    present: Present | None
    vasopressors: VasopressorFacts
    oxygen: OxygenFacts
    ventilation: VentilationFacts
    lowest_lvef: Reading | None
    treatments: Mapping[TreatmentAgent, Doses]
    boluses: Doses
    severe_organ_toxicity: tuple[Finding, ...]
    scales: Mapping[str, ScaleFacts]
    died_at: datetime | None

    @property
    def was_assessed(self) -> bool:
        """Whether a grade 0 can be known within the span."""
        known = self.looked_at
        return (
            known is not None
            and self.assessed_since is not None
            and (self.assessed_since <= known.end)
        )


def episode_facts(chart: SummaryChart, window: Span) -> EpisodeFacts:
    """Return the facts of ``chart`` within ``window``.

    What is charted for before the infusion is no part of the episode, but treatments given before
    it are named apart.
    """
    died_at = next((one.at for one in chart.entries if isinstance(one, Death)), None)
    end = min(one for one in (chart.until, window.end, died_at) if one is not None)
    start = max(window.start, chart.infused_at)
    begun = start <= end and start < window.end
    known = Window(start, end if begun else start, has_last=begun and end < window.end)
    trace = chart.trace if begun else Trace()
    entries = [one for one in chart.entries if known.has(one.at)]
    periods = _periods_in(chart.periods, known)
    temperatures = list(_temperatures(entries))
    fevers = [
        (one, reading)
        for one, reading in temperatures
        if at_least(reading.value, _threshold(chart.trace, one.at))
    ]
    counted = [one for one in periods if one[0].findings["criteria"]]
    return EpisodeFacts(
        window=window,
        looked_at=known if begun else None,
        entry_ids=tuple(one.id for one in entries),
        assessed_since=chart.assessed_since,
        onset=_finding_of(counted[0], known) if counted else None,
        first_certain=_first_certain(counted, known),
        first_fever=next((r for one, r in fevers if one.counted("temperature_c")), None),
        fever_of_other_cause=next(
            (r for one, r in fevers if not one.counted("temperature_c")), None
        ),
        fever_threshold_c=chart.trace.limits[-1].fever_c if chart.trace.limits else None,
        highest_temperature=_first_highest(reading for _, reading in temperatures),
        peak=_peak(periods, known),
        not_ruled_out=_not_ruled_out(periods, chart.assessed_since),
        grades=_time_at_grades(periods, chart.assessed_since),
        not_assessed=_time_not_assessed(periods, chart.assessed_since),
        present=_present(periods, chart.assessed_since),
        vasopressors=vasopressor_facts(trace, chart.entries, known),
        oxygen=oxygen_facts(trace, chart.entries, periods, known, chart.zone),
        ventilation=ventilation_facts(trace, chart.entries, known),
        lowest_lvef=_lowest_lvef(entries),
        treatments=_treatments(chart, entries, window),
        boluses=_doses((one for one in entries if isinstance(one, FluidBolus)), ()),
        severe_organ_toxicity=tuple(_severe_organ_toxicity(periods, known)),
        scales={one.key: scale_facts(one, known) for one in chart.scales},
        died_at=died_at if died_at is not None and died_at < window.end else None,
    )


_PeriodIn = tuple[GradePeriodRow, Span]


def _periods_in(periods: Iterable[GradePeriodRow], known: Window) -> list[_PeriodIn]:
    found = []
    for period in periods:
        end = known.end if period.end is None else period.end
        part = within(Span(period.start, max(end, period.start)), known)
        if part is not None:
            found.append((period, part))
    return found


def _met(findings: Mapping[str, Any]) -> tuple[Met, ...]:
    return tuple(
        Met(
            one["code"],
            one["grade"],
            one["explanation"],
            tuple(one["evidence"]),
            one.get("attribution") == "uncertain",
        )
        for one in findings["criteria"]
    )


def _finding_of(
    found: _PeriodIn, known: Window, criteria: tuple[Met, ...] | None = None
) -> Finding:
    period, part = found
    of_period = _met(period.findings) if criteria is None else criteria
    return Finding(part.start, period.grade, of_period, period.start < known.start)


def _first_certain(counted: Iterable[_PeriodIn], known: Window) -> Finding | None:
    for found in counted:
        certain = tuple(met for met in _met(found[0].findings) if not met.is_uncertain)
        if certain:
            return _finding_of(found, known, certain)
    return None


def _peak(periods: Sequence[_PeriodIn], known: Window) -> Finding | None:
    if not periods:
        return None
    highest = max(period.grade for period, _ in periods)
    first = next(one for one in periods if one[0].grade == highest)
    decide = tuple(met for met in _met(first[0].findings) if met.grade == highest)
    return _finding_of(first, known, decide)


def _not_ruled_out(
    periods: Sequence[_PeriodIn], assessed_since: datetime | None
) -> NotRuledOut | None:
    """Return the highest bound above every grade; times that were not assessed are left out."""
    highest = max((period.grade for period, _ in periods), default=0)
    bounds = [
        (period.at_most, Span(part.start + unknown, part.end))
        for period, part in periods
        if not (unknown := _unknown_part(period, part, assessed_since)) or unknown < part.length
    ]
    bound = max((at_most for at_most, _ in bounds), default=0)
    if bound <= highest:
        return None
    spans: list[Span] = []
    for at_most, part in bounds:
        if at_most != bound:
            continue
        if spans and spans[-1].end == part.start:
            spans[-1] = Span(spans[-1].start, part.end)
        else:
            spans.append(part)
    return NotRuledOut(bound, tuple(spans))


def _time_at_grades(
    periods: Iterable[_PeriodIn], assessed_since: datetime | None
) -> dict[int, timedelta]:
    times = dict.fromkeys(range(HIGHEST_TIMED_GRADE + 1), timedelta(0))
    for period, part in periods:
        if period.grade <= HIGHEST_TIMED_GRADE:
            times[period.grade] += part.length - _unknown_part(period, part, assessed_since)
    return times


def _time_not_assessed(periods: Iterable[_PeriodIn], assessed_since: datetime | None) -> timedelta:
    parts = (_unknown_part(period, part, assessed_since) for period, part in periods)
    return sum(parts, timedelta(0))


def _unknown_part(period: GradePeriodRow, part: Span, assessed_since: datetime | None) -> timedelta:
    """Return how much of ``part`` is a grade 0 from before the course was assessed."""
    if period.grade != 0:
        return timedelta(0)
    known_from = part.end if assessed_since is None else min(assessed_since, part.end)
    return max(known_from - part.start, timedelta(0))


def _present(periods: Sequence[_PeriodIn], assessed_since: datetime | None) -> Present | None:
    if not periods:
        return None
    last = periods[-1][0]
    quiet_since = None
    if last.grade == 0 and assessed_since is not None:
        for period, part in reversed(periods):
            if period.grade != 0:
                break
            quiet_since = max(part.start, assessed_since)
    return Present(last.grade, last.at_most, _met(last.findings), quiet_since)


def _threshold(trace: Trace, at: datetime) -> Any:
    """Return the threshold of fever in force at ``at``."""
    in_force = [step for step in trace.limits if step.at <= at]
    return in_force[-1].fever_c


def _temperatures(entries: Iterable[Entry]) -> Iterable[tuple[Vitals, Reading]]:
    for one in entries:
        if isinstance(one, Vitals) and one.temperature_c is not None:
            yield one, Reading(one.at, one.id, one.temperature_c)


def _first_highest(readings: Iterable[Reading]) -> Reading | None:
    return max(readings, key=lambda one: one.value, default=None)


def _lowest_lvef(entries: Iterable[Entry]) -> Reading | None:
    results = [
        Reading(one.at, one.id, one.value)
        for one in entries
        if isinstance(one, Lab) and one.analyte is Analyte.LVEF
    ]
    return min(results, key=lambda one: one.value, default=None)


def _treatments(
    chart: SummaryChart, entries: Sequence[Entry], window: Span
) -> dict[TreatmentAgent, Doses]:
    """Return the doses of each treatment; those before the infusion with the first span alone."""
    earlier = chart.entries if window.start <= chart.infused_at else ()
    before = [one for one in earlier if one.at < chart.infused_at and isinstance(one, Treatment)]
    within_span = [one for one in entries if isinstance(one, Treatment)]
    return {
        agent: _doses(
            (one for one in within_span if one.agent is agent),
            (one for one in before if one.agent is agent),
        )
        for agent in TreatmentAgent
    }


def _doses(entries: Iterable[Entry], before_infusion: Iterable[Entry]) -> Doses:
    every = list(entries)
    return Doses(
        tuple(one for one in every if one.counts),
        tuple(before_infusion),
        tuple(one for one in every if not one.counts),
    )


def _severe_organ_toxicity(periods: Iterable[_PeriodIn], known: Window) -> Iterable[Finding]:
    """Yield the first finding of each organ toxicity that Lee counts as grade 3 or higher."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for found in periods:
        for met in _met(found[0].findings):
            key = (met.code, met.evidence)
            if met.code.startswith(_ORGAN_TOXICITY) and met.grade >= _SEVERE and key not in seen:
                seen.add(key)
                yield _finding_of(found, known, (met,))
