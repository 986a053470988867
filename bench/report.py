"""The table on the terminal, the JSON file, and the changes since the committed baseline."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench.measure import Metric
from bench.servers import BASE_DIR

BASELINE: Final = Path(__file__).parent / "baseline.json"
LATEST: Final = BASE_DIR / "var" / "bench" / "latest.json"
_LEAST_NOISE: Final = 0.05
_UNITS_OF_BASELINE: Final = frozenset({"x", ""})


def table(metrics: Sequence[Metric]) -> str:
    """Return a line for each number: value, spread, value without speedups, target, met or not."""
    width = max(len(metric.name) for metric in metrics)
    heading = f"{'':<{width}}  {'':>18}  {'':<10}  {'plain':>8}"
    lines = [_line(metric, width) for metric in metrics]
    return "\n".join([heading, *lines] if any(metric.plain for metric in metrics) else lines)


def _line(metric: Metric, width: int) -> str:
    value = f"{_shown(metric.value)} {metric.unit}".rstrip()
    spread = f"± {_shown(metric.spread / 2)}" if metric.spread else ""
    plain = _shown(metric.plain) if metric.plain is not None else ""
    verdict = ""
    if metric.target is not None:
        sign = "≥" if metric.at_least else "≤"
        verdict = f"{'met' if metric.is_met else 'MISSED'} ({sign} {_shown(metric.target)})"
    columns = f"{metric.name:<{width}}  {value:>18}  {spread:<10}  {plain:>8}"
    return f"{columns}  {verdict} {metric.note}".rstrip()


def _shown(number: float) -> str:
    if number == int(number) or abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.2f}" if abs(number) < 100 else f"{number:.0f}"


def as_json(metrics: Sequence[Metric], about: dict[str, Any]) -> str:
    """Return the report as JSON: what was measured, on which machine, and every number."""
    machine = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    document = {"about": about | machine, "metrics": [asdict(metric) for metric in metrics]}
    return json.dumps(document, indent=1) + "\n"


def keep(metrics: Sequence[Metric], about: dict[str, Any]) -> Path:
    """Write the JSON file; return its path."""
    LATEST.parent.mkdir(parents=True, exist_ok=True)
    LATEST.write_text(as_json(metrics, about))
    return LATEST


def keep_as_baseline(metrics: Sequence[Metric]) -> None:
    """Write the ratios and counts, not the times, which another machine cannot compare.

    A number that this run has not measured keeps its earlier value.
    """
    kept = _baseline() | {
        metric.name: {"value": round(metric.value, 3), "noise": round(_noise(metric), 3)}
        for metric in metrics
        if metric.unit in _UNITS_OF_BASELINE
    }
    BASELINE.write_text(json.dumps(kept, indent=1) + "\n")


def _baseline() -> dict[str, dict[str, float]]:
    if not BASELINE.exists():
        return {}
    read: dict[str, dict[str, float]] = json.loads(BASELINE.read_text())
    return read


def _noise(metric: Metric) -> float:
    """Return by how much two runs may differ: the quartiles' distance, at least 5 % of a ratio."""
    return max(metric.spread, _LEAST_NOISE * metric.value) if metric.unit == "x" else 0.0


def moved(metrics: Sequence[Metric]) -> list[str]:
    """Return a sentence for each number that differs from the baseline by more than its noise."""
    baseline, found = _baseline(), []
    for metric in metrics:
        before = baseline.get(metric.name)
        if before is None:
            continue
        noise = max(before["noise"], _noise(metric))
        change = metric.value - before["value"]
        if abs(change) > noise:
            better = change > 0 if metric.at_least else change < 0
            verdict = "better" if better else "WORSE"
            was = _shown(before["value"])
            found.append(
                f"{metric.name}: {verdict}, {was} -> {_shown(metric.value)} (noise {_shown(noise)})"
            )
    return found
