"""A save: a vitals set or a change of a vasopressor, answered with all that the bedside swaps."""

from __future__ import annotations

from statistics import median

from bench.measure import Blocks, Metric, in_turn, pooled, ratio_metric, ratios, spread, tail_metric
from bench.parts import statements
from bench.site import Site

SIZES = (100, 1_000, 10_000, 100_000)
# Short courses take turns, so that the saves themselves hardly lengthen them.
COURSES = {"100": [100] * 8, "1000": [1_000] * 2, "10000": [10_000], "100000": [100_000]}
_ROUNDS = 20
_VITALS, _VASOPRESSORS = 15, 5


def measure(site: Site) -> list[Metric]:
    """The ratios at every size, and how the cost grows from the shortest course to the longest."""
    subjects, blocks = {"floor": site.floor_ms}, {"floor": _VITALS + _VASOPRESSORS}
    for size in SIZES:
        group = site.courses[str(size)]
        subjects[f"vitals {size}"] = site.vitals_saver(group)
        subjects[f"vasopressor {size}"] = site.vasopressor_saver(group)
        blocks |= {f"vitals {size}": _VITALS, f"vasopressor {size}": _VASOPRESSORS}
    found = in_turn("save", subjects, rounds=_ROUNDS, block=blocks, budget_s=100)
    floor = found["floor"]
    metrics = [Metric("floor p50", median(pooled(floor)), "ms", spread(pooled(floor)))]
    for size in SIZES:
        metrics += _at_size(f"save at {size:,}", _together(found, size), floor)
    growth = [
        long / short
        for long, short in zip(
            ratios(_together(found, SIZES[-1]), floor),
            ratios(_together(found, SIZES[0]), floor),
            strict=True,
        )
    ]
    metrics.append(
        Metric("save p50, 100,000 to 100", median(growth), "x", spread(growth), target=1.15)
    )
    for kind in ("vitals", "vasopressor"):
        metrics.append(ratio_metric(f"save of {kind} at 1,000 p50", found[f"{kind} 1000"], floor))
    return [*metrics, *statements.measure(site)]


def _together(found: dict[str, Blocks], size: int) -> Blocks:
    pairs = zip(found[f"vitals {size}"], found[f"vasopressor {size}"], strict=True)
    return [[*sets, *changes] for sets, changes in pairs]


def _at_size(name: str, blocks: Blocks, floor: Blocks) -> list[Metric]:
    return [
        ratio_metric(f"{name} p50", blocks, floor, target=3.5),
        tail_metric(f"{name} p95", blocks, floor, 0.95, target=5),
        tail_metric(f"{name} p99", blocks, floor, 0.99),
    ]
