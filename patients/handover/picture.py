"""The last 48 hours as a picture in black and white, for print.

Plain values for the template: coordinates of an SVG, drawn by presentation attributes alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

from grading.engine.entries import Treatment, Vitals
from grading.engine.evidence import OXYGEN_HIGH, TABLE_3_COMBINATION
from grading.engine.trace import EquivalentStep, OxygenStep
from grading.engine.units import Number, format_number
from grading.engine.vocabulary import TreatmentAgent
from patients.display.printed_plot import (
    Dot,
    Step,
    TimeAxis,
    ValueScale,
    joined_path,
    step_path,
)
from patients.display.site_times import site_time
from patients.review.last_day import JOINED_FOR
from patients.review.series import midnights
from patients.review.sign_off import ReviewPeriod
from patients.summary.facts import SummaryChart
from patients.summary.spans import Span, Window, parts_of, within

_HIGH: Final = TABLE_3_COMBINATION.value
SHOWN: Final = timedelta(hours=48)
LEFT: Final = 116
RIGHT: Final = 690
_HOURS_BETWEEN_TICKS: Final = 6
_GRADE_BOTTOM: Final = 72
_GRADE_STEP: Final = 12
_GRADE_0_HEIGHT: Final = 3
_NARROW: Final = 9
"""A block narrower than this has its number above it."""
_DAY_WIDTH: Final = 76
"""The room that the name of a day needs before the next one."""
_GREYS: Final = ("#ffffff", "#eeeeee", "#d9d9d9", "#a6a6a6", "#737373", "#262626")
_WORD_WIDTH: Final = 5.2
"""The width of a letter of the marks of sign-offs, at most."""


class Block(NamedTuple):
    """A run of one grade; ``is_bound``: it is the outline of what it could be."""

    x: float
    y: float
    width: float
    height: float
    text: str
    fill: str
    ink: str
    text_y: float
    is_bound: bool = False


class Tick(NamedTuple):
    """A line of the time axis; ``day`` is written above where a day begins."""

    x: float
    text: str
    day: str


class Mark(NamedTuple):
    """A sign-off over its period; ``text`` is its sign where the words have no room."""

    x: float
    width: float
    text: str
    is_bold: bool


class Lane(NamedTuple):
    """Values in one band: solid and dashed paths, limits as (y, text), and the ends of its scale.

    ``thin`` is a second value, as the mean beside the systolic pressure.
    """

    label: str
    unit: str
    top: float
    height: float
    line: str
    dashed: str
    thin: str
    limits: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn, and the same in words."""

    blocks: Sequence[Block]
    ticks: Sequence[Tick]
    marks: Sequence[Mark]
    lanes: Sequence[Lane]
    doses: Sequence[tuple[float, str]]
    words: str


class _Band(NamedTuple):
    label: str
    unit: str
    top: float
    height: float
    low: float
    high: float


_TEMPERATURE: Final = _Band("Temperature", "°C", 97, 24, 36, 40)
_PRESSURE: Final = _Band("Systolic, MAP", "mmHg (thin: MAP)", 128, 40, 50, 140)
_FIO2: Final = _Band("FiO2", "%, dashed: est.", 175, 24, 21, 60)
_EQUIVALENT: Final = _Band("Norepinephrine", "equivalent, mcg/min", 206, 26, 0, 30)


class _Scale(NamedTuple):
    """Where an instant and a value of one band are drawn."""

    axis: TimeAxis
    values: ValueScale

    def y(self, value: Number) -> float:
        return round(self.values.y(value), 1)

    def x(self, at: datetime) -> float:
        return self.axis.x(at)


def _scale(band: _Band, axis: Span, values: Iterable[Number]) -> _Scale:
    """Return the scale of a band; its range grows with the values."""
    drawn = [float(value) for value in values]
    low, high = min([band.low, *drawn]), max([band.high, *drawn])
    return _Scale(_axis(axis), ValueScale(low, high, band.top, band.height))


def _axis(axis: Span) -> TimeAxis:
    return TimeAxis(axis.start, axis.end, LEFT, RIGHT)


