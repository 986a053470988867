"""`make bench`: the parts of every run, the one that PART names, or with PART=all every part."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

_ENGINE: Final = "engine"
PARTS: Final = (_ENGINE, "save", "late", "throughput", "read", "start")
"""What runs where no part is named, in five minutes."""
ON_DEMAND: Final = (
    "board", "review", "flowsheet", "asof", "summary", "scales", "print", "browser", "export",
    "interface", "scale",
)  # fmt: skip
"""What runs where it is named, or with ``all``; at most two minutes each, ``scale`` twenty,
``interface`` five. It runs before the parts of every run: the groups of courses of one name are
those of the part that comes last, and ``save`` has the most.
"""
_MODULE_OF: Final = {"print": "paper"}
"""Modules of ``bench.parts`` that are not named as their part."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, report, compare; return 0 whatever the numbers: a busy machine breaks no build."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "part", nargs="?", choices=(*PARTS, *ON_DEMAND, "all", "profile", ""), default=""
    )
    parser.add_argument(
        "--keep", action="store_true", help="write the ratios as the baseline to compare with"
    )
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # leave no server behind
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.floor.settings_to_migrate")
    if chosen.part == "profile":
        return _profile()
    begun = time.monotonic()
    named = {"": PARTS, "all": (*ON_DEMAND, *PARTS)}
    metrics = _measure(named.get(chosen.part, [chosen.part]))
    _report(metrics, time.monotonic() - begun, keep=chosen.keep)
    return 0


def _measure(parts: Sequence[str]) -> list[Any]:
    """Return the numbers of the parts; those that need servers share one site."""
    from bench.servers import BenchError
    from bench.site import site

    served = {
        name: import_module(f"bench.parts.{_MODULE_OF.get(name, name)}")
        for name in (*ON_DEMAND, *PARTS)
        if name in parts and name != _ENGINE
    }
    metrics: list[Any] = []
    if served:
        groups: dict[str, Sequence[int]] = {}
        for module in served.values():
            groups |= module.COURSES
        with site(groups) as ready:
            for name, module in served.items():
                try:
                    metrics += module.measure(ready)
                except BenchError as error:  # report the other parts nevertheless
                    print(f"{name}: {str(error)[:300]}", file=sys.stderr)
    if _ENGINE in parts:
        from bench.parts import engine

        metrics += engine.measure()
    return metrics


def _report(metrics: Sequence[Any], took_s: float, *, keep: bool) -> None:
    from bench import courses, report

    about = {"took_s": round(took_s), "courses": courses.source()}
    print(
        f"\nRatios (x) are to the floor's median in the same minute; plain: without speedups, "
        f"CRS_PLAIN_DJANGO=1. Courses: {about['courses']}."
    )
    print(f"\n{report.table(metrics)}\n")
    changes = report.moved(metrics)
    print("Against bench/baseline.json:", "" if changes else "nothing moved beyond its noise.")
    for line in changes:
        print(f"  {line}")
    print(f"\n{took_s:.0f} s. Written to {report.keep(metrics, about)}")
    if keep:
        report.keep_as_baseline(metrics)


def _profile() -> int:
    from bench.profile import profile_of
    from bench.site import site

    with site({"1000": [1_000], "100000": [100_000]}) as ready:
        for group in ready.courses:
            print(profile_of(ready, group))
    return 0


if __name__ == "__main__":
    sys.exit(main())
