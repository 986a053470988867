"""What the review page plots over time: grades, criteria, values and treatments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any, Final, NamedTuple

from grading.engine.analytes import Analyte
from grading.engine.entries import Entry, FluidBolus, Judgement, Lab, Treatment, Vitals
from grading.engine.evidence import OXYGEN_HIGH
from grading.engine.sentences import lab_unit_text, short_name
from grading.engine.trace import Trace
from grading.engine.units import Number, format_number
from grading.engine.vocabulary import DRUGS, TreatmentAgent, VasopressorDrug
from patients.display.text import LATE_AFTER, entry_text
from patients.queries.grades import GradePeriodRow
from patients.queries.series import CourseValues

ESTIMATED: Final = "estimated"
DERIVED: Final = "derived"
OTHER_CAUSE: Final = "other"
CORRECTED: Final = "corrected"
LATE: Final = "late"
_PLOTTED_RESULTS: Final = (Analyte.CRP, Analyte.FERRITIN)
_GIVEN: Final = (Treatment, FluidBolus, Judgement)
_PLACES: Final = 1


class Point(NamedTuple):
    """A value at an instant; ``value`` None ends a line. ``marks`` are words like ``LATE``."""

    at: datetime
    value: Number | None
    entry_id: str
    marks: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The value as a reader sees it, exact or marked as shortened."""
        return "–" if self.value is None else format_number(self.value, _PLACES)


class Series(NamedTuple):
    """The points of one thing in order of time.

    A ``step`` holds until the next point; other points are joined by a line. ``limits`` are the
    values that decide, each from an instant on.
    """

    key: str
    label: str
    unit: str
    points: Sequence[Point]
    step: bool = False
    limits: Sequence[tuple[datetime, Number]] = ()


class Lane(NamedTuple):
    """When a criterion was met: half-open spans in order; an open one ends at None."""

    code: str
    name: str
    grade: int
    spans: Sequence[tuple[datetime, datetime | None]]


class Given(NamedTuple):
    """A treatment, bolus or judgement at an instant, in words."""

    at: datetime
    kind: str
    text: str


class ReviewSeries(NamedTuple):
    """All that is plotted of a course; ``periods`` end at ``until``."""

    periods: Sequence[GradePeriodRow]
    lanes: Sequence[Lane]
    series: Sequence[Series]
    treatments: Sequence[Given]
    first_tocilizumab_at: datetime | None


def review_series(values: CourseValues) -> ReviewSeries:
    """Return what the page plots of ``values``."""
    known, trace, until = values
    entries = [entry for entry in known.entries if entry.at <= until]
    graded = [entry for entry in entries if entry.at >= known.course.infused_at]
    periods = list(_periods_until(known.periods, until))
    series = [*_pressures_and_temperature(graded, trace), *_support(graded, trace)]
    series += _results(entries)
    return ReviewSeries(
        periods=periods,
        lanes=lanes_of(periods),
        series=[one for one in series if one.points],
        treatments=[_given(entry) for entry in graded if isinstance(entry, _GIVEN)],
        first_tocilizumab_at=min(
            (
                entry.at
                for entry in graded
                if isinstance(entry, Treatment) and entry.agent is TreatmentAgent.TOCILIZUMAB
            ),
            default=None,
        ),
    )


def _given(entry: Treatment | FluidBolus | Judgement) -> Given:
    kind = str(entry.kind)
    if isinstance(entry, Treatment) and entry.agent is TreatmentAgent.ANTIPYRETIC:
        kind = str(entry.agent)
    return Given(entry.at, kind, entry_text(entry))


def _periods_until(periods: Iterable[GradePeriodRow], until: datetime) -> Iterator[GradePeriodRow]:
    for period in periods:
        if period.start <= until:
            ends_later = period.end is None or period.end > until
            yield period._replace(end=None) if ends_later else period


def lanes_of(periods: Sequence[GradePeriodRow]) -> list[Lane]:
    """Return a lane for each criterion ever met, highest grade first, then in order of time."""
    spans: dict[str, list[tuple[datetime, datetime | None]]] = {}
    grades: dict[str, int] = {}
    for period in periods:
        for item in period.findings["criteria"]:
            code = item["code"]
            grades[code] = max(grades.get(code, 0), item["grade"])
            own = spans.setdefault(code, [])
            if own and own[-1][1] == period.start:
                own[-1] = (own[-1][0], period.end)
            else:
                own.append((period.start, period.end))
    lanes = [Lane(code, short_name(code), grades[code], own) for code, own in spans.items()]
    return sorted(lanes, key=lambda lane: (-lane.grade, lane.spans[0][0]))


def _pressures_and_temperature(graded: Sequence[Entry], trace: Trace) -> Iterator[Series]:
    marks = {entry.id: marks_of(entry) for entry in graded if isinstance(entry, Vitals)}
    temperature = [
        Point(e.at, e.temperature_c, e.id, _own_marks(e, "temperature_c"))
        for e in graded
        if isinstance(e, Vitals) and e.temperature_c is not None
    ]
    fever = [(step.at, step.fever_c) for step in trace.limits]
    yield Series("temperature_c", "Temperature", "°C", temperature, limits=fever)
    systolic = [
        Point(r.at, r.systolic, r.entry_id, _counted(marks[r.entry_id], r.counts))
        for r in trace.pressure
        if r.systolic is not None
    ]
    floors = [(step.at, step.systolic_floor_mmhg) for step in trace.limits]
    yield Series("systolic_mmhg", "Systolic pressure", "mmHg", systolic, limits=floors)
    mean = [
        Point(
            r.at,
            r.mean,
            r.entry_id,
            (*_counted(marks[r.entry_id], r.counts), *((DERIVED,) if r.is_derived else ())),
        )
        for r in trace.pressure
        if r.mean is not None
    ]
    map_floors = [
        (step.at, step.map_floor_mmhg) for step in trace.limits if step.map_floor_mmhg is not None
    ]
    yield Series("map_mmhg", "Mean pressure", "mmHg", mean, limits=map_floors)


