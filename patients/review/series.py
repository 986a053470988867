"""What the review page plots over time: grades, criteria, values and treatments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from grading.engine.analytes import Analyte
from grading.engine.entries import (
    BaselineFacts,
    Death,
    Entry,
    FluidBolus,
    Judgement,
    Lab,
    Treatment,
    Vasopressor,
    Vitals,
)
from grading.engine.evidence import OXYGEN_HIGH, TABLE_3_MONOTHERAPY
from grading.engine.sentences import lab_unit_text
from grading.engine.trace import Trace
from grading.engine.units import Number, format_number
from grading.engine.vocabulary import DRUGS, VITAL_SIGN, TreatmentAgent, VasopressorDrug
from patients.display.assessment import first_assessed_at
from patients.display.next_change import HIGH_DOSE
from patients.display.text import LATE_AFTER, entry_text
from patients.queries.grades import GradePeriodRow
from patients.queries.known_at import CourseKnownAt
from patients.queries.policies import PolicyPeriod
from patients.queries.series import CourseValues
from patients.review.breaks import begins_of, changes_of, expected_of
from patients.review.lanes import (
    CouldBe,
    Lane,
    Span,
    could_be,
    counting,
    lanes_of,
    periods_until,
)

ESTIMATED: Final = "estimated"
DERIVED: Final = "derived"
OTHER_CAUSE: Final = "other"
CORRECTED: Final = "corrected"
LATE: Final = "late"
_PLOTTED_RESULTS: Final = (Analyte.CRP, Analyte.FERRITIN)
_GIVEN: Final = (Treatment, FluidBolus, Judgement)
_PLACES: Final = 1
_PLACES_BELOW_1: Final = 3
_SHOWN_SIGNS: Final = frozenset(
    {"temperature_c", "systolic_mmhg", "diastolic_mmhg", "mean_arterial_pressure_mmhg"}
)


class Point(NamedTuple):
    """A value at an instant, of an entry; ``value`` None is not known.

    ``marks`` are words like ``LATE``; where ``begins`` is true no line leads to it from before.
    ``suffix`` is text that a reader sees with the value, a diastolic pressure.
    """

    at: datetime
    value: Number | None
    entry_id: str
    marks: tuple[str, ...] = ()
    begins: bool = False
    suffix: str = ""

    @property
    def text(self) -> str:
        """The value as a reader sees it, exact or marked as shortened."""
        if self.value is None:
            return "–"
        return format_number(self.value, _PLACES_BELOW_1 if -1 < self.value < 1 else _PLACES)


class Series(NamedTuple):
    """The points of one thing in order of time.

    A ``step`` holds until the next point; other points are joined by a line. ``limits`` are the
    values that decide, each from an instant on; None: none does. ``rows`` are the keys of the rows
    of a flowsheet that lead to it.
    """

    key: str
    label: str
    unit: str
    points: Sequence[Point]
    step: bool = False
    limits: Sequence[tuple[datetime, Number | None]] = ()
    baseline: Number | None = None
    is_log: bool = False
    could_be: Sequence[CouldBe] = ()
    rows: tuple[str, ...] = ()


class Device(NamedTuple):
    """What the patient breathed by from ``at`` on, with flow where charted."""

    at: datetime
    label: str
    detail: str


class TreatmentPoint(NamedTuple):
    """A treatment, bolus or judgement at an instant, in words."""

    at: datetime
    kind: str
    text: str


class ReviewSeries(NamedTuple):
    """All that is plotted of a course; ``periods`` end at ``until``.

    ``counting`` are the times at a high dose before its three hours have passed. From
    ``assessed_since`` on enough is charted to know a grade 0; None: it is not known at all.
    """

    periods: Sequence[GradePeriodRow]
    lanes: Sequence[Lane]
    series: Sequence[Series]
    devices: Sequence[Device]
    counting: Sequence[Span]
    treatments: Sequence[TreatmentPoint]
    first_tocilizumab_at: datetime | None
    assessed_since: datetime | None = None
    died_at: datetime | None = None


def review_series(values: CourseValues, row: str = "") -> ReviewSeries:
    """Return what the page plots of ``values``; ``row`` names one sign or result more."""
    known, trace, until = values
    entries = [entry for entry in known.entries if entry.at <= until]
    graded = [entry for entry in entries if entry.at >= known.course.infused_at]
    periods = list(periods_until(known.periods, until))
    lanes = lanes_of(periods)
    signs = _Signs(known, graded)
    series = [*_pressures_and_temperature(signs, trace, periods), *_support(graded, trace, periods)]
    series += _results(entries, known.policy_periods, row)
    series += signs.other(row)
    return ReviewSeries(
        periods=periods,
        lanes=lanes,
        series=[one for one in series if one.points],
        devices=_devices(trace),
        counting=counting(trace, next(one for one in lanes if one.code == HIGH_DOSE)),
        treatments=[_treatment_point(entry) for entry in graded if isinstance(entry, _GIVEN)],
        first_tocilizumab_at=min(
            (
                entry.at
                for entry in graded
                if isinstance(entry, Treatment) and entry.agent is TreatmentAgent.TOCILIZUMAB
            ),
            default=None,
        ),
        assessed_since=first_assessed_at(graded, known.course.infused_at),
        died_at=min((entry.at for entry in graded if isinstance(entry, Death)), default=None),
    )


def _devices(trace: Trace) -> list[Device]:
    found: list[Device] = []
    for step in trace.oxygen:
        flow = step.flow_l_per_min
        detail = "" if flow is None else f"{format_number(flow)} L/min"
        if not found or found[-1][1:] != (step.device.label, detail):
            found.append(Device(step.at, step.device.label, detail))
    return found


def _treatment_point(entry: Treatment | FluidBolus | Judgement) -> TreatmentPoint:
    """Return what was given or judged; a "no" stands early in words that may be cut off."""
    kind = str(entry.kind)
    if isinstance(entry, Judgement):
        answer = "" if entry.present else ": no"
        return TreatmentPoint(entry.at, kind, f"Judged{answer} {entry.about.label}")
    if isinstance(entry, Treatment) and entry.agent is TreatmentAgent.ANTIPYRETIC:
        kind = str(entry.agent)
    return TreatmentPoint(entry.at, kind, entry_text(entry))


class _Signs:
    """The sets of vital signs of a course, and how often they are expected."""

    def __init__(self, known: CourseKnownAt, graded: Iterable[Entry]) -> None:
        self.sets = [entry for entry in graded if isinstance(entry, Vitals)]
        self.marks = {entry.id: marks_of(entry) for entry in self.sets}
        self.expected = expected_of(
            known.policy_periods, lambda policy: policy.stale_after_vitals_minutes
        )
        baselines = [entry for entry in known.entries if isinstance(entry, BaselineFacts)]
        self.baseline = known.facts.baseline.with_entries(baselines)

    def line(self, points: Sequence[Point], measured: Sequence[object] = ()) -> list[Point]:
        """Return ``points`` where a set without a value, and one too late, breaks the line."""
        at = [point.at for point in points]
        charted = {point.entry_id for point in points}
        skipped = [one.at for one in self.sets if one.id not in charted]
        begins = begins_of(at, self.expected, skipped, measured)
        return [point._replace(begins=begin) for point, begin in zip(points, begins, strict=True)]

    def points(self, key: str) -> list[Point]:
        """Return the points of a sign as charted."""
        found = []
        for one in self.sets:
            value = one.value_of(key)
            if value is not None:
                marks = _counted(self.marks[one.id], one.counted(key))
                found.append(Point(one.at, value, one.id, marks))
        return found

    def other(self, key: str) -> Iterator[Series]:
        """Yield the sign of this key, where no lane shows it already."""
        if key in VITAL_SIGN and key not in _SHOWN_SIGNS:
            sign = VITAL_SIGN[key]
            yield Series(key, sign.label, sign.unit, self.line(self.points(key)), rows=(key,))


def _pressures_and_temperature(
    signs: _Signs, trace: Trace, periods: Sequence[GradePeriodRow]
) -> Iterator[Series]:
    by_id = {one.id: one for one in signs.sets}
    temperature = signs.points("temperature_c")
    units = [by_id[point.entry_id].temperature_f is None for point in temperature]
    yield Series(
        "temperature_c", "Temperature", "°C", signs.line(temperature, units),
        limits=[(step.at, step.fever_c) for step in trace.limits], rows=("temperature_c",),
    )  # fmt: skip
    systolic = [
        Point(
            r.at,
            r.systolic,
            r.entry_id,
            _counted(signs.marks[r.entry_id], r.counts),
            suffix="" if r.diastolic is None else f"/{format_number(r.diastolic)}",
        )
        for r in trace.pressure
        if r.systolic is not None
    ]
    yield Series(
        "systolic_mmhg", "Systolic pressure", "mmHg", signs.line(systolic),
        limits=[(step.at, step.systolic_floor_mmhg) for step in trace.limits],
        baseline=signs.baseline.systolic_mmhg, could_be=could_be(periods, "hypotension."),
        rows=("systolic_mmhg", "diastolic_mmhg"),
    )  # fmt: skip
    mean = [
        Point(
            r.at,
            r.mean,
            r.entry_id,
            (*_counted(signs.marks[r.entry_id], r.counts), *((DERIVED,) if r.is_derived else ())),
        )
        for r in trace.pressure
        if r.mean is not None
    ]
    floors = [(step.at, step.map_floor_mmhg) for step in trace.limits]
    yield Series(
        "map_mmhg", "Mean pressure", "mmHg", signs.line(mean), limits=floors,
        rows=("mean_arterial_pressure_mmhg",),
    )  # fmt: skip


def _support(
    graded: Sequence[Entry], trace: Trace, periods: Sequence[GradePeriodRow]
) -> Iterator[Series]:
    marks = {entry.id: marks_of(entry) for entry in graded}
    units = {entry.id: entry.unit for entry in graded if isinstance(entry, Vasopressor)}
    new_device = changes_of([step.device for step in trace.oxygen])
    fio2 = [
        Point(
            step.at,
            step.fio2_percent,
            step.entry_id,
            (*marks.get(step.entry_id, ()), *((ESTIMATED,) if step.estimated else ())),
            begins,
        )
        for step, begins in zip(trace.oxygen, new_device, strict=True)
    ]
    high = [(step.at, OXYGEN_HIGH.value) for step in trace.limits[:1]]
    yield Series(
        "fio2_percent", "FiO2", "%", fio2, step=True, limits=high,
        could_be=could_be(periods, "oxygen."), rows=("fio2_percent",),
    )  # fmt: skip
    for drug in sorted(trace.doses):
        steps = trace.doses[drug]
        new_unit = changes_of([units.get(step.entry_id) for step in steps])
        own = TABLE_3_MONOTHERAPY.get(drug)
        yield Series(
            f"vasopressor.{drug}",
            VasopressorDrug(drug).label,
            _dose_unit(drug),
            [
                Point(s.at, s.dose if s.runs else Fraction(0), s.entry_id,
                      marks.get(s.entry_id, ()), begins)
                for s, begins in zip(steps, new_unit, strict=True)
            ],
            step=True,
            limits=[(s.at, own.value if own and s.runs else None) for s in steps],
            rows=(drug.value, f"{drug.value}.dose"),
        )  # fmt: skip
    equivalent = [Point(s.at, s.equivalent if s.is_known else None, "") for s in trace.equivalent]
    yield Series(
        "norepinephrine_equivalent", "Norepinephrine equivalent", "mcg/min", equivalent,
        step=True, limits=[(s.at, s.limit) for s in trace.equivalent],
        could_be=could_be(periods, "vasopressor."), rows=("equivalent", "equivalent_limit"),
    )  # fmt: skip


def _dose_unit(drug: VasopressorDrug) -> str:
    canonical = DRUGS[drug].canonical
    return "" if canonical is None else canonical.label


def _results(
    entries: Sequence[Entry], policies: Sequence[PolicyPeriod], row: str
) -> Iterator[Series]:
    expected = expected_of(policies, lambda policy: policy.stale_after_laboratory_minutes)
    for analyte in Analyte:
        key = f"lab.{analyte}"
        if analyte not in _PLOTTED_RESULTS and key != row:
            continue
        results = [e for e in entries if isinstance(e, Lab) and e.analyte is analyte]
        for unit in sorted({e.unit for e in results}):
            own = [e for e in results if e.unit == unit]
            otherwise = [e.at for e in results if e.unit != unit]
            begins = begins_of([e.at for e in own], expected, otherwise)
            points = [
                Point(e.at, e.value, e.id, _result_marks(e), begin)
                for e, begin in zip(own, begins, strict=True)
            ]
            yield Series(
                f"{key}.{unit}", analyte.label, lab_unit_text(unit), points,
                is_log=analyte in _PLOTTED_RESULTS, rows=(key,),
            )  # fmt: skip


def _result_marks(entry: Lab) -> tuple[str, ...]:
    return (*marks_of(entry), *((str(entry.comparator),) * bool(entry.comparator)))


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


def midnights(since: datetime, until: datetime) -> list[datetime]:
    """Return the beginnings of the days of the site in (since, until], both in its zone."""
    found = []
    day = since.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) + timedelta(days=1)
    while day <= until:
        found.append(day)
        day += timedelta(days=1)
    return found
