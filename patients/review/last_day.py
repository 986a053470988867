"""The last 24 hours of a course as small lanes, for the grade card of the bedside page.

Plain values for the template: no request, no SQL. The picture of a lane is 288 wide, 12 for each
hour, and 100 high; the page stretches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from grading.engine.units import Number, format_number
from patients.display.assessment import grade_number, was_assessed
from patients.display.text import clock_text
from patients.queries.grades import GradePeriodRow
from patients.queries.series import CourseValues
from patients.review.series import ESTIMATED, Point, Series, review_series

LAST_DAY: Final = timedelta(hours=24)
JOINED_FOR: Final = timedelta(hours=6)
"""How far apart two measured values may be to be joined by a line."""
_WIDTH: Final = 288
_HEIGHT: Final = 100
_GRADE_0: Final = 6
"""Height of a block of grade 0; each grade above it adds the step."""
_GRADE_STEP: Final = 23
_LOWEST_Y: Final = 94
_DRAWN: Final = 88
"""A value at the low end of a lane is drawn at the lowest y, at the high end this much above it."""


class Block(NamedTuple):
    """A span of one grade; ``grade`` None is the outline of how high the grade could be."""

    x: float
    y: float
    width: float
    height: float
    grade: int | None


class Path(NamedTuple):
    """The drawing of a value as SVG paths: what is known, what is estimated, the area below both.

    ``ends`` is where the last value stands, "" where none is known there.
    """

    line: str = ""
    estimated: str = ""
    area: str = ""
    ends: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of value with the limit that decides; ``words`` say what is drawn."""

    key: str
    label: str
    limit_text: str
    limit: str
    path: Path
    words: str


@dataclass(frozen=True, slots=True)
class LastDay:
    """The grade and the values of the day that ends at ``until``."""

    until: datetime
    blocks: Sequence[Block]
    grades: str
    lanes: Sequence[Lane]

    @property
    def words(self) -> str:
        """All that is drawn, in words for a screen reader."""
        return " ".join((self.grades, *(lane.words for lane in self.lanes)))


class _Kind(NamedTuple):
    """A lane: its series, its name, its range where nothing lies outside, and its unit."""

    key: str
    label: str
    name: str
    low: int
    high: int
    unit: str


_TEMPERATURE: Final = _Kind("temperature_c", "Temp", "Temperature", 36, 40, "°C")
_MEAN: Final = _Kind("map_mmhg", "MAP", "Mean pressure", 50, 100, "mmHg")
_SYSTOLIC: Final = _Kind("systolic_mmhg", "SBP", "Systolic pressure", 70, 140, "mmHg")
_FIO2: Final = _Kind("fio2_percent", "FiO2", "FiO2", 18, 70, "%")
_EQUIVALENT: Final = _Kind(
    "norepinephrine_equivalent", "Norepi eq.", "Norepinephrine equivalent", 0, 30, "mcg/min"
)


def lanes_of_day(values: CourseValues, assessed_since: datetime | None) -> LastDay:
    """Return the day that ends with ``values``.

    ``assessed_since`` is from when on a grade 0 says that nothing is met.
    """
    review, until = review_series(values), values.until
    since = until - LAST_DAY
    series = {one.key: _since(one, since) for one in review.series}
    return LastDay(
        until=until,
        blocks=list(_blocks(review.periods, since, until, assessed_since)),
        grades=_grades_text(review.periods, since, until, assessed_since),
        lanes=[_lane(kind, series.get(kind.key), since, until) for kind in _kinds(series)],
    )


def _kinds(series: Mapping[str, Series]) -> tuple[_Kind, ...]:
    """Return the lanes; the systolic pressure stands for a mean one without floor or values."""
    mean, systolic = series.get(_MEAN.key), series.get(_SYSTOLIC.key)
    judged_by_mean = mean is not None and mean.points and mean.limits
    has_systolic = systolic is not None and systolic.points
    pressure = _SYSTOLIC if has_systolic and not judged_by_mean else _MEAN
    return (_TEMPERATURE, pressure, _FIO2, _EQUIVALENT)


def _since(series: Series, since: datetime) -> Series:
    """Leave out the points before ``since``, except the one that holds then."""
    points = [point for point in series.points if point.at >= since]
    if series.step:
        points = [*[point for point in series.points if point.at < since][-1:], *points]
    return series._replace(points=points)


def _x(at: datetime, since: datetime) -> float:
    return round(max(0.0, (at - since) / LAST_DAY * _WIDTH), 1)


def _blocks(
    periods: Sequence[GradePeriodRow],
    since: datetime,
    until: datetime,
    assessed_since: datetime | None,
) -> Iterator[Block]:
    def span(run: Sequence[GradePeriodRow], not_before: datetime) -> tuple[float, float]:
        start, end = max(run[0].start, since, not_before), min(run[-1].end or until, until)
        left = _x(start, since)
        return left, round(_x(end, since) - left, 1)

    for (grade, at_most), group in groupby(periods, lambda one: (one.grade, one.at_most)):
        left, width = span(list(group), since)
        if at_most > grade and width > 0:
            low, high = _height(grade), _height(at_most)
            yield Block(left, _HEIGHT - high, width, high - low, None)
    for grade, group_of_grade in groupby(periods, lambda one: one.grade):
        left, width = span(list(group_of_grade), since if grade else (assessed_since or until))
        if width > 0:
            yield Block(left, _HEIGHT - _height(grade), width, _height(grade), grade)