def x_of(at: datetime, axis: Span) -> float:
    """Return where an instant is drawn."""
    return round(_axis(axis).x(at), 1)


def picture_of(chart: SummaryChart, periods: Sequence[ReviewPeriod]) -> Picture:
    """Return the last 48 hours of ``chart``, and how ``periods`` of them are signed."""
    until = chart.until
    axis = Span(until - SHOWN, until)
    window = Window(max(axis.start, chart.infused_at), until, has_last=True)
    blocks = list(_blocks(chart, axis, window))
    return Picture(
        blocks=blocks,
        ticks=list(_ticks(axis)),
        marks=list(_marks(periods, axis)),
        lanes=[
            _temperature(chart, axis, window),
            _pressure(chart, axis, window),
            _fio2(chart, axis, window),
            _equivalent(chart, axis, window),
        ],
        doses=[
            (x_of(one.at, axis), "tocilizumab")
            for one in chart.entries
            if isinstance(one, Treatment)
            and one.agent is TreatmentAgent.TOCILIZUMAB
            and window.has(one.at)
        ][-2:],
        words="Last 48 hours: grade, sign-off, temperature, pressure, FiO2, norepinephrine "
        "equivalent. Grades in order: " + (", ".join(b.text for b in blocks) or "none"),
    )


def _blocks(chart: SummaryChart, axis: Span, window: Window) -> Iterator[Block]:
    known = [
        (one, part)
        for one in chart.periods
        if (part := within(Span(one.start, one.end or window.end), window)) is not None
    ]
    for (grade, at_most), group in groupby(known, lambda one: (one[0].grade, one[0].at_most)):
        parts = [part for _, part in group]
        start, end = parts[0].start, parts[-1].end
        if at_most > grade:
            yield _block(start, end, axis, at_most, f"?{at_most}", grade)
    for grade, group_of_grade in groupby(known, lambda one: one[0].grade):
        parts = [part for _, part in group_of_grade]
        start, end = parts[0].start, parts[-1].end
        if grade == 0:
            start = end if chart.assessed_since is None else max(start, chart.assessed_since)
        if start < end:
            yield _block(start, end, axis, grade, str(grade), None)


def _height(grade: int) -> float:
    return _GRADE_0_HEIGHT + _GRADE_STEP * grade


def _block(
    start: datetime, end: datetime, axis: Span, grade: int, text: str, above: int | None
) -> Block:
    """Return the block of a grade; one ``above`` a grade is the outline of what could be."""
    x, right = x_of(start, axis), x_of(end, axis)
    height = _height(grade)
    bottom = _GRADE_BOTTOM if above is None else _GRADE_BOTTOM - _height(above)
    top, width = _GRADE_BOTTOM - height, round(right - x, 1)
    inside = width >= _NARROW and height >= _GRADE_STEP
    return Block(
        x, top, width, bottom - top, text,
        "none" if above is not None else _GREYS[grade],
        "#ffffff" if above is None and grade > 3 and inside else "#000000",
        top + 11 if inside else top - 2,
        is_bound=above is not None,
    )  # fmt: skip


def _ticks(axis: Span) -> Iterator[Tick]:
    since, until = site_time(axis.start), site_time(axis.end)
    days = midnights(since, until)
    if not days or x_of(days[0], axis) >= LEFT + _DAY_WIDTH:
        yield Tick(LEFT, "", f"{since:%a} {since.day} {since:%b}")
    at = since.replace(minute=0, second=0, microsecond=0)
    while (at := at + timedelta(hours=1)) <= until:
        there = site_time(at)
        if there.hour % _HOURS_BETWEEN_TICKS == 0 and there.hour:
            yield Tick(x_of(at, axis), f"{there:%H}", "")
    for day in days:
        name = f"{day:%a} {day.day} {day:%b}" if x_of(day, axis) < RIGHT - _DAY_WIDTH else ""
        yield Tick(x_of(day, axis), "00", name)