def _support(graded: Sequence[Entry], trace: Trace) -> Iterator[Series]:
    marks = {entry.id: marks_of(entry) for entry in graded}
    fio2 = [
        Point(
            step.at,
            step.fio2_percent,
            step.entry_id,
            (*marks.get(step.entry_id, ()), *((ESTIMATED,) if step.estimated else ())),
        )
        for step in trace.oxygen
    ]
    high = [(step.at, OXYGEN_HIGH.value) for step in trace.limits[:1]]
    yield Series("fio2_percent", "FiO2", "%", fio2, step=True, limits=high)
    for drug in sorted(trace.doses):
        yield Series(
            f"vasopressor.{drug}",
            VasopressorDrug(drug).label,
            _dose_unit(drug),
            [
                Point(s.at, s.dose if s.runs else Fraction(0), s.entry_id,
                      marks.get(s.entry_id, ()))
                for s in trace.doses[drug]
            ],
            step=True,
        )  # fmt: skip
    equivalent = [
        Point(s.at, s.equivalent if s.is_complete else None, "") for s in trace.equivalent
    ]
    limits = [(s.at, s.limit) for s in trace.equivalent if s.limit is not None]
    yield Series(
        "norepinephrine_equivalent", "Norepinephrine equivalent", "mcg/min", equivalent,
        step=True, limits=limits,
    )  # fmt: skip


def _dose_unit(drug: VasopressorDrug) -> str:
    canonical = DRUGS[drug].canonical
    return "" if canonical is None else canonical.label


def _results(entries: Sequence[Entry]) -> Iterator[Series]:
    results = [e for e in entries if isinstance(e, Lab) and e.analyte in _PLOTTED_RESULTS]
    in_order = sorted(results, key=lambda e: (_PLOTTED_RESULTS.index(e.analyte), e.unit, e.at))
    for (analyte, unit), group in groupby(in_order, key=lambda e: (e.analyte, e.unit)):
        points = [
            Point(e.at, e.value, e.id, (*marks_of(e), *((str(e.comparator),) * bool(e.comparator))))
            for e in group
        ]
        yield Series(f"lab.{analyte}.{unit}", analyte.label, lab_unit_text(unit), points)


def marks_of(entry: Entry) -> tuple[str, ...]:
    """Return the marks of an entry: charted late, a correction, another cause."""
    marks = []
    if entry.recorded_at - entry.at > LATE_AFTER and entry.replaces is None:
        marks.append(LATE)
    if entry.replaces is not None:
        marks.append(CORRECTED)
    if not entry.counts:
        marks.append(OTHER_CAUSE)
    return tuple(marks)


def _own_marks(entry: Vitals, sign: str) -> tuple[str, ...]:
    return _counted(marks_of(entry), entry.counted(sign))


def _counted(marks: tuple[str, ...], counts: bool) -> tuple[str, ...]:
    without = tuple(mark for mark in marks if mark != OTHER_CAUSE)
    return without if counts else (*without, OTHER_CAUSE)


NIGHT_FROM_HOUR: Final = 22
NIGHT_TO_HOUR: Final = 6
"""The shaded hours, at the site."""


def nights(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Return the nights of the site that touch [since, until]; both times are in its zone."""
    found = []
    day = (since - timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= until:
        begins = day.replace(hour=NIGHT_FROM_HOUR)
        ends = (day + timedelta(days=1)).replace(hour=NIGHT_TO_HOUR)
        if ends > since and begins < until:
            found.append((begins, ends))
        day += timedelta(days=1)
    return found


def as_json(review: ReviewSeries) -> dict[str, Any]:
    """Return the plotted values as JSON: times in seconds, values as the nearest float."""
    return {
        "periods": [
            {
                "from": _seconds(p.start),
                "to": _seconds(p.end),
                "grade": p.grade,
                "at_most": p.at_most,
            }
            for p in review.periods
        ],
        "lanes": [
            {
                "code": lane.code,
                "name": lane.name,
                "grade": lane.grade,
                "spans": [[_seconds(a), _seconds(b)] for a, b in lane.spans],
            }
            for lane in review.lanes
        ],
        "series": [_series_json(one) for one in review.series],
        "given": [
            {"at": _seconds(one.at), "kind": one.kind, "text": one.text}
            for one in review.treatments
        ],
        "first_tocilizumab_at": _seconds(review.first_tocilizumab_at),
    }


def _series_json(series: Series) -> Mapping[str, Any]:
    return {
        "key": series.key,
        "label": series.label,
        "unit": series.unit,
        "step": series.step,
        "at": [point.at.timestamp() for point in series.points],
        "value": [None if p.value is None else float(p.value) for p in series.points],
        "text": [point.text for point in series.points],
        "marks": {place: point.marks for place, point in enumerate(series.points) if point.marks},
        "limits": [[_seconds(at), float(limit)] for at, limit in series.limits],
    }


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
