"""Late entries: by one hour, by one day, and at the start of a long course."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from statistics import median
from typing import Any

from bench.measure import Metric, in_turn, ratio_metric, ratios, spread
from bench.site import Site

COURSES = {"late": [10_000]}
_ROUNDS = 8
_BLOCKS = {"floor": 8, "on time": 8, "1 h": 8, "24 h": 8, "start": 1}


def measure(site: Site) -> list[Metric]:
    """Return the ratios of late saves at 10,000 entries, to the floor and to a save on time."""
    group, minutes = site.courses["late"], count(1)

    def before(interval: timedelta) -> Callable[[Any], datetime]:
        return lambda course: course.last_at - interval + timedelta(minutes=next(minutes))

    def at_start(course: Any) -> datetime:
        begin: datetime = course.infused_at
        return begin + timedelta(minutes=next(minutes))

    subjects = {
        "floor": site.floor_ms,
        "on time": site.vitals_saver(group),
        "1 h": site.vitals_saver(group, before(timedelta(hours=1, minutes=30))),
        "24 h": site.vitals_saver(group, before(timedelta(hours=25))),
        "start": site.vitals_saver(group, at_start),
    }
    found = in_turn("late", subjects, rounds=_ROUNDS, block=_BLOCKS, warm_up=1, budget_s=40)
    floor = found["floor"]
    to_one_on_time = ratios(found["1 h"], found["on time"])
    name = "late by 1 h, to a plain save"
    return [
        Metric(name, median(to_one_on_time), "x", spread(to_one_on_time), target=1.5),
        *(
            ratio_metric(f"save at 10,000, late by {late}", found[late], floor)
            for late in ("1 h", "24 h")
        ),
        ratio_metric("save at 10,000, back to the start", found["start"], floor),
    ]