def _marks(periods: Iterable[ReviewPeriod], axis: Span) -> Iterator[Mark]:
    for period in periods:
        if period.end <= axis.start or not period.state.mark:
            continue
        x = x_of(period.start, axis)
        width = round(x_of(period.end, axis) - x, 1)
        words = period.state.words
        if period.sign_off is not None and period.state.mark in "✓≠":
            words = f"{period.state.mark} {period.sign_off.stated_grade or 'signed'}"
        fits = len(words) * _WORD_WIDTH <= width
        text = words if fits else period.state.mark if width >= _NARROW else ""
        yield Mark(x, width, text, period.state.mark == "!")


def _lane(
    band: _Band, line: str, limits: Sequence[tuple[float, str]], *, dashed: str = "", thin: str = ""
) -> Lane:
    return Lane(band.label, band.unit, band.top, band.height, line, dashed, thin, limits)


def _curve(points: Sequence[tuple[datetime, Number]], scale: _Scale) -> str:
    """Join measured values, but not over a long gap."""
    before = [at for at, _ in points[:1]] + [at for at, _ in points[:-1]]
    return joined_path(
        Dot(scale.x(at), scale.y(value), begins=at - earlier > JOINED_FOR)
        for (at, value), earlier in zip(points, before, strict=True)
    )


def _limits_of(values: Iterable[Number | None], scale: _Scale) -> list[tuple[float, str]]:
    return [(scale.y(value), format_number(value)) for value in values if value is not None]


def _temperature(chart: SummaryChart, axis: Span, window: Window) -> Lane:
    points = [
        (one.at, reading)
        for one in chart.entries
        if isinstance(one, Vitals) and window.has(one.at)
        if (reading := one.temperature_c) is not None
    ]
    limit = chart.trace.limits[-1].fever_c if chart.trace.limits else None
    scale = _scale(_TEMPERATURE, axis, [value for _, value in points])
    return _lane(_TEMPERATURE, _curve(points, scale), _limits_of([limit], scale))


def _pressure(chart: SummaryChart, axis: Span, window: Window) -> Lane:
    readings = [one for one in chart.trace.pressure if window.has(one.at)]
    systolic = [(one.at, one.systolic) for one in readings if one.systolic is not None]
    mean = [(one.at, one.mean) for one in readings if one.mean is not None]
    in_force = chart.trace.limits[-1] if chart.trace.limits else None
    floors = [] if in_force is None else [in_force.systolic_floor_mmhg, in_force.map_floor_mmhg]
    drawn: list[Number] = [*(value for _, value in systolic), *(value for _, value in mean)]
    scale = _scale(_PRESSURE, axis, drawn)
    return _lane(
        _PRESSURE, _curve(systolic, scale), _limits_of(floors, scale), thin=_curve(mean, scale)
    )


def _fio2(chart: SummaryChart, axis: Span, window: Window) -> Lane:
    held = parts_of(chart.trace.oxygen, _has_fio2, window)
    scale = _scale(_FIO2, axis, [step.fio2_percent for step, _ in held if step.fio2_percent])
    line = _steps([(part, step.fio2_percent) for step, part in held if not step.estimated], scale)
    dashed = _steps([(part, step.fio2_percent) for step, part in held if step.estimated], scale)
    return _lane(_FIO2, line, _limits_of([OXYGEN_HIGH.value], scale), dashed=dashed)


def _has_fio2(step: OxygenStep) -> bool:
    return step.fio2_percent is not None


def _equivalent(chart: SummaryChart, axis: Span, window: Window) -> Lane:
    held = parts_of(chart.trace.equivalent, _is_known, window)
    scale = _scale(_EQUIVALENT, axis, [step.equivalent for step, _ in held])
    line, limit = _steps([(part, step.equivalent) for step, part in held], scale), _HIGH
    return _lane(_EQUIVALENT, line, [(scale.y(limit), format_number(limit))])


def _is_known(step: EquivalentStep) -> bool:
    return step.is_known


def _steps(held: Iterable[tuple[Span, Number | None]], scale: _Scale) -> str:
    return step_path(
        Step(scale.x(part.start), scale.x(part.end), scale.y(value))
        for part, value in held
        if value is not None
    )