def _height(grade: int) -> int:
    return min(_HEIGHT, _GRADE_0 + _GRADE_STEP * grade)


def _grades_text(
    periods: Sequence[GradePeriodRow],
    since: datetime,
    until: datetime,
    assessed_since: datetime | None,
) -> str:
    """Return the grades in words: "Grade 1 until 01:39, 2 until 03:40, 3 at the end."."""
    shown = [period for period in periods if since <= (period.end or until)]
    numbered = [
        (grade_number(p.grade, assessed=was_assessed(p.grade, p.end or until, assessed_since)), p)
        for p in shown
    ]
    runs = [
        (number, [p for _, p in run][-1]) for number, run in groupby(numbered, lambda one: one[0])
    ]
    if not runs:
        return "Not graded."
    parts = [f"{number} until {clock_text(p.end, until)}" for number, p in runs[:-1] if p.end]
    number, last = runs[-1]
    ends = "at the end" if last.end is None else f"until {clock_text(last.end, until)}"
    return f"Grade {', '.join([*parts, f'{number} {ends}'])}."


class _Scale(NamedTuple):
    """Where an instant and a value are drawn."""

    since: datetime
    until: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        return _x(at, self.since)

    def y(self, value: Number) -> float:
        return round(_LOWEST_Y - (float(value) - self.low) / (self.high - self.low) * _DRAWN, 1)


def _lane(kind: _Kind, series: Series | None, since: datetime, until: datetime) -> Lane:
    if series is None or not series.points:
        return Lane(kind.key, kind.label, "", "", Path(), f"{kind.name}: nothing charted.")
    limits = [(at, limit) for at, limit in series.limits if at <= until]
    in_force = [limit for _, limit in limits if limit is not None]
    drawn = [float(point.value) for point in series.points if point.value is not None]
    shown = [*drawn, *(float(limit) for limit in in_force[-1:])]
    scale = _Scale(since, until, min([kind.low, *shown]), max([kind.high, *shown]))
    return Lane(
        key=kind.key,
        label=kind.label,
        limit_text=format_number(in_force[-1]) if in_force else "",
        limit=_limit_path(limits, scale),
        path=_steps(series.points, scale) if series.step else _curve(series.points, scale),
        words=_words(kind, series.points, until),
    )


def _limit_path(limits: Sequence[tuple[datetime, Number | None]], scale: _Scale) -> str:
    """Return the limit in force over the day: a policy or a birthday moves it, None ends it."""
    spans = pairwise([*limits, (scale.until, Decimal(0))])
    return " ".join(
        f"M{scale.x(at)} {scale.y(limit)} H{scale.x(end)}"
        for (at, limit), (end, _) in spans
        if end > scale.since and limit is not None
    )


def _curve(points: Sequence[Point], scale: _Scale) -> Path:
    """Join measured values, but not over a long gap; a dot ends the line at the last one."""
    parts: list[str] = []
    before: Point | None = None
    for point in points:
        if point.value is not None:
            joined = before is not None and point.at - before.at <= JOINED_FOR
            parts.append(f"{'L' if joined else 'M'}{scale.x(point.at)} {scale.y(point.value)}")
            if not joined:
                parts.append("h.01")
        before = point if point.value is not None else None
    last = points[-1]
    ends = "" if last.value is None else f"M{scale.x(last.at)} {scale.y(last.value)} h.01"
    return Path(line=" ".join(parts), ends=ends)


def _steps(points: Sequence[Point], scale: _Scale) -> Path:
    """Draw a value that holds until the next one; one that is not known leaves a gap."""
    line: list[str] = []
    estimated: list[str] = []
    area: list[str] = []
    before: float | None = None
    ends = [*(point.at for point in points[1:]), scale.until]
    for point, end in zip(points, ends, strict=True):
        if point.value is None:
            before = None
            continue
        left, right, y = scale.x(point.at), scale.x(end), scale.y(point.value)
        if before is not None and before != y:
            line.append(f"M{left} {before} V{y}")
        (estimated if ESTIMATED in point.marks else line).append(f"M{left} {y} H{right}")
        area.append(f"M{left} {_HEIGHT} V{y} H{right} V{_HEIGHT} Z")
        before = y
    dot = "" if before is None else f"M{scale.x(scale.until)} {before} h.01"
    return Path(" ".join(line), " ".join(estimated), " ".join(area), dot)


def _words(kind: _Kind, points: Sequence[Point], until: datetime) -> str:
    """Return a lane in words: "Temperature: 38.2 to 39.4 °C, last 39.4 from 13:30."."""
    values = [(point.value, point.text) for point in points if point.value is not None]
    last = points[-1]
    now = "not known" if last.value is None else last.text
    about = " (estimated)" if ESTIMATED in last.marks else ""
    last_text = f"last {now}{about} from {clock_text(last.at, until)}"
    if not values:
        return f"{kind.name}: {last_text}."
    low, high = min(values)[1], max(values)[1]
    span = low if low == high else f"{low} to {high}"
    return f"{kind.name}: {span} {kind.unit}, {last_text}."
