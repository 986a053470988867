"""A save: a vitals set or a change of a vasopressor, answered with all that the bedside swaps.

At 1,000 entries also on a server without speedups (CRS_PLAIN_DJANGO=1).
"""

from __future__ import annotations

from statistics import median

from bench.measure import Blocks, Metric, in_turn, pooled, ratio_metric, ratios, spread, tail_metric
from bench.parts import statements
from bench.site import Site

SIZES = (100, 1_000, 10_000, 100_000)
# Short courses take turns, so that the saves themselves hardly lengthen them.
COURSES = {"100": [100] * 8, "1000": [1_000] * 2, "10000": [10_000], "100000": [100_000]}
PLAIN_AT = 1_000
_ROUNDS = 20
_VITALS, _VASOPRESSORS = 15, 5


def measure(site: Site) -> list[Metric]:
    """Return the ratios at each size, and the growth from the shortest course to the longest."""
    subjects, blocks = {"floor": site.floor_ms}, {"floor": _VITALS + _VASOPRESSORS}
    for size in SIZES:
        group = site.courses[str(size)]
        subjects[f"vitals {size}"] = site.vitals_saver(group)
        subjects[f"vasopressor {size}"] = site.vasopressor_saver(group)
        blocks |= {f"vitals {size}": _VITALS, f"vasopressor {size}": _VASOPRESSORS}
    without = site.on_plain_django()
    group = site.courses[str(PLAIN_AT)]
    subjects["plain vitals"] = without.vitals_saver(group)
    subjects["plain vasopressor"] = without.vasopressor_saver(group)
    blocks |= {"plain vitals": _VITALS, "plain vasopressor": _VASOPRESSORS}
    found = in_turn("save", subjects, rounds=_ROUNDS, block=blocks, budget_s=100)
    floor = found["floor"]
    metrics = [Metric("floor p50", median(pooled(floor)), "ms", spread(pooled(floor)))]
    for size in SIZES:
        plain = _together(found["plain vitals"], found["plain vasopressor"])
        metrics += _at_size(
            f"save at {size:,}", _of_size(found, size), floor, plain if size == PLAIN_AT else None
        )
    growth = [
        long / short
        for long, short in zip(
            ratios(_of_size(found, SIZES[-1]), floor),
            ratios(_of_size(found, SIZES[0]), floor),
            strict=True,
        )
    ]
    metrics.append(
        Metric("save p50, 100,000 to 100", median(growth), "x", spread(growth), target=1.15)
    )
    for kind in ("vitals", "vasopressor"):
        name, plain = f"save of {kind} at 1,000 p50", found[f"plain {kind}"]
        metrics.append(ratio_metric(name, found[f"{kind} {PLAIN_AT}"], floor, plain=plain))
    return [*metrics, *statements.measure(site)]


def _of_size(found: dict[str, Blocks], size: int) -> Blocks:
    return _together(found[f"vitals {size}"], found[f"vasopressor {size}"])


def _together(vitals: Blocks, vasopressors: Blocks) -> Blocks:
    return [[*sets, *changes] for sets, changes in zip(vitals, vasopressors, strict=True)]


def _at_size(name: str, blocks: Blocks, floor: Blocks, plain: Blocks | None) -> list[Metric]:
    return [
        ratio_metric(f"{name} p50", blocks, floor, target=3.5, plain=plain),
        tail_metric(f"{name} p95", blocks, floor, 0.95, target=5, plain=plain),
        tail_metric(f"{name} p99", blocks, floor, 0.99, plain=plain),
    ]
