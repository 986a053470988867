"""The plots of a printed course as SVG: shapes with places, of which a template makes elements.

Numbers here are only where something is drawn, in the units of the drawing; floats are exact
enough for that. What something is worth is written beside it, from the exact value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby, zip_longest
from typing import Final, NamedTuple

from patients.display.printed_plot import (
    Dot,
    Step,
    TimeAxis,
    ValueScale,
    joined_path,
    place,
    step_path,
)
from patients.display.site_times import site_time
from patients.display.text import day_text, moment_text
from patients.queries.grades import GradePeriodRow
from patients.review.lanes import CouldBe, Span
from patients.review.lanes import Lane as Criterion
from patients.review.series import Point, ReviewSeries, Series, midnights, nights
from patients.review.thin import cut

WIDTH: Final = 740.0
_LEFT: Final = 160.0
_RIGHT: Final = 128.0
_GRADES: Final = 5
_GRADE_HEIGHT: Final = 10.5
_CRITERION_HEIGHT: Final = 12.0
_BAR_HEIGHT: Final = 6.0
_SERIES_HEIGHT: Final = 46.0
_GIVEN_HEIGHT: Final = 22.0
_AXIS_HEIGHT: Final = 26.0
_GAP: Final = 6.0
_ROOM_FOR_A_NUMBER: Final = 11.0
_ROOM_FOR_A_DATE: Final = 100.0
_POINTS_AT_MOST: Final = 1_500
_DOTS_AT_MOST: Final = 160


class Bar(NamedTuple):
    """A rectangle; ``kind`` is its class, ``grade`` colours it, ``label`` stands in its middle."""

    x: str
    y: str
    width: str
    height: str
    kind: str
    grade: int | None = None
    label: str = ""
    label_x: str = ""
    label_y: str = ""


class Line(NamedTuple):
    """A path; ``kind`` is its class."""

    d: str
    kind: str


class Label(NamedTuple):
    """A short text."""

    x: str
    y: str
    text: str
    kind: str = ""


class PrintedLane(NamedTuple):
    """One lane: its name at the left, what is drawn, and the last value at the right."""

    name: str
    unit: str
    top: str
    middle: str
    bottom: str
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    labels: Sequence[Label] = ()
    grade: int | None = None
    last: str = ""
    last_at: str = ""


class Drawing(NamedTuple):
    """All lanes under one time axis; ``days`` and ``nights`` cross them."""

    width: str
    height: str
    left: str
    right: str
    axis: str
    lanes: Sequence[PrintedLane]
    days: Sequence[Label]
    nights: Sequence[Bar]


def draw(
    review: ReviewSeries, since: datetime, until: datetime, infused_at: datetime
) -> Drawing | None:
    """Return the drawing of ``review`` from ``since`` to ``until``; None where these are one time.

    A series with more points than a page can show keeps the highest and lowest of each column.
    """
    if not since < until:
        return None
    axis, top = TimeAxis(since, until, _LEFT, WIDTH - _RIGHT), _AXIS_HEIGHT
    lanes: list[PrintedLane] = []
    for build in _builders(review, axis):
        lane, height = build(top)
        lanes.append(lane)
        top += height + _GAP
    return Drawing(
        width=place(WIDTH),
        height=place(top),
        left=place(_LEFT),
        right=place(WIDTH - _RIGHT),
        axis=place(_AXIS_HEIGHT - 6),
        lanes=lanes,
        days=list(_days(axis, infused_at)),
        nights=[
            Bar(*_box(axis.x(begins), _AXIS_HEIGHT - 4, axis.x(ends), top - _GAP), "night")
            for begins, ends in nights(site_time(since), site_time(until))
        ],
    )


_Builder = Callable[[float], tuple[PrintedLane, float]]


def _builders(review: ReviewSeries, axis: TimeAxis) -> Iterator[_Builder]:
    """Yield what builds each lane from its top, in the order of the review page."""
    yield lambda top: _grades(review, axis, top)
    if review.treatments:
        yield lambda top: _treatments(review, axis, top)
    for criterion in review.lanes:
        if criterion.spans:
            yield _criterion_builder(criterion, axis)
    width_px = int(axis.width) * 2
    shown = cut(review.series, axis.since, axis.until, width_px, _POINTS_AT_MOST)
    for series in shown:
        if any(point.value is not None for point in series.points):
            yield _series_builder(series, axis)


def _criterion_builder(criterion: Criterion, axis: TimeAxis) -> _Builder:
    return lambda top: _criterion(criterion, axis, top)


def _series_builder(series: Series, axis: TimeAxis) -> _Builder:
    return lambda top: _series(series, axis, top)


def _grades(review: ReviewSeries, axis: TimeAxis, top: float) -> tuple[PrintedLane, float]:
    height = _GRADES * _GRADE_HEIGHT
    base = top + height
    bars: list[Bar] = []
    for grade, at_most, begins, ends in _levels(review.periods):
        x, x_end, y = axis.x(begins), axis.x(ends), base - grade * _GRADE_HEIGHT
        if at_most > grade:
            bound = _box(x, base - at_most * _GRADE_HEIGHT, x_end, y)
            bars.append(Bar(*bound, "could-be", at_most))
        label = str(grade) if grade and x_end - x >= _ROOM_FOR_A_NUMBER else ""
        middle = (place((x + x_end) / 2), place(base - grade * _GRADE_HEIGHT / 2 + 3))
        bars.append(Bar(*_box(x, y, x_end, base), "grade", grade, label, *middle))
    lines = [Line(f"M{place(_LEFT)} {place(base)}H{place(WIDTH - _RIGHT)}", "base")]
    assessed = review.assessed_since
    if review.periods and (assessed is None or assessed > review.periods[0].start):
        x = axis.x(review.periods[0].start)
        d = f"M{place(x)} {place(base - 2)}H{place(axis.x(assessed))}"
        lines.append(Line(d, "not-assessed"))
    labels = [
        Label(place(_LEFT - 4), place(base - grade * _GRADE_HEIGHT + 3), str(grade), "tick")
        for grade in (0, _GRADES)
    ]
    lane = PrintedLane(
        "CRS grade", "Lee 2014", place(top), place(top + 9), place(base), bars, lines, labels
    )
    return lane, height


def _levels(
    periods: Iterable[GradePeriodRow],
) -> Iterator[tuple[int, int, datetime, datetime | None]]:
    """Yield the times in which grade and bound stay the same."""
    for (grade, at_most), group in groupby(periods, key=lambda one: (one.grade, one.at_most)):
        together = list(group)
        yield grade, at_most, together[0].start, together[-1].end


def _criterion(criterion: Criterion, axis: TimeAxis, top: float) -> tuple[PrintedLane, float]:
    y = top + (_CRITERION_HEIGHT - _BAR_HEIGHT) / 2
    bars = [
        Bar(*_box(axis.x(begins), y, axis.x(ends), y + _BAR_HEIGHT), "criterion", criterion.grade)
        for begins, ends in criterion.spans
    ]
    lane = PrintedLane(
        criterion.name, "", place(top), place(top + 9), place(top + _CRITERION_HEIGHT), bars,
        grade=criterion.grade, last=_last_span(criterion.spans),
    )  # fmt: skip
    return lane, _CRITERION_HEIGHT - _GAP + 1


def _last_span(spans: Sequence[Span]) -> str:
    begins, ends = spans[-1]
    return f"since {moment_text(begins)}" if ends is None else f"until {moment_text(ends)}"


def _treatments(review: ReviewSeries, axis: TimeAxis, top: float) -> tuple[PrintedLane, float]:
    """Return a tick for each treatment, bolus and judgement, with its number in the list."""
    lines, labels, free_from = [], [], 0.0
    for number, item in enumerate(review.treatments, start=1):
        if not axis.since <= item.at <= axis.until:
            continue
        x = axis.x(item.at)
        d = f"M{place(x)} {place(top + 11)}V{place(top + _GIVEN_HEIGHT)}"
        lines.append(Line(d, "given"))
        if x >= free_from:
            labels.append(Label(place(x), place(top + 9), str(number), "number"))
            free_from = x + 6 + 5 * len(str(number))
    lane = PrintedLane(
        "Given", "numbers: see the list", place(top), place(top + 9),
        place(top + _GIVEN_HEIGHT), (), lines, labels,
    )  # fmt: skip
    return lane, _GIVEN_HEIGHT


def _scale_of(series: Series, top: float) -> ValueScale:
    values = [float(point.value) for point in series.points if point.value is not None]
    values += [float(limit) for _, limit in series.limits if limit is not None]
    values += [] if series.baseline is None else [float(series.baseline)]
    least, most = min(values), max(values)
    if series.is_log:
        return ValueScale(
            max(least, 1e-6) / 1.2, most * 1.2, top + 6, _SERIES_HEIGHT - 10, is_log=True
        )
    room = (most - least) * 0.05 or max(abs(most) * 0.05, 1.0)
    return ValueScale(least - room, most + room, top + 6, _SERIES_HEIGHT - 10)


def _series(series: Series, axis: TimeAxis, top: float) -> tuple[PrintedLane, float]:
    scale = _scale_of(series, top)
    d = _steps(series.points, axis, scale) if series.step else _joined(series.points, axis, scale)
    lines = [Line(d, "value")]
    limit = _limit(series, axis, scale)
    if limit:
        lines.append(Line(limit, "limit"))
    if series.baseline is not None:
        y = place(scale.y(series.baseline))
        lines.append(Line(f"M{place(_LEFT)} {y}H{place(WIDTH - _RIGHT)}", "baseline"))
    known = [point for point in series.points if point.value is not None]
    values = sorted(known, key=lambda point: point.value)  # type: ignore[arg-type,return-value]
    labels = [
        Label(place(_LEFT - 4), place(scale.y(point.value) + 3), point.text, "tick")
        for point in (values[:1] if values[0].text == values[-1].text else (values[0], values[-1]))
    ]
    last = series.points[-1]
    lane = PrintedLane(
        series.label,
        series.unit + (", log" if series.is_log else ""),
        place(top),
        place(top + 21),
        place(top + _SERIES_HEIGHT),
        list(_unknowns(series.could_be, axis, top)),
        lines,
        labels,
        last=f"{last.text}{last.suffix} {series.unit}".strip(),
        last_at=moment_text(last.at),
    )
    return lane, _SERIES_HEIGHT


def _unknowns(times: Iterable[CouldBe], axis: TimeAxis, top: float) -> Iterator[Bar]:
    for one in times:
        box = _box(axis.x(one.start), top, axis.x(one.end), top + _SERIES_HEIGHT)
        yield Bar(*box, "could-be", one.reach)


def _joined(points: Sequence[Point], axis: TimeAxis, scale: ValueScale) -> str:
    """Return points joined by lines, broken where one ``begins``; few of them have dots."""
    known = [point for point in points if point.value is not None]
    dots = (Dot(axis.x(point.at), scale.y(point.value), point.begins) for point in known)
    return joined_path(dots, with_dots=len(known) <= _DOTS_AT_MOST)


def _steps(points: Sequence[Point], axis: TimeAxis, scale: ValueScale) -> str:
    """Return a line of steps: each value holds until the next; what is not known is a gap."""
    return step_path(
        Step(
            axis.x(point.at),
            axis.x(None if following is None else following.at),
            scale.y(point.value),
            point.begins,
        )
        for point, following in zip_longest(points, points[1:])
        if point.value is not None
    )


def _limit(series: Series, axis: TimeAxis, scale: ValueScale) -> str:
    """Return the limit that decides, each from its time on; nothing where none does."""
    found = []
    for (at, limit), following in zip_longest(series.limits, series.limits[1:]):
        if limit is not None:
            x, end = axis.x(at), axis.x(None if following is None else following[0])
            found.append(f"M{place(x)} {place(scale.y(limit))}H{place(end)}")
    return "".join(found)


def _days(axis: TimeAxis, infused_at: datetime) -> Iterator[Label]:
    """Yield the beginning of each day, as many as have room, with its day after the infusion."""
    starts = midnights(site_time(axis.since), site_time(axis.until))
    free_from = 0.0
    for at in starts:
        x, text = axis.x(at), ""
        if x >= free_from and x + _ROOM_FOR_A_DATE <= WIDTH:
            text = f"day {day_text(infused_at, at)} · {at:%a} {at.day} {at:%b}"
            free_from = x + _ROOM_FOR_A_DATE
        yield Label(place(x), place(12), text)


def _box(x: float, y: float, x_end: float, y_end: float) -> tuple[str, str, str, str]:
    """Return x, y, width and height; what is short stays visible."""
    return place(x), place(y), place(max(x_end - x, 0.6)), place(max(y_end - y, 0))
