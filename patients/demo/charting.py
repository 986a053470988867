"""Chart a demonstration patient: entries at hours before now, with the keys of the course file.

Nothing is random: small differences between sets of observations come from a fixed sequence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

Json = dict[str, Any]


class Point(NamedTuple):
    """Vital signs at one time; up to the next point they are interpolated every ``every`` hours."""

    hours_ago: float
    every: float
    temperature_tenths_c: int
    heart_rate: int
    systolic_mmhg: int
    diastolic_mmhg: int
    respiratory_rate: int
    spo2_percent: int


class Limits(NamedTuple):
    unit: str
    lower: str | None = None
    upper: str | None = None


LABORATORY: Mapping[str, Limits] = {
    "crp": Limits("mg/L", upper="5"),
    "ferritin": Limits("ng/mL", "15", "300"),
    "alt": Limits("U/L", upper="40"),
    "ast": Limits("U/L", upper="40"),
    "bilirubin": Limits("mg/dL", upper="1.2"),
    "creatinine": Limits("mg/dL", upper="1.2"),
    "fibrinogen": Limits("mg/dL", "200", "400"),
    "inr": Limits("ratio", upper="1.1"),
    "platelets": Limits("10^9/L", "150", "400"),
    "anc": Limits("10^9/L", "1.5", "7.5"),
    "il6": Limits("pg/mL", upper="7"),
    "lactate": Limits("mmol/L", upper="2"),
    "lvef": Limits("%"),
}
WOBBLE = (0, 1, -1, 2, 0, -2, 1, -1)
"""Small differences from a straight line, in turn, so that charted values look charted."""
CHARTING_DELAY_MINUTES = (2, 4, 3, 6, 2, 9, 3, 5)


class Chart:
    """Writes the entries of one patient, each a number of hours before now."""

    def __init__(self, number: int, now: datetime) -> None:
        self.number = number
        self.now = now
        self.entries: list[Json] = []

    def when(self, hours_ago: float) -> datetime:
        return self.now - timedelta(minutes=round(hours_ago * 60))

    def add(
        self, hours_ago: float, kind: str, *, charted_after_minutes: int | None = None, **words: Any
    ) -> str:
        """Add one entry and return its id. Nothing is charted after now."""
        count = len(self.entries)
        delay = charted_after_minutes
        if delay is None:
            delay = CHARTING_DELAY_MINUTES[count % len(CHARTING_DELAY_MINUTES)]
        at = self.when(hours_ago)
        recorded_at = min(at + timedelta(minutes=delay), self.now)
        entry = {"id": f"demo-{self.number}-{count + 1:03}", "at": at.isoformat()}
        entry |= {"recorded_at": recorded_at.isoformat(), "kind": kind, **words}
        self.entries.append(entry)
        return str(entry["id"])

    def vitals(self, points: Sequence[Point]) -> None:
        """Add sets of vital signs from point to point; a point itself is charted exactly."""
        for start, end in pairwise(points):
            steps = max(1, round((start.hours_ago - end.hours_ago) / start.every))
            for step in range(steps):
                self._set_between(start, end, step, steps)
        self._set_between(points[-1], points[-1], 0, 1)

    def _set_between(self, start: Point, end: Point, step: int, steps: int) -> None:
        hours_ago = start.hours_ago + (end.hours_ago - start.hours_ago) * step / steps
        turn = len(self.entries)
        signs = [
            first + (last - first) * step // steps
            + (WOBBLE[(turn + place) % len(WOBBLE)] if step else 0)
            for place, (first, last) in enumerate(zip(start[2:], end[2:], strict=True))
        ]  # fmt: skip
        tenths, *others = signs
        others[-1] = min(others[-1], 100)
        names = ("heart_rate", "systolic_mmhg", "diastolic_mmhg", "respiratory_rate")
        words: Json = dict(zip((*names, "spo2_percent"), map(str, others), strict=True))
        self.add(hours_ago, "vitals", temperature_c=f"{tenths // 10}.{tenths % 10}", **words)

    def daily(self, last_hours_ago: float, **series: Sequence[str]) -> None:
        """Add laboratory results a day apart, the last of each series at ``last_hours_ago``."""
        for analyte, values in series.items():
            unit, lower, upper = LABORATORY[analyte]
            limits = {"lower_limit": lower, "upper_limit": upper}
            known = {key: limit for key, limit in limits.items() if limit is not None}
            for days_back, value in enumerate(reversed(values)):
                hours_ago = last_hours_ago + 24 * days_back
                words = {"analyte": analyte, "value": value, "unit": unit, **known}
                self.add(hours_ago, "lab", charted_after_minutes=48, **words)

    def infusion(self, hours_ago: float, drug: str, rate: str, unit: str, **words: Any) -> str:
        return self.add(hours_ago, "vasopressor", drug=drug, rate=rate, unit=unit, **words)

    def document(self, patient: Json, product: str, day: float, **course: Any) -> Json:
        """Return the course file: infused ``day`` days ago; ``course`` has baseline and weight."""
        mrn = f"DEMO-{self.number:04}"
        infused_at = self.when(24 * day)
        if "baseline" in course:
            measured_at = (infused_at - timedelta(hours=20)).isoformat()
            course["baseline"] = {**course["baseline"], "measured_at": measured_at}
        return {
            "format": "crs-course/1",
            "patient": {"mrn": mrn, **patient},
            "therapy": {"product": product, "infused_at": infused_at.isoformat()},
            **course,
            "entries": sorted(self.entries, key=lambda entry: str(entry["at"])),
        }


def pressure(systolic: str, diastolic: str) -> Json:
    return {"systolic_mmhg": systolic, "diastolic_mmhg": diastolic}
