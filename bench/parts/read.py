"""The bedside page of short and long courses."""

from __future__ import annotations

from functools import partial

from bench.measure import Metric, in_turn, ratio_metric
from bench.parts.save import COURSES as OF_EVERY_SIZE
from bench.parts.save import PLAIN_AT, SIZES
from bench.site import Site

COURSES = OF_EVERY_SIZE
_ROUNDS = 12


def measure(site: Site) -> list[Metric]:
    """Return the ratios of the bedside page."""
    subjects = {"floor": site.floor_ms}
    for size in SIZES:
        path = f"/courses/{site.courses[str(size)][0].course_id}/"
        subjects[str(size)] = partial(site.page_ms, path)
        if size == PLAIN_AT:
            subjects["plain"] = partial(site.on_plain_django().page_ms, path)
    blocks = {"floor": 8, "plain": 5} | {name: 5 for name in subjects if name.isdigit()}
    found = in_turn("read", subjects, rounds=_ROUNDS, block=blocks, warm_up=4, budget_s=40)
    floor = found["floor"]
    return [
        *(
            ratio_metric(
                f"bedside page at {size:,}",
                found[str(size)],
                floor,
                target=4,
                plain=found["plain"] if size == PLAIN_AT else None,
            )
            for size in SIZES
        ),
    ]
